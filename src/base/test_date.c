/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/date.h"

static void assert_rfc3339(int64_t usec, const char *want)
{
	BUF(b, 40);

	date_rfc3339(&b, usec);
	assert_str(buf_str(&b), want);
}

static void assert_parsed(const char *text, int64_t want)
{
	int64_t usec = 0;

	if (!date_parse_rfc3339(str_from(text), &usec))
		fail_msg("%s is refused", text);
	if (usec != want)
		fail_msg("%s: got %lld, want %lld", text, (long long)usec, (long long)want);
}

static void test_rfc3339(void **state UNUSED)
{
	assert_rfc3339(0, "1970-01-01T00:00:00.000Z");
	assert_rfc3339(1795297080123456, "2026-11-21T21:38:00.123Z");
	assert_rfc3339(951782400000000, "2000-02-29T00:00:00.000Z");
	assert_rfc3339(-1, "1969-12-31T23:59:59.999Z");
	assert_rfc3339(INT64_MAX, "9999-12-31T23:59:59.775Z");
}

static void test_rfc5322(void **state UNUSED)
{
	BUF(b, 100);

	date_rfc5322(&b, 1795297080123456);
	buf_putc(&b, '|');
	date_rfc5322(&b, 0);
	assert_str(buf_str(&b), "Sat, 21 Nov 2026 21:38:00 +0000|Thu, 1 Jan 1970 00:00:00 +0000");
}

static void test_parse(void **state UNUSED)
{
	assert_parsed("2026-11-21T21:38:00.123Z", 1795297080123000);
	assert_parsed("2026-11-21t21:38:00z", 1795297080000000);
	assert_parsed("2026-11-21 22:38:00.123456789+01:00", 1795297080123456);
	assert_parsed("2026-11-21T16:08:00-05:30", 1795297080000000);
	assert_parsed("2026-11-21", 1795219200000000);
	assert_parsed("2016-12-31T23:59:60Z", 1483228800000000);
	assert_parsed("0000-01-01", -62167219200000000);
}

static void test_parse_refuses(void **state UNUSED)
{
	static const char *const bad[] = {
		"",
		"2026",
		"2026-13-01",
		"2026-00-01",
		"2026-02-29",
		"1900-02-29",
		"2026-04-31",
		"26-11-21",
		"2026-1-21",
		"2026-11-21T21:38",
		"2026-11-21T21:38:00",
		"2026-11-21T24:00:00Z",
		"2026-11-21T21:38:00.Z",
		"2026-11-21T21:38:00+24:00",
		"2026-11-21T21:38:00Zx",
		"+026-11-21",
		"2026-11-21T21:38:61Z",
		"2026-11-21x",
	};
	int64_t usec = 7;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (date_parse_rfc3339(str_from(bad[i]), &usec))
			fail_msg("%s is accepted", bad[i]);
	assert_int_equal(usec, 7);
}

static void test_every_day_round_trips(void **state UNUSED)
{
	for (int64_t day = -200000; day < 200000; day += 17) {
		BUF(b, 40);
		date_rfc3339(&b, day * 86400 * USEC_PER_SEC);
		int64_t back = 0;
		assert_true(date_parse_rfc3339(buf_str(&b), &back));
		assert_true(back == day * 86400 * USEC_PER_SEC);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc3339),
		cmocka_unit_test(test_rfc5322),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_every_day_round_trips),
	};

	return cmocka_run_group_tests_name("date", tests, NULL, NULL);
}
