/* SPDX-License-Identifier: ISC */
#include "mail/forward.h"

#include "base/test.h"

static struct forward read_text(const char *text, struct arena *a)
{
	struct forward f;

	assert_int_equal(forward_read(str_from(text), STR("example.org"), a, &f), OK);
	return f;
}

static void test_addresses(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct forward f = read_text("# mine\n\\Alice, bob\ncarol@Example.COM,, \"dave\"@m\xc3\xbcller.example\n", &a);

	assert_int_equal(f.targets_n, 4);
	assert_str(f.targets[0], "alice@example.org");
	assert_str(f.targets[1], "bob@example.org");
	assert_str(f.targets[2], "carol@example.com");
	assert_str(f.targets[3], "dave@xn--mller-kva.example");
	assert_int_equal(f.refusals_n + f.fault.n, 0);
	f = read_text("", &a);
	assert_int_equal(f.targets_n + f.refusals_n + f.fault.n, 0);
}

static void test_what_is_refused(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct forward f = read_text("bob\n\n|/usr/bin/procmail, /var/mail/box\n:include:/etc/passwd\n"
	                             "a b@example.com\n\"a b\"@example.com\ncarol@\n",
	                             &a);

	assert_int_equal(f.targets_n, 1);
	assert_int_equal(f.refusals_n, 6);
	assert_int_equal(f.refusals[0].line, 3);
	assert_str(f.refusals[0].why, "programs are not run for mail");
	assert_int_equal(f.refusals[1].line, 3);
	assert_str(f.refusals[1].why, "mail is not written to files");
	assert_int_equal(f.refusals[2].line, 4);
	assert_str(f.refusals[2].why, "other files are not included");
	for (size_t i = 3; i < 6; i++)
		assert_int_equal(f.refusals[i].line, i + 2);
}

static void test_faults(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct forward f = read_text("bob\n\"open\n", &a);

	assert_int_equal(f.targets_n, 0);
	assert_true(str_starts(f.fault, STR("line 2: ")));
	f = read_text("bob\x01\n", &a);
	assert_true(f.fault.n > 0);
}

static void test_many(void **state UNUSED)
{
	ARENA(a, 4 << 20);
	BUF(text, 1 << 20);

	for (int i = 0; i < 130; i++)
		buf_printf(&text, "u%d\n", i);
	buf_putc(&text, '\0');
	struct forward f = read_text(text.p, &a);
	assert_int_equal(f.targets_n, FORWARD_TARGETS_MAX);
	assert_int_equal(f.refusals_n, FORWARD_REFUSALS_MAX);
	assert_int_equal(f.refusals[0].line, FORWARD_TARGETS_MAX + 1);
}

static err parse(const char *text, struct arena *a, struct forward *f)
{
	struct cursor c = cursor_of(str_from(text));

	return forward_parse(&c, a, f);
}

static void test_lines(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	BUF(text, 4096);
	struct forward f = read_text("bob, carol@example.com\n|x\n", &a), again;

	forward_print(&text, &f);
	buf_putc(&text, '\0');
	assert_string_equal(text.p, "target bob@example.org\ntarget carol@example.com\n"
	                            "refused 2 programs are not run for mail\nend\n");
	assert_int_equal(parse(text.p, &a, &again), OK);
	assert_int_equal(again.targets_n, 2);
	assert_str(again.targets[1], "carol@example.com");
	assert_int_equal(again.refusals[0].line, 2);
	f = forward_fault(STR("it is a link"));
	buf_reset(&text);
	forward_print(&text, &f);
	buf_putc(&text, '\0');
	assert_int_equal(parse(text.p, &a, &again), OK);
	assert_str(again.fault, "it is a link");
}

static void bad(const char *text)
{
	ARENA(a, 1 << 20);
	struct forward f;

	assert_int_equal(parse(text, &a, &f), E_SYNTAX);
}

static void test_lines_of_somebody_else(void **state UNUSED)
{
	BUF(text, 1 << 20);

	bad("");
	bad("end");
	bad("target a@b\n");
	bad("target \nend\n");
	bad("target a@b\x7f\nend\n");
	bad("target a@b\r\nend\n");
	bad("refused x y\nend\n");
	bad("refused 1\nend\n");
	bad("refused 99999999 x\nend\n");
	bad("fault \nend\n");
	bad("user root\nend\n");
	bad("\nend\n");
	for (int i = 0; i <= FORWARD_TARGETS_MAX; i++)
		buf_puts(&text, "target a@b\n");
	buf_puts(&text, "end\n");
	buf_putc(&text, '\0');
	bad(text.p);
	buf_reset(&text);
	buf_printf(&text, "target %0*d@b\nend\n", FORWARD_LINE_MAX, 0);
	buf_putc(&text, '\0');
	bad(text.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_faults),    cmocka_unit_test(test_many),
		cmocka_unit_test(test_lines),     cmocka_unit_test(test_lines_of_somebody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
