/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <stdio.h>

#include "mail/address.h"

static err parse(const char *text, bool utf8, struct address *out)
{
	return address_parse(str_from(text), utf8, out);
}

static void assert_good(const char *text)
{
	struct address a;

	if (parse(text, true, &a) != OK)
		fail_msg("refused: %s", text);
}

static void assert_bad(const char *text)
{
	struct address a;

	if (parse(text, true, &a) == OK)
		fail_msg("accepted: %s", text);
	assert_int_equal(err_info()->reply, 501);
}

static void test_local_parts(void **state UNUSED)
{
	static const char *const good[] = {
		"a@b",
		"a.b.c@example.org",
		"!#$%&'*+-/=?^_`{|}~@example.org",
		"-leading@example.org",
		"u%v@us.example",
		"a!b@us.example",
		"\"a b\"@example.org",
		"\"a\\\"b\"@example.org",
		"\"\"@example.org",
		"\"\\\\\"@example.org",
		"\"u@elsewhere\"@example.org",
		"\"; | ` $()\"@example.org",
		"postmaster@example.org",
	};
	static const char *const bad[] = {
		"",
		"a",
		"@",
		"a@",
		"@b",
		".a@b",
		"a.@b",
		"a..b@c",
		"a b@c",
		"a;b@c",
		"a(b)@c",
		"a,b@c",
		"a@b@c",
		"\"a@b",
		"\"",
		"\"\"",
		"\"a\\\"@b",
		"\"a\"b@c",
		"a\"b\"@c",
		"\"a\".b@c",
		"\"a\nb\"@c",
		"\"a\x7f\"@c",
		"\"a\\\x01\"@c",
		" a@b",
		"a@b ",
		"a@b\n",
		"\x7f@b",
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_good(good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_bad(bad[i]);
}

static void test_domains(void **state UNUSED)
{
	static const char *const good[] = {
		"a@b.c",
		"a@x-y.z",
		"a@c--n.com",
		"a@123.com",
		"a@255.255.255.255",
		"a@xn--hxajbheg2az3al.xn--jxalpdlp",
		"a@[1.2.3.4]",
		"a@[255.255.255.255]",
		"a@[IPv6:::1]",
		"a@[ipv6:1:2:3:4:5:6:7:8]",
		"a@[IPv6:::]",
		"a@[IPv6:1:2:3:4:5::8]",
		"a@[IPv6:::3:4:5:6:7:8]",
		"a@[IPv6:1::]",
		"a@[IPv6:1:2:3:4:5:6:1.2.3.4]",
		"a@[IPv6:1:2:3:4::1.2.3.4]",
		"a@[IPv6:::ffff:1.2.3.4]",
		"a@[IPv6:1:2:3:4:5:6:7:123]",
	};
	static const char *const bad[] = {
		"a@.b",
		"a@b.",
		"a@b..c",
		"a@-b",
		"a@b-",
		"a@b.c-",
		"a@b_c",
		"a@b/c",
		"a@xn---",
		"a@[1.2.3.4",
		"a@1.2.3.4]",
		"a@[1.2.3]",
		"a@[1.2.3.4.5]",
		"a@[1.2.3.256]",
		"a@[1.2.3.0001]",
		"a@[]",
		"a@[x]",
		"a@[tag:x]",
		"a@b[1.2.3.4]",
		"a@[1.2.3.4]b",
		"a@[IPv6:]",
		"a@[IPv6::1]",
		"a@[IPv6:1:2:3:4:5:6:7]",
		"a@[IPv6:1:2:3:4:5:6:7:8:9]",
		"a@[IPv6:1:2:3:4:5:6::8]",
		"a@[IPv6:1::4::8]",
		"a@[IPv6:1:2:3:4:::1.2.3.4]",
		"a@[IPv6:1::2:]",
		"a@[IPv6:12345::]",
		"a@[IPv6:1:2:3:4:5:6:7:888G]",
		"a@[IPv6:1:2:3:4:5::1.2.3.4]",
		"a@[IPv6:::1",
		"a@[1:2:3:4:5:6:7:8]",
		"a@[IPv6:1:2:3:4:5:6:7:1.2.3.4]",
		"a@[IPv6:1.2.3.4::1]",
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_good(good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_bad(bad[i]);
}

/* local part of `local` octets at a domain of `domain` octets */
static err parse_sized(size_t local, size_t domain)
{
	BUF(b, 1000);
	struct address a;

	for (size_t i = 0; i < local; i++)
		buf_putc(&b, 'l');
	buf_putc(&b, '@');
	for (size_t i = 0; i < domain; i++)
		buf_putc(&b, i % 60 == 59 && i + 1 < domain ? '.' : 'd');
	return address_parse(buf_str(&b), false, &a);
}

static void test_lengths(void **state UNUSED)
{
	assert_int_equal(parse_sized(64, 10), OK);
	assert_int_equal(parse_sized(65, 10), E_SYNTAX);
	assert_int_equal(parse_sized(1, 252), OK);
	assert_int_equal(parse_sized(1, 253), E_SYNTAX);
	assert_int_equal(parse_sized(64, 189), OK);
	assert_int_equal(parse_sized(64, 190), E_SYNTAX);
	assert_good("a@"
	            "lllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll.x");
	assert_bad("a@"
	           "llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll.x");
}

#define LONG_LOCAL "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* What forwarding servers make of a sender does not fit into 64 octets. */
static void test_rewritten_senders_may_be_longer(void **state UNUSED)
{
	assert_good("SRS0=" LONG_LOCAL "@example.org");
	assert_good("srs1+" LONG_LOCAL "@example.org");
	assert_good("\"SRS0=a b " LONG_LOCAL "\"@example.org");
	assert_bad("SRS0" LONG_LOCAL "@example.org");
	assert_bad("SRS0=" LONG_LOCAL LONG_LOCAL LONG_LOCAL LONG_LOCAL "@example.org");
}

static void test_utf8(void **state UNUSED)
{
	struct address a;

	assert_good("\xc3\xbcser@example.org");
	assert_good("\"\xc3\xbcser\"@example.org");
	assert_good("user@b\xc3\xbc"
	            "cher.example");
	assert_int_equal(parse("\xc3\xbcser@example.org", true, &a), OK);
	assert_true(a.utf8);
	assert_int_equal(parse("user@example.org", true, &a), OK);
	assert_false(a.utf8);
	assert_int_equal(parse("\xc3\xbcser@example.org", false, &a), E_SYNTAX);
	assert_int_equal(err_info()->reply, 553);
	assert_string_equal(err_info()->status, "5.6.7");
	assert_bad("\xc3ser@example.org");
	assert_bad("\xff@example.org");
	assert_bad("\"\\\xc3\xbc\"@example.org");
	assert_bad("a@\xe2\x80\xae.example");
}

static struct address path(const char *text, const char *rest, err want)
{
	struct cursor c = cursor_of(str_from(text));
	struct address a;

	if (address_parse_path(&c, false, &a) != want)
		fail_msg("path %s", text);
	assert_true(c.failed == (want != OK));
	if (want == OK)
		assert_str(cursor_rest(&c), rest);
	return a;
}

static void test_paths(void **state UNUSED)
{
	struct address a = path("<u@c> SIZE=1", " SIZE=1", OK);

	assert_str(a.local, "u");
	assert_str(a.domain, "c");
	a = path("<>", "", OK);
	assert_true(a.local.n == 0 && a.domain.n == 0);
	a = path("<Postmaster>", "", OK);
	assert_str(a.local, "Postmaster");
	assert_str(a.domain, "");
	a = path("<postmaster@c>", "", OK);
	assert_str(a.domain, "c");
	a = path("<@a,@b:u@c>", "", OK);
	assert_str(a.local, "u");
	assert_str(a.domain, "c");
	a = path("  <u@[1.2.3.4]>", "", OK);
	assert_true(a.literal);
	a = path(" u@c NOTIFY=NEVER", " NOTIFY=NEVER", OK);
	assert_str(a.domain, "c");
	path("<\"a>b\"@c>", "", OK);
}

static void test_bad_paths(void **state UNUSED)
{
	static const char *const bad[] = {
		"",         "<",           "<u@c",    "u@c@d>", "<u>",    "pepe",   "<pepe>",  "<u@c.>", "<@a:u>",
		"<@a,u@c>", "<@a,@b u@c>", "<@:u@c>", "<:u@c>", "< u@c>", "<u@c >", "<<u@c>>", "<@a:>",  "postmaster",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct cursor c = cursor_of(str_from(bad[i]));
		struct address a;
		bool whole = address_parse_path(&c, false, &a) == OK && cursor_end(&c);
		if (whole)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void test_path_length_counts_the_route(void **state UNUSED)
{
	BUF(b, 1000);

	buf_puts(&b, "<");
	for (int i = 0; i < 25; i++)
		buf_puts(&b, i == 0 ? "@aaaaaaaa" : ",@aaaaaaaa");
	buf_puts(&b, ":u@c>");
	assert_int_equal(b.n, 255);
	struct cursor c = cursor_of(buf_str(&b));
	struct address a;
	assert_int_equal(address_parse_path(&c, false, &a), OK);
	b.n -= 2;
	buf_puts(&b, "cc.c>");
	c = cursor_of(buf_str(&b));
	assert_int_equal(address_parse_path(&c, false, &a), E_SYNTAX);
}

static void assert_key(const char *text, const char *local, const char *domain)
{
	ARENA(arena, 4096);
	struct address a;
	str l, d;

	assert_int_equal(parse(text, true, &a), OK);
	assert_int_equal(address_key(&arena, &a, &l, &d), OK);
	assert_str(l, local);
	assert_str(d, domain);
}

static void test_keys(void **state UNUSED)
{
	assert_key("Alice@Example.ORG", "alice", "example.org");
	assert_key("\"A\\\"b\\\\ c\"@x", "a\"b\\ c", "x");
	assert_key("\"alice\"@x", "alice", "x");
	assert_key("u@b\xc3\xbc"
	           "cher.example",
	           "u", "xn--bcher-kva.example");
	assert_key("u@B\xc3\x9c"
	           "CHER.example",
	           "u", "xn--bcher-kva.example");
	assert_key("u@XN--bcher-KVA.example", "u", "xn--bcher-kva.example");
	assert_key("u@[IPv6:::1]", "u", "[ipv6:::1]");
}

static void test_key_without_memory(void **state UNUSED)
{
	ARENA(arena, 8);
	struct address a;
	str l, d;

	assert_int_equal(parse("somebody@example.org", true, &a), OK);
	assert_int_equal(address_key(&arena, &a, &l, &d), E_LIMIT);
	assert_int_equal(err_info()->reply, 452);
}

static void test_print(void **state UNUSED)
{
	BUF(b, 100);
	struct address a;

	assert_int_equal(parse("\"a b\"@X", true, &a), OK);
	address_print(&b, &a);
	assert_str(buf_str(&b), "\"a b\"@X");
	buf_reset(&b);
	address_print(&b, &(struct address){.local = STR("postmaster")});
	assert_str(buf_str(&b), "postmaster");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_local_parts),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_rewritten_senders_may_be_longer),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_path_length_counts_the_route),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_key_without_memory),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
