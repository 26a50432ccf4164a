/* SPDX-License-Identifier: ISC */
#include "mail/date_field.h"

#include "base/test.h"

static void dates(void **state UNUSED)
{
	static const struct {
		const char *value, *want; /* NULL: none */
	} cases[] = {
		{"Sat, 21 Nov 2026 21:38:00 +0000", "2026-11-21T21:38:00.000Z"},
		{"21 Nov 2026 21:38 +0130", "2026-11-21T20:08:00.000Z"},
		{"Sat,21 Nov 26 21:38:00 -0500 (EST (east))", "2026-11-22T02:38:00.000Z"},
		{" Mon (day) , 1 (first) Jan 1990\r\n 00:00:00 GMT", "1990-01-01T00:00:00.000Z"},
		{"1 January 99 10:00:60 PST", "1999-01-01T18:00:59.000Z"},
		{"1 Jan 101 00:00:00 XYZ", "2001-01-01T00:00:00.000Z"},
		{"1 Jan 2026 00:00:00", "2026-01-01T00:00:00.000Z"},
		{"32 Jan 2026 00:00:00 +0000", NULL},
		{"30 Feb 2026 00:00:00 +0000", NULL},
		{"1 Foo 2026 00:00:00 +0000", NULL},
		{"1 Jan 2026 24:00:00 +0000", NULL},
		{"1 Jan 2026", NULL},
		{"2026-11-21T21:38:00Z", NULL},
		{"Sat, 21 Nov 2026 21:38:00 +0000 x", NULL},
		{"(", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		BUF(out, 100);
		int64_t usec;
		bool is = date_field_parse(str_from(cases[i].value), &usec);

		if (is != (cases[i].want != NULL))
			fail_msg("%s", cases[i].value);
		if (!is)
			continue;
		date_rfc3339(&out, usec);
		assert_str(buf_str(&out), cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
