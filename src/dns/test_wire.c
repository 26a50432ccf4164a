/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "dns/dns.h"
#include "dns/wire.h"

#define HEADER(rcode, answers, authorities) "\0\0\x81" rcode "\0\1\0" answers "\0" authorities "\0\0"
#define QUESTION                            "\7example\3com\0\0\x0f\0\1" /* at 12; behind it: 29 */

static struct arena memory;
static struct resolve_reply reply;

static int begin(void **state UNUSED)
{
	memory = ARENA_INIT(1 << 20);
	return 0;
}

static int end(void **state UNUSED)
{
	arena_free(&memory);
	return 0;
}

static err parse(str message, const char *name, unsigned type)
{
	return wire_answer(message, str_from(name), type, &reply, &memory);
}

static void names_are_written_out(void **state UNUSED)
{
	assert_int_equal(
		parse(STR(HEADER("\x80", "\2", "\0") QUESTION "\xc0\x0c\0\x0f\0\1\0\0\1\x2c\0\x09\0\x0a\4MAIL\xc0\x0c"
	                                                      "\xc0\x0c\0\x0f\0\1\0\0\0\x3c\0\x04\0\x14\xc0\x2b"),
	              "Example.com", DNS_MX),
		OK);
	assert_int_equal(reply.rcode, 0);
	assert_int_equal(reply.ttl, 60);
	assert_str(reply.canonical, "example.com");
	assert_int_equal(reply.records_n, 2);
	assert_true(str_equal(reply.records[0].data, STR("\0\x0a\4MAIL\7example\3com\0")));
	assert_true(str_equal(reply.records[1].data, STR("\0\x14\4MAIL\7example\3com\0")));
}

/* example.com CNAME a.net, a.net A */
#define CHAIN                                      \
	"\xc0\x0c\0\5\0\1\0\0\0\x0a\0\7\1a\3net\0" \
	"\xc0\x29\0\1\0\1\0\0\1\0\0\4\300\0\2\1"

static void aliases_are_followed(void **state UNUSED)
{
	assert_int_equal(parse(STR(HEADER("\x80", "\2", "\0") QUESTION CHAIN), "example.com", DNS_A), OK);
	assert_str(reply.canonical, "a.net");
	assert_int_equal(reply.records_n, 1);
	assert_true(str_equal(reply.records[0].data, STR("\300\0\2\1")));
	assert_int_equal(reply.ttl, 10);
	/* who asks for the alias gets it */
	assert_int_equal(parse(STR(HEADER("\x80", "\2", "\0") QUESTION CHAIN), "example.com", DNS_CNAME), OK);
	assert_str(reply.canonical, "example.com");
	assert_int_equal(reply.records_n, 1);
	/* what belongs to another name does not belong to the answer */
	assert_int_equal(parse(STR(HEADER("\x80", "\2", "\0") QUESTION CHAIN), "b.net", DNS_A), OK);
	assert_int_equal(reply.records_n, 0);
}

/* RFC 2308 5: the TTL of the SOA or its last number, whichever is less. */
static void denials_have_a_ttl(void **state UNUSED)
{
	str message = STR(HEADER("\x83", "\0", "\1") QUESTION
	                  "\xc0\x0c\0\6\0\1\0\0\1\0\0\x16\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x3c");

	assert_int_equal(parse(message, "example.com", DNS_MX), OK);
	assert_int_equal(reply.rcode, 3);
	assert_int_equal(reply.ttl, 60);
	assert_int_equal(reply.records_n, 0);
	assert_int_equal(parse(STR(HEADER("\x83", "\0", "\0") QUESTION), "example.com", DNS_MX), OK);
	assert_int_equal(reply.ttl, 0);
}

static void odd_names_are_escaped(void **state UNUSED)
{
	assert_int_equal(parse(STR(HEADER("\x80", "\1", "\0") QUESTION "\xc0\x0c\0\5\0\1\0\0\0\x0a\0\7\1 \3n.\0\0"),
	                       "example.com", DNS_A),
	                 OK);
	assert_str(reply.canonical, "\\032.n\\046\\000");
	assert_int_equal(parse(STR(HEADER("\x80", "\1", "\0") QUESTION "\xc0\x0c\0\1\0\1\0\0\0\x0a\0\4\300\0\2\1"),
	                       "exa\\109ple.com", DNS_A),
	                 OK);
	assert_int_equal(reply.records_n, 1);
	assert_str(reply.canonical, "example.com");
}

/* Data of a record that is not what its type wants stays as it came; an alias that leads nowhere is a malformed answer. */
static void bad_names_in_data(void **state UNUSED)
{
	assert_int_equal(parse(STR(HEADER("\x80", "\1", "\0") QUESTION "\xc0\x0c\0\x0f\0\1\0\0\0\x0a\0\1\0"),
	                       "example.com", DNS_MX),
	                 OK);
	assert_true(str_equal(reply.records[0].data, STR("\0")));
	assert_int_equal(parse(STR(HEADER("\x80", "\1", "\0") QUESTION "\xc0\x0c\0\x0f\0\1\0\0\0\x0a\0\5\0\x0a\1b\0"
	                                                               "ccc"),
	                       "example.com", DNS_MX),
	                 OK); /* the message goes on behind the data, not the name */
	assert_int_equal(parse(STR(HEADER("\x80", "\1", "\0") QUESTION "\xc0\x0c\0\5\0\1\0\0\0\x0a\0\1\1"),
	                       "example.com", DNS_MX),
	                 E_SYNTAX);
	assert_int_equal(err_info()->reply, 451);
}

static void pointers_lead_backwards(void **state UNUSED)
{
	static const char *const targets[] = {"\xc0\x1d", "\xc0\x1e", "\xc0\xff", "\xff\xff", "\x80\x0c", "\x40\x0c"};

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		BUF(message, 200);

		buf_put(&message, STR(HEADER("\x80", "\1", "\0") QUESTION));
		buf_put(&message, str_make(targets[i], 2));
		buf_put(&message, STR("\0\1\0\1\0\0\0\x0a\0\4\300\0\2\1"));
		assert_int_equal(parse(buf_str(&message), "example.com", DNS_A), E_SYNTAX);
	}
}

/* Every beginning of a message is no message, and none is read beyond its end. */
static void cut_off(void **state UNUSED)
{
	str whole = STR(HEADER("\x80", "\2", "\0") QUESTION CHAIN);

	for (size_t i = 0; i < whole.n; i++) {
		BUF(part, 200);

		buf_put(&part, str_take(whole, i));
		assert_int_equal(parse(buf_str(&part), "example.com", DNS_A), E_SYNTAX);
	}
}

static void names_that_cannot_be(void **state UNUSED)
{
	str message = STR(HEADER("\x80", "\0", "\0") QUESTION);
	BUF(text, 300);

	for (int i = 0; i < 64; i++)
		buf_putc(&text, 'a');
	assert_int_equal(wire_answer(message, buf_str(&text), DNS_A, &reply, &memory), E_SYNTAX);
	assert_int_equal(parse(message, "a..b", DNS_A), E_SYNTAX);
	assert_int_equal(parse(message, ".a", DNS_A), E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_are_written_out, begin, end),
		cmocka_unit_test_setup_teardown(aliases_are_followed, begin, end),
		cmocka_unit_test_setup_teardown(denials_have_a_ttl, begin, end),
		cmocka_unit_test_setup_teardown(odd_names_are_escaped, begin, end),
		cmocka_unit_test_setup_teardown(bad_names_in_data, begin, end),
		cmocka_unit_test_setup_teardown(pointers_lead_backwards, begin, end),
		cmocka_unit_test_setup_teardown(cut_off, begin, end),
		cmocka_unit_test_setup_teardown(names_that_cannot_be, begin, end),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
