/* SPDX-License-Identifier: ISC */
#include "sasl/turns.h"

struct waiter { /* on the waiting coroutine's stack */
	struct crowd_member member;
	struct semaphore called;
	bool granted;
};

static void turn_away(struct crowd_member *m)
{
	struct waiter *w = m->of;

	semaphore_give(&w->called);
}

void turns_init(struct turns *t, size_t at_once, size_t waiting, size_t share)
{
	t->free = at_once;
	crowd_init(&t->waiting, waiting, share, CROWD_NEWEST, turn_away);
}

void turns_free(struct turns *t)
{
	crowd_free(&t->waiting);
}

err turns_take(struct turns *t, str client, nsec deadline)
{
	struct waiter w = {.member.of = &w};

	if (t->free > 0) {
		t->free--;
		return OK;
	}
	semaphore_init(&w.called, 0);
	err e = crowd_enter(&t->waiting, &w.member, client);
	if (e != OK)
		return e;
	e = semaphore_take(&w.called, deadline);
	crowd_leave(&t->waiting, &w.member);
	if (e == OK && !w.granted)
		return err_note(E_BUSY, "others came");
	if (e != OK && w.granted) /* both at once */
		turns_give(t);
	return e;
}

void turns_give(struct turns *t)
{
	struct crowd_member *next = crowd_next(&t->waiting);

	if (next == NULL) {
		t->free++;
		return;
	}
	struct waiter *w = next->of;
	w->granted = true;
	semaphore_give(&w->called);
}
