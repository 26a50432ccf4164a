/* SPDX-License-Identifier: ISC */
/* Where mail goes by users' .forward files, as the monitor tells them. */
#include "store/fixture.h"

#define ALICE "alice@example.org"
#define BOB   "bob@example.org"
#define CAROL "carol@example.org"

static void start(struct fixture *f)
{
	fixture_open(f);
	fixture_configure(f, "unix-users example.org\n");
	admin_do(f, "account add " ALICE);
	admin_do(f, "account add " BOB);
	admin_do(f, "account add " CAROL);
}

/* A message to `to`, and how many each of the three has then. */
static void expect_boxes(struct fixture *f, const char *to, size_t alice, size_t bob, size_t carol)
{
	send_ok(f, to, "x\r\n");
	assert_int_equal(box_count(f, ALICE), alice);
	assert_int_equal(box_count(f, BOB), bob);
	assert_int_equal(box_count(f, CAROL), carol);
	assert_sound(f);
}

static str lines(struct fixture *f, const char *sql, struct arena *a)
{
	return fixture_lines(f, sql, a);
}

static void to_others(struct fixture *f)
{
	start(f);
	expect_boxes(f, ALICE, 1, 0, 0);
	admin_do(f, "forward set " ALICE " " BOB " " CAROL " " BOB);
	expect_boxes(f, ALICE, 1, 1, 1);
	expect_boxes(f, "alice+lists@example.org", 1, 2, 2);
	expect_boxes(f, ALICE " " BOB, 1, 3, 3); /* by two ways, once */
	admin_do(f, "forward set " ALICE " " BOB);
	expect_boxes(f, ALICE, 1, 4, 3);
	admin_do(f, "account disable " ALICE);
	assert_int_equal(admin_result(f, "forward set " ALICE " " CAROL), OK);
	admin_do(f, "account enable " ALICE);
	admin_do(f, "forward set " ALICE);
	expect_boxes(f, ALICE, 2, 4, 3);
}

static void test_to_other_accounts(void **state UNUSED)
{
	fixture_run(to_others);
}

static void copies(struct fixture *f)
{
	start(f);
	admin_do(f, "forward set " ALICE " " ALICE " " BOB);
	expect_boxes(f, ALICE, 1, 1, 0);
	/* those who forward to each other */
	admin_do(f, "forward set " ALICE " " BOB);
	admin_do(f, "forward set " BOB " " ALICE);
	expect_boxes(f, ALICE, 2, 1, 0);
	expect_boxes(f, BOB, 2, 2, 0);
	admin_do(f, "forward set " BOB " alice+x@example.org " CAROL);
	expect_boxes(f, ALICE, 3, 2, 1);
	/* over an alias that leads back */
	admin_do(f, "alias add team@example.org " CAROL);
	admin_do(f, "forward set " CAROL " team@example.org");
	expect_boxes(f, CAROL, 3, 2, 2);
	expect_boxes(f, "team@example.org", 3, 2, 3);
}

static void test_own_name_is_the_mailbox(void **state UNUSED)
{
	fixture_run(copies);
}

static void two_ways(struct fixture *f)
{
	start(f);
	/* alice and bob lead to carol, who forwards: she gets no copy by the second way */
	admin_do(f, "account add dave@example.org");
	admin_do(f, "forward set " ALICE " " CAROL);
	admin_do(f, "forward set " BOB " " CAROL);
	admin_do(f, "forward set " CAROL " dave@example.org");
	admin_do(f, "alias add team@example.org " ALICE " " BOB);
	expect_boxes(f, "team@example.org", 0, 0, 0);
	assert_int_equal(box_count(f, "dave@example.org"), 1);
	assert_int_equal(admin_number(f, "balance", "accepted"), 1);
}

static void test_two_ways_to_one_account(void **state UNUSED)
{
	fixture_run(two_ways);
}

static void faults(struct fixture *f)
{
	start(f);
	admin_do(f, "forward set " ALICE " nobody@example.org " BOB);
	expect_boxes(f, ALICE, 1, 1, 0);
	admin_do(f, "account disable " BOB);
	send_ok(f, ALICE, "x\r\n");
	admin_do(f, "account enable " BOB);
	/* a return path that we did not make */
	admin_do(f, "forward set " ALICE " srs0=x=y=z=w@example.org");
	expect_boxes(f, ALICE, 3, 1, 0);
	assert_int_equal(admin_result(f, "forward set dave@example.org " BOB), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "forward set " ALICE " nonsense"), E_SYNTAX);
	assert_int_equal(admin_result(f, "forward set " ALICE " \"a\\ b\"@example.org"), E_SYNTAX);
	assert_int_equal(admin_result(f, "forward set"), E_SYNTAX);
}

static void test_what_cannot_get_mail_leaves_it_in_the_mailbox(void **state UNUSED)
{
	fixture_run(faults);
}

/* As deep as aliases go: whoever comes last keeps it. */
static void deep(struct fixture *f)
{
	char words[100], last[40];

	start(f);
	for (int i = 0; i < 15; i++) {
		snprintf(words, sizeof(words), "account add u%d@example.org", i);
		admin_do(f, words);
		snprintf(words, sizeof(words), "forward set u%d@example.org u%d@example.org", i, i + 1);
		admin_do(f, words);
	}
	send_ok(f, "u0@example.org", "x\r\n");
	size_t n = 0;
	for (int i = 0; i < 15; i++) {
		snprintf(last, sizeof(last), "u%d@example.org", i);
		n += box_count(f, last);
	}
	assert_int_equal(n, 1);
}

static void test_depth(void **state UNUSED)
{
	fixture_run(deep);
}

static void domains(struct fixture *f)
{
	ARENA(a, 1 << 20);

	start(f);
	admin_do(f, "account add dave@example.net");
	admin_do(f, "forward set dave@example.net " BOB);
	admin_do(f, "forward set " ALICE " " BOB);
	send_ok(f, "dave@example.net", "x\r\n");
	assert_int_equal(box_count(f, "dave@example.net"), 1); /* another domain than unix-users */
	expect_boxes(f, ALICE, 0, 1, 0);
	fixture_configure(f, "");
	expect_boxes(f, ALICE, 1, 1, 0);
	/* it goes with the account */
	admin_do(f, "account remove dave@example.net force");
	assert_str(lines(f, "SELECT a.local || ' ' || f.target FROM forward f JOIN account a ON a.id = f.account", &a),
	           "alice bob@example.org\n");
	assert_str(lines(f, "SELECT count(*) || ' ' || (SELECT sum(forwards) FROM account) FROM forward", &a), "1 1\n");
}

static void lists(struct fixture *f)
{
	ARENA(a, 4 << 20);
	struct admin_reply r;
	char words[100];

	start(f);
	admin_do(f, "account add dave@example.net");
	admin_do(f, "forward set " BOB " " CAROL " x@example.com");
	assert_int_equal(admin_try(f, "forward list example.org", "", &r, &a), OK);
	assert_int_equal(r.rows_n, 3);
	assert_str(cell_of(&r.rows[1], "name")->text, "bob");
	assert_int_equal(cell_of(&r.rows[0], "forwards")->number, 0);
	assert_int_equal(cell_of(&r.rows[1], "forwards")->number, 1);
	assert_int_equal(admin_try(f, "account show " BOB, "", &r, &a), OK);
	assert_str(cell_of(&r.rows[0], "forward")->text, "carol@example.org x@example.com");
	for (int i = 0; i < 120; i++) {
		snprintf(words, sizeof(words), "account add u%03d@example.org", i);
		admin_do(f, words);
	}
	assert_int_equal(admin_try(f, "forward list example.org", "", &r, &a), OK);
	assert_int_equal(r.rows_n, 100);
	assert_str(r.more, "u096");
	assert_int_equal(admin_count(f, "forward list example.org"), 123);
	assert_int_equal(admin_result(f, "forward list"), E_SYNTAX);
}

static void test_list(void **state UNUSED)
{
	fixture_run(lists);
}

static void test_domain_of_unix_users_alone(void **state UNUSED)
{
	fixture_run(domains);
}

static void elsewhere(struct fixture *f)
{
	ARENA(a, 1 << 20);

	start(f);
	admin_do(f, "forward set " ALICE " a@example.com " ALICE);
	send_out(f, "s@example.net", ALICE); /* from ours: as it is */
	send_ok(f, ALICE, "x\r\n");          /* from others: as from us */
	assert_int_equal(box_count(f, ALICE), 2);
	str queued = lines(f, "SELECT sender FROM queue ORDER BY message", &a);
	assert_true(str_starts(queued, STR("s@example.net\nSRS0=")));
	assert_true(str_ends(queued, STR("@example.org\n")));
	assert_sound(f);
}

static void test_other_servers(void **state UNUSED)
{
	fixture_run(elsewhere);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_other_accounts),
		cmocka_unit_test(test_own_name_is_the_mailbox),
		cmocka_unit_test(test_two_ways_to_one_account),
		cmocka_unit_test(test_what_cannot_get_mail_leaves_it_in_the_mailbox),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_domain_of_unix_users_alone),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_other_servers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
