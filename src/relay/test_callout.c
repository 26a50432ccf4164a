/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "relay/fake.h"

#include <stdio.h>

#define CONFIG                                                       \
	"version 1\nhostname mail.example.org\ndomain example.org\n" \
	"domain in.example { relay smtp 192.0.2.1:25 }\ndomain named.example { relay lmtp inner.example:25 }\n"

static const char *const zone[] = {"inner.example A 192.0.2.1", NULL};
static const struct fake_reply refuses[] = {{"RCPT TO:<nobody@", "550 5.1.1 No such user\r\n"},
                                            {"RCPT TO:<later@", "450 4.2.1 Try later\r\n"},
                                            {NULL, NULL}};

static struct fake_world w;
static struct fake_host hosts[2];

/* Questions, one after the other, and the answers. */
static struct {
	const char *address[4];
	nsec between;
	struct {
		err e;
		uint64_t code, reply;
		char status[12], text[100];
		nsec lasted;
	} got[4];
	size_t n;
} t;

static void ask(size_t i)
{
	ARENA(a, 1 << 16);
	struct callout_reply r;
	nsec began = rt_now();

	t.got[i].e = relay_callout(w.relay, &(struct callout_request){str_from(t.address[i])}, &r, &a);
	t.got[i].lasted = rt_now() - began;
	if (t.got[i].e != OK || r.answers_n != 1)
		abort();
	t.got[i].code = r.answers[0].code;
	t.got[i].reply = r.answers[0].reply;
	snprintf(t.got[i].status, sizeof(t.got[i].status), STR_FMT, STR_ARG(r.answers[0].status));
	snprintf(t.got[i].text, sizeof(t.got[i].text), STR_FMT, STR_ARG(r.answers[0].text));
}

static void run_main(void *arg UNUSED)
{
	fake_begin(&w);
	for (t.n = 0; t.n < ARRAY_LEN(t.address) && t.address[t.n] != NULL; t.n++) {
		if (t.n > 0)
			(void)!rt_sleep_until(rt_after(t.between));
		ask(t.n);
	}
	fake_end_world(&w);
}

static void begin(const char *first, const char *second, nsec between)
{
	memset(&t, 0, sizeof(t));
	t.address[0] = first;
	t.address[1] = second;
	t.between = between;
	w = (struct fake_world){.config = CONFIG, .hosts = hosts, .zone = {.lines = zone}};
	hosts[0] = (struct fake_host){.address = "192.0.2.1:25", .extensions = "PIPELINING", .replies = refuses};
	hosts[1] = (struct fake_host){0};
}

static void run(void)
{
	assert_int_equal(rt_run_simulated(1, run_main, NULL), OK);
	fake_free(&w);
}

static void a_recipient_that_is_there(void **state UNUSED)
{
	begin("bob@in.example", "bob@IN.example", 200 * NSEC_PER_SEC);
	assert_int_equal(rt_run_simulated(1, run_main, NULL), OK);
	assert_int_equal(t.got[0].code, OK);
	assert_int_equal(t.got[1].code, OK);
	assert_int_equal(hosts[0].dials, 1); /* remembered */
	assert_true(str_contains(buf_str(&hosts[0].sessions[0]->commands),
	                         STR("MAIL FROM:<>\r\nRCPT TO:<bob@in.example>\r\n")));
	assert_false(str_contains(buf_str(&hosts[0].sessions[0]->commands), STR("DATA")));
	fake_free(&w);
}

static void one_that_is_not(void **state UNUSED)
{
	begin("nobody@in.example", "nobody@in.example", 30 * NSEC_PER_SEC);
	run();
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(t.got[i].code, E_PERM);
		assert_int_equal(t.got[i].reply, 550);
		assert_string_equal(t.got[i].status, "5.1.1");
		assert_string_equal(t.got[i].text, "No such user");
	}
	assert_int_equal(hosts[0].dials, 1);
	begin("nobody@in.example", "nobody@in.example", 61 * NSEC_PER_SEC);
	run();
	assert_int_equal(hosts[0].dials, 2);
	begin("bob@in.example", "bob@in.example", 301 * NSEC_PER_SEC);
	run();
	assert_int_equal(hosts[0].dials, 2);
}

static void what_passes_is_not_remembered(void **state UNUSED)
{
	begin("later@in.example", "later@in.example", NSEC_PER_SEC);
	run();
	assert_int_equal(t.got[0].code, E_TEMP);
	assert_int_equal(t.got[0].reply, 450);
	assert_int_equal(hosts[0].dials, 2);
}

static void nobody_is_there(void **state UNUSED)
{
	begin("bob@in.example", NULL, 0);
	hosts[0].refuses = true;
	run();
	assert_int_equal(t.got[0].code, E_TEMP);
	assert_int_equal(t.got[0].reply, 451);
	assert_string_equal(t.got[0].status, "4.4.1");
	begin("bob@in.example", NULL, 0);
	hosts[0].fault_at = 3;
	hosts[0].fault = FAULT_CLOSE;
	run();
	assert_int_equal(t.got[0].code, E_TEMP);
}

static void one_who_is_slow(void **state UNUSED)
{
	begin("bob@in.example", NULL, 0);
	hosts[0].fault_at = 1;
	hosts[0].fault = FAULT_STALL;
	run();
	assert_int_equal(t.got[0].reply, 451);
	assert_in_range(t.got[0].lasted, 5 * NSEC_PER_SEC, 6 * NSEC_PER_SEC);
}

static void by_name_and_lmtp(void **state UNUSED)
{
	begin("bob@named.example", "nobody@named.example", 0);
	hosts[0].lmtp = true;
	run();
	assert_int_equal(t.got[0].code, OK);
	assert_int_equal(t.got[1].code, E_PERM);
}

static void not_ours_to_ask(void **state UNUSED)
{
	begin("bob@example.org", "bob@elsewhere.example", 0);
	run();
	assert_int_equal(t.got[0].code, E_TEMP);
	assert_int_equal(t.got[1].code, E_TEMP);
	assert_int_equal(hosts[0].dials, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recipient_that_is_there),
		cmocka_unit_test(one_that_is_not),
		cmocka_unit_test(what_passes_is_not_remembered),
		cmocka_unit_test(nobody_is_there),
		cmocka_unit_test(one_who_is_slow),
		cmocka_unit_test(by_name_and_lmtp),
		cmocka_unit_test(not_ours_to_ask),
	};

	return cmocka_run_group_tests_name("callout", tests, NULL, NULL);
}
