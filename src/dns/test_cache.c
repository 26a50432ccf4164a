/* SPDX-License-Identifier: ISC */
/* The clock is a simulated one: it jumps. */
#include "base/test.h"

#include <stdio.h>

#include "dns/cache.h"

enum { ASKERS = 10 };

/* Answers after a while, what it was told. */
static struct {
	nsec takes;
	err error;
	struct resolve_reply reply;
	size_t asked;
} behind;

static struct dns_record records[2];
static struct resolver source, resolver;
static struct dns_cache *cache;
static struct arena memory;

static err slow_ask(void *ctx UNUSED, const struct resolve_request *q, struct resolve_reply *r, struct arena *a,
                    nsec deadline)
{
	nsec until = rt_after(behind.takes);

	behind.asked++;
	if (behind.takes > 0) {
		err e = rt_sleep_until(until < deadline ? until : deadline);
		if (e != OK)
			return e;
		if (until > deadline)
			return err_set(E_TIMEOUT, 451, "4.4.3", "too slow");
	}
	*r = behind.reply;
	if (r->canonical.n == 0)
		r->canonical = arena_lower(a, q->name);
	return behind.error == OK ? OK : err_set(behind.error, 451, "4.4.3", "it fails");
}

static int begin(void **state UNUSED)
{
	memset(&behind, 0, sizeof(behind));
	records[0].data = STR("\300\0\2\1");
	records[1].data = STR("");
	behind.reply = (struct resolve_reply){.records = records, .records_n = 2, .ttl = 60, .security = DNS_SECURE};
	source = (struct resolver){.ask = slow_ask};
	memory = ARENA_INIT(8 << 20);
	assert_int_equal(dns_cache_new(&source, &cache), OK);
	resolver = dns_cache_resolver(cache);
	return 0;
}

static int end(void **state UNUSED)
{
	dns_cache_free(cache);
	arena_free(&memory);
	return 0;
}

static err ask_in(const char *name, uint64_t type, nsec time, struct resolve_reply *r)
{
	const struct resolve_request q = {str_from(name), type};

	return resolver.ask(resolver.ctx, &q, r, &memory, time == RT_NEVER ? RT_NEVER : rt_after(time));
}

static struct resolve_reply ask(const char *name, uint64_t type)
{
	struct resolve_reply r;

	assert_int_equal(ask_in(name, type, RT_NEVER, &r), OK);
	return r;
}

static void sleep_seconds(int n)
{
	assert_int_equal(rt_sleep_until(rt_after(n * NSEC_PER_SEC)), OK);
}

static void test_kept(void **state UNUSED)
{
	struct resolve_reply r = ask("Example.com", DNS_A);

	assert_int_equal(r.ttl, 60);
	sleep_seconds(20);
	r = ask("example.COM", DNS_A);
	assert_int_equal(behind.asked, 1);
	assert_int_equal(r.records_n, 2);
	assert_true(str_equal(r.records[0].data, STR("\300\0\2\1")));
	assert_int_equal(r.records[1].data.n, 0);
	assert_str(r.canonical, "example.com");
	assert_int_equal(r.security, DNS_SECURE);
	assert_int_equal(r.ttl, 40);
	(void)ask("example.com", DNS_AAAA);
	(void)ask("example.org", DNS_A);
	assert_int_equal(behind.asked, 3);
	assert_int_equal(dns_cache_counts(cache).hits, 1);
	assert_int_equal(dns_cache_counts(cache).answers, 3);
	sleep_seconds(41);
	(void)ask("example.com", DNS_A);
	assert_int_equal(behind.asked, 4);
	dns_cache_clear(cache);
	assert_int_equal(dns_cache_counts(cache).answers, 0);
	assert_int_equal(dns_cache_counts(cache).octets, 0);
	(void)ask("example.com", DNS_A);
	assert_int_equal(behind.asked, 5);
}

/* How long, of what kind of answer. */
static void kept_for(struct resolve_reply reply, int seconds)
{
	static int names;
	char name[20];
	size_t before = behind.asked;

	(void)snprintf(name, sizeof(name), "n%d.example", names++);
	behind.reply = reply;
	(void)ask(name, DNS_A);
	if (seconds > 0) {
		sleep_seconds(seconds - 1);
		(void)ask(name, DNS_A);
		assert_int_equal(behind.asked, before + 1);
		sleep_seconds(1);
	}
	(void)ask(name, DNS_A);
	assert_int_equal(behind.asked, before + 2);
}

static void test_lifetimes(void **state UNUSED)
{
	kept_for((struct resolve_reply){.records = records, .records_n = 1, .ttl = 5}, 5);
	kept_for((struct resolve_reply){.records = records, .records_n = 1, .ttl = UINT64_MAX}, 3600);
	kept_for((struct resolve_reply){.records = records, .records_n = 1, .ttl = 0}, 0);
	kept_for((struct resolve_reply){.ttl = 100000}, 300);
	kept_for((struct resolve_reply){.rcode = 3, .ttl = 30}, 30);
	kept_for((struct resolve_reply){.rcode = 3, .ttl = 0}, 0);
	kept_for((struct resolve_reply){.rcode = 2, .ttl = 60}, 0);
	kept_for((struct resolve_reply){.security = DNS_BOGUS, .ttl = 60, .why = STR("expired")}, 0);
}

static void test_errors(void **state UNUSED)
{
	struct resolve_reply r;

	behind.error = E_TEMP;
	assert_int_equal(ask_in("example.com", DNS_A, RT_NEVER, &r), E_TEMP);
	assert_string_equal(err_info()->text, "it fails");
	behind.error = OK;
	(void)ask("example.com", DNS_A);
	assert_int_equal(behind.asked, 2);
}

/* --- several at once --- */

struct asker {
	nsec begin, time;
	struct co *co;
	err result;
	struct resolve_reply reply;
	bool done;
};

static void asker(void *arg)
{
	struct asker *k = arg;

	if (rt_sleep_until(rt_after(k->begin)) == OK)
		k->result = ask_in("example.com", DNS_A, k->time, &k->reply);
	k->done = true;
}

static void run_all(struct asker *askers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		askers[i].co = rt_spawn(asker, &askers[i], "asker");
	sleep_seconds(100);
	for (size_t i = 0; i < n; i++)
		assert_true(askers[i].done);
}

static void test_joined(void **state UNUSED)
{
	struct asker askers[ASKERS] = {0};

	behind.takes = NSEC_PER_SEC;
	behind.reply.ttl = 0; /* not kept, and still asked once */
	for (size_t i = 0; i < ASKERS; i++)
		askers[i] = (struct asker){.begin = (nsec)i, .time = RT_NEVER};
	run_all(askers, ASKERS);
	assert_int_equal(behind.asked, 1);
	assert_int_equal(dns_cache_counts(cache).joined, ASKERS - 1);
	for (size_t i = 0; i < ASKERS; i++) {
		assert_int_equal(askers[i].result, OK);
		assert_int_equal(askers[i].reply.records_n, 2);
		assert_str(askers[i].reply.canonical, "example.com");
	}
}

static void test_joined_failure(void **state UNUSED)
{
	struct asker askers[ASKERS] = {0};

	behind.takes = NSEC_PER_SEC;
	behind.error = E_TEMP;
	for (size_t i = 0; i < ASKERS; i++)
		askers[i] = (struct asker){.time = RT_NEVER};
	run_all(askers, ASKERS);
	assert_int_equal(behind.asked, 1);
	for (size_t i = 0; i < ASKERS; i++)
		assert_int_equal(askers[i].result, E_TEMP);
}

/* Who has more time than the one who asked asks again; who has less gives up earlier. */
static void test_deadlines(void **state UNUSED)
{
	struct asker askers[] = {{.begin = 0, .time = 2 * NSEC_PER_SEC},
	                         {.begin = 1, .time = 10 * NSEC_PER_SEC},
	                         {.begin = 2, .time = 10 * NSEC_PER_SEC},
	                         {.begin = 3, .time = NSEC_PER_SEC}};

	behind.takes = 5 * NSEC_PER_SEC;
	run_all(askers, 4);
	assert_int_equal(askers[0].result, E_TIMEOUT);
	assert_int_equal(askers[1].result, OK);
	assert_int_equal(askers[2].result, OK);
	assert_int_equal(askers[3].result, E_TIMEOUT);
	assert_int_equal(behind.asked, 2);
}

static void test_cancelled(void **state UNUSED)
{
	struct asker askers[] = {{.time = RT_NEVER}, {.time = RT_NEVER}, {.time = RT_NEVER}};

	behind.takes = 2 * NSEC_PER_SEC;
	for (size_t i = 0; i < 3; i++)
		askers[i].co = rt_spawn(asker, &askers[i], "asker");
	sleep_seconds(1);
	assert_int_equal(behind.asked, 1);
	rt_cancel(askers[0].co); /* who asks */
	rt_cancel(askers[2].co); /* who waits */
	sleep_seconds(10);
	assert_int_equal(askers[0].result, E_CANCELLED);
	assert_int_equal(askers[1].result, OK);
	assert_int_equal(askers[2].result, E_CANCELLED);
	assert_int_equal(behind.asked, 2);
}

/* --- bounds --- */

static void test_number(void **state UNUSED)
{
	char name[30];

	(void)ask("first.example", DNS_A);
	(void)ask("second.example", DNS_A);
	for (int i = 0; i < DNS_CACHE_ANSWERS_MAX - 1; i++) {
		(void)snprintf(name, sizeof(name), "n%d.example", i);
		(void)ask(name, DNS_A);
		if (i == 10)
			(void)ask("first.example", DNS_A); /* used since */
	}
	assert_int_equal(dns_cache_counts(cache).answers, DNS_CACHE_ANSWERS_MAX);
	behind.asked = 0;
	(void)ask("first.example", DNS_A);
	assert_int_equal(behind.asked, 0);
	(void)ask("second.example", DNS_A);
	assert_int_equal(behind.asked, 1);
}

static void test_octets(void **state UNUSED)
{
	static char large[DNS_CACHE_ANSWER_MAX];
	char name[30];

	records[0].data = str_make(large, 60 << 10);
	for (int i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "n%d.example", i);
		(void)ask(name, DNS_TXT);
		arena_free(&memory);
	}
	assert_true(dns_cache_counts(cache).octets <= DNS_CACHE_OCTETS_MAX);
	assert_in_range(dns_cache_counts(cache).answers, 60, 70);
	records[0].data = str_make(large, sizeof(large));
	(void)ask("large.example", DNS_TXT);
	(void)ask("large.example", DNS_TXT);
	assert_int_equal(behind.asked, 202);
}

static void test_odd_questions(void **state UNUSED)
{
	char name[2000];

	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = 0;
	(void)ask(name, DNS_A);
	(void)ask(name, DNS_A);
	(void)ask("", 1 << 20);
	assert_int_equal(behind.asked, 3);
	assert_int_equal(dns_cache_counts(cache).answers, 0);
	ARENA(small, 8);
	struct resolve_reply r;
	(void)ask("example.com", DNS_A);
	assert_int_equal(
		resolver.ask(resolver.ctx, &(struct resolve_request){STR("example.com"), DNS_A}, &r, &small, RT_NEVER),
		E_LIMIT);
}

/* The typed questions over it. */
static void test_typed(void **state UNUSED)
{
	struct dns_answer answer;
	struct net_address *list;
	size_t n;

	behind.reply.records_n = 1;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			dns_addresses(&resolver, STR("example.com"), AF_INET, 0, &memory, RT_NEVER, &answer, &list, &n),
			OK);
		assert_int_equal(n, 1);
		assert_int_equal(answer.security, DNS_SECURE);
	}
	assert_int_equal(behind.asked, 1);
}

static void run(void *arg)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept, begin, end),
		cmocka_unit_test_setup_teardown(test_lifetimes, begin, end),
		cmocka_unit_test_setup_teardown(test_errors, begin, end),
		cmocka_unit_test_setup_teardown(test_joined, begin, end),
		cmocka_unit_test_setup_teardown(test_joined_failure, begin, end),
		cmocka_unit_test_setup_teardown(test_deadlines, begin, end),
		cmocka_unit_test_setup_teardown(test_cancelled, begin, end),
		cmocka_unit_test_setup_teardown(test_number, begin, end),
		cmocka_unit_test_setup_teardown(test_octets, begin, end),
		cmocka_unit_test_setup_teardown(test_odd_questions, begin, end),
		cmocka_unit_test_setup_teardown(test_typed, begin, end),
	};

	*(int *)arg = cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}

int main(void)
{
	int failed = 1;

	return rt_run_simulated(1, run, &failed) == OK ? failed : 1;
}
