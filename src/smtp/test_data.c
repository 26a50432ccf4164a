/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/buf.h"
#include "smtp/data.h"

static void collect(void *ctx, str run)
{
	assert_true(run.n > 0);
	buf_put(ctx, run);
}

static struct data_scan scan_into(struct buf *out, bool normalise)
{
	return (struct data_scan){.normalise = normalise, .emit = collect, .ctx = out};
}

/* Feeds `in` in pieces of `piece` octets; returns what was taken. */
static size_t feed(struct data_scan *d, str in, size_t piece)
{
	size_t taken = 0;

	while (taken < in.n && d->state != DATA_END) {
		str part = str_take(str_drop(in, taken), piece);
		size_t n = data_feed(d, part);
		assert_true(n == part.n || d->state == DATA_END);
		taken += n;
	}
	return taken;
}

/* Whatever the pieces in which it comes: `in` is taken up to `rest`, has the content `want`, and is bare or not. */
static void assert_data(str in, const char *rest, str want, bool normalise, bool is_bare)
{
	for (size_t piece = 1; piece <= in.n; piece++) {
		BUF(out, 1000);
		struct data_scan d = scan_into(&out, normalise);
		size_t taken = feed(&d, in, piece);

		assert_str(str_drop(in, taken), rest);
		assert_int_equal(d.state, DATA_END);
		assert_int_equal(d.bare, is_bare);
		assert_int_equal(out.n, want.n);
		assert_memory_equal(out.p == NULL ? "" : out.p, want.p, want.n);
	}
}

static void assert_strict(const char *in, const char *want)
{
	assert_data(str_from(in), "", str_from(want), false, false);
}

static void test_content(void **state UNUSED)
{
	assert_strict(".\r\n", "");
	assert_strict("\r\n.\r\n", "\r\n");
	assert_strict("a\r\nb\r\n.\r\n", "a\r\nb\r\n");
	assert_strict("..\r\n.\r\n", ".\r\n");
	assert_strict("...x\r\n..\r\n.y\r\n.\r\n", "..x\r\n.\r\ny\r\n");
	assert_strict("a.b\r\na.\r\n.\r\n", "a.b\r\na.\r\n");
}

static void test_what_is_behind_stays(void **state UNUSED)
{
	assert_data(STR("a\r\n.\r\nQUIT\r\n"), "QUIT\r\n", STR("a\r\n"), false, false);
	assert_data(STR(".\r\n.\r\n"), ".\r\n", STR(""), false, false);
}

/* Nothing but CRLF "." CRLF ends data. Behind each ending stands what a server that is fooled would take for a
 * command. */
static void test_only_crlf_dot_crlf_ends(void **state UNUSED)
{
	static const char *const endings[] = {
		"\n.\n",   "\n.\r\n",   "\r\n.\n",   "\r.\r",       "\r.\n", "\r\n.\r",
		"\r.\r\n", "\n\r\n.\n", "\r\r\n.\n", "\r\n.\r\r\n", "\n.\r",
	};

	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		for (size_t piece = 1; piece < 20; piece++) {
			BUF(in, 1000);
			BUF(out, 1000);
			struct data_scan d = scan_into(&out, false);

			buf_printf(&in, "a%sRSET\r\n.\r\n", endings[i]);
			assert_int_equal(feed(&d, buf_str(&in), piece), in.n);
			assert_int_equal(d.state, DATA_END);
			assert_true(d.bare);
			assert_true(str_ends(buf_str(&out), STR("RSET\r\n")));
		}
	}
}

static void test_exact_sequence_ends_even_behind_a_bare_cr(void **state UNUSED)
{
	assert_data(STR("a\r\r\n.\r\nQUIT"), "QUIT", STR("a\r\r\n"), false, true);
}

static void test_normalised(void **state UNUSED)
{
	assert_data(STR("a\nb\rc\r\n.\r\n"), "", STR("a\r\nb\r\nc\r\n"), true, true);
	assert_data(STR("a\n.b\r.c\r\n.\r\n"), "", STR("a\r\n.b\r\n.c\r\n"), true, true);
	assert_data(STR("a\n.\n\r\n.\r\n"), "", STR("a\r\n.\r\n\r\n"), true, true);
	assert_data(STR("a\r\n.\nb\r\n.\r\n"), "", STR("a\r\n\r\nb\r\n"), true, true);
	assert_data(STR("a\r\n.\rb\r\n.\r\n"), "", STR("a\r\n\r\nb\r\n"), true, true);
	assert_data(STR("a\r\r\n.\r\n"), "", STR("a\r\n\r\n"), true, true);
	assert_data(STR("\n\n\n\r\n.\r\n"), "", STR("\r\n\r\n\r\n\r\n"), true, true);
}

static void test_nul_beside_the_dot(void **state UNUSED)
{
	const str in[] = {STR("a\r\n\0.\r\nb\r\n.\r\n"), STR("a\r\n.\0\r\nb\r\n.\r\n"), STR("a\r\n.\r\0\nb\r\n.\r\n"),
	                  STR("a\r\0\n.\r\nb\r\n.\r\n")};

	for (size_t i = 0; i < ARRAY_LEN(in); i++) {
		BUF(out, 1000);
		struct data_scan d = scan_into(&out, false);

		assert_int_equal(feed(&d, in[i], 3), in[i].n);
		assert_true(d.nul);
		assert_true(str_ends(buf_str(&out), STR("b\r\n")));
	}
}

static void test_chunks(void **state UNUSED)
{
	BUF(out, 1000);
	struct data_scan d = scan_into(&out, false);
	str in = STR("a\r\n.\r\n..b\r\n.\r\n");

	d.chunked = true;
	assert_int_equal(feed(&d, in, 2), in.n);
	assert_false(d.bare);
	data_finish(&d);
	assert_false(d.bare);
	assert_str(buf_str(&out), "a\r\n.\r\n..b\r\n.\r\n");
}

static void test_chunks_that_end_with_cr(void **state UNUSED)
{
	BUF(out, 1000);
	struct data_scan d = scan_into(&out, false);

	d.chunked = true;
	feed(&d, STR("a\r"), 2);
	assert_false(d.bare);
	data_finish(&d);
	assert_true(d.bare);
	assert_str(buf_str(&out), "a\r");
}

/* A message of one kind of octet costs linear time: each piece would take seconds if it were quadratic. */
static void drop(void *ctx, str run)
{
	*(size_t *)ctx += run.n;
}

static void test_linear_time(void **state UNUSED)
{
	static const char fill[] = {'\r', '\n', '.', 'x'};
	static char piece[64 << 10];

	for (size_t i = 0; i < ARRAY_LEN(fill); i++) {
		size_t n = 0;
		struct data_scan d = {.emit = drop, .ctx = &n};

		memset(piece, fill[i], sizeof(piece));
		for (int k = 0; k < 16; k++)
			assert_int_equal(data_feed(&d, str_make(piece, sizeof(piece))), sizeof(piece));
		assert_true(n + 1 >= 16 * sizeof(piece));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_what_is_behind_stays),
		cmocka_unit_test(test_only_crlf_dot_crlf_ends),
		cmocka_unit_test(test_exact_sequence_ends_even_behind_a_bare_cr),
		cmocka_unit_test(test_normalised),
		cmocka_unit_test(test_nul_beside_the_dot),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_chunks_that_end_with_cr),
		cmocka_unit_test(test_linear_time),
	};

	return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
