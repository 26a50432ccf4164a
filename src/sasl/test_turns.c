/* SPDX-License-Identifier: ISC */
#include "sasl/turns.h"

#include "base/test.h"

enum { SHARE = 3, WAITING = 7 };

struct asker {
	struct turns *turns;
	const char *client;
	nsec deadline;
	struct co *co;
	err result;
	nsec at; /* when it was answered */
};

/* Holds its turn for a second. */
static void ask(void *arg)
{
	struct asker *a = arg;

	a->result = turns_take(a->turns, str_from(a->client), a->deadline);
	a->at = rt_now();
	if (a->result != OK)
		return;
	assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_SEC)), OK);
	turns_give(a->turns);
}

static void begin(struct asker *a, struct turns *t, const char *client)
{
	*a = (struct asker){.turns = t, .client = client, .deadline = RT_NEVER, .result = E_LAST};
	a->co = rt_spawn(ask, a, "asker");
	assert_non_null(a->co);
	rt_yield();
}

static void pass(nsec duration)
{
	assert_int_equal(rt_sleep_until(rt_after(duration)), OK);
}

static nsec seconds(const struct asker *a)
{
	return a->at / NSEC_PER_SEC;
}

static void in_turn(void *arg)
{
	struct turns *t = arg;
	struct asker greedy[6], other, third;
	nsec start = rt_now() / NSEC_PER_SEC;

	for (size_t i = 0; i < 6; i++)
		begin(&greedy[i], t, "greedy");
	begin(&other, t, "other");
	begin(&third, t, "third");
	assert_int_equal(greedy[4].result, E_BUSY); /* one is at it, three wait */
	assert_int_equal(greedy[5].result, E_BUSY);
	pass(10 * NSEC_PER_SEC);
	assert_int_equal(seconds(&greedy[0]) - start, 0);
	assert_int_equal(seconds(&greedy[1]) - start, 1);
	assert_int_equal(seconds(&other) - start, 2);
	assert_int_equal(seconds(&third) - start, 3);
	assert_int_equal(seconds(&greedy[2]) - start, 4);
	assert_int_equal(seconds(&greedy[3]) - start, 5);
	assert_int_equal(t->free, 1);
}

static void full(void *arg)
{
	struct turns *t = arg;
	struct asker first, a[3], b[3], c[3];

	begin(&first, t, "first");
	for (size_t i = 0; i < 3; i++) {
		begin(&a[i], t, "a");
		begin(&b[i], t, "b");
	}
	begin(&c[0], t, "c");
	begin(&c[1], t, "c"); /* one that waits goes, of those that have most */
	assert_int_equal(a[2].result, E_BUSY);
	begin(&c[2], t, "c");
	assert_int_equal(b[2].result, E_BUSY);
	pass(20 * NSEC_PER_SEC);
	assert_int_equal(c[2].result, OK);
	assert_int_equal(t->free, 1);
}

static void who_gives_up(void *arg)
{
	struct turns *t = arg;
	struct asker first, late, cancelled, last;

	begin(&first, t, "a");
	late = (struct asker){.turns = t, .client = "b", .deadline = rt_after(NSEC_PER_SEC / 2), .result = E_LAST};
	assert_non_null(rt_spawn(ask, &late, "asker"));
	begin(&cancelled, t, "c");
	begin(&last, t, "d");
	rt_cancel(cancelled.co);
	pass(3 * NSEC_PER_SEC);
	assert_int_equal(late.result, E_TIMEOUT);
	assert_int_equal(cancelled.result, E_CANCELLED);
	assert_int_equal(last.result, OK);
	assert_int_equal(t->free, 1);
}

/* Its time is over in the moment in which it is its turn. */
static void at_once(void *arg)
{
	struct turns *t = arg;
	struct asker first, late, last;

	begin(&first, t, "a");
	late = (struct asker){.turns = t, .client = "b", .deadline = first.at + NSEC_PER_SEC, .result = E_LAST};
	assert_non_null(rt_spawn(ask, &late, "asker"));
	begin(&last, t, "c");
	pass(5 * NSEC_PER_SEC);
	assert_true(late.result == OK || late.result == E_TIMEOUT);
	assert_int_equal(last.result, OK);
	assert_int_equal(t->free, 1);
}

static void run(void (*story)(void *arg))
{
	struct turns t;

	turns_init(&t, 1, WAITING, SHARE);
	assert_int_equal(rt_run_simulated(1, story, &t), OK);
	turns_free(&t);
}

static void test_in_turn(void **state)
{
	(void)state;
	run(in_turn);
}

static void test_full(void **state)
{
	(void)state;
	run(full);
}

static void test_who_gives_up(void **state)
{
	(void)state;
	run(who_gives_up);
}

static void test_at_once(void **state)
{
	(void)state;
	run(at_once);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_turn),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_who_gives_up),
		cmocka_unit_test(test_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
