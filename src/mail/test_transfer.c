/* SPDX-License-Identifier: ISC */
#include "mail/transfer.h"

#include "base/test.h"

static void is(const struct buf *b, str want)
{
	assert_false(b->full);
	assert_int_equal(b->n, want.n);
	assert_memory_equal(b->p, want.p, want.n);
}

static void printable(str text, str want)
{
	BUF(out, 1 << 20);

	transfer_quoted_printable(&out, text);
	is(&out, want);
}

static void test_quoted_printable(void **state UNUSED)
{
	printable(STR(""), STR(""));
	printable(STR("Hello = you\r\n"), STR("Hello =3D you\r\n"));
	printable(STR("gr\xc3\xbc\xc3\x9f\x65\r\n"), STR("gr=C3=BC=C3=9Fe\r\n"));
	printable(STR("blank \r\ntab\t\r\nend "), STR("blank=20\r\ntab=09\r\nend=20"));
	printable(STR("a\rb\nc"), STR("a=0Db=0Ac"));
}

static void test_quoted_printable_lines(void **state UNUSED)
{
	BUF(text, 1 << 16);
	BUF(out, 1 << 20);

	for (int i = 0; i < 500; i++)
		buf_puts(&text, i % 7 == 0 ? "\xc3\xa9" : "x");
	transfer_quoted_printable(&out, buf_str(&text));
	str rest = buf_str(&out), line;
	bool more = true;
	while (more) {
		more = str_cut(rest, '\n', &line, &rest);
		assert_true(line.n <= 77); /* 76 and the CR */
		assert_true(!more || str_ends(line, STR("=\r")));
	}
	/* 76 octets need no soft line break when nothing is behind them. */
	str full = STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
	assert_int_equal(full.n, 78);
	printable(full, full);
}

static void test_base64(void **state UNUSED)
{
	BUF(out, 1000);
	char zeros[60] = {0};

	transfer_base64(&out, str_make(zeros, sizeof(zeros)));
	is(&out, STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\nAAAA\r\n"));
}

static void field(str text, str want)
{
	BUF(out, 1 << 16);

	transfer_field(&out, STR("Subject"), text);
	is(&out, want);
}

static void test_field(void **state UNUSED)
{
	field(STR(""), STR("Subject:\r\n"));
	field(STR(" lunch "), STR("Subject: lunch\r\n"));
	field(STR("Gr\xc3\xbc\xc3\x9f\x65"), STR("Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n"));
	field(STR("evil\r\nBcc: x"), STR("Subject: =?utf-8?B?ZXZpbCAgQmNjOiB4?=\r\n"));
	field(STR("=?utf-8?Q?x?="), STR("Subject: =?utf-8?B?PT91dGYtOD9RP3g/PQ==?=\r\n"));
	field(STR("bad \xff byte"), STR("Subject: =?utf-8?B?YmFkID8gYnl0ZQ==?=\r\n"));
	field(STR("one two three four five six seven eight nine ten eleven twelve thirteen fourteen"),
	      STR("Subject: one two three four five six seven eight nine ten eleven twelve\r\n thirteen fourteen\r\n"));
}

static void test_field_lines(void **state UNUSED)
{
	BUF(text, 1 << 16);
	BUF(out, 1 << 20);

	for (int i = 0; i < 300; i++)
		buf_puts(&text, i % 3 == 0 ? "\xe2\x82\xac" : "ab");
	transfer_field(&out, STR("Subject"), buf_str(&text));
	str rest = buf_str(&out), line;
	while (rest.n > 0) {
		str_cut(rest, '\n', &line, &rest);
		assert_true(line.n <= 79);
		assert_true(str_ends(line, STR("?=\r")));
	}
}

static void phrase(str text, str want)
{
	BUF(out, 1000);

	transfer_phrase(&out, text, 6);
	is(&out, want);
}

static void test_phrase(void **state UNUSED)
{
	phrase(STR("Alice Liddell"), STR("Alice Liddell"));
	phrase(STR("Liddell, Alice \"Al\""), STR("\"Liddell, Alice \\\"Al\\\"\""));
	phrase(STR("Zo\xc3\xab"), STR("=?utf-8?B?Wm/Dqw==?="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quoted_printable), cmocka_unit_test(test_quoted_printable_lines),
		cmocka_unit_test(test_base64),           cmocka_unit_test(test_field),
		cmocka_unit_test(test_field_lines),      cmocka_unit_test(test_phrase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
