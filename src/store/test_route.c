/* SPDX-License-Identifier: ISC */
/* Who gets mail for an address. */
#include "store/fixture.h"

static void expect(struct fixture *f, const char *address, int reply, const char *status)
{
	ARENA(a, 1 << 20);
	struct rcpt_answer r = rcpt_answer(f, address, 0, &a);

	if (r.reply != (uint64_t)reply || !str_equal(r.status, str_from(status)))
		fail_msg("%s: %d " STR_FMT " " STR_FMT, address, (int)r.reply, STR_ARG(r.status), STR_ARG(r.text));
}

static void start(struct fixture *f)
{
	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	admin_do(f, "account add carol@example.org");
}

static void accounts(struct fixture *f)
{
	start(f);
	expect(f, "alice@example.org", 0, "");
	expect(f, "ALICE@Example.ORG", 0, "");
	expect(f, "\"alice\"@example.org", 0, "");
	expect(f, "dave@example.org", 550, "5.1.1");
	expect(f, "alice@example.com", 550, "5.7.1");
	expect(f, "alice@[192.0.2.1]", 550, "5.7.1");
	expect(f, "alice", 501, "5.1.3");
	admin_do(f, "account disable alice@example.org");
	expect(f, "alice@example.org", 550, "5.2.1");
	admin_do(f, "account enable alice@example.org");
	expect(f, "alice@example.org", 0, "");
}

static void test_accounts(void **state UNUSED)
{
	fixture_run(accounts);
}

static void plus(struct fixture *f)
{
	start(f);
	expect(f, "alice+lists@example.org", 0, "");
	expect(f, "+alice@example.org", 550, "5.1.1");
	expect(f, "dave+lists@example.org", 550, "5.1.1");
	admin_do(f, "account add alice+own@example.org");
	send_ok(f, "alice+own@example.org", "x\r\n");
	assert_int_equal(box_count(f, "alice@example.org"), 0);
	assert_int_equal(box_count(f, "alice+own@example.org"), 1);
	fixture_configure(f, "plus none\n");
	expect(f, "alice+lists@example.org", 550, "5.1.1");
}

static void test_plus_addressing(void **state UNUSED)
{
	fixture_run(plus);
}

static void postmaster(struct fixture *f)
{
	fixture_open(f);
	expect(f, "postmaster", 451, "4.3.0"); /* nobody is there yet */
	admin_do(f, "account add alice@example.org");
	admin_do(f, "account add carol@example.org");
	expect(f, "postmaster", 0, "");
	expect(f, "Postmaster@example.org", 0, "");
	expect(f, "postmaster@example.net", 0, "");
	expect(f, "postmaster@example.com", 550, "5.7.1");
	send_ok(f, "Postmaster", "x\r\n");
	assert_int_equal(box_count(f, "alice@example.org"), 1);
	admin_do(f, "alias add postmaster@example.org carol@example.org");
	send_ok(f, "postmaster", "x\r\n");
	send_ok(f, "postmaster@example.org", "x\r\n");
	assert_int_equal(box_count(f, "carol@example.org"), 2);
	send_ok(f, "postmaster@example.net", "x\r\n");
	assert_int_equal(box_count(f, "alice@example.org"), 2);
	assert_sound(f);
}

static void test_postmaster_is_always_there(void **state UNUSED)
{
	fixture_run(postmaster);
}

static void catchall(struct fixture *f)
{
	start(f);
	admin_do(f, "account add dave@example.net");
	send_ok(f, "anybody@example.net", "x\r\n");
	send_ok(f, "dave@example.net", "x\r\n");
	assert_int_equal(box_count(f, "alice@example.org"), 1);
	assert_int_equal(box_count(f, "dave@example.net"), 1);
}

static void test_catchall(void **state UNUSED)
{
	fixture_run(catchall);
}

/* Each of three aliases leads to each of the three of the next row: few aliases, one recipient, thousands of ways. */
static void lattice(struct fixture *f)
{
	char command[200];

	start(f);
	for (int row = 9; row > 1; row--)
		for (int i = 0; i < 3; i++) {
			if (row == 9)
				snprintf(command, sizeof(command), "alias add l9x%d@example.org alice@example.org", i);
			else
				snprintf(command, sizeof(command),
				         "alias add l%dx%d@example.org l%dx0@example.org l%dx1@example.org "
				         "l%dx2@example.org",
				         row, i, row + 1, row + 1, row + 1);
			assert_int_equal(admin_result(f, command), row > 2 ? OK : E_LIMIT);
		}
	expect(f, "l3x0@example.org", 0, "");
}

static void test_ways_are_counted(void **state UNUSED)
{
	fixture_run(lattice);
}

static void aliases(struct fixture *f)
{
	start(f);
	admin_do(f, "alias add team@example.org alice@example.org carol@example.org");
	admin_do(f, "alias add all@example.org team@example.org alice+x@example.org");
	send_ok(f, "all@example.org", "x\r\n");
	assert_int_equal(box_count(f, "alice@example.org"), 1); /* by two ways, once */
	assert_int_equal(box_count(f, "carol@example.org"), 1);
	assert_int_equal(admin_number(f, "balance", "accepted"), 2);
	assert_int_equal(admin_count(f, "alias list"), 4);
	assert_int_equal(admin_count(f, "alias list team@example.org"), 2);
	/* an alias is all or nothing */
	admin_do(f, "account disable carol@example.org");
	expect(f, "all@example.org", 550, "5.2.1");
	admin_do(f, "account enable carol@example.org");
	admin_do(f, "alias remove team@example.org carol@example.org");
	assert_int_equal(admin_result(f, "alias remove team@example.org carol@example.org"), E_NOT_FOUND);
	assert_int_equal(admin_count(f, "alias list"), 3);
	admin_do(f, "alias remove team@example.org");
	expect(f, "team@example.org", 550, "5.1.1");
	assert_sound(f);
}

static void test_aliases(void **state UNUSED)
{
	fixture_run(aliases);
}

static void refused_aliases(struct fixture *f)
{
	start(f);
	assert_int_equal(admin_result(f, "alias add team@example.com alice@example.org"), E_PERM);
	assert_int_equal(admin_result(f, "alias add team@example.org nobody@example.org"), E_PERM);
	assert_int_equal(admin_result(f, "alias add alice@example.org carol@example.org"), E_EXISTS);
	assert_int_equal(admin_result(f, "alias add team@example.org"), E_SYNTAX);
	assert_int_equal(admin_result(f, "alias add team@example.org a@b@c"), E_SYNTAX);
	assert_int_equal(admin_count(f, "alias list"), 0); /* nothing of what failed is left */
}

static void test_aliases_that_would_not_work_are_refused(void **state UNUSED)
{
	fixture_run(refused_aliases);
}

/* --- the file of aliases --- */

static void expect_lines(struct fixture *f, const char *sql, const char *expected)
{
	ARENA(a, 1 << 20);

	assert_str(fixture_lines(f, sql, &a), expected);
}

#define ALIASES "SELECT local || ' ' || target || ' ' || file FROM alias ORDER BY local, target"

static void imports(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct admin_reply r;

	start(f);
	admin_do(f, "alias add team@example.org alice@example.org");
	admin_do(f, "alias import root@example.org alice@example.org team@example.org alice@example.org "
	            "team@example.org x@example.com");
	expect_lines(f, ALIASES, "root alice@example.org 1\nteam alice@example.org 0\nteam x@example.com 1\n");
	send_ok(f, "root@example.org", "x\r\n");
	assert_int_equal(box_count(f, "alice@example.org"), 1);
	/* again: what is not in the file any more goes, what a command made stays */
	assert_int_equal(
		admin_try(f,
	                  "alias import carol@example.org alice@example.org nobody@example.org gone@example.org "
	                  "nobody@example.org gone@example.org a@example.org b@example.org b@example.org a@example.org",
	                  "", &r, &a),
		OK);
	assert_int_equal(r.rows_n, 4);
	assert_str(cell_of(&r.rows[0], "address")->text, "carol@example.org");
	assert_str(cell_of(&r.rows[0], "fault")->text, "it is an account, which gets the mail");
	assert_str(cell_of(&r.rows[1], "address")->text, "nobody@example.org");
	assert_true(str_contains(cell_of(&r.rows[2], "fault")->text, STR("circle")));
	expect_lines(f, ALIASES,
	             "a b@example.org 1\nb a@example.org 1\ncarol alice@example.org 1\nnobody gone@example.org 1\n"
	             "team alice@example.org 0\n");
	/* nothing changes when a word is wrong */
	assert_int_equal(admin_result(f, "alias import root@example.com alice@example.org"), E_PERM);
	assert_int_equal(admin_result(f, "alias import root@example.org"), E_SYNTAX);
	assert_int_equal(admin_result(f, "alias import root@example.org nonsense"), E_SYNTAX);
	assert_int_equal(admin_count(f, "alias list"), 5);
	/* a command makes one its own */
	admin_do(f, "alias import x@example.org alice@example.org");
	admin_do(f, "alias add x@example.org alice@example.org");
	admin_do(f, "alias import");
	expect_lines(f, ALIASES, "team alice@example.org 0\nx alice@example.org 0\n");
}

static void test_import(void **state UNUSED)
{
	fixture_run(imports);
}

static void circles(struct fixture *f)
{
	char words[100];

	start(f);
	admin_do(f, "alias add a0@example.org alice@example.org");
	for (int i = 1; i < 10; i++) {
		snprintf(words, sizeof(words), "alias add a%d@example.org a%d@example.org", i, i - 1);
		admin_do(f, words);
	}
	expect(f, "a9@example.org", 0, "");
	assert_int_equal(admin_result(f, "alias add a10@example.org a9@example.org"), E_PERM); /* too deep */
	assert_true(str_contains(str_from(err_info()->text), STR("deeply")));
	assert_int_equal(admin_result(f, "alias add a0@example.org a5@example.org"), E_PERM);
	assert_true(str_contains(str_from(err_info()->text), STR("circle")));
	expect(f, "a9@example.org", 0, "");
}

static void test_circles_and_depth(void **state UNUSED)
{
	fixture_run(circles);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accounts),
		cmocka_unit_test(test_plus_addressing),
		cmocka_unit_test(test_postmaster_is_always_there),
		cmocka_unit_test(test_catchall),
		cmocka_unit_test(test_ways_are_counted),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_aliases_that_would_not_work_are_refused),
		cmocka_unit_test(test_circles_and_depth),
		cmocka_unit_test(test_import),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
