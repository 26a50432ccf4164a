/* SPDX-License-Identifier: ISC */
#include "smtp/spool.h"

#include <sys/uio.h>
#include <unistd.h>

#include "rt/file.h"
#include "rt/rt.h"

/* FIRST: most messages fit without growing. */
enum { FIRST = 16 << 10, ROOM_POLL_MSEC = 50 };

struct spool spool_begin(struct body_budget *budget, uint64_t limit, uint64_t expected)
{
	struct spool s = {.budget = budget, .limit = limit, .tail = BUF_INIT(BODY_INLINE_MAX), .fd = -1};
	uint64_t room = expected > FIRST ? expected : FIRST;

	/* Failing is early enough when there is content. */
	if (room <= BODY_INLINE_MAX && buf_reserve(&s.tail, room) == NULL)
		buf_reset(&s.tail);
	return s;
}

static void uncharge(struct spool *s)
{
	s->budget->used -= s->charged;
	s->charged = 0;
}

static void close_file(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

void spool_drop(struct spool *s)
{
	buf_free(&s->tail);
	close_file(s);
	uncharge(s);
}

static void give_up(struct spool *s, err fault)
{
	s->fault = fault;
	spool_drop(s);
}

static bool has_room(const struct spool *s, uint64_t n)
{
	return n <= s->budget->cap && s->budget->used <= s->budget->cap - n;
}

void spool_wait_for_room(struct spool *s, uint64_t n, nsec deadline)
{
	while (s->fault == OK && !has_room(s, n) && rt_now() < deadline)
		if (rt_sleep_until(rt_after(ROOM_POLL_MSEC * NSEC_PER_MSEC)) != OK)
			return;
}

/* The tail goes into the file, which is made when it is needed first. */
static void spill(struct spool *s)
{
	struct iovec iov = {.iov_base = s->tail.p, .iov_len = s->tail.n};
	err e = OK;

	if (s->fd < 0)
		e = file_memfd("message", &s->fd);
	if (e == OK)
		e = file_write_all(s->fd, &iov, 1, (off_t)s->in_file);
	if (e != OK) {
		give_up(s, E_TEMP);
		return;
	}
	s->in_file += s->tail.n;
	buf_reset(&s->tail);
}

void spool_append(struct spool *s, str bytes)
{
	s->size += bytes.n;
	if (s->fault != OK)
		return;
	if (s->size > s->limit) {
		give_up(s, E_LIMIT);
		return;
	}
	if (!has_room(s, bytes.n)) {
		give_up(s, E_TEMP);
		return;
	}
	s->budget->used += bytes.n;
	s->charged += bytes.n;
	while (bytes.n > 0 && s->fault == OK) {
		str part = str_take(bytes, BODY_INLINE_MAX - s->tail.n);
		bytes = str_drop(bytes, part.n);
		buf_put(&s->tail, part);
		if (s->tail.full)
			give_up(s, E_TEMP);
		else if (bytes.n > 0)
			spill(s);
	}
}

err spool_finish(struct spool *s, struct body *out)
{
	if (s->fault == OK && s->fd >= 0) {
		spill(s);
		if (s->fault == OK && file_seal(s->fd) != OK)
			give_up(s, E_TEMP);
	}
	if (s->fault == E_LIMIT)
		return err_set(E_LIMIT, 552, "5.3.4", "The message is larger than %llu octets",
		               (unsigned long long)s->limit);
	if (s->fault != OK)
		return err_set(E_TEMP, 452, "4.3.1", "Out of memory for messages; try again later");
	*out = (struct body){s->fd < 0 ? buf_str(&s->tail) : STR_NONE, s->fd};
	return OK;
}

void spool_end(struct spool *s)
{
	spool_drop(s);
}
