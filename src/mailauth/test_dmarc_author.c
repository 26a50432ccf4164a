/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "mailauth/dmarc.h"

static struct arena memory;
static struct dmarc_author author;

static int begin(void **state UNUSED)
{
	memory = ARENA_INIT(8 << 20);
	return 0;
}

static int end(void **state UNUSED)
{
	arena_free(&memory);
	return 0;
}

static err find(const char *header)
{
	return dmarc_author_find(str_from(header), &memory, &author);
}

struct good {
	const char *field, *address, *domain, *name;
};

static void test_good(void **state UNUSED)
{
	static const struct good list[] = {
		{"From: a@example.com\r\n", "a@example.com", "example.com", ""},
		{"from:A@EXAMPLE.COM\r\n", "A@example.com", "example.com", ""},
		{"From: Alice <a@example.com>\r\n", "a@example.com", "example.com", "Alice"},
		{"From: \"Smith, John\"\r\n <a@example.com>\r\n", "a@example.com", "example.com", "Smith, John"},
		{"From: John (who else?)  Q.\tSmith <a@example.com> (really)\r\n", "a@example.com", "example.com",
	         "John   Q. Smith"},
		{"From: \"a@b.example\" <c@d.example>\r\n", "c@d.example", "d.example", "a@b.example"},
		{"From: \"say \\\"hi\\\"\" <a@example.com>\r\n", "a@example.com", "example.com", "say \"hi\""},
		{"From: =?utf-8?q?J=C3=B6rg?= =?iso-8859-1?q?_M=FCller?= <a@example.com>\r\n", "a@example.com",
	         "example.com", "J\xc3\xb6rg M\xc3\xbcller"},
		{"From: =?windows-1252?b?k2hplA==?= <a@example.com>\r\n", "a@example.com", "example.com",
	         "\xe2\x80\x9chi\xe2\x80\x9d"},
		{"From: =?koi8-r?B?6dfBzg==?= <a@example.com>\r\n", "a@example.com", "example.com",
	         "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd"},
		{"From: \"=?utf-8?q?Pay=C2=B7Pal?=\" <a@example.com>\r\n", "a@example.com", "example.com",
	         "Pay\xc2\xb7Pal"},
		{"From: =?us-ascii?q?a=0D=0AX-Evil=3A_b?= <a@example.com>\r\n", "a@example.com", "example.com",
	         "aX-Evil: b"},
		{"From: a@b\303\274cher.example\r\n", "a@xn--bcher-kva.example", "xn--bcher-kva.example", ""},
		{"From: \"a b\"@example.com\r\n", "\"a b\"@example.com", "example.com", ""},
		{"From: a @ example . com\r\n", "a@example.com", "example.com", ""},
		{"From: =?utf-8?q?Alice_=28a=40other.example=29_via_list?= <l@example.com>\r\n", "l@example.com",
	         "example.com", "Alice (a@other.example) via list"},
		{"From: =?utf-8?q?a=40example.com?= <a@example.com>\r\n", "a@example.com", "example.com",
	         "a@example.com"},
		{"Subject: x\r\nFrom: a@example.com\r\nTo: b@example.org\r\n\r\nFrom: c@d.example\r\n", "a@example.com",
	         "example.com", ""},
		{"From alice Sat Jan  1 00:00:00 2000\r\nFrom: a@example.com\r\n", "a@example.com", "example.com", ""},
		{"From: <a@example.com>\nX: y\n", "a@example.com", "example.com", ""},
		{"Resent-From: x@y.example\r\nX-From: z@y.example\r\nFrom: a@example.com\r\n", "a@example.com",
	         "example.com", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		err e = find(list[i].field);
		if (e != OK)
			fail_msg("%s: %s", list[i].field, err_info()->text);
		assert_str(author.address, list[i].address);
		assert_str(author.domain, list[i].domain);
		assert_str(author.name, list[i].name);
	}
}

/* What is read differently by different programs, or names nobody or several. */
static void test_bad(void **state UNUSED)
{
	static const char *const list[] = {
		"From: a@example.com\r\nFrom: b@example.com\r\n",
		"From: a@example.com\r\nX: y\r\nFROM : b@example.com\r\n",
		"From : a@example.com\r\n",
		"From\t: a@example.com\r\n",
		"From : a@example.com\r\nFrom: b@example.com\r\n",
		"X: y\r\nFrom : a@example.com\r\n",
		"From: a@example.com, b@example.com\r\n",
		"From: a@example.com,\r\n",
		"From: , a@example.com\r\n",
		"From: a@example.com b@example.org\r\n",
		"From: <a@example.com> <b@example.org>\r\n",
		"From: <a@example.com>, <b@example.org>\r\n",
		"From: a@example.com <b@example.org>\r\n", /* two addresses, one of them no name */
		"From: Group: a@example.com;\r\n",
		"From: Group:;\r\n",
		"From: undisclosed-recipients:;\r\n",
		"From: <@x.example:a@example.com>\r\n",
		"From: <>\r\n",
		"From:\r\n",
		"From: Alice\r\n",
		"From: Alice <>\r\n",
		"From: a@\r\n",
		"From: @example.com\r\n",
		"From: a@[192.0.2.1]\r\n",
		"From: a@192.0.2.1\r\n",
		"From: a@exam_ple!.com\r\n",
		"From: a@example..com\r\n",
		"From: (a@example.com\r\n",
		"From: \"a@example.com\r\n",
		"From: \"a@example.com\"\r\n",
		"From: a@example.com(\r\n",
		"From: =?utf-8?q?a=40example.com?=\r\n",
		"From: =?utf-8?q?=3Ca=40bank.example=3E?= <b@evil.example>\r\n",
		"From: =?utf-8?q?ceo=40bank.example?= <b@evil.example>\r\n",
		"From: =?utf-8?b?PGFAYmFuay5leGFtcGxlPiw=?= <b@evil.example>\r\n",
		"From: \"=?utf-8?q?ceo=40bank.example?=\" <b@evil.example>\r\n",
		"From: =?utf-8?q?ceo?=@evil.example\r\n",
		"From: <=?utf-8?q?ceo?=@evil.example>\r\n",
		"From: a@example.com\rFrom: b@example.com\r\n",
		"From: a@example.com\r\nno field\r\nFrom: b@example.com\r\n",
		"From: a@example.com\r\nlost\r\n \r\nFrom: b@example.com\r\n", /* blanks are no empty line */
		"X: y\r\nno field\r\n From: b@example.com\r\n",
		" From: b@example.com\r\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		if (find(list[i]) != E_SYNTAX)
			fail_msg("%s", list[i]);
		assert_true(err_info()->text[0] != 0);
	}
	assert_int_equal(dmarc_author_find(STR("From: a@example\0.com\r\n"), &memory, &author), E_SYNTAX);
}

static void test_none(void **state UNUSED)
{
	assert_int_equal(find(""), E_NOT_FOUND);
	assert_int_equal(find("\r\nFrom: a@example.com\r\n"), E_NOT_FOUND);
	assert_int_equal(find("To: a@example.com\r\n"), E_NOT_FOUND);
	assert_int_equal(find("Sender: a@example.com\r\nX-From: a@example.com"), E_NOT_FOUND);
}

/* Linear, and bounded. */
static void test_large(void **state UNUSED)
{
	BUF(text, 4 << 20);

	buf_puts(&text, "From: ");
	for (int i = 0; i < 100000; i++)
		buf_puts(&text, "(((\"a@b\" <");
	buf_puts(&text, " a@example.com\r\n");
	assert_int_equal(dmarc_author_find(buf_str(&text), &memory, &author), E_SYNTAX);
	buf_reset(&text);
	buf_puts(&text, "From: \"");
	for (int i = 0; i < 8000; i++)
		buf_puts(&text, "\xc3\xa4");
	buf_puts(&text, "\" <a@example.com>\r\n");
	assert_int_equal(dmarc_author_find(buf_str(&text), &memory, &author), OK);
	assert_true(author.name.n <= 1000 && str_is_utf8(author.name));
}

static void test_no_memory(void **state UNUSED)
{
	ARENA(small, 100);

	assert_int_equal(dmarc_author_find(STR("From: a@example.com\r\n"), &small, &author), E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, begin, end),
		cmocka_unit_test_setup_teardown(test_bad, begin, end),
		cmocka_unit_test_setup_teardown(test_none, begin, end),
		cmocka_unit_test_setup_teardown(test_large, begin, end),
		cmocka_unit_test_setup_teardown(test_no_memory, begin, end),
	};

	return cmocka_run_group_tests_name("dmarc_author", tests, NULL, NULL);
}
