/* SPDX-License-Identifier: ISC */
/* What the filter found out is kept, of messages that are accepted and of those that are refused. */
#include "base/encode.h"
#include "store/fixture.h"
#include "store/refuse.h"

static const char findings[] = "check spf pass 0 v=spf1 -all\nrule helo-no-address x 1.5 the name has no address\n";

struct told {
	struct note notes[2];
	struct report_read report;
	struct judgement j;
};

static struct judgement *told(struct told *t)
{
	t->notes[0] = (struct note){.key = STR("domain example.com"), .good = 1};
	t->notes[1] = (struct note){.key = STR("net 192.0.2.0/24"), .bad = 1};
	t->report = (struct report_read){.kind = STR("dmarc"),
	                                 .domain = STR("example.org"),
	                                 .organization = STR("example.com"),
	                                 .id = STR("r1"),
	                                 .from = 1000,
	                                 .until = 2000,
	                                 .verified = 1,
	                                 .text = STR("{}")};
	t->j = (struct judgement){.findings = str_from(findings),
	                          .notes = t->notes,
	                          .notes_n = 2,
	                          .dmarc_domain = STR("example.com"),
	                          .dmarc_row = STR("row 1"),
	                          .reports = &t->report,
	                          .reports_n = 1};
	return &t->j;
}

static uint64_t new_id(struct fixture *f)
{
	ARENA(a, 1 << 16);
	struct rcpt_check_request q = {.sender = STR("bob@example.com")};
	struct rcpt_check_reply r = {0};

	assert_int_equal(store_rcpt_check(f->store, "edge-0", &q, &r, &a), OK);
	return r.id;
}

static uint64_t refuse(struct fixture *f, struct judgement *j)
{
	struct origin origin = {.session = STR("s1"), .client = STR("192.0.2.1"), .helo = STR("client.example")};
	struct rcpt rcpts[] = {{.address = STR("alice@example.org")}, {.address = STR("carol@example.org")}};
	struct refuse_request q = {.id = new_id(f),
	                           .origin = &origin,
	                           .origin_n = 1,
	                           .sender = STR("bob@example.com"),
	                           .rcpts = rcpts,
	                           .rcpts_n = 2,
	                           .message_id = STR("<m2@example.com>"),
	                           .subject = STR("buy"),
	                           .reply = 550,
	                           .status = STR("5.7.1"),
	                           .text = STR("No."),
	                           .judgement = j,
	                           .judgement_n = j != NULL};

	assert_int_equal(store_refuse(f->store, &q), OK);
	return q.id;
}

#define ALL_HISTORY "SELECT key || ' ' || good || ' ' || bad || ' ' || (first <= last) FROM history ORDER BY key"

static void kept(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct told t;

	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	struct sending m = {.protocol = "ESMTP",
	                    .sender = "bob@example.com",
	                    .body = "\r\nx\r\n",
	                    .rcpts = "alice@example.org",
	                    .judgement = told(&t)};
	assert_int_equal(send_mail(f, &m), OK);
	refuse(f, told(&t));
	refuse(f, NULL);
	assert_int_equal(refusals_flush(f->store), OK);
	assert_str(fixture_lines(f, ALL_HISTORY, &a), "domain example.com 2 0 1\nnet 192.0.2.0/24 0 2 1\n");
	assert_str(fixture_lines(f,
	                         "SELECT domain || ' ' || row || ' ' || count || ' ' || (day % 86400000000) FROM tally",
	                         &a),
	           "example.com row 1 2 0\n");
	assert_str(fixture_lines(f, "SELECT count(*) || ' ' || min(text) FROM finding", &a),
	           "2 check spf pass 0 v=spf1 -all\nrule helo-no-address x 1.5 the name has no address\n\n");
	assert_str(
		fixture_lines(f, "SELECT client || ' ' || rcpts || ' ' || detail FROM refusal ORDER BY id LIMIT 1", &a),
		"192.0.2.1 alice@example.org carol@example.org 550 5.7.1 No.\n");
	assert_str(fixture_lines(f,
	                         "SELECT kind || domain || organization || id || until || verified || text FROM report",
	                         &a),
	           "dmarcexample.orgexample.comr120001{}\n");
	assert_sound(f);
}

static void test_kept(void **state UNUSED)
{
	fixture_run(kept);
}

/* The story and the reasons of a message that was refused, and the reasons of one that was not. */
static void told_of(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct told t;
	struct admin_reply r;
	char words[100], text[ID_TEXT_MAX];

	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	uint64_t id = refuse(f, told(&t));
	snprintf(words, sizeof(words), "trace " STR_FMT, STR_ARG(id_text(id, text)));
	assert_int_equal(admin_try(f, words, "", &r, &a), OK);
	assert_int_equal(r.rows_n, 1);
	assert_str(cell_of(&r.rows[0], "event")->text, "refused");
	assert_str(cell_of(&r.rows[0], "reply")->text, "550 5.7.1 No.");
	assert_int_equal(admin_count(f, "trace carol@example.org"), 1);
	assert_int_equal(admin_count(f, "trace <m2@example.com>"), 1);
	assert_int_equal(admin_count(f, "trace arol@example.org"), 0);
	snprintf(words, sizeof(words), "explain " STR_FMT, STR_ARG(id_text(id, text)));
	assert_int_equal(admin_try(f, words, "", &r, &a), OK);
	assert_int_equal(r.rows_n, 6);
	assert_str(cell_of(&r.rows[0], "state")->text, "refused");
	assert_str(cell_of(&r.rows[2], "address")->text, "carol@example.org");
	assert_str(cell_of(&r.rows[3], "kind")->text, "check");
	assert_str(cell_of(&r.rows[4], "points")->text, "1.5");
	assert_str(cell_of(&r.rows[5], "what")->text, "sum");
	struct sending m = {.protocol = "ESMTP",
	                    .sender = "bob@example.com",
	                    .body = "\r\nx\r\n",
	                    .rcpts = "alice@example.org",
	                    .judgement = told(&t)};
	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(admin_try(f, "explain m1@example.com", "", &r, &a), OK);
	assert_int_equal(r.rows_n, 5);
	assert_str(cell_of(&r.rows[1], "state")->text, "mailbox");
	assert_str(cell_of(&r.rows[1], "mailbox")->text, "INBOX");
	assert_int_equal(admin_result(f, "explain <nothing@example.com>"), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "explain 1"), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "explain"), E_SYNTAX);
	assert_int_equal(admin_count(f, "reports"), 1);
	assert_int_equal(admin_count(f, "reports EXAMPLE.org"), 1);
	assert_int_equal(admin_count(f, "reports example.com"), 0);
}

static void test_told_of(void **state UNUSED)
{
	fixture_run(told_of);
}

/* Without being asked for it, and when the store is closed at once. */
static void soon(struct fixture *f)
{
	ARENA(a, 1 << 20);

	fixture_open(f);
	refuse(f, NULL);
	fixture_close(f);
	fixture_open(f);
	assert_str(fixture_lines(f, "SELECT count(*) FROM refusal", &a), "1\n");
	refuse(f, NULL);
	nsec end = rt_after(10 * NSEC_PER_SEC);
	while (!str_equal(fixture_lines(f, "SELECT count(*) FROM refusal", &a), STR("2\n")) && rt_now() < end)
		assert_int_equal(rt_sleep_until(rt_after(20 * NSEC_PER_MSEC)), OK);
	assert_str(fixture_lines(f, "SELECT count(*) FROM refusal", &a), "2\n");
}

static void test_soon(void **state UNUSED)
{
	fixture_run(soon);
}

/* Larger than it can be: the message is not refused for it. */
static void too_large(struct fixture *f)
{
	ARENA(a, 8 << 20);
	struct told t;
	struct judgement *j = told(&t);
	str line = STR("check a b 0 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
	BUF(text, 1 << 20);

	for (int i = 0; i < 1000; i++)
		buf_put(&text, line);
	j->findings = buf_str(&text);
	t.notes[0].key = j->findings;
	t.notes[1].bad = UINT64_MAX;
	j->dmarc_row = j->findings;
	t.report.id = j->findings;
	fixture_open(f);
	uint64_t id = refuse(f, j);
	refuse(f, told(&t));
	assert_int_equal(refusals_flush(f->store), OK);
	assert_true(id > 0);
	str kept_text = fixture_lines(f, "SELECT text FROM finding WHERE length(text) > 1000", &a);
	assert_true(kept_text.n > 15000 && kept_text.n < 17000 && (kept_text.n - 1) % line.n == 0);
	assert_str(fixture_lines(f, "SELECT key || ' ' || bad FROM history ORDER BY key", &a),
	           "domain example.com 0\nnet 192.0.2.0/24 1001\n");
	assert_str(fixture_lines(f, "SELECT count(*) FROM report", &a), "1\n");

	struct refuse_request wrong = {.id = INT64_MAX};
	assert_int_equal(store_refuse(f->store, &wrong), E_PERM);
}

static void test_too_large(void **state UNUSED)
{
	fixture_run(too_large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_told_of),
		cmocka_unit_test(test_soon),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
