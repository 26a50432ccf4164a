/* SPDX-License-Identifier: ISC */
/* What the filter asks of earlier mail, what is counted for reports, and what is forgotten. */
#include "store/contact.h"
#include "store/fixture.h"
#include "store/fixture_queue.h"
#include "store/judged.h"
#include "store/prune.h"
#include "store/refuse.h"

static struct author bob = {.verified = 1};

static void know_bob(void)
{
	bob.address = STR("bob@example.com");
	bob.skeleton = STR("bob@example.com");
	bob.name_skeleton = STR("");
}

static void send_judged(struct fixture *f, const char *rcpts, const char *key, const char *row)
{
	struct note note = {.key = str_from(key), .good = 1};
	struct judgement j = {.author = &bob,
	                      .author_n = 1,
	                      .findings = STR("check spf pass 0 x\n"),
	                      .notes = &note,
	                      .notes_n = 1,
	                      .dmarc_domain = STR("example.com"),
	                      .dmarc_row = str_from(row)};
	struct sending m = {
		.protocol = "ESMTP", .sender = "bob@example.com", .body = "\r\nx\r\n", .rcpts = rcpts, .judgement = &j};

	know_bob();
	if (send_mail(f, &m) != OK)
		fail_msg("accept: %s", err_info()->text);
	assert_int_equal(m.codes[0], OK);
}

static struct history_reply ask(struct fixture *f, const char *rcpts, struct arena *a)
{
	struct word keys[] = {{STR("domain example.com")}, {STR("domain example.net")}};
	struct rcpt_query queries[8];
	struct history_request q = {.keys = keys, .keys_n = 2, .author = &bob, .author_n = 1, .rcpts = queries};
	struct history_reply r = {0};
	str rest = str_from(rcpts);

	know_bob();
	for (str w = str_word(&rest); w.n > 0; w = str_word(&rest))
		queries[q.rcpts_n++].address = w;
	if (store_history(f->store, &q, &r, a) != OK)
		fail_msg("history: %s", err_info()->text);
	return r;
}

static void known(struct fixture *f)
{
	ARENA(a, 1 << 20);

	start(f);
	admin_do(f, "alias add team@example.org alice@example.org");
	struct history_reply r = ask(f, "alice@example.org nobody@example.org x@example.com", &a);
	assert_int_equal(r.known_n, 2);
	assert_int_equal(r.known[0].first, 0);
	assert_int_equal(r.contacts_n, 3);
	assert_int_equal(r.contacts[0].received, 0);
	send_judged(f, "alice@example.org", "domain example.com", "r1");
	send_judged(f, "team@example.org", "domain example.com", "r1");
	r = ask(f, "team@example.org nobody@example.org", &a);
	assert_int_equal(r.known[0].good, 2);
	assert_true(r.known[0].first > 0 && r.known[0].last > r.known[0].first);
	assert_int_equal(r.known[1].good, 0);
	assert_int_equal(r.contacts[0].received, 2);
	assert_int_equal(r.contacts[1].received, 0);

	/* Words of his own. */
	assert_int_equal(ask(f, "alice@example.org", &a).account, 0);
	fixture_change(f, "INSERT INTO learned (account, version, good, bad) VALUES (1, 1, 1, 0)");
	assert_int_equal(ask(f, "alice@example.org", &a).account, 1);
	assert_int_equal(ask(f, "alice@example.org nobody@example.org", &a).account, 0);
}

static void test_known(void **state UNUSED)
{
	fixture_run(known);
}

/* As many recipients as a message may have: of the first is said what is known, and none is refused for the others. */
static void many(struct fixture *f)
{
	enum { MANY = 1000 };
	ARENA(a, 1 << 20);
	struct word key = {STR("domain example.com")};
	struct rcpt_query queries[MANY];
	struct history_request q = {.keys = &key, .keys_n = 1, .author = &bob, .author_n = 1, .rcpts = queries};
	struct history_reply r = {0};

	start(f);
	know_bob();
	for (; q.rcpts_n < MANY; q.rcpts_n++)
		queries[q.rcpts_n].address = STR("alice@example.org");
	send_judged(f, "alice@example.org", "domain example.com", "r1");
	assert_int_equal(store_history(f->store, &q, &r, &a), OK);
	assert_int_equal(r.known_n, 1);
	assert_in_range(r.contacts_n, 100, MANY);
	assert_int_equal(r.contacts[0].received, 1);
}

static void test_many_recipients(void **state UNUSED)
{
	fixture_run(many);
}

/* --- reports to others --- */

static struct tally_reply tally(struct fixture *f, const char *done, uint64_t until, struct arena *a)
{
	struct tally_request q = {.done = str_from(done), .until = until};
	struct tally_reply r = {0};

	if (store_tally(f->store, &q, &r, a) != OK)
		fail_msg("tally: %s", err_info()->text);
	return r;
}

static void counted(struct fixture *f)
{
	ARENA(a, 8 << 20);

	start(f);
	send_judged(f, "alice@example.org", "k", "r1");
	send_judged(f, "alice@example.org", "k", "r2");
	send_judged(f, "alice@example.org", "k", "r2");
	fixture_change(f, "INSERT INTO tally VALUES ('example.net', 0, 'old', 3), ('example.com', 0, 'r1', 5)");
	uint64_t today = judged_day(now_usec());
	struct tally_reply r = tally(f, "", today, &a);
	assert_str(r.domain, "example.com");
	assert_int_equal(r.from, 0);
	assert_int_equal(r.rows_n, 1);
	assert_int_equal(r.rows[0].count, 5);
	r = tally(f, "example.com", today, &a);
	assert_str(r.domain, "example.net");
	r = tally(f, "example.net", today, &a);
	assert_int_equal(r.domain.n, 0);
	/* Tests ask for less than a day. */
	r = tally(f, "", now_usec(), &a);
	assert_str(r.domain, "example.com");
	assert_int_equal(r.from, today);
	assert_int_equal(r.rows_n, 2);
	assert_str(r.rows[0].row, "r2");
	assert_int_equal(r.rows[0].count, 2);
	assert_int_equal(tally(f, "example.com", now_usec(), &a).domain.n, 0);
	expect_lines(f, "SELECT count(*) FROM tally", "0\n");
	/* More than is dropped at once. */
	fixture_change(
		f, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)"
		   " INSERT INTO tally SELECT 'example.net', 0, i, 1 FROM n;"
		   " INSERT INTO tally VALUES ('example.net', 1 << 60, 'later', 1), ('example.org', 0, 'other', 1)");
	assert_str(tally(f, "example.net", today, &a).domain, "example.org");
	expect_lines(f, "SELECT row FROM tally ORDER BY row", "later\nother\n");
}

static void test_counted(void **state UNUSED)
{
	fixture_run(counted);
}

/* --- forgetting --- */

#define COUNTS                                                                                                       \
	"SELECT (SELECT count(*) FROM refusal) || ' ' || (SELECT count(*) FROM history) || ' ' || (SELECT count(*) " \
	"FROM "                                                                                                      \
	"contact) || ' ' || (SELECT count(*) FROM tally) || ' ' || (SELECT count(*) FROM finding) || ' ' ||"         \
	" (SELECT count(*) FROM report) || ' ' || (SELECT count(*) FROM token) || ' ' || (SELECT count(*) FROM "     \
	"lesson)"

static uint64_t forget(struct fixture *f, const struct prune_limits *limits)
{
	uint64_t removed = 0;

	if (prune(f->store, limits, &removed) != OK)
		fail_msg("prune: %s", err_info()->text);
	return removed;
}

static void forgotten(struct fixture *f)
{
	start(f);
	send_judged(f, "alice@example.org", "k", "r1");
	fixture_change(f,
	               "CREATE TEMP TABLE n AS WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n"
	               " WHERE value < 600) SELECT value FROM n;"
	               "INSERT INTO refusal SELECT value, value, '', '', '', '', '', '', '', '' FROM n;"
	               "INSERT INTO finding SELECT value, 'x' FROM n;"
	               "INSERT INTO history SELECT 'k' || value, 1, 1, value, value FROM n;"
	               "INSERT INTO contact SELECT 1, '', value, '', 1, value % 2, value, value FROM n;"
	               "INSERT INTO tally SELECT 'example.net', value, 'r', 1 FROM n;"
	               "INSERT INTO report SELECT 'dmarc', 'example.org', 'x', value, value, 0, 0, 0, '' FROM"
	               " n;"
	               "INSERT INTO token SELECT value % 2, value, value % 3 = 0, 1 FROM n;"
	               "INSERT INTO lesson SELECT 0, value, 0, 1, value % 2 + 1, value FROM n;");
	expect_lines(f, COUNTS, "600 601 601 601 601 600 600 600\n");
	struct prune_limits l = prune_limits_of(f->store);
	l.now = 700;
	l.history = 150;
	forget(f, &l);
	expect_lines(f, COUNTS, "50 51 326 601 51 600 600 600\n");
	l.history = 699;
	l.refusals = l.reputations = l.contacts = l.tallies = l.reports = 20;
	l.words = l.own_words = l.lessons = 100;
	forget(f, &l);
	expect_lines(f, COUNTS, "20 20 320 20 21 20 200 400\n");
	l = prune_limits_of(f->store);
	l.history = 1;
	forget(f, &l);
	/* What is in a mailbox keeps its findings; whom somebody wrote to stays known; what is to be learned waits. */
	expect_lines(f, COUNTS, "0 0 300 1 1 20 200 300\n");
	assert_int_equal(forget(f, &l), 0);
	assert_sound(f);
}

static void test_forgotten(void **state UNUSED)
{
	fixture_run(forgotten);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_many_recipients),
		cmocka_unit_test(test_counted),
		cmocka_unit_test(test_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
