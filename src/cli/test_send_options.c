/* SPDX-License-Identifier: ISC */
#include "cli/send_options.h"

#include <stdlib.h>

#include "base/test.h"

static const struct command command = {.name = "send", .arguments = ""};

static bool parse(struct send_options *o, struct arena *a, const char *const *words, size_t n)
{
	char *copies[16] = {NULL};
	struct invocation inv = {.command = &command, .words = copies, .words_n = n};

	for (size_t i = 0; i < n; i++)
		copies[i] = (char *)(uintptr_t)words[i];
	*o = (struct send_options){0};
	return send_options_parse(&inv, o, a);
}

static void test_options(void **state UNUSED)
{
	static const char *const words[] = {"bob@example.net", "-s", "hello", "--cc=carol@example.net", "--wait=30s", "--attach", "a.png", "-a", "b.png",
	                                    "--notify", "success,delay", "--hold", "2h", "--", "-odd@example.net"};
	struct send_options *o = calloc(1, sizeof(*o));
	ARENA(a, 1 << 20);

	assert_true(parse(o, &a, words, ARRAY_LEN(words)));
	assert_int_equal(o->to.n, 2);
	assert_string_equal(o->to.items[0], "bob@example.net");
	assert_string_equal(o->to.items[1], "-odd@example.net");
	assert_string_equal(o->subject, "hello");
	assert_int_equal(o->cc.n, 1);
	assert_int_equal(o->attachments.n, 2);
	assert_true(o->wait);
	assert_int_equal(o->wait_time, 30 * NSEC_PER_SEC);
	assert_int_equal(o->notify, DSN_SUCCESS | DSN_DELAY);
	assert_int_equal(o->hold_seconds, 7200);
	free(o);
}

static void test_values(void **state UNUSED)
{
	static const char *const good[][2] = {{"--by", "1h,return"}, {"--priority", "-9"}, {"--tls", "starttls"}, {"--notify", "never"}};
	static const char *const bad[][2] = {{"--by", "1h,later"}, {"--priority", "10"},     {"--tls", "maybe"},  {"--notify", "never,delay"},
	                                     {"--hold", "soon"},   {"--priority", "--1"},    {"--wait=x", "a@b.example"}, {"--nonsense", "x"}};
	struct send_options *o = calloc(1, sizeof(*o));
	ARENA(a, 1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(parse(o, &a, good[i], 2));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(parse(o, &a, bad[i], 2));
	assert_true(parse(o, &a, good[0], 2));
	assert_int_equal(o->by_mode, BY_RETURN);
	assert_int_equal(o->by_seconds, 3600);
	assert_true(parse(o, &a, good[1], 2));
	assert_int_equal(o->priority, 1);
	free(o);
}

static void test_defaults(void **state UNUSED)
{
	struct send_options *o = calloc(1, sizeof(*o));
	ARENA(a, 1 << 20);

	o->server.user = "chosen";
	assert_int_equal(send_defaults_parse(STR("# mine\n\nfrom  Alice <alice@example.org>\nserver mail.example.org:465\r\n"
	                                         "user other\npassword-command pass show mail\ntls implicit"), o, &a), OK);
	assert_string_equal(o->from, "Alice <alice@example.org>");
	assert_string_equal(o->server.server, "mail.example.org:465");
	assert_string_equal(o->server.user, "chosen");
	assert_string_equal(o->server.password_command, "pass show mail");
	assert_int_equal(o->server.tls, SUBMIT_TLS_IMPLICIT);
	assert_int_equal(send_defaults_parse(STR("from a@b.example\nport 25\n"), o, &a), E_SYNTAX);
	assert_string_equal(err_info()->text, "line 2: there is no default \"port\"");
	o->server.tls = SUBMIT_TLS_AUTO;
	assert_int_equal(send_defaults_parse(STR("tls perhaps\n"), o, &a), E_SYNTAX);
	assert_int_equal(send_defaults_parse(STR("from\n"), o, &a), E_SYNTAX);
	free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
