/* SPDX-License-Identifier: ISC */
/* Segments that were written before there were other servers, and before mail was judged: read, verified, moved, rebuilt from, and written to further on. */
#include "base/encode.h"
#include "store/envelope.h"
#include "store/fixture.h"
#include "store/fixture_queue.h"

enum { MESSAGES = 30 };

/* --- making a segment old: each message's record gets an envelope as it was --- */

struct older {
	struct segment segment;
	struct db *db;
	struct buf file;
};

static enum segment_kind age; /* SEGMENT_MESSAGE_1 or _2 */

static str old_envelope_1(const struct segment_record *record, struct arena *a)
{
	BUF(packed, 1 << 20);
	struct record_fds none = {0};
	struct envelope e;

	assert_int_equal(envelope_unpack(record, &e, a), OK);
	struct envelope_1 old = {.id = e.id,
	                         .received = e.received,
	                         .sender = e.sender,
	                         .origin = e.origin,
	                         .origin_n = 1,
	                         .envid = e.envid,
	                         .ret = e.ret,
	                         .flags = e.flags,
	                         .message_id = e.message_id,
	                         .subject = e.subject,
	                         .rcpts = arena_array(a, e.rcpts_n, sizeof(*old.rcpts)),
	                         .rcpts_n = e.rcpts_n};
	assert_non_null(old.rcpts);
	for (size_t i = 0; i < e.rcpts_n; i++)
		old.rcpts[i] = (struct envelope_rcpt_1){.address = e.rcpts[i].address,
		                                        .original = e.rcpts[i].original,
		                                        .notify = e.rcpts[i].notify,
		                                        .mailbox = e.rcpts[i].mailbox,
		                                        .name = e.rcpts[i].name,
		                                        .uidvalidity = e.rcpts[i].uidvalidity,
		                                        .uid = e.rcpts[i].uid,
		                                        .modseq = e.rcpts[i].modseq};
	record_pack(&record_envelope_1, &old, &packed, &none);
	return arena_str(a, buf_str(&packed));
}

static str old_envelope_2(const struct segment_record *record, struct arena *a)
{
	BUF(packed, 1 << 20);
	struct record_fds none = {0};
	struct envelope e;

	assert_int_equal(envelope_unpack(record, &e, a), OK);
	struct envelope_2 old = {.id = e.id,
	                         .received = e.received,
	                         .sender = e.sender,
	                         .origin = e.origin,
	                         .origin_n = 1,
	                         .envid = e.envid,
	                         .ret = e.ret,
	                         .flags = e.flags,
	                         .message_id = e.message_id,
	                         .subject = e.subject,
	                         .rcpts = arena_array(a, e.rcpts_n, sizeof(*old.rcpts)),
	                         .rcpts_n = e.rcpts_n,
	                         .hold_until = e.hold_until,
	                         .priority = e.priority};
	assert_non_null(old.rcpts);
	for (size_t i = 0; i < e.rcpts_n; i++)
		old.rcpts[i] = (struct envelope_rcpt_2){.address = e.rcpts[i].address,
		                                        .original = e.rcpts[i].original,
		                                        .notify = e.rcpts[i].notify,
		                                        .mailbox = e.rcpts[i].mailbox,
		                                        .name = e.rcpts[i].name,
		                                        .uidvalidity = e.rcpts[i].uidvalidity,
		                                        .uid = e.rcpts[i].uid,
		                                        .modseq = e.rcpts[i].modseq,
		                                        .destination = e.rcpts[i].destination,
		                                        .sender = e.rcpts[i].sender};
	record_pack(&record_envelope_2, &old, &packed, &none);
	return arena_str(a, buf_str(&packed));
}

static str old_envelope(const struct segment_record *record, struct arena *a)
{
	return age == SEGMENT_MESSAGE_1 ? old_envelope_1(record, a) : old_envelope_2(record, a);
}

static void move_row(struct older *x, uint64_t from, uint64_t to, uint64_t length)
{
	struct query q = db_query(x->db, "UPDATE message SET offset = ?, length = ? WHERE segment = 1 AND offset = ?");

	query_put_num(&q, to);
	query_put_num(&q, length);
	query_put_num(&q, from);
	assert_int_equal(query_run(&q), OK);
}

/* Records become shorter, so that a row's new place is never another's old one. */
static void rewrite(struct older *x)
{
	struct segment_scan scan = segment_scan_begin(&x->segment, UINT64_MAX >> 1);
	struct segment_record r;

	while (segment_scan_next(&scan, &r) == OK) {
		ARENA(a, 1 << 20);
		uint64_t at = x->file.n, length;
		bool message = r.kind != SEGMENT_TOMBSTONES;
		str envelope = message ? old_envelope(&r, &a) : r.envelope;

		length = segment_record_put(&x->file, x->segment.mark, message ? age : r.kind, envelope, &r.body, 1);
		buf_put(&x->file, r.body);
		if (message)
			move_row(x, scan.at, at, length);
	}
	segment_scan_end(&scan);
}

static void put_file(struct fixture *f, struct older *x)
{
	char path[200];
	struct query q =
		db_query(x->db, "UPDATE segment SET size = ?, live = (SELECT coalesce(sum(length), 0) FROM message"
	                        " WHERE segment = 1 AND items > 0)");

	query_put_num(&q, x->file.n);
	assert_int_equal(query_run(&q), OK);
	snprintf(path, sizeof(path), "%s/bodies/0000000001", f->path);
	assert_int_equal(file_replace(path, buf_str(&x->file), 0600), OK);
}

static void make_older(struct fixture *f)
{
	struct older x = {.file = BUF_INIT(16 << 20)};
	char path[200], head[SEGMENT_HEADER];

	fixture_close(f);
	snprintf(path, sizeof(path), "%s/bodies", f->path);
	int dir = open(path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(segment_open(dir, 1, SEGMENT_READ, &x.segment), OK);
	assert_int_equal(file_read_at(x.segment.fd, head, sizeof(head), 0), OK);
	buf_put(&x.file, str_make(head, sizeof(head)));
	snprintf(path, sizeof(path), "%s/pombo.db", f->path);
	assert_int_equal(db_open(path, DB_WRITE, &x.db), OK);
	rewrite(&x);
	put_file(f, &x);
	db_close(x.db);
	segment_close(&x.segment);
	close(dir);
	buf_free(&x.file);
	fixture_open(f);
}

/* --- what becomes of it --- */

static void expunge_some(struct fixture *f)
{
	struct box b;

	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	for (uint64_t uid = 1; uid <= MESSAGES; uid++)
		if (uid % 10 != 0)
			assert_int_equal(box_expunge(f, &b, uid), OK);
	box_close(f, &b);
}

static void expect_rest(struct fixture *f, size_t n)
{
	struct box b;

	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	assert_int_equal(b.list.entries_n, n);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(b.list.entries[i].uid, 10 * (i + 1));
	assert_true(str_ends(box_message(f, &b, 1), STR("number 20\r\n")));
	box_close(f, &b);
	assert_sound(f);
}

static void fill(struct fixture *f)
{
	char body[40];

	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	for (int i = 1; i <= MESSAGES; i++) {
		snprintf(body, sizeof(body), "\r\nnumber %d\r\n", i);
		send_ok(f, "alice@example.org", body);
	}
	expunge_some(f);
	make_older(f);
	expect_rest(f, MESSAGES / 10);
	send_out(f, "bob@example.org", "alice@example.org bob@example.com"); /* behind the old records */
	expect_rest(f, MESSAGES / 10 + 1);
}

static void rebuild(struct fixture *f)
{
	struct rebuild_result r = fixture_rebuild(f);

	assert_int_equal(r.held, 1);
	assert_int_equal(r.damaged, 0);
}

static void rebuilt(struct fixture *f)
{
	fill(f);
	rebuild(f);
	expect_rest(f, MESSAGES / 10 + 1);
}

static void test_rebuild(void **state UNUSED)
{
	for (age = SEGMENT_MESSAGE_1; age <= SEGMENT_MESSAGE_2; age += SEGMENT_MESSAGE_2 - SEGMENT_MESSAGE_1)
		fixture_run(rebuilt);
}

static void compacted(struct fixture *f)
{
	char body[4000];

	fill(f);
	fixture_configure(f, "store segment 1M\n");
	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	for (int i = 0; i < 300; i++)
		send_ok(f, "alice@example.org", body); /* the next segment is begun */
	assert_int_equal(admin_number(f, "store compact", "segments"), 1);
	expect_rest(f, MESSAGES / 10 + 301);
	rebuild(f);
	expect_rest(f, MESSAGES / 10 + 301);
}

static void test_compaction(void **state UNUSED)
{
	for (age = SEGMENT_MESSAGE_1; age <= SEGMENT_MESSAGE_2; age += SEGMENT_MESSAGE_2 - SEGMENT_MESSAGE_1)
		fixture_run(compacted);
}

/* What waited for another server then leaves. */
static void leased(struct fixture *f)
{
	ARENA(a, 1 << 20);

	age = SEGMENT_MESSAGE_2;
	fixture_open(f);
	send_out(f, "alice@example.org", "bob@example.com");
	make_older(f);
	struct lease_reply lease = lease_any(f, &a);
	assert_true(lease.lease != 0);
	settle_relayed(f, &lease);
	assert_sound(f);
}

static void test_lease(void **state UNUSED)
{
	fixture_run(leased);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rebuild),
		cmocka_unit_test(test_compaction),
		cmocka_unit_test(test_lease),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
