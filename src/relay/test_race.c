/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "relay/fake.h"
#include "relay/race.h"

#define HEAD "version 1\nhostname mail.example.org\ndomain example.org\nroute * mx source 192.0.2.77\n"

enum { MAX = 4 };

/* What each address does: 'y' answers, 'n' refuses, '.' hangs, 'x' was tried before. */
static struct {
	const char *plan;
	size_t runs; /* how often a connection is asked for */
	/* out */
	err e;
	size_t which;
	bool tried[MAX];
	nsec lasted;
	nsec cancel_after; /* 0: not */
} race;

static struct fake_world w;
static struct fake_host hosts[MAX + 1];
static const char *const addresses[] = {"192.0.2.1:25", "192.0.2.2:25", "192.0.2.3:25", "192.0.2.4:25"};
static const char *const no_zone[] = {NULL};

static void canceller(void *arg)
{
	(void)!rt_sleep_until(rt_after(race.cancel_after));
	rt_cancel(arg);
}

static void ask(void *arg UNUSED)
{
	struct net_address to[MAX];
	struct race_question q = {w.relay, &w.conf->routes[0], to, race.tried, 0, NULL};
	struct raced raced = {0};
	size_t n = strlen(race.plan);
	nsec began = rt_now();

	q.n = n;
	for (size_t i = 0; i < n; i++) {
		if (net_address_parse(str_from(addresses[i]), &to[i]) != OK)
			abort();
		race.tried[i] = race.plan[i] == 'x';
	}
	for (size_t i = 0; i < race.runs; i++) {
		raced_drop(&q, &raced);
		race.e = race_run(&q, &raced);
		race.which = race.e == OK ? raced.which : race.which;
	}
	raced_drop(&q, &raced);
	race.lasted = rt_now() - began;
}

static void run_main(void *arg UNUSED)
{
	fake_begin(&w);
	struct co *asker = rt_spawn(ask, NULL, "ask");
	if (race.cancel_after > 0)
		rt_spawn(canceller, asker, "cancel");
	(void)!rt_sleep_until(rt_after(200 * NSEC_PER_SEC));
	fake_end_world(&w);
}

static void run(const char *plan, size_t runs)
{
	race.plan = plan;
	race.runs = runs;
	w = (struct fake_world){.config = HEAD, .hosts = hosts, .zone = {.lines = no_zone}};
	memset(hosts, 0, sizeof(hosts));
	for (size_t i = 0; i < strlen(plan); i++)
		hosts[i] =
			(struct fake_host){.address = addresses[i], .refuses = plan[i] == 'n', .hangs = plan[i] == '.'};
	assert_int_equal(rt_run_simulated(1, run_main, NULL), OK);
	fake_free(&w);
}

static void expect(const char *plan, size_t which, nsec lasted)
{
	run(plan, 1);
	assert_int_equal(race.e, OK);
	assert_int_equal(race.which, which);
	assert_true(race.tried[which]);
	assert_in_range(race.lasted, lasted, lasted + NSEC_PER_MSEC);
}

static void the_first_that_answers(void **state UNUSED)
{
	expect("y", 0, 0);
	expect("yy", 0, 0);
	assert_false(race.tried[1]);
	expect("ny", 1, 0); /* a refusal ends the head start */
	expect("nny", 2, 0);
	expect("xy", 1, 0);
}

static void a_head_start(void **state UNUSED)
{
	expect(".y", 1, 250 * NSEC_PER_MSEC);
	assert_false(race.tried[0]); /* it may answer yet */
	expect("..y", 2, 500 * NSEC_PER_MSEC);
	expect(".ny", 2, 250 * NSEC_PER_MSEC);
}

static void nobody(void **state UNUSED)
{
	run("n", 1);
	assert_int_equal(race.e, E_CLOSED);
	run("nn", 1);
	assert_int_equal(race.e, E_CLOSED);
	run("..", 1);
	assert_int_equal(race.e, E_TIMEOUT);
	assert_in_range(race.lasted, 30 * NSEC_PER_SEC, 31 * NSEC_PER_SEC);
	run("xx", 1);
	assert_int_equal(race.e, E_END);
}

static void one_after_the_other(void **state UNUSED)
{
	run("yny", 2); /* the first one was of no use */
	assert_int_equal(race.e, OK);
	assert_int_equal(race.which, 2);
	run("yny", 3);
	assert_int_equal(race.e, E_END);
}

static void who_is_cancelled_leaves_nothing(void **state UNUSED)
{
	race.cancel_after = 300 * NSEC_PER_MSEC;
	run("...", 1);
	assert_int_equal(race.e, E_CANCELLED);
	race.cancel_after = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_answers),
		cmocka_unit_test(a_head_start),
		cmocka_unit_test(nobody),
		cmocka_unit_test(one_after_the_other),
		cmocka_unit_test(who_is_cancelled_leaves_nothing),
	};

	return cmocka_run_group_tests_name("race", tests, NULL, NULL);
}
