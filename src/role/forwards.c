/* SPDX-License-Identifier: ISC */
#include "role/forwards.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "role/spawn.h"
#include "rt/file.h"

#define FIRST_AFTER   NSEC_PER_SEC
#define EVERY         (10 * NSEC_PER_SEC)
#define PASS_OVER     (600 * NSEC_PER_SEC)
#define SILENCE       (20 * NSEC_PER_SEC) /* of the process that reads; it gives up before that */
#define STORE_TIME    (30 * NSEC_PER_SEC)
#define PAGE_MEMORY   ((size_t)16 << 20)
#define SET_MEMORY    ((size_t)64 << 10)
#define ANSWER_OCTETS ((size_t)6 << 20) /* of all users of a page */

enum { NEVER_LOOKED = 1 }; /* as a stamp */
enum { TARGETS_AT = 3 };   /* in the words of `forward set ADDRESS TARGET...` */

struct forward_known {
	uint64_t account; /* another one of that name knows nothing */
	uint64_t stamp;
	nsec aside; /* passed over until then */
};

/* A user of the page that is looked at. */
struct user {
	str name;
	uint64_t account;
	bool forwards; /* as the store has it */
	struct forward_known *known;
};

struct page {
	struct forwards *forwards;
	struct arena *arena;
	struct user *users;
	size_t n;
};

static void log_failed(void)
{
	LOG(ERROR, "forward.failed", LOG_Z("error", err_info()->text));
}

/* --- what is known --- */

static void forget(struct forwards *f)
{
	size_t at = 0;
	str name;
	void *known;

	while (map_next(&f->known, &at, &name, &known))
		free(known);
	map_free(&f->known);
	arena_free(&f->memory);
	f->domain = STR_NONE;
}

void forwards_init(struct forwards *f, const struct children *children)
{
	*f = (struct forwards){.children = children, .memory = ARENA_INIT(4096)};
	map_init(&f->known);
	semaphore_init(&f->wanted, 0);
}

void forwards_look_now(struct forwards *f)
{
	if (f->wanted.free == 0)
		semaphore_give(&f->wanted);
}

void forwards_free(struct forwards *f)
{
	forget(f);
}

static struct forward_known *known_of(struct forwards *f, str name, uint64_t account)
{
	struct forward_known *k = map_get(&f->known, name);

	if (k == NULL) {
		k = calloc(1, sizeof(*k));
		if (k == NULL || map_put(&f->known, name, k) != OK) {
			free(k);
			return NULL;
		}
	}
	if (k->account != account)
		*k = (struct forward_known){.account = account, .stamp = NEVER_LOOKED};
	return k;
}

/* --- with the store --- */

static err ask_store(const struct forwards *f, const struct admin_request *q, struct admin_reply *r, struct arena *a)
{
	*r = (struct admin_reply){0};
	return call_admin(children_store(f->children), q, r, a, rt_after(STORE_TIME));
}

static const struct cell *cell_at(const struct row *row, size_t i)
{
	static const struct cell none;

	return i < row->cells_n ? &row->cells[i] : &none;
}

static err add_user(struct page *p, const struct row *row)
{
	struct user u = {.name = cell_at(row, 0)->text,
	                 .account = cell_at(row, 1)->number,
	                 .forwards = cell_at(row, 2)->number != 0};

	u.known = known_of(p->forwards, u.name, u.account);
	if (u.known == NULL)
		return err_note(E_MEMORY, "no memory for .forward files");
	if (u.known->aside <= rt_now())
		p->users[p->n++] = u;
	return OK;
}

/* Accounts of the domain behind `resume`; `more`: those behind which it goes on, "" the end. */
static err list_page(struct page *p, str resume, str *more)
{
	struct word words[] = {{STR("forward")}, {STR("list")}, {p->forwards->domain}};
	struct admin_request q = {.words = words, .words_n = ARRAY_LEN(words), .resume = resume};
	struct admin_reply r;
	err e = ask_store(p->forwards, &q, &r, p->arena);

	if (e != OK)
		return e;
	p->users = arena_array(p->arena, r.rows_n, sizeof(*p->users));
	if (p->users == NULL)
		return err_note(E_MEMORY, "no memory for .forward files");
	for (size_t i = 0; i < r.rows_n && e == OK; i++)
		e = add_user(p, &r.rows[i]);
	*more = r.more;
	return e;
}

static err tell_store(const struct forwards *f, const struct user *u, const struct forward *forward)
{
	ARENA(a, SET_MEMORY);
	struct word *words = arena_array(&a, TARGETS_AT + FORWARD_TARGETS_MAX, sizeof(*words));
	struct admin_request q = {.words = words, .words_n = TARGETS_AT + forward->targets_n};
	struct admin_reply r;

	if (words == NULL)
		return err_note(E_MEMORY, "no memory for a .forward");
	words[0].text = STR("forward");
	words[1].text = STR("set");
	words[2].text = arena_printf(&a, STR_FMT "@" STR_FMT, STR_ARG(u->name), STR_ARG(f->domain));
	for (size_t i = 0; i < forward->targets_n; i++)
		words[TARGETS_AT + i].text = forward->targets[i];
	return ask_store(f, &q, &r, &a);
}

/* --- what a file says --- */

static void log_refusals(const struct user *u, const struct forward *forward)
{
	for (size_t i = 0; i < forward->refusals_n; i++)
		LOG(WARN, "forward.refused", LOG_STR("user", u->name), LOG_NUM("line", forward->refusals[i].line),
		    LOG_STR("why", forward->refusals[i].why));
	if (forward->fault.n > 0)
		LOG(WARN, "forward.unusable", LOG_STR("user", u->name), LOG_STR("why", forward->fault));
}

static err apply(const struct forwards *f, const struct user *u, const struct forward_answer *answer)
{
	const struct forward *forward = &answer->forward;

	if (answer->stamp == u->known->stamp)
		return OK;
	log_refusals(u, forward);
	err e = forward->targets_n > 0 || u->forwards ? tell_store(f, u, forward) : OK;
	if (e == E_SYNTAX) { /* the store has the last word on what is an address */
		LOG(WARN, "forward.unusable", LOG_STR("user", u->name), LOG_Z("why", err_info()->text));
		e = tell_store(f, u, &(struct forward){0});
	}
	if (e == E_NOT_FOUND) /* the account is gone meanwhile */
		return OK;
	if (e == OK)
		u->known->stamp = answer->stamp;
	return e;
}

/* --- with the process that reads --- */

static bool take_word(struct cursor *c, str word, str *rest)
{
	str first, line = forward_line(c);

	str_cut(line, ' ', &first, rest);
	if (!str_equal(first, word) || rest->n == 0)
		cursor_fail(c);
	return !c->failed;
}

err forward_answer_take(struct cursor *c, struct arena *a, struct forward_answer *out)
{
	str number;

	*out = (struct forward_answer){0};
	if (cursor_end(c) && !c->failed)
		return E_END;
	if (take_word(c, STR("user"), &out->user) && take_word(c, STR("stamp"), &number) &&
	    str_to_u64(number, UINT64_MAX, &out->stamp))
		return forward_parse(c, a, &out->forward);
	return err_note(E_SYNTAX, "the process that reads .forward files ended, or said something else");
}

static err write_request(const struct page *p, size_t from, int *fd)
{
	BUF(text, 64 << 10);

	buf_printf(&text, "domain " STR_FMT "\n", STR_ARG(p->forwards->domain));
	for (size_t i = from; i < p->n; i++)
		buf_printf(&text, STR_FMT " %llu\n", STR_ARG(p->users[i].name),
		           (unsigned long long)p->users[i].known->stamp);
	if (text.full)
		return err_note(E_LIMIT, "too many names of users at once");
	err e = file_memfd("forward", fd);
	if (e == OK) {
		struct iovec iov = {text.p, text.n};

		e = file_write_all(*fd, &iov, 1, 0);
	}
	return e;
}

static err start_reader(const struct page *p, size_t from, struct rt_fd *answers)
{
	int request = -1, ends[2];
	err e = write_request(p, from, &request);

	if (e == OK && pipe2(ends, O_CLOEXEC) != 0)
		e = err_note(E_IO, "pipe: %s", strerrordesc_np(errno));
	else if (e == OK) {
		e = spawn_helper("forward", "--forward", request, ends[1]);
		close(ends[1]);
		rt_fd_init(answers, ends[0]);
	}
	if (request >= 0)
		close(request);
	return e;
}

/* Up to its end, however that comes. E_CANCELLED. */
static err read_answers(struct rt_fd *answers, struct buf *out)
{
	for (;;) {
		char *to = buf_reserve(out, 16 << 10);
		ssize_t n = to == NULL ? 0 : read(answers->fd, to, 16 << 10);

		if (n > 0) {
			buf_commit(out, (size_t)n);
			continue;
		}
		err e = n < 0 && errno == EAGAIN ? rt_fd_wait_readable(answers, rt_after(SILENCE)) : E_END;
		if (e != OK)
			return e == E_CANCELLED ? e : OK;
	}
}

static void pass_over(const struct user *u)
{
	u->known->aside = rt_after(PASS_OVER);
	LOG(WARN, "forward.silent", LOG_STR("user", u->name), LOG_NUM("again-in", PASS_OVER / NSEC_PER_SEC));
}

/* *at: whom the lines are about. E_SYNTAX: at him they end. */
static err apply_all(const struct page *p, str text, size_t *at)
{
	struct cursor c = cursor_of(text);
	struct forward_answer answer;
	err e = OK;

	for (; *at < p->n && e == OK; ++*at) {
		e = forward_answer_take(&c, p->arena, &answer);
		if (e == E_END || !str_equal(answer.user, p->users[*at].name))
			return err_note(E_IO, "the process that reads .forward files does not work");
		if (e == E_SYNTAX)
			return e;
		if (e == OK)
			e = apply(p->forwards, &p->users[*at], &answer);
	}
	return e;
}

/* All from *at on, or up to one whose home folder does not answer. */
static err look(const struct page *p, size_t *at)
{
	struct rt_fd answers = {.fd = -1};
	BUF(text, ANSWER_OCTETS);
	err e = start_reader(p, *at, &answers);

	if (e == OK)
		e = read_answers(&answers, &text);
	rt_fd_close(&answers);
	if (e == OK)
		e = apply_all(p, buf_str(&text), at);
	if (e != E_SYNTAX)
		return e;
	pass_over(&p->users[(*at)++]);
	return OK;
}

/* --- rounds --- */

static err look_at_page(struct forwards *f, str resume, struct buf *more)
{
	ARENA(a, PAGE_MEMORY);
	struct page p = {.forwards = f, .arena = &a};
	str next = STR_NONE;
	err e = list_page(&p, resume, &next);

	for (size_t at = 0; at < p.n && e == OK;)
		e = look(&p, &at);
	buf_reset(more);
	buf_put(more, next);
	return e;
}

static void look_at_all(struct forwards *f)
{
	BUF(resume, 1000);
	BUF(more, 1000);
	err e;

	do {
		buf_reset(&resume);
		buf_put(&resume, buf_str(&more));
		e = look_at_page(f, buf_str(&resume), &more);
	} while (e == OK && more.n > 0);
	if (e != OK && e != E_CANCELLED && e != E_CLOSED)
		log_failed();
}

/* Another domain has other users. */
static void follow_config(struct forwards *f)
{
	str domain = f->children->config->unix_users;

	if (str_equal(domain, f->domain))
		return;
	forget(f);
	map_init(&f->known);
	f->domain = arena_str(&f->memory, domain);
}

void forwards_run(void *forwards)
{
	struct forwards *f = forwards;

	for (nsec pause = FIRST_AFTER; semaphore_take(&f->wanted, rt_after(pause)) != E_CANCELLED; pause = EVERY) {
		follow_config(f);
		if (f->domain.n > 0)
			look_at_all(f);
	}
}
