/* SPDX-License-Identifier: ISC */
#include "pop3/body.h"

#include "base/test.h"

struct sent {
	str message;
	size_t piece;
	uint64_t lines; /* of TOP; UINT64_MAX: RETR */
	struct buf wire;
};

static void put_pieces(struct sent *t, struct stream *s)
{
	struct stuffing out = STUFFING_TO(s);
	struct excerpt x = EXCERPT_OF(t->lines);

	for (str rest = t->message; rest.n > 0; rest = str_drop(rest, t->piece)) {
		str bytes = str_take(rest, t->piece);
		stuffing_put(&out, t->lines == UINT64_MAX ? bytes : excerpt_take(&x, bytes));
	}
	stuffing_end(&out);
}

static void send_and_collect(void *arg)
{
	struct sent *t = arg;
	struct stream *a, *b;
	str bytes;

	assert_true(stream_pair(&a, &b, 1 << 16, true));
	put_pieces(t, a);
	assert_int_equal(stream_flush(a), OK);
	stream_close(a);
	while (stream_peek(b, &bytes, RT_NEVER) == OK) {
		buf_put(&t->wire, bytes);
		stream_consume(b, bytes.n);
	}
	stream_close(b);
}

/* However the message is cut, the same goes out. */
static void check(str message, uint64_t lines, const char *want)
{
	for (size_t piece = 1; piece <= message.n + 1; piece++) {
		struct sent t = {.message = message, .piece = piece, .lines = lines, .wire = BUF_INIT(1 << 16)};
		assert_int_equal(rt_run_simulated(piece, send_and_collect, &t), OK);
		assert_str(buf_str(&t.wire), want);
		buf_free(&t.wire);
	}
}

static void dots_are_stuffed(void **state)
{
	(void)state;
	check(STR("a\r\n"), UINT64_MAX, "a\r\n.\r\n");
	check(STR(".\r\n..\r\nx.\r\n.x\r\n"), UINT64_MAX, "..\r\n...\r\nx.\r\n..x\r\n.\r\n");
	check(STR(".\r\n.\r\n.\r\n"), UINT64_MAX, "..\r\n..\r\n..\r\n.\r\n");
	check(STR("\r\n.QUIT\r\n"), UINT64_MAX, "\r\n..QUIT\r\n.\r\n");
}

static void line_ends_are_completed(void **state)
{
	(void)state;
	check(STR(""), UINT64_MAX, ".\r\n");
	check(STR("a"), UINT64_MAX, "a\r\n.\r\n");
	check(STR("."), UINT64_MAX, "..\r\n.\r\n");
	check(STR("a\r"), UINT64_MAX, "a\r\r\n.\r\n");
	check(STR("a\n"), UINT64_MAX, "a\n\r\n.\r\n");
	check(STR("\n"), UINT64_MAX, "\n\r\n.\r\n");
}

/* A client that takes LF for a line end must not see the response end. */
static void bare_line_feeds_cannot_end_it(void **state)
{
	(void)state;
	check(STR("a\n.\r\n+OK forged\r\n"), UINT64_MAX, "a\n..\r\n+OK forged\r\n.\r\n");
	check(STR("a\n.\nb\r.\r\n"), UINT64_MAX, "a\n..\nb\r.\r\n.\r\n");
}

static void top(void **state)
{
	(void)state;
	str message = STR("A: b\r\n.C: d\r\n\r\none\r\n\r\n.three\r\n");

	check(message, 0, "A: b\r\n..C: d\r\n\r\n.\r\n");
	check(message, 1, "A: b\r\n..C: d\r\n\r\none\r\n.\r\n");
	check(message, 2, "A: b\r\n..C: d\r\n\r\none\r\n\r\n.\r\n");
	check(message, 3, "A: b\r\n..C: d\r\n\r\none\r\n\r\n..three\r\n.\r\n");
	check(message, 4, "A: b\r\n..C: d\r\n\r\none\r\n\r\n..three\r\n.\r\n");
	check(message, 1ULL << 31, "A: b\r\n..C: d\r\n\r\none\r\n\r\n..three\r\n.\r\n");
	check(message, UINT64_MAX - 1, "A: b\r\n..C: d\r\n\r\none\r\n\r\n..three\r\n.\r\n");
}

static void top_of_odd_messages(void **state)
{
	(void)state;
	check(STR("A: b\r\nno body"), 0, "A: b\r\nno body\r\n.\r\n");
	check(STR("\r\nbody\r\nmore\r\n"), 1, "\r\nbody\r\n.\r\n");
	check(STR("A: b\n\nbody\nmore\n"), 1, "A: b\n\nbody\n\r\n.\r\n");
	check(STR("A: b\r\n\r\r\nc\r\n\r\nbody\r\n"), 0, "A: b\r\n\r\r\nc\r\n\r\n.\r\n");
	check(STR(""), 5, ".\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dots_are_stuffed),
		cmocka_unit_test(line_ends_are_completed),
		cmocka_unit_test(bare_line_feeds_cannot_end_it),
		cmocka_unit_test(top),
		cmocka_unit_test(top_of_odd_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
