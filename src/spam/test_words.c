/* SPDX-License-Identifier: ISC */
#include "spam/words.h"

#include "base/buf.h"
#include "base/test.h"

static void show(const struct words *w, struct buf *out)
{
	for (size_t i = 0; i < w->n; i++)
		buf_printf(out, "%s" STR_FMT, i == 0 ? "" : "|", STR_ARG(w->tokens[i].word));
}

static void texts(void **state UNUSED)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"Hello, World! a b", "hello|world!"},
		{"don't co-operate -- 'quoted' end.", "don't|co-operate|quoted|end"},
		{"pay $1,000.00 now 100%", "pay|$1,000.00|now|100%"},
		{"one one ONE", "one"},
		{"caf\xc3\xa9\xc2\xa0x1", "caf\xc3\xa9|x1"},
		{"vi\xe2\x80\x8b"
	         "ag\xc2\xadra",
	         "viagra"},
		{"a\xff"
	         "bc",
	         "bc"},
		{"\xe6\xbc\xa2\xe5\xad\x97\xe6\x96\x87 ab", "\xe6\xbc\xa2\xe5\xad\x97|\xe5\xad\x97\xe6\x96\x87|ab"},
		{"0123456789012345678901234567890123456789 01234567890123456789012345678901234567890",
	         "0123456789012345678901234567890123456789"},
		{"alice@example.org", "alice@example.org"},
		{"...---...", ""},
		{"", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ARENA(a, TOKENS_MEMORY);
		BUF(out, 1000);
		struct words w;

		assert_int_equal(words_begin(&w, &a), OK);
		words_field(&w, STR_NONE, false);
		words_of_text(&w, str_from(cases[i].text));
		show(&w, &out);
		assert_str(buf_str(&out), cases[i].want);
	}
}

static void pairs_and_fields(void **state UNUSED)
{
	ARENA(a, TOKENS_MEMORY);
	BUF(out, 1000);
	struct words w;

	assert_int_equal(words_begin(&w, &a), OK);
	words_field(&w, STR("subject:"), true);
	words_of_text(&w, STR("buy now"));
	words_field(&w, STR_NONE, true);
	words_of_text(&w, STR("now buy now"));
	words_field(&w, STR("from:"), false);
	words_add(&w, STR("Alice@example.org"));
	show(&w, &out);
	assert_str(buf_str(&out),
	           "subject:buy|subject:now|subject:buy now|now|buy|now buy|buy now|from:alice@example.org");
}

/* What the store keeps means the same tomorrow and on every machine. */
static void hashes_stay(void **state UNUSED)
{
	ARENA(a, TOKENS_MEMORY);
	struct words w;

	assert_int_equal(words_begin(&w, &a), OK);
	words_field(&w, STR("subject:"), true);
	words_of_text(&w, STR("extraordinary offers"));
	assert_int_equal(w.n, 3);
	assert_int_equal(w.tokens[0].hash, UINT64_C(0xde1247205c317172));
	assert_int_equal(w.tokens[2].hash, UINT64_C(0x9ae9dcf6963c0a2));
}

static void no_more_than_the_limit(void **state UNUSED)
{
	ARENA(a, TOKENS_MEMORY);
	BUF(text, 1 << 20);
	struct words w;

	for (int i = 0; i < 2 * TOKENS_MAX; i++)
		buf_printf(&text, "a-word-as-long-as-they-may-be-or-so-%d ", i);
	assert_int_equal(words_begin(&w, &a), OK);
	words_field(&w, STR("mailer:"), true);
	words_of_text(&w, buf_str(&text));
	assert_int_equal(w.n, TOKENS_MAX);
	assert_false(a.full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(pairs_and_fields),
		cmocka_unit_test(hashes_stay),
		cmocka_unit_test(no_more_than_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
