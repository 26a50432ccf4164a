/* SPDX-License-Identifier: ISC */
/* What can be seen without a world of signed zones; those are in tests/test_resolve.py. */
#include "base/test.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns/dns.h"
#include "dns/recursor.h"

#define SECOND NSEC_PER_SEC

static int silent; /* a socket that takes questions and says nothing */
static struct net_address silent_address;

static err ask(struct recursor *r, const char *name, struct resolve_reply *reply, struct arena *a, nsec time)
{
	return recursor_ask(r, &(struct resolve_request){str_from(name), DNS_A}, reply, a, rt_after(time));
}

static struct recursor *make(void)
{
	struct recursor *r;

	assert_int_equal(recursor_new(&(struct recursor_options){&silent_address, 1, STR_NONE}, &r), OK);
	return r;
}

static void names_that_it_knows(void **state UNUSED)
{
	struct recursor *r = make();
	struct resolve_reply reply;
	ARENA(a, 1 << 20);

	assert_int_equal(ask(r, "localhost", &reply, &a, SECOND), OK);
	assert_int_equal(reply.rcode, 0);
	assert_int_equal(reply.records_n, 1);
	assert_true(str_equal(reply.records[0].data, STR("\177\0\0\1")));
	recursor_free(r);
}

static void names_that_cannot_be(void **state UNUSED)
{
	static const char *const bad[] = {"",        "a b",  "a\\046b", "\xc3\xa4.example", "a..b", ".", "a\n", "a\\03",
	                                  "a\\300b", "a\\x", "\\"};
	struct recursor *r = make();
	struct resolve_reply reply;
	ARENA(a, 1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_not_equal(ask(r, bad[i], &reply, &a, SECOND / 10), OK);
	assert_int_equal(ask(r, "a\\043b\\000.localhost", &reply, &a, SECOND), OK);
	assert_int_equal(recursor_ask(r, &(struct resolve_request){STR("a"), 70000}, &reply, &a, RT_NEVER), E_SYNTAX);
	recursor_free(r);
}

static void anchors(void **state UNUSED)
{
	static const char *const bad[] = {"nonsense", ". IN DS x", ". IN DS 1 8 2 ZZ", ". IN DNSKEY 257 x"};
	struct recursor *r;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (recursor_new(&(struct recursor_options){.anchor = str_from(bad[i])}, &r) != E_SYNTAX)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(recursor_new(&(struct recursor_options){.anchor = STR(". DS 1 8 2 "
	                                                                       "000000000000000000000000000000000"
	                                                                       "0000000000000000000000000000000")},
	                              &r),
	                 OK);
	recursor_free(r);
}

static void silence(void **state UNUSED)
{
	struct recursor *r = make();
	struct resolve_reply reply;
	ARENA(a, 1 << 20);
	nsec before = rt_now();

	assert_int_equal(ask(r, "example.com", &reply, &a, SECOND / 10), E_TIMEOUT);
	assert_int_equal(err_info()->reply, 451);
	assert_in_range(rt_now() - before, SECOND / 20, 5 * SECOND);
	recursor_free(r); /* libunbound still waits */
}

struct asker {
	struct recursor *r;
	struct co *co;
	err result;
	bool done;
};

static void ask_run(void *arg)
{
	struct asker *k = arg;
	struct resolve_reply reply;
	ARENA(a, 1 << 20);

	k->co = rt_self();
	k->result = ask(k->r, "example.com", &reply, &a, SECOND / 5);
	k->done = true;
}

static size_t questions_that_came(void)
{
	char packet[600];
	size_t n = 0;

	while (recv(silent, packet, sizeof(packet), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

/* The same question of many goes out once; who is cancelled goes; the last one takes the recursor along. */
static void many_at_once(void **state UNUSED)
{
	struct asker askers[20] = {0};
	struct recursor *r = make();

	(void)questions_that_came();
	for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
		askers[i].r = r;
		assert_non_null(rt_spawn(ask_run, &askers[i], "ask"));
	}
	assert_int_equal(rt_sleep_until(rt_after(SECOND / 20)), OK);
	assert_in_range(questions_that_came(), 1, 3); /* and what a validator asks beside it */
	rt_cancel(askers[0].co);
	recursor_free(r);
	assert_int_equal(rt_sleep_until(rt_after(SECOND / 2)), OK);
	assert_int_equal(askers[0].result, E_CANCELLED);
	for (size_t i = 1; i < ARRAY_LEN(askers); i++) {
		assert_true(askers[i].done);
		assert_int_equal(askers[i].result, E_TIMEOUT);
	}
}

static int open_silent(void **state UNUSED)
{
	silent = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (silent < 0 || net_address_parse(STR("127.0.0.1:0"), &silent_address) != OK ||
	    bind(silent, (struct sockaddr *)&silent_address.sa, silent_address.n) != 0)
		return 1;
	return getsockname(silent, (struct sockaddr *)&silent_address.sa, &silent_address.n);
}

static int close_silent(void **state UNUSED)
{
	return close(silent);
}

static void run(void *arg)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_it_knows),
		cmocka_unit_test(names_that_cannot_be),
		cmocka_unit_test(anchors),
		cmocka_unit_test(silence),
		cmocka_unit_test(many_at_once),
	};

	*(int *)arg = cmocka_run_group_tests_name("recursor", tests, open_silent, close_silent);
	rt_stop(); /* a failed test may leave something that waits */
}

int main(void)
{
	int failed = 1;

	return rt_run(run, &failed) == OK ? failed : 1;
}
