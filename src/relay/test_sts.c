/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "relay/fake.h"

#define HEAD   "version 1\nhostname mail.example.org\ndomain example.org\n"
#define POLICY "version: STSv1\nmode: enforce\nmx: mx.a.example\nmax_age: 604800\n"
#define OTHER  "version: STSv1\nmode: testing\nmx: *.a.example\nmax_age: 604800\n"
#define DAY    (86400 * INT64_C(1000000))

static const char *const zone[] = {
	"_mta-sts.a.example TXT v=STSv1; id=1;",
	"mta-sts.a.example A 192.0.2.9",
	"mta-sts.a.example AAAA 2001:db8::9",
	"_mta-sts.inside.example TXT v=STSv1; id=1;",
	"mta-sts.inside.example A 127.0.0.1",
	"mta-sts.inside.example A 169.254.169.254",
	"mta-sts.inside.example AAAA fd00::1",
	"_mta-sts.half.example TXT v=STSv1; id=1;",
	"mta-sts.half.example A 10.0.0.1",
	"mta-sts.half.example A 192.0.2.9",
	"_mta-sts.nohost.example TXT v=STSv1; id=1;",
	"_mta-sts.broken.example TXT v=STSv1",
	"_mta-sts.fails.example SERVFAIL",
	NULL,
};

static struct fake_world w;
static const char *configuration = HEAD;

/* A question for a policy, and what came of it. */
static struct question {
	const char *domain;
	size_t times;    /* asked one after the other */
	size_t together; /* asked at the same time */
	nsec between;
	int64_t left; /* microseconds that what is kept is still valid; 0: nothing is kept */
	/* out */
	err e;
	struct mta_sts_policy policy;
	size_t done;
} q;

static void ask(void *arg UNUSED)
{
	ARENA(a, 1 << 20);

	for (size_t i = 0; i < q.times; i++) {
		if (i > 0)
			(void)!rt_sleep_until(rt_after(q.between));
		q.e = sts_find(w.relay, str_from(q.domain), &a, &q.policy);
	}
	q.done++;
}

static void run_main(void *arg UNUSED)
{
	fake_begin(&w);
	if (q.left != 0)
		w.policy_expires = rt_wall() + q.left;
	for (size_t i = 0; i < q.together; i++)
		rt_spawn(ask, NULL, "ask");
	while (q.done < q.together)
		(void)!rt_sleep_until(rt_after(NSEC_PER_SEC));
	fake_end_world(&w);
}

static void run(const char *domain, const char *fetched, const char *kept, const char *kept_id, int64_t left)
{
	size_t times = q.times, together = q.together;
	nsec between = q.between;

	q = (struct question){.domain = domain,
	                      .times = times ? times : 1,
	                      .together = together ? together : 1,
	                      .between = between,
	                      .left = left};
	w = (struct fake_world){.config = configuration,
	                        .zone = {.lines = zone},
	                        .fetched = fetched,
	                        .policy_id = kept_id,
	                        .policy_text = kept};
	assert_int_equal(rt_run_simulated(1, run_main, NULL), OK);
	fake_free(&w);
}

static void expect(err e, enum mta_sts_mode mode, size_t fetches)
{
	assert_int_equal(q.e, e);
	if (e == OK)
		assert_int_equal(q.policy.mode, mode);
	assert_int_equal(w.fetches, fetches);
	q = (struct question){0};
}

static void fetched_and_kept(void **state UNUSED)
{
	run("a.example", POLICY, NULL, NULL, 0);
	expect(OK, MTA_STS_ENFORCE, 1);
	assert_int_equal(w.kept, 1);
	assert_string_equal(w.policy_text, POLICY);
	assert_string_equal(w.policy_id, "1");
}

static void what_is_kept_is_used(void **state UNUSED)
{
	run("a.example", OTHER, POLICY, "1", 7 * DAY);
	expect(OK, MTA_STS_ENFORCE, 0);
	run("a.example", OTHER, POLICY, "0", 7 * DAY); /* there is a newer one */
	expect(OK, MTA_STS_TESTING, 1);
	run("a.example", OTHER, POLICY, "1", 5 * DAY); /* it was fetched two days ago */
	expect(OK, MTA_STS_TESTING, 1);
	run("a.example", OTHER, POLICY, "1", -1); /* its time is over */
	expect(OK, MTA_STS_TESTING, 1);
}

/* RFC 8461 3.3, 5.1. */
static void what_cannot_be_had(void **state UNUSED)
{
	run("a.example", NULL, NULL, NULL, 0);
	expect(E_NOT_FOUND, 0, 1);
	run("a.example", NULL, POLICY, "0", 3 * DAY); /* the old one holds */
	expect(OK, MTA_STS_ENFORCE, 1);
	run("a.example", "no policy", POLICY, "0", 3 * DAY);
	expect(OK, MTA_STS_ENFORCE, 1);
	run("none.example", POLICY, POLICY, "0", 3 * DAY); /* also without a record */
	expect(OK, MTA_STS_ENFORCE, 0);
	run("none.example", POLICY, NULL, NULL, 0);
	expect(E_NOT_FOUND, 0, 0);
	run("nohost.example", POLICY, NULL, NULL, 0);
	expect(E_NOT_FOUND, 0, 0);
	run("broken.example", POLICY, NULL, NULL, 0);
	expect(E_NOT_FOUND, 0, 0);
	run("fails.example", POLICY, NULL, NULL, 0);
	expect(E_NOT_FOUND, 0, 0);
}

/* A domain whose policy lies at an address that only we can reach is not asked. */
static void not_within_our_network(void **state UNUSED)
{
	run("inside.example", POLICY, NULL, NULL, 0);
	expect(E_NOT_FOUND, 0, 0);
	run("half.example", POLICY, NULL, NULL, 0);
	expect(OK, MTA_STS_ENFORCE, 1);
	configuration = HEAD "route inside.example mx loopback allow\n";
	run("inside.example", POLICY, NULL, NULL, 0);
	expect(OK, MTA_STS_ENFORCE, 1);
	configuration = HEAD;
}

static void not_all_at_once(void **state UNUSED)
{
	q.together = 50;
	run("a.example", POLICY, NULL, NULL, 0);
	expect(OK, MTA_STS_ENFORCE, 1);
	q.together = 50;
	run("a.example", NULL, NULL, NULL, 0);
	expect(E_NOT_FOUND, 0, 1);
}

static void not_again_and_again(void **state UNUSED)
{
	q.times = 10;
	q.between = 10 * NSEC_PER_SEC;
	run("a.example", NULL, NULL, NULL, 0);
	expect(E_NOT_FOUND, 0, 1);
	q.times = 3;
	q.between = 301 * NSEC_PER_SEC;
	run("a.example", NULL, NULL, NULL, 0);
	expect(E_NOT_FOUND, 0, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fetched_and_kept),    cmocka_unit_test(what_is_kept_is_used),
		cmocka_unit_test(what_cannot_be_had),  cmocka_unit_test(not_all_at_once),
		cmocka_unit_test(not_again_and_again), cmocka_unit_test(not_within_our_network),
	};

	return cmocka_run_group_tests_name("sts", tests, NULL, NULL);
}
