/* SPDX-License-Identifier: ISC */
/* What the filter says of a message decides where it goes: Junk, quarantine, nowhere. */
#include "base/encode.h"
#include "store/fixture.h"
#include "store/fixture_queue.h"
#include "store/backup.h"
#include "store/refuse.h"

static struct judgement *judged(void)
{
	static struct judgement j;

	j.findings = STR("check dmarc fail 0 p=none\nrule words x 5.5 cheap 0.99\n"
	                 "decision junk - 5.5 more than 5 points\n");
	return &j;
}

static uint64_t send_with(struct fixture *f, const char *rcpts, uint64_t disposition)
{
	struct sending m = {.protocol = "ESMTP",
	                    .sender = "bob@example.com",
	                    .body = "Subject: hello\r\n\r\nx\r\n",
	                    .rcpts = rcpts,
	                    .judgement = judged(),
	                    .dispositions = {disposition, disposition}};

	if (send_mail(f, &m) != OK)
		fail_msg("accept: %s", err_info()->text);
	assert_int_equal(m.codes[0], OK);
	return m.id;
}

static str id_str(uint64_t id, struct arena *a)
{
	char text[ID_TEXT_MAX];

	return arena_str(a, id_text(id, text));
}

static void wait_until_delivered(struct fixture *f, const char *user, size_t n)
{
	for (int i = 0; i < 5000 && box_count(f, user) < n; i++)
		assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_MSEC)), OK);
	assert_int_equal(box_count(f, user), n);
}

static void open_with_accounts(struct fixture *f)
{
	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	admin_do(f, "account add carol@example.org");
}

#define MAILBOXES                                                                                       \
	"SELECT a.local || ' ' || m.name || ' ' || m.messages FROM mailbox m JOIN account a ON a.id = " \
	"m.account ORDER BY a.local, m.name"

/* --- junk --- */

static void junk(struct fixture *f)
{
	ARENA(a, 1 << 20);

	open_with_accounts(f);
	send_with(f, "alice@example.org", DISPOSITION_JUNK);
	send_with(f, "alice@example.org carol@example.org", DISPOSITION_JUNK);
	send_with(f, "alice@example.org", DISPOSITION_DELIVER);
	assert_str(fixture_lines(f, MAILBOXES, &a), "alice INBOX 1\nalice Junk 2\ncarol INBOX 0\ncarol Junk 1\n");
	assert_sound(f);
	f->config->spam.junk_inbox = CONFIG_YES;
	send_with(f, "carol@example.org", DISPOSITION_JUNK);
	assert_str(fixture_lines(f, MAILBOXES, &a), "alice INBOX 1\nalice Junk 2\ncarol INBOX 1\ncarol Junk 1\n");
	assert_sound(f);
	admin_do(f, "account remove alice@example.org force");
	assert_str(fixture_lines(f, MAILBOXES, &a), "carol INBOX 1\ncarol Junk 1\n");
	assert_sound(f);
}

static void test_junk(void **state UNUSED)
{
	fixture_run(junk);
}

/* An account whose only mail is junk has an INBOX after a rebuild, and takes mail. */
static void junk_is_rebuilt(struct fixture *f)
{
	ARENA(a, 1 << 20);

	open_with_accounts(f);
	send_with(f, "alice@example.org", DISPOSITION_JUNK);
	(void)fixture_rebuild(f);
	assert_str(fixture_lines(f, MAILBOXES, &a), "alice INBOX 0\nalice Junk 1\n");
	assert_sound(f);
	send_ok(f, "alice@example.org", "x\r\n");
	admin_do(f, "account add dave@example.org");
	send_ok(f, "dave@example.org", "x\r\n");
	assert_str(fixture_lines(f, MAILBOXES, &a), "alice INBOX 1\nalice Junk 1\ndave INBOX 1\n");
	assert_sound(f);
}

static void test_junk_is_rebuilt(void **state UNUSED)
{
	fixture_run(junk_is_rebuilt);
}

/* --- quarantine --- */

#define QUEUE \
	"SELECT state || ' ' || destination || ' ' || (due >= 4611686018427387904) FROM queue ORDER BY message, rcpt"

static void quarantine(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct admin_reply r;
	char words[100];

	open_with_accounts(f);
	uint64_t id = send_with(f, "alice@example.org", DISPOSITION_QUARANTINE);
	uint64_t other = send_with(f, "carol@example.org alice@example.org", DISPOSITION_QUARANTINE);
	assert_str(fixture_lines(f, QUEUE, &a), "3  1\n3  1\n3  1\n");
	assert_int_equal(admin_number(f, "balance", "queued"), 3);
	assert_sound(f);
	assert_int_equal(admin_try(f, "quarantine list", "", &r, &a), OK);
	assert_int_equal(r.rows_n, 3);
	assert_str(cell_of(&r.rows[0], "decision")->text, "more than 5 points");

	/* The queue's own verbs leave it alone. */
	admin_do(f, "queue hold all");
	admin_do(f, "queue release all");
	admin_do(f, "queue fail all");
	admin_do(f, "queue drop all");
	admin_do(f, "queue retry");
	assert_str(fixture_lines(f, QUEUE, &a), "3  1\n3  1\n3  1\n");
	assert_int_equal(admin_count(f, "queue list state=quarantined"), 3);

	snprintf(words, sizeof(words), "quarantine release " STR_FMT, STR_ARG(id_str(id, &a)));
	assert_int_equal(admin_number(f, words, "affected"), 1);
	wait_until_delivered(f, "alice@example.org", 1);
	assert_sound(f);
	assert_int_equal(admin_number(f, "quarantine drop recipient=carol@example.org", "affected"), 1);
	snprintf(words, sizeof(words), "quarantine show " STR_FMT, STR_ARG(id_str(other, &a)));
	assert_int_equal(admin_try(f, words, "", &r, &a), OK);
	assert_str(cell_of(&r.rows[0], "state")->text, "accepted");
	assert_str(cell_of(&r.rows[1], "state")->text, "discarded");
	assert_str(cell_of(&r.rows[1], "detail")->text, "quarantine");
	assert_str(cell_of(&r.rows[2], "state")->text, "quarantined");
	assert_str(cell_of(&r.rows[3], "name")->text, "dmarc");
	assert_str(cell_of(&r.rows[6], "points")->text, "5.5");
	assert_str(cell_of(&r.rows[8], "text")->text, "Subject: hello");
	assert_int_equal(admin_number(f, "quarantine drop all reason=spam", "affected"), 1);
	assert_int_equal(admin_number(f, "balance", "discarded"), 2);
	assert_int_equal(admin_count(f, "quarantine list"), 0);
	assert_int_equal(admin_result(f, "quarantine drop"), E_SYNTAX);
	assert_int_equal(admin_result(f, "quarantine show -"), E_SYNTAX);
	assert_sound(f);
}

static void test_quarantine(void **state UNUSED)
{
	fixture_run(quarantine);
}

/* What comes back from the segments, or from a backup, is in quarantine still. */
static void quarantine_is_rebuilt(struct fixture *f)
{
	ARENA(a, 1 << 20);

	open_with_accounts(f);
	send_with(f, "alice@example.org", DISPOSITION_QUARANTINE);
	send_with(f, "alice@example.org", DISPOSITION_DISCARD);
	send_ok(f, "alice@example.org", "x\r\n");
	(void)fixture_rebuild(f);
	assert_str(fixture_lines(f, QUEUE, &a), "3  1\n");
	assert_int_equal(admin_number(f, "balance", "discarded"), 1);
	assert_sound(f);
	admin_do(f, "quarantine release all");
	wait_until_delivered(f, "alice@example.org", 2);
	assert_sound(f);
}

static void test_quarantine_is_rebuilt(void **state UNUSED)
{
	fixture_run(quarantine_is_rebuilt);
}

/* Moved by compaction, in a backup and out of it. */
static void quarantine_is_kept(struct fixture *f)
{
	struct backup_result b;
	char backup[300], command[400], body[4000];

	fixture_configure(f, "store segment 1M\n");
	open_with_accounts(f);
	send_with(f, "alice@example.org", DISPOSITION_QUARANTINE);
	send_with(f, "carol@example.org", DISPOSITION_QUARANTINE);
	admin_do(f, "quarantine release recipient=carol@example.org");
	wait_until_delivered(f, "carol@example.org", 1);
	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	for (int i = 0; i < 300; i++)
		send_with(f, "carol@example.org", DISPOSITION_DISCARD); /* dead from the beginning */
	for (int i = 0; i < 300; i++)
		send_ok(f, "carol@example.org", body); /* the next segment is begun */
	assert_true(admin_number(f, "store compact", "segments") >= 1);
	expect_lines(f, QUEUE, "3  1\n");
	assert_sound(f);
	fixture_close(f);
	snprintf(backup, sizeof(backup), "%s.other", f->path);
	assert_int_equal(backup_run(f->path, backup, &b), OK);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->path);
	assert_int_equal(system(command), 0);
	assert_int_equal(restore_run(backup, f->path, &b), OK);
	fixture_open(f);
	expect_lines(f, QUEUE, "3  1\n");
	admin_do(f, "quarantine release all");
	wait_until_delivered(f, "alice@example.org", 1);
	assert_sound(f);
}

static void test_quarantine_is_kept(void **state UNUSED)
{
	fixture_run(quarantine_is_kept);
}

/* --- other servers --- */

static void other_servers(struct fixture *f)
{
	ARENA(a, 1 << 20);

	fixture_configure(f, "relay-from 192.0.2.0/24\n");
	open_with_accounts(f);
	admin_do(f, "alias add away@example.org dave@example.com");
	/* Asked for as such: it goes on. */
	send_with(f, "dave@example.com", DISPOSITION_JUNK);
	assert_str(fixture_lines(f, QUEUE, &a), "0 example.com 0\n");
	admin_do(f, "queue drop all");
	/* What an alias hands on is not: others would take us for its source. */
	send_with(f, "away@example.org", DISPOSITION_JUNK);
	assert_str(fixture_lines(f, QUEUE, &a), "3 example.com 1\n");
	admin_do(f, "quarantine release all");
	assert_str(fixture_lines(f, QUEUE, &a), "0 example.com 0\n");
	struct lease_reply lease = lease_any(f, &a);
	assert_int_equal(lease.rcpts_n, 1);
	assert_sound(f);
}

static void test_other_servers(void **state UNUSED)
{
	fixture_run(other_servers);
}

/* --- discard --- */

static void discard(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct sending m = {.protocol = "ESMTP",
	                    .sender = "bob@example.com",
	                    .body = "\r\nx\r\n",
	                    .rcpts = "alice@example.org carol@example.org",
	                    .judgement = judged(),
	                    .dispositions = {DISPOSITION_DISCARD, DISPOSITION_DELIVER}};

	open_with_accounts(f);
	send_with(f, "alice@example.org", DISPOSITION_DISCARD);
	assert_int_equal(send_mail(f, &m), OK);
	assert_str(fixture_lines(f, MAILBOXES, &a), "alice INBOX 0\ncarol INBOX 1\n");
	assert_str(fixture_lines(f, "SELECT DISTINCT detail FROM ledger WHERE kind = 4", &a),
	           "junk: more than 5 points\n");
	assert_int_equal(admin_number(f, "balance", "discarded"), 2);
	assert_sound(f);
	admin_do(f, "store compact");
	assert_sound(f);
}

static void test_discard(void **state UNUSED)
{
	fixture_run(discard);
}

static void nowhere(struct fixture *f)
{
	ARENA(a, 1 << 20);

	open_with_accounts(f);
	admin_do(f, "alias add noreply@example.org /dev/null");
	admin_do(f, "alias add team@example.org /dev/null carol@example.org");
	send_ok(f, "noreply@example.org team@example.org NoReply+x@example.org", "x\r\n");
	assert_str(fixture_lines(f, MAILBOXES, &a), "alice INBOX 0\ncarol INBOX 1\n");
	assert_str(fixture_lines(f, "SELECT DISTINCT detail FROM ledger WHERE kind = 4", &a), "alias to /dev/null\n");
	assert_int_equal(admin_number(f, "balance", "discarded"), 3);
	assert_sound(f);
	admin_do(f, "store compact");
	assert_sound(f);
	admin_do(f, "alias remove noreply@example.org /dev/null");
	assert_int_equal(rcpt_answer(f, "noreply@example.org", 0, &a).reply, 550);
}

static void test_aliases_to_nowhere(void **state UNUSED)
{
	fixture_run(nowhere);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_junk),
		cmocka_unit_test(test_junk_is_rebuilt),
		cmocka_unit_test(test_quarantine),
		cmocka_unit_test(test_quarantine_is_rebuilt),
		cmocka_unit_test(test_quarantine_is_kept),
		cmocka_unit_test(test_other_servers),
		cmocka_unit_test(test_discard),
		cmocka_unit_test(test_aliases_to_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
