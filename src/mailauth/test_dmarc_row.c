/* SPDX-License-Identifier: ISC */
#include "mailauth/dmarc_row.h"

#include "base/test.h"

static void round_trip(void **state UNUSED)
{
	BUF(text, 8192);
	ARENA(a, 8192);
	const struct dkim_result signatures[] = {
		{.domain = STR("example.com"), .selector = STR("s\t1"), .result = AUTH_FAIL},
		{.domain = STR("example.com"), .selector = STR("s2"), .skipped = true},
		{.domain = STR("example.org"), .selector = STR("s3"), .result = AUTH_PERMERROR},
		{.domain = STR(""), .selector = STR(""), .result = AUTH_PERMERROR}};
	const struct dmarc_row row = {.source = STR("192.0.2.1"),
	                              .disposition = STR("quarantine"),
	                              .dkim = STR("fail"),
	                              .spf = STR("pass"),
	                              .header_from = STR("example.com"),
	                              .envelope_from = STR("a\nb"),
	                              .record = STR("v=DMARC1; p=reject"),
	                              .record_domain = STR("example.com"),
	                              .dkim_results = signatures,
	                              .dkim_n = 4};
	struct dmarc_row again;

	dmarc_row_print(&text, &row);
	assert_int_equal(dmarc_row_parse(buf_str(&text), &a, &again), OK);
	assert_true(str_equal(again.source, row.source));
	assert_true(str_equal(again.disposition, row.disposition));
	assert_true(str_equal(again.record_domain, row.record_domain));
	assert_true(str_equal(again.envelope_from, STR("a?b")));
	assert_int_equal(again.dkim_n, 2);
	assert_true(str_equal(again.dkim_results[0].selector, STR("s?1")));
	assert_int_equal(again.dkim_results[0].result, AUTH_FAIL);
	assert_int_equal(again.dkim_results[1].result, AUTH_PERMERROR);
}

static void no_rows(void **state UNUSED)
{
	ARENA(a, 8192);
	struct dmarc_row row;

	assert_int_equal(dmarc_row_parse(STR(""), &a, &row), E_SYNTAX);
	assert_int_equal(dmarc_row_parse(STR("\t\t\t\t\t\t\t\t\t\t\t\t\t\t"), &a, &row), E_SYNTAX);
	assert_int_equal(dmarc_row_parse(STR("\t\t\t\t\t\t\t\t\t\t\t\t\t"), &a, &row), OK);
	assert_int_equal(row.dkim_n, 0);
}

/* Whatever others wrote, a row has its bounds. */
static void bounds(void **state UNUSED)
{
	static char long_text[4000];
	struct dkim_result many[10];
	BUF(text, 8192);
	struct dmarc_row again;
	ARENA(a, 64 << 10);

	memset(long_text, 'x', sizeof(long_text));
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = (struct dkim_result){.domain = str_make(long_text, sizeof(long_text)),
		                               .selector = str_make(long_text, 4000)};
	dmarc_row_print(&text, &(struct dmarc_row){.header_from = str_make(long_text, sizeof(long_text)),
	                                           .record = str_make(long_text, sizeof(long_text)),
	                                           .dkim_results = many,
	                                           .dkim_n = ARRAY_LEN(many)});
	assert_true(text.n <= DMARC_ROW_MAX + 1024);
	assert_int_equal(dmarc_row_parse(buf_str(&text), &a, &again), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip), cmocka_unit_test(no_rows),
	                                   cmocka_unit_test(bounds)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
