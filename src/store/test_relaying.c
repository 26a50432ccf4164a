/* SPDX-License-Identifier: ISC */
/* Mail for other servers: who may send it, what becomes a row of the queue, and that the ledger knows it. */
#include "base/encode.h"
#include "store/backup.h"
#include "store/fixture.h"

static void start(struct fixture *f)
{
	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	admin_do(f, "account add carol@example.org");
}

static void expect_lines(struct fixture *f, const char *sql, const char *expected)
{
	ARENA(a, 1 << 20);

	assert_str(fixture_lines(f, sql, &a), expected);
}

#define QUEUE_ROWS                                                                                                     \
	"SELECT q.rcpt || ' ' || q.destination || ' ' || l.address || ' <' || q.sender || '> ' || q.state FROM queue " \
	"q"                                                                                                            \
	" JOIN ledger l ON l.message = q.message AND l.rcpt = q.rcpt AND l.side = 0 ORDER BY q.message, q.rcpt"

/* --- who may --- */

static struct rcpt_answer ask(struct fixture *f, struct rcpt_check_request *q, const char *from, struct arena *a)
{
	struct rcpt_query query = {STR("bob@example.com")};
	struct rcpt_check_reply r = {0};

	q->rcpts = &query;
	q->rcpts_n = 1;
	assert_int_equal(store_rcpt_check(f->store, from, q, &r, a), OK);
	return r.answers[0];
}

/* Who is not logged in any more, or never was, is told to come back. */
static void check_denied(struct fixture *f, struct rcpt_check_request *q, const char *from, struct arena *a)
{
	struct rcpt_check_reply r = {0};

	assert_int_equal(store_rcpt_check(f->store, from, q, &r, a), E_DENIED);
	assert_int_equal(err_info()->reply, 451);
}

static void who_may(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct rcpt_check_request q = {
		.session = STR("s1"), .client = STR("198.51.100.7"), .sender = STR("x@y.example")};

	fixture_configure(f, "relay-from 198.51.100.0/25\n");
	start(f);
	assert_int_equal(ask(f, &q, "edge-0", &a).code, OK);
	q.client = STR("198.51.100.200");
	assert_int_equal(ask(f, &q, "edge-0", &a).reply, 550);
	assert_str(ask(f, &q, "edge-0", &a).status, "5.7.1");
	q.client = STR("unix"); /* somebody behind a socket, but no program that we know of */
	assert_int_equal(ask(f, &q, "edge-0", &a).reply, 550);
	q.local = 1;
	assert_int_equal(ask(f, &q, "edge-0", &a).code, OK);
	q.local = 0;
	q.account = account_id(f, "alice@example.org");
	check_denied(f, &q, "edge-0", &a);
	struct grant_request grant = {.edge = STR("edge-0"), .session = STR("s1"), .account = q.account};
	assert_int_equal(store_grant(f->store, &grant), OK);
	assert_int_equal(ask(f, &q, "edge-0", &a).reply, 550); /* she is not x@y.example */
	q.sender = STR("alice@example.org");
	assert_int_equal(ask(f, &q, "edge-0", &a).code, OK);
	check_denied(f, &q, "edge-1", &a);
	q.session = STR("s2");
	check_denied(f, &q, "edge-0", &a);
}

static void test_who_may_send_to_other_servers(void **state UNUSED)
{
	fixture_run(who_may);
}

/* What `accept` is told is looked at again. */
static void checked_again(struct fixture *f)
{
	struct sending m = {.protocol = "ESMTP",
	                    .sender = "x@y.example",
	                    .body = "\r\nx\r\n",
	                    .rcpts = "bob@example.com carol@example.org"};

	fixture_configure(f, "relay-from 198.51.100.0/25\n");
	start(f);
	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(m.replies[0], 451);
	assert_int_equal(admin_number(f, "balance", "accepted"), 0);
	m.id = 0;
	m.client = "198.51.100.7";
	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(m.codes[0], OK);
	assert_int_equal(admin_number(f, "balance", "queued"), 1);
	assert_int_equal(box_count(f, "carol@example.org"), 1);
	assert_sound(f);
}

static void test_it_is_checked_again(void **state UNUSED)
{
	fixture_run(checked_again);
}

/* --- rows --- */

static void rows(struct fixture *f)
{
	fixture_configure(f, "route example.com smtp relay.example.net:2525\n");
	start(f);
	send_out(f, "alice@example.org", "Bob@EXAMPLE.com carol@example.org dave@[192.0.2.9]");
	expect_lines(f, QUEUE_ROWS,
	             "0 #1 smtp relay.example.net:2525 Bob@example.com <alice@example.org> 0\n"
	             "2 [192.0.2.9] dave@[192.0.2.9] <alice@example.org> 0\n");
	expect_lines(f, "SELECT items || ' ' || (SELECT count(*) FROM ledger WHERE side = 1) FROM message", "3 1\n");
	assert_int_equal(admin_number(f, "balance", "accepted"), 3);
	assert_int_equal(admin_number(f, "balance", "queued"), 2);
	assert_int_equal(admin_number(f, "balance", "mailbox"), 1);
	assert_sound(f);
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(admin_number(f, "balance", "queued"), 2);
	assert_sound(f);
}

static void test_rows(void **state UNUSED)
{
	fixture_run(rows);
}

static void international(struct fixture *f)
{
	start(f);
	send_out(f, "alice@example.org", "bob@m\xc3\xbcnchen.example bob@xn--mnchen-3ya.example");
	expect_lines(f, QUEUE_ROWS, "0 xn--mnchen-3ya.example bob@xn--mnchen-3ya.example <alice@example.org> 0\n");
	assert_sound(f);
}

static void test_international_domains(void **state UNUSED)
{
	fixture_run(international);
}

/* By several ways, once; but a local part is its server's own to read. */
static void once(struct fixture *f)
{
	start(f);
	admin_do(f, "alias add team@example.org bob@example.com dave@example.com alice@example.org");
	admin_do(f, "alias add all@example.org team@example.org bob@example.com");
	send_out(f, "alice@example.org",
	         "bob@example.com bob@Example.com Bob@example.com all@example.org team@example.org");
	expect_lines(f, QUEUE_ROWS,
	             "0 example.com bob@example.com <alice@example.org> 0\n"
	             "1 example.com Bob@example.com <alice@example.org> 0\n"
	             "3 example.com dave@example.com <alice@example.org> 0\n");
	assert_int_equal(box_count(f, "alice@example.org"), 1);
	assert_sound(f);
}

static void test_an_address_gets_one_copy(void **state UNUSED)
{
	fixture_run(once);
}

/* A recipient who is refused must not take the copy of another with him. */
static void refused_once(struct fixture *f)
{
	struct sending m = {.protocol = "LMTP",
	                    .sender = "",
	                    .body = "0123456789\r\n",
	                    .rcpts = "team@example.org dave@example.org",
	                    .flags = MESSAGE_LOCAL};

	start(f);
	admin_do(f, "alias add team@example.org alice@example.org bob@example.com");
	admin_do(f, "alias add dave@example.org bob@example.com");
	admin_do(f, "account quota alice@example.org 10");
	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(m.codes[0], E_FULL);
	assert_int_equal(m.codes[1], OK);
	expect_lines(f, QUEUE_ROWS, "0 example.com bob@example.com <> 0\n");
	assert_sound(f);
}

static void test_a_refusal_takes_no_copy_of_another(void **state UNUSED)
{
	fixture_run(refused_once);
}

/* --- times --- */

static void expect_times(struct fixture *f, struct sending m, const char *expected)
{
	m.protocol = "ESMTP";
	m.sender = "";
	m.body = "\r\nx\r\n";
	m.rcpts = "bob@example.com";
	m.flags = MESSAGE_LOCAL;
	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(m.codes[0], OK);
	expect_lines(
		f,
		"SELECT ((q.due - m.received) / 1000000) || ' ' || ((q.expires - m.received) / 1000000) FROM queue q"
		" JOIN message m ON m.id = q.message ORDER BY q.message DESC LIMIT 1",
		expected);
}

static void times(struct fixture *f)
{
	uint64_t now = (uint64_t)rt_wall(), hour = 3600 * 1000000ull;

	fixture_configure(f, "queue expire 2h\n");
	start(f);
	expect_times(f, (struct sending){0}, "0 7200\n");
	expect_times(f, (struct sending){.priority = 10}, "0 7200\n");
	expect_times(f, (struct sending){.priority = 19}, "-540 7200\n");
	expect_times(f, (struct sending){.priority = 1}, "9 7200\n");
	expect_times(f, (struct sending){.hold_until = now - hour}, "0 7200\n");
	expect_times(f, (struct sending){.deliver_by = now + 100 * hour, .by_mode = BY_RETURN}, "0 7200\n");
	expect_times(f, (struct sending){.deliver_by = now + hour, .by_mode = BY_NOTIFY}, "0 7200\n");
	expect_lines(f, "SELECT CAST(by_mode AS TEXT) FROM message WHERE deliver_by > 0 ORDER BY id DESC LIMIT 1",
	             "1\n");
	struct sending m = {
		.protocol = "ESMTP", .sender = "", .body = "\r\n", .rcpts = "bob@example.com", .flags = MESSAGE_LOCAL};
	m.hold_until = now + hour;
	m.priority = 19;
	assert_int_equal(send_mail(f, &m), OK);
	m = (struct sending){
		.protocol = "ESMTP", .sender = "", .body = "\r\n", .rcpts = "bob@example.com", .flags = MESSAGE_LOCAL};
	m.deliver_by = now + 42;
	m.by_mode = BY_RETURN;
	assert_int_equal(send_mail(f, &m), OK);
	ARENA(a, 1 << 20);
	str expected = arena_printf(&a, "%llu %llu\n%llu\n", (unsigned long long)(now + hour),
	                            (unsigned long long)(now + 3 * hour), (unsigned long long)(now + 42));
	assert_true(str_equal(
		fixture_lines(f,
	                      "SELECT q.due || ' ' || q.expires FROM queue q JOIN message m ON m.id = q.message"
	                      " WHERE q.due > m.received + 60000000"
	                      " UNION ALL SELECT q.expires || '' FROM queue q JOIN message m ON m.id = q.message"
	                      " WHERE m.by_mode = 2 AND q.expires < m.received + 1000000",
	                      &a),
		expected));
	m.id = 0;
	m.priority = 20;
	assert_int_equal(send_mail(f, &m), E_PERM);
}

static void test_times(void **state UNUSED)
{
	fixture_run(times);
}

/* --- forwarding --- */

static void forwards(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct sending m = {.protocol = "ESMTP",
	                    .sender = "writer@sender.example",
	                    .body = "\r\nx\r\n",
	                    .rcpts = "bob@example.org"};
	static const char senders[] = "SELECT sender FROM queue ORDER BY message";

	start(f);
	admin_do(f, "alias add bob@example.org bob@example.com");
	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(m.codes[0], OK);
	str sender = str_trim(fixture_lines(f, senders, &a));
	assert_true(str_starts(sender, STR("SRS0=")));
	assert_true(str_ends(sender, STR("=sender.example=writer@example.org")));
	/* ours and nobody stay as they are */
	fixture_change(f, "DELETE FROM queue; DELETE FROM ledger; DELETE FROM message; UPDATE segment SET live = 0");
	m = (struct sending){.protocol = "ESMTP", .sender = "", .body = "\r\nx\r\n", .rcpts = "bob@example.org"};
	assert_int_equal(send_mail(f, &m), OK);
	m = (struct sending){
		.protocol = "ESMTP", .sender = "Alice@example.net", .body = "\r\nx\r\n", .rcpts = "bob@example.org"};
	assert_int_equal(send_mail(f, &m), OK);
	expect_lines(f, senders, "\nAlice@example.net\n");
	/* the way back, for anybody who has it, after a restart too */
	fixture_change(f, "DELETE FROM queue; DELETE FROM ledger; DELETE FROM message; UPDATE segment SET live = 0");
	m = (struct sending){
		.protocol = "ESMTP", .sender = "", .body = "\r\nx\r\n", .rcpts = arena_z(&a, arena_lower(&a, sender))};
	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(m.codes[0], OK);
	expect_lines(f, QUEUE_ROWS, "0 sender.example writer@sender.example <> 0\n");
	struct rcpt_answer r = rcpt_answer(f, "SRS0=AAAA=AA=sender.example=writer@example.org", 0, &a);
	assert_int_equal(r.reply, 550);
	assert_str(r.status, "5.7.1");
	assert_int_equal(rcpt_answer(f, "srs0@example.org", 0, &a).reply, 550);
	assert_str(rcpt_answer(f, "srs0@example.org", 0, &a).status, "5.1.1");
	admin_do(f, "alias add srs0=aaaa=aa=sender.example=writer@example.org alice@example.org");
	assert_int_equal(rcpt_answer(f, "SRS0=AAAA=AA=sender.example=writer@example.org", 0, &a).code, OK);
	assert_sound(f);
}

static void test_aliases_forward(void **state UNUSED)
{
	fixture_run(forwards);
}

/* Who looks after a list hears of its mail: of the list that was gone through last, and never as who would hear a report. */
static void owners(struct fixture *f)
{
	static const struct {
		const char *sender, *rcpt, *said;
	} cases[] = {{"writer@sender.example", "list@example.org", "owner-list@example.org"},
	             {"writer@sender.example", "list+x@example.org", "owner-list@example.org"},
	             {"alice@example.net", "list@example.org", "owner-list@example.org"},
	             {"writer@sender.example", "all@example.org", "owner-list@example.org"},
	             {"alice@example.net", "some@example.org", "owner-some@example.org"},
	             {"alice@example.net", "bob@example.org", "alice@example.net"},
	             {"", "list@example.org", ""}};

	start(f);
	admin_do(f, "alias add owner-list@example.org alice@example.org");
	admin_do(f, "alias add owner-all@example.org alice@example.org");
	admin_do(f, "alias add owner-some@example.org alice@example.org");
	admin_do(f, "alias add bob@example.org bob@example.com");
	admin_do(f, "alias add list@example.org bob@example.com alice@example.org");
	admin_do(f, "alias add all@example.org list@example.org");
	admin_do(f, "alias add some@example.org bob@example.org");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ARENA(a, 1 << 20);
		struct sending m = {
			.protocol = "ESMTP", .sender = cases[i].sender, .body = "\r\nx\r\n", .rcpts = cases[i].rcpt};

		assert_int_equal(send_mail(f, &m), OK);
		assert_int_equal(m.codes[0], OK);
		assert_str(str_trim(fixture_lines(f, "SELECT sender FROM queue ORDER BY message DESC LIMIT 1", &a)),
		           cases[i].said);
	}
	assert_sound(f);
}

static void test_owners_of_lists(void **state UNUSED)
{
	fixture_run(owners);
}

/* --- domains that are relayed to a server behind us --- */

static void inner(struct fixture *f)
{
	ARENA(a, 1 << 20);

	fixture_configure(f, "domain inner.example { relay smtp 10.0.0.5:25 }\n");
	start(f);
	admin_do(f, "account add alice@inner.example");
	admin_do(f, "alias add team@inner.example carol@example.org");
	admin_do(f, "alias add x@example.org bob@inner.example");
	struct rcpt_answer r = rcpt_answer(f, "bob@inner.example", 0, &a);
	assert_int_equal(r.code, OK);
	assert_int_equal(r.inner, 1);
	assert_int_equal(rcpt_answer(f, "postmaster@inner.example", 0, &a).inner, 1);
	assert_int_equal(rcpt_answer(f, "SRS0=AAAA=AA=sender.example=writer@inner.example", 0, &a).inner, 1);
	assert_int_equal(rcpt_answer(f, "alice@inner.example", 0, &a).inner, 0);
	assert_int_equal(rcpt_answer(f, "team@inner.example", 0, &a).inner, 0);
	assert_int_equal(rcpt_answer(f, "x@example.org", 0, &a).inner, 0);
	send_ok(f, "bob@inner.example alice@inner.example team@inner.example x@example.org", "x\r\n");
	expect_lines(f, QUEUE_ROWS, "0 inner.example smtp 10.0.0.5:25 bob@inner.example <bob@example.com> 0\n");
	assert_int_equal(box_count(f, "alice@inner.example"), 1);
	assert_int_equal(box_count(f, "carol@example.org"), 1);
	assert_sound(f);
}

static void test_relayed_domains(void **state UNUSED)
{
	fixture_run(inner);
}

/* --- many --- */

enum { MANY = 5000 };

static void many(struct fixture *f)
{
	ARENA(a, 64 << 20);
	struct origin origin = {.session = STR("s1"), .client = STR("unix"), .protocol = STR("ESMTP")};
	struct accept_request q = {.origin = &origin,
	                           .origin_n = 1,
	                           .sender = STR("alice@example.org"),
	                           .flags = MESSAGE_ALL_OR_NONE | MESSAGE_LOCAL,
	                           .rcpts = arena_array(&a, MANY + 1, sizeof(struct rcpt)),
	                           .rcpts_n = MANY,
	                           .body = BODY_OF(STR("\r\nx\r\n"))};
	struct accept_reply r = {0};

	start(f);
	q.id = send_ok(f, "alice@example.org", "x\r\n") + 1;
	(void)rcpt_answer(f, "alice@example.org", 0, &a); /* takes the id */
	for (size_t i = 0; i <= MANY; i++)
		q.rcpts[i] = (struct rcpt){.address = arena_printf(&a, "u%zu@d%zu.example", i, i % 50)};
	nsec begin = rt_now();
	assert_int_equal(store_accept(f->store, "edge-0", &q, &r, &a), OK);
	assert_int_equal(r.answers[MANY - 1].code, OK);
	assert_true(rt_now() - begin < 5 * NSEC_PER_SEC);
	assert_int_equal(admin_number(f, "balance", "queued"), MANY);
	q.rcpts_n = MANY + 1;
	(void)rcpt_answer(f, "alice@example.org", 0, &a);
	q.id++;
	assert_int_equal(store_accept(f->store, "edge-0", &q, &r, &a), OK);
	assert_int_equal(r.answers[0].reply, 452);
	assert_int_equal(admin_number(f, "balance", "queued"), MANY);
	assert_sound(f);
}

static void test_many_recipients(void **state UNUSED)
{
	fixture_run(many);
}

/* --- the story --- */

static void story(struct fixture *f)
{
	ARENA(a, 16 << 20);
	struct admin_reply r;
	char id[ID_TEXT_MAX], words[100];

	start(f);
	uint64_t message =
		send_out(f, "alice@example.org", "bob@example.com carol@example.org dave@example.com eve@example.com");
	fixture_change(
		f, "INSERT INTO attempt SELECT id, 0, 1000000 + (abs(random()) % 1000), '4.7.1', 'mx', 'later', "
		   "'TLSv1.3' FROM message;"
		   "INSERT INTO attempt WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)"
		   " SELECT id, 3, i * 1000000, '4.4.1', '', 'no answer', '' FROM message, n;"
		   "UPDATE queue SET attempts = 1, reply = 'later' WHERE rcpt = 0;"
		   "UPDATE queue SET state = 1, due = due + 4611686018427387904 WHERE rcpt = 3;"
		   "DELETE FROM queue WHERE rcpt = 2; UPDATE message SET items = items - 1;"
		   "INSERT INTO ledger (message, rcpt, side, kind, at, status, detail, host, security)"
		   " SELECT id, 2, 1, 2, 5, '2.0.0', 'ok', 'mx.example.com', 'TLSv1.3' FROM message");
	snprintf(words, sizeof(words), "trace %.*s", STR_ARG(id_text(message, id)));
	assert_int_equal(admin_try(f, words, "", &r, &a), OK);
	assert_int_equal(r.rows_n, 1 + 3 + 2 + 2 + 102);
	const struct row *row = r.rows;
	assert_str(cell_of(&row[1], "event")->text, "accepted");
	assert_str(cell_of(&row[1], "to")->text, "bob@example.com");
	assert_str(cell_of(&row[2], "event")->text, "delayed");
	assert_str(cell_of(&row[2], "reply")->text, "later");
	assert_str(cell_of(&row[2], "security")->text, "TLSv1.3");
	assert_str(cell_of(&row[3], "event")->text, "queued");
	assert_str(cell_of(&row[3], "destination")->text, "example.com");
	assert_str(cell_of(&row[3], "state")->text, "waiting");
	assert_str(cell_of(&row[3], "from")->text, "alice@example.org");
	assert_true(str_starts(cell_of(&row[3], "due")->text, STR("2")));
	assert_true(str_equal(cell_of(&row[3], "time")->text, cell_of(&row[1], "time")->text));
	assert_int_equal(cell_of(&row[3], "attempts")->number, 1);
	assert_str(cell_of(&row[5], "event")->text, "mailbox");
	assert_str(cell_of(&row[7], "event")->text, "relayed");
	assert_str(cell_of(&row[7], "host")->text, "mx.example.com");
	assert_str(cell_of(&row[7], "reply")->text, "ok");
	assert_str(cell_of(&row[9], "reply")->text, "no answer"); /* the last hundred, oldest first */
	assert_str(cell_of(&row[9], "time")->text, "1970-01-01T00:00:51.000Z");
	assert_str(cell_of(&row[109], "state")->text, "held");
	assert_str(cell_of(&row[109], "due")->text, "");
	assert_int_equal(admin_number(f, "balance", "queued"), 2);
	assert_int_equal(admin_number(f, "balance", "relayed"), 1);
	assert_sound(f);
}

static void test_the_story_is_told(void **state UNUSED)
{
	fixture_run(story);
}

/* --- verify --- */

static void verifies(struct fixture *f)
{
	start(f);
	send_out(f, "alice@example.org", "bob@example.com dave@example.com");
	assert_sound(f);
	fixture_change(f, "DELETE FROM queue WHERE rcpt = 1");
	assert_int_equal(admin_number(f, "balance", "lost"), 1);
	assert_int_equal(admin_count(f, "store verify"), 2);
	fixture_change(f, "INSERT INTO ledger (message, rcpt, side, kind, at) SELECT id, 1, 1, 2, 5 FROM message;"
	                  "UPDATE message SET items = 1");
	assert_sound(f);
	fixture_change(f, "INSERT INTO queue (message, rcpt, destination, due, expires, sender)"
	                  " SELECT message, 1, destination, due, expires, '' FROM queue;"
	                  "INSERT INTO queue (message, rcpt, destination, due, expires, sender)"
	                  " VALUES (5, 0, 'example.com', 5, 5, '')");
	assert_int_equal(admin_count(f, "store verify"), 3);
}

static void test_verify(void **state UNUSED)
{
	fixture_run(verifies);
}

/* --- compaction, rebuild, backup --- */

enum { MESSAGES = 300, BODY = 8000 };

/* More than two segments: every tenth message is still queued for bob, all for dave are relayed. */
static void fill(struct fixture *f)
{
	char body[BODY + 1];

	fixture_configure(f, "store segment 1M\n");
	start(f);
	memset(body, 'x', BODY);
	body[BODY] = '\0';
	for (int i = 0; i < MESSAGES; i++) {
		struct sending m = {.protocol = "ESMTP",
		                    .sender = "alice@example.org",
		                    .body = body,
		                    .rcpts = "bob@example.com dave@example.com",
		                    .flags = MESSAGE_LOCAL};

		assert_int_equal(send_mail(f, &m), OK);
	}
	fixture_change(f, "INSERT INTO ledger (message, rcpt, side, kind, at) SELECT message, rcpt, 1, 2 + (message % "
	                  "2), 5 FROM queue"
	                  " WHERE rcpt = 1 OR message % 10 <> 0;"
	                  "DELETE FROM queue WHERE rcpt = 1 OR message % 10 <> 0;"
	                  "UPDATE message SET items = (SELECT count(*) FROM queue WHERE message = message.id);"
	                  "UPDATE segment SET live = (SELECT coalesce(sum(length), 0) FROM message WHERE segment = "
	                  "number AND items > 0)");
	assert_sound(f);
}

static void lose_database(struct fixture *f)
{
	struct rebuild_result r = fixture_rebuild(f);

	assert_int_equal(r.held, admin_number(f, "balance", "queued"));
}

static void compacts(struct fixture *f)
{
	fill(f);
	assert_true(admin_number(f, "store compact", "segments") >= 2);
	assert_int_equal(admin_number(f, "balance", "queued"), MESSAGES / 10);
	assert_sound(f);
	/* what was moved knows what was settled; what was not moved, in the last segment, does not */
	lose_database(f);
	uint64_t queued = admin_number(f, "balance", "queued"), relayed = admin_number(f, "balance", "relayed");
	assert_true(queued >= MESSAGES / 10 && queued < MESSAGES);
	assert_true(relayed > 0);
	expect_lines(f, "SELECT DISTINCT state || ' ' || reply || ' ' || (due > 4611686018427387904) FROM queue",
	             "1 found in the segments; it may have been sent before 1\n");
	assert_sound(f);
}

static void test_compaction_and_rebuild(void **state UNUSED)
{
	fixture_run(compacts);
}

static void restores(struct fixture *f)
{
	struct backup_result r;
	char backup[200], place[200];

	start(f);
	send_out(f, "alice@example.org", "bob@example.com carol@example.org");
	snprintf(place, sizeof(place), "%s.other", f->path);
	(void)mkdir(place, 0700);
	snprintf(backup, sizeof(backup), "%s.other/backup", f->path);
	snprintf(place, sizeof(place), "%s.other/place", f->path);
	assert_int_equal(backup_run(f->path, backup, &r), OK);
	fixture_close(f);
	if (restore_run(backup, place, &r) != OK)
		fail_msg("restore: %s", err_info()->text);
	assert_int_equal(r.held, 1);
	snprintf(f->path, sizeof(f->path), "%.120s", place);
	fixture_open(f);
	expect_lines(f, "SELECT state || ' ' || reply FROM queue",
	             "1 restored from a backup; it may have been sent since\n");
	assert_sound(f);
	fixture_close(f);
	f->path[strlen(f->path) - strlen(".other/place")] = '\0';
}

static void test_restore(void **state UNUSED)
{
	fixture_run(restores);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_may_send_to_other_servers),
		cmocka_unit_test(test_it_is_checked_again),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_international_domains),
		cmocka_unit_test(test_an_address_gets_one_copy),
		cmocka_unit_test(test_a_refusal_takes_no_copy_of_another),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_aliases_forward),
		cmocka_unit_test(test_owners_of_lists),
		cmocka_unit_test(test_relayed_domains),
		cmocka_unit_test(test_many_recipients),
		cmocka_unit_test(test_the_story_is_told),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_compaction_and_rebuild),
		cmocka_unit_test(test_restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
