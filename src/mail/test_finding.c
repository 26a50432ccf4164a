/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "mail/finding.h"

static void expect_line(const struct finding *f, const char *line)
{
	BUF(out, FINDINGS_MAX);

	finding_print(&out, f);
	assert_str(buf_str(&out), line);
}

static void lines(void **state UNUSED)
{
	expect_line(
		&(struct finding){FINDING_CHECK, STR("spf"), STR("pass"), 0, STR("192.0.2.1 may send for example.org")},
		"check spf pass 0 192.0.2.1 may send for example.org\n");
	expect_line(&(struct finding){FINDING_RULE, STR("helo-no-address"), STR_NONE, 1250, STR_NONE},
	            "rule helo-no-address - 1.25 \n");
	expect_line(&(struct finding){FINDING_SCANNER, STR("clamd"), STR("clean"), -250, STR("\xc3\xbc")},
	            "scanner clamd clean -0.25 \xc3\xbc\n");
	expect_line(&(struct finding){FINDING_DECISION, STR("junk"), STR("junk"), INT64_MAX, STR("x")},
	            "decision junk junk 1000 x\n");
}

/* Others' words cannot end a line or steer a terminal. */
static void what_is_harmful(void **state UNUSED)
{
	expect_line(&(struct finding){FINDING_CHECK, STR("a b\n"), STR("p\ta"), 0,
	                              STR("a\r\nb\x1b[2J\x7f \xe2\x80\xae \xc2\x85 \xff")},
	            "check a?b? p?a 0 a??b?[2J? ? ? ?\n");
}

static void long_ones_are_cut(void **state UNUSED)
{
	char text[FINDING_EVIDENCE_MAX + 10];
	BUF(out, FINDINGS_MAX);
	struct finding f;

	memset(text, 'x', sizeof(text));
	memcpy(text + FINDING_EVIDENCE_MAX - 1, "\xc3\xbc", 2); /* not cut in the midst */
	finding_print(&out, &(struct finding){FINDING_CHECK, STR("a"), STR("b"), 0, str_make(text, sizeof(text))});
	str rest = buf_str(&out);
	assert_true(finding_next(&rest, &f));
	assert_int_equal(f.evidence.n, FINDING_EVIDENCE_MAX - 1);
}

static void a_full_buffer_has_whole_lines(void **state UNUSED)
{
	BUF(out, 40);
	const struct finding f = {FINDING_CHECK, STR("name"), STR("result"), 0, STR("some evidence")};

	finding_print(&out, &f);
	size_t n = out.n;
	finding_print(&out, &f);
	assert_int_equal(out.n, n);
}

static void read_back(void **state UNUSED)
{
	str text = STR("check spf pass 0 it is\nnonsense\nrule x - -1.5 \n\nrule  - 0 x\nrule y z 1,5 e\nother x y 0 "
	               "z\ndecision junk junk 5 e  f");
	struct finding f;

	assert_true(finding_next(&text, &f));
	assert_int_equal(f.kind, FINDING_CHECK);
	assert_str(f.name, "spf");
	assert_str(f.result, "pass");
	assert_str(f.evidence, "it is");
	assert_true(finding_next(&text, &f));
	assert_int_equal(f.kind, FINDING_RULE);
	assert_int_equal(f.points, -1500);
	assert_int_equal(f.result.n + f.evidence.n, 0);
	assert_true(finding_next(&text, &f));
	assert_int_equal(f.kind, FINDING_DECISION);
	assert_str(f.evidence, "e  f");
	assert_false(finding_next(&text, &f));
}

static void points(void **state UNUSED)
{
	BUF(out, 64);

	finding_points_print(&out, -2500);
	assert_str(buf_str(&out), "-2.5");
	assert_string_equal(finding_kind_name(FINDING_SCANNER), "scanner");
	assert_string_equal(finding_kind_name(FINDING_KIND_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(what_is_harmful),
		cmocka_unit_test(long_ones_are_cut),
		cmocka_unit_test(a_full_buffer_has_whole_lines),
		cmocka_unit_test(read_back),
		cmocka_unit_test(points),
	};

	return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
