/* SPDX-License-Identifier: ISC */
#include "store/fixture.h"
#include "store/envelope.h"

static const char first[] = "first body", second[] = "the second body", third[] = "third";

struct file {
	int dir;
	struct segment segment;
	uint64_t at[3], end;
};

static void file_make(struct fixture *f, struct file *x)
{
	const char *const bodies[] = {first, second, third};
	BUF(all, 1 << 16);

	x->dir = open(f->path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(segment_create(x->dir, 7, &x->segment), OK);
	assert_int_equal(segment_create(x->dir, 7, &x->segment), E_IO); /* exists */
	assert_int_equal(segment_open(x->dir, 7, SEGMENT_APPEND, &x->segment), OK);
	x->end = SEGMENT_HEADER;
	for (size_t i = 0; i < 3; i++) {
		str body = str_from(bodies[i]);

		x->at[i] = x->end;
		x->end += segment_record_put(&all, x->segment.mark, SEGMENT_MESSAGE, STR("envelope"), &body, 1);
		buf_put(&all, body);
	}
	struct iovec iov = {all.p, all.n};
	assert_int_equal(file_write_all(x->segment.fd, &iov, 1, SEGMENT_HEADER), OK);
	assert_int_equal(x->end, SEGMENT_HEADER + all.n);
}

static void file_end(struct file *x)
{
	segment_close(&x->segment);
	close(x->dir);
}

static void flip(struct file *x, uint64_t at)
{
	char c;

	assert_int_equal(pread(x->segment.fd, &c, 1, (off_t)at), 1);
	c = (char)(c ^ 0x10);
	assert_int_equal(pwrite(x->segment.fd, &c, 1, (off_t)at), 1);
}

static void reads(struct fixture *f)
{
	struct file x;
	struct segment_record r;
	BUF(memory, 1 << 16);

	file_make(f, &x);
	assert_int_equal(segment_read(&x.segment, x.at[1], &memory, &r), OK);
	assert_str(r.envelope, "envelope");
	assert_str(r.body, second);
	assert_int_equal(r.length, x.at[2] - x.at[1]);
	assert_int_equal(segment_read(&x.segment, x.at[1] + 1, &memory, &r), E_SYNTAX);
	assert_int_equal(segment_read(&x.segment, x.end, &memory, &r), E_END);
	for (uint64_t at = x.at[1]; at < x.at[2]; at++) {
		if (at >= x.at[1] + 28 && at < x.at[1] + 32)
			continue; /* reserved octets of the header */
		flip(&x, at);
		assert_int_not_equal(segment_read(&x.segment, x.at[1], &memory, &r), OK);
		flip(&x, at);
	}
	file_end(&x);
}

static void test_every_flipped_bit_is_seen(void **state UNUSED)
{
	fixture_run(reads);
}

static size_t scan(struct file *x, uint64_t end, uint64_t *damaged)
{
	struct segment_scan s = segment_scan_begin(&x->segment, end);
	struct segment_record r;
	size_t n = 0;

	while (segment_scan_next(&s, &r) == OK)
		n++;
	*damaged = s.damaged;
	segment_scan_end(&s);
	return n;
}

static void scans(struct fixture *f)
{
	struct file x;
	uint64_t damaged;

	file_make(f, &x);
	assert_int_equal(scan(&x, x.end, &damaged), 3);
	assert_int_equal(damaged, 0);
	assert_int_equal(scan(&x, x.end - 1, &damaged), 2); /* the last was not committed */
	flip(&x, x.at[1] + 40);
	assert_int_equal(scan(&x, x.end, &damaged), 2);
	assert_int_equal(damaged, x.at[2] - x.at[1]);
	flip(&x, x.at[0] + 1); /* the mark itself */
	assert_int_equal(scan(&x, x.end, &damaged), 1);
	assert_int_equal(scan(&x, x.end + 100, &damaged), 1); /* the file is shorter */
	assert_int_equal(damaged, x.at[2] - x.at[0] + 100);
	file_end(&x);
}

static void test_a_scan_goes_on_behind_damage(void **state UNUSED)
{
	fixture_run(scans);
}

static void zeros(struct fixture *f)
{
	enum { TAIL = 600000 };
	struct file x;
	uint64_t damaged;

	file_make(f, &x);
	assert_int_equal(ftruncate(x.segment.fd, (off_t)x.end + TAIL), 0);
	assert_int_equal(scan(&x, x.end + TAIL, &damaged), 3);
	assert_int_equal(damaged, 0);
	flip(&x, x.end + TAIL - 1);
	assert_int_equal(scan(&x, x.end + TAIL, &damaged), 3);
	assert_int_equal(damaged, TAIL);
	file_end(&x);
}

static void test_zeros_written_ahead_are_no_damage(void **state UNUSED)
{
	fixture_run(zeros);
}

static void header(struct fixture *f)
{
	struct file x;
	struct segment again;

	file_make(f, &x);
	flip(&x, 21); /* the mark in the file's header */
	assert_int_equal(segment_open(x.dir, 7, SEGMENT_READ, &again), OK);
	assert_true(again.mark == x.segment.mark);
	segment_close(&again);
	assert_int_equal(segment_open(x.dir, 8, SEGMENT_READ, &again), E_NOT_FOUND);
	assert_int_equal(ftruncate(x.segment.fd, 10), 0);
	assert_int_equal(segment_open(x.dir, 7, SEGMENT_READ, &again), E_SYNTAX);
	file_end(&x);
}

static void test_a_damaged_header_does_not_lose_the_records(void **state UNUSED)
{
	fixture_run(header);
}

static void test_names(void **state UNUSED)
{
	char name[SEGMENT_NAME_MAX];
	uint64_t n;

	segment_name(42, name);
	assert_string_equal(name, "0000000042");
	assert_true(segment_number(name, &n));
	assert_int_equal(n, 42);
	segment_name(123456789012, name);
	assert_true(segment_number(name, &n));
	assert_int_equal(n, 123456789012);
	assert_false(segment_number("42", &n));
	assert_false(segment_number("0000000000", &n));
	assert_false(segment_number("000000004x", &n));
}

static err unpack(enum segment_kind kind, str packed, struct envelope *out, struct arena *a)
{
	struct segment_record r = {.kind = kind, .envelope = packed};

	return envelope_unpack(&r, out, a);
}

static void test_envelope(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	BUF(packed, 1 << 16);
	struct record_fds none = {0};
	struct origin origin = {.session = STR("s"), .protocol = STR("ESMTP")};
	struct envelope_rcpt rcpts[] = {
		{.address = STR("a@example.org"),
	         .original = STR("list@example.org"),
	         .mailbox = 1,
	         .uid = 5,
	         .name = STR("INBOX")},
		{.address = STR("a@example.org"), .original = STR("A@example.org"), .mailbox = 1, .uid = 5},
		{.address = STR("b@example.org"), .mailbox = 2, .uid = 9},
	};
	struct envelope e = {.id = 77,
	                     .sender = STR(""),
	                     .origin = &origin,
	                     .origin_n = 1,
	                     .rcpts = rcpts,
	                     .rcpts_n = 3},
			back;

	record_pack(&record_envelope, &e, &packed, &none);
	assert_int_equal(unpack(SEGMENT_MESSAGE, buf_str(&packed), &back, &a), OK);
	assert_int_equal(back.id, 77);
	assert_int_equal(back.rcpts_n, 3);
	assert_str(back.rcpts[0].original, "list@example.org");
	assert_str(envelope_prefix(&back, 1, &a),
	           "Return-Path: <>\r\nDelivered-To: a@example.org\r\nDelivered-To: list@example.org\r\n");
	assert_str(envelope_prefix(&back, 2, &a), "Return-Path: <>\r\nDelivered-To: b@example.org\r\n");
	assert_int_equal(unpack(SEGMENT_MESSAGE, str_take(buf_str(&packed), packed.n - 1), &back, &a), E_SYNTAX);
	e.origin_n = 0;
	buf_reset(&packed);
	record_pack(&record_envelope, &e, &packed, &none);
	assert_int_equal(unpack(SEGMENT_MESSAGE, buf_str(&packed), &back, &a), E_SYNTAX);
}

/* As it was written before there were other servers. */
static void test_an_older_envelope(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	BUF(packed, 1 << 16);
	struct record_fds none = {0};
	struct origin origin = {.session = STR("s"), .protocol = STR("ESMTP")};
	struct envelope_rcpt_1 rcpts[] = {
		{.address = STR("a@example.org"), .mailbox = 1, .uid = 5, .name = STR("INBOX")},
		{.address = STR("b@example.org"), .mailbox = 2, .uid = 9, .expunged = 1},
	};
	struct envelope_1 e = {.id = 77,
	                       .received = 5,
	                       .sender = STR("c@example.com"),
	                       .origin = &origin,
	                       .origin_n = 1,
	                       .subject = STR("hello"),
	                       .rcpts = rcpts,
	                       .rcpts_n = 2};
	struct envelope back;

	record_pack(&record_envelope_1, &e, &packed, &none);
	assert_int_equal(unpack(SEGMENT_MESSAGE_1, buf_str(&packed), &back, &a), OK);
	assert_int_equal(back.id, 77);
	assert_int_equal(back.received, 5);
	assert_str(back.sender, "c@example.com");
	assert_str(back.subject, "hello");
	assert_int_equal(back.rcpts_n, 2);
	assert_str(back.rcpts[0].name, "INBOX");
	assert_int_equal(back.rcpts[1].uid, 9);
	assert_int_equal(back.rcpts[1].expunged, 1);
	assert_int_equal(back.rcpts[1].settled, 0);
	assert_int_equal(unpack(SEGMENT_MESSAGE, buf_str(&packed), &back, &a), E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_flipped_bit_is_seen),
		cmocka_unit_test(test_a_scan_goes_on_behind_damage),
		cmocka_unit_test(test_zeros_written_ahead_are_no_damage),
		cmocka_unit_test(test_a_damaged_header_does_not_lose_the_records),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_an_older_envelope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
