/* SPDX-License-Identifier: ISC */
/* What the tests of moves share: mailboxes by name, moves, and a gate in front of the writer. */
#ifndef STORE_FIXTURE_MOVE_H
#define STORE_FIXTURE_MOVE_H

#include <pthread.h>

#include "store/fixture_queue.h"
#include "store/mailbox_name.h"
#include "store/move.h"

#define ALICE "alice@example.org"

UNUSED static uint64_t box_id(struct fixture *f, const char *user, const char *name)
{
	uint64_t id = 0;

	if (mailbox_ensure(f->store, account_id(f, user), str_from(name), &id) != OK)
		fail_msg("mailbox: %s", err_info()->text);
	assert_true(id != 0);
	return id;
}

/* uids: "1 2 9". */
UNUSED static err move_try(struct fixture *f, const char *user, const char *from, const char *to, const char *uids,
                           struct move *m, struct arena *a)
{
	uint64_t *list = arena_array(a, 2000, sizeof(*list));
	str rest = str_from(uids);

	*m = (struct move){.account = account_id(f, user),
	                   .from = box_id(f, user, from),
	                   .to = box_id(f, user, to),
	                   .uids = list,
	                   .by = STR("a test")};
	for (str w = str_word(&rest); w.n > 0; w = str_word(&rest))
		assert_true(str_to_u64(w, INT64_MAX, &list[m->n++]));
	return store_move(f->store, m, a);
}

/* How many were moved. */
UNUSED static size_t move_to(struct fixture *f, const char *from, const char *to, const char *uids)
{
	ARENA(a, 16 << 20);
	struct move m;

	if (move_try(f, ALICE, from, to, uids, &m, &a) != OK)
		fail_msg("move: %s", err_info()->text);
	return m.moved_n;
}

/* --- what is asked of the writer while the gate is closed is done in one go, in that order, when it opens --- */

static pthread_mutex_t fixture_gate = PTHREAD_MUTEX_INITIALIZER;

static err gate_apply(struct writer *w UNUSED, struct job *job UNUSED)
{
	pthread_mutex_lock(&fixture_gate);
	pthread_mutex_unlock(&fixture_gate);
	return OK;
}

static void gate_wait(void *arg)
{
	static const struct job_kind kind = {.apply = gate_apply, .apart = true};
	struct fixture *f = arg;
	struct job job = {.kind = &kind};

	assert_int_equal(writer_do(f->store->writer, &job), OK);
}

UNUSED static void gate_close(struct fixture *f)
{
	pthread_mutex_lock(&fixture_gate);
	assert_non_null(rt_spawn(gate_wait, f, "gate"));
	rt_yield();
}

/* Runs fn up to where it waits for the writer, or for a worker. */
UNUSED static void behind_gate(void (*fn)(void *arg), void *arg)
{
	assert_non_null(rt_spawn(fn, arg, "behind"));
	assert_int_equal(rt_sleep_until(rt_after(50 * NSEC_PER_MSEC)), OK);
}

/* `before`: coroutines there were when it was closed. */
UNUSED static void gate_open(size_t before)
{
	pthread_mutex_unlock(&fixture_gate);
	while (rt_count() > before)
		assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_MSEC)), OK);
}

#endif
