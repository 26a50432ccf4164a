/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim_canon.h"

#include "base/encode.h"
#include "base/test.h"

static void assert_hash_of(struct dkim_canon_out *o, str want)
{
	struct crypto_digest got, expected;

	assert_int_equal(dkim_canon_end(o, &got), OK);
	assert_int_equal(crypto_hash(CRYPTO_SHA256, want, &expected), OK);
	if (!str_equal(crypto_digest_str(&got), crypto_digest_str(&expected)))
		fail_msg("not \"" STR_FMT "\"", STR_ARG(want));
	assert_int_equal(o->total, want.n);
}

static void body_is(enum dkim_canon canon, const char *body, const char *want)
{
	CLEANUP(dkim_canon_free) struct dkim_canon_out o = {0};

	dkim_canon_begin(&o, UINT64_MAX);
	dkim_canon_body(&o, canon, str_from(body));
	assert_hash_of(&o, str_from(want));
}

static void assert_base64(enum dkim_canon canon, const char *body, const char *want)
{
	CLEANUP(dkim_canon_free) struct dkim_canon_out o = {0};
	struct crypto_digest digest;
	BUF(text, 100);

	dkim_canon_begin(&o, UINT64_MAX);
	dkim_canon_body(&o, canon, str_from(body));
	assert_int_equal(dkim_canon_end(&o, &digest), OK);
	base64_encode(&text, crypto_digest_str(&digest));
	assert_str(buf_str(&text), want);
}

/* RFC 6376 3.4.3, 3.4.4: the values that they print. */
static void test_empty_body(void **state UNUSED)
{
	assert_base64(DKIM_SIMPLE, "", "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
	assert_base64(DKIM_RELAXED, "", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

/* RFC 6376 3.4.5 */
static void test_examples(void **state UNUSED)
{
	body_is(DKIM_RELAXED, " C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n");
	body_is(DKIM_SIMPLE, " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n");
}

static void test_bodies(void **state UNUSED)
{
	static const char *const simple[][2] = {
		{"", "\r\n"},
		{"\r\n", "\r\n"},
		{"\r\n\r\n\r\n", "\r\n"},
		{"a", "a\r\n"},
		{"a\r\n", "a\r\n"},
		{"a\r\n\r\n\r\nb\r\n\r\n", "a\r\n\r\n\r\nb\r\n"},
		{"a \r\n \r\n\r\n", "a \r\n \r\n"},
		{"a\nb\n\n", "a\r\nb\r\n"},
		{"\n\na\n", "\r\n\r\na\r\n"},
		{"a\rb\r\n", "a\rb\r\n"},
		{"a\r\r\n", "a\r\r\n"},
	};
	static const char *const relaxed[][2] = {
		{"", ""},
		{"\r\n", ""},
		{" \r\n\t\r\n \t ", ""},
		{"a", "a\r\n"},
		{"a \t\r\n\r\n  \r\nb\t\tc  d\r\n", "a\r\n\r\n\r\nb c d\r\n"},
		{"  a\r\n\tb\r\n", " a\r\n b\r\n"},
		{"a\nb \n\n", "a\r\nb\r\n"},
		{"a b c\r\nd  e\r\n", "a b c\r\nd e\r\n"},
		{"a \r b\r\n", "a \r b\r\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(simple); i++)
		body_is(DKIM_SIMPLE, simple[i][0], simple[i][1]);
	for (size_t i = 0; i < ARRAY_LEN(relaxed); i++)
		body_is(DKIM_RELAXED, relaxed[i][0], relaxed[i][1]);
}

static void test_length(void **state UNUSED)
{
	CLEANUP(dkim_canon_free) struct dkim_canon_out o = {0};
	struct crypto_digest got, want;

	for (size_t n = 0; n <= 12; n++) {
		str whole = STR("a\r\nb c\r\nd\r\n");
		dkim_canon_begin(&o, n);
		dkim_canon_body(&o, DKIM_RELAXED, STR("a\nb \t c \nd\n\n"));
		assert_int_equal(dkim_canon_end(&o, &got), OK);
		assert_int_equal(o.total, whole.n);
		assert_int_equal(crypto_hash(CRYPTO_SHA256, str_take(whole, n), &want), OK);
		assert_true(str_equal(crypto_digest_str(&got), crypto_digest_str(&want)));
	}
}

static void field_is(enum dkim_canon canon, const char *field, const char *want)
{
	CLEANUP(dkim_canon_free) struct dkim_canon_out o = {0};
	struct header_field f;
	size_t at = 0;

	assert_true(header_next(str_from(field), &at, &f));
	dkim_canon_begin(&o, UINT64_MAX);
	dkim_canon_field(&o, canon, &f);
	assert_hash_of(&o, str_from(want));
}

static void test_fields(void **state UNUSED)
{
	field_is(DKIM_RELAXED, "A: X\r\n", "a:X\r\n"); /* RFC 6376 3.4.5 */
	field_is(DKIM_RELAXED, "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n");
	field_is(DKIM_SIMPLE, "B : Y\t\r\n\tZ  \r\n", "B : Y\t\r\n\tZ  \r\n");
	field_is(DKIM_RELAXED, "SUBJect:\r\n a\n\t  b\r\n \r\n", "subject:a b\r\n");
	field_is(DKIM_SIMPLE, "Subject: a\n b\n", "Subject: a\r\n b\r\n");
	field_is(DKIM_RELAXED, "Cc:\r\n", "cc:\r\n");
	field_is(DKIM_RELAXED, "Cc:x", "cc:x\r\n");
	field_is(DKIM_RELAXED,
	         "AbcdefghijAbcdefghijAbcdefghijAbcdefghijAbcdefghijAbcdefghijAbcdefghijAbcdefghij: x\r\n",
	         "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij:x\r\n");
}

static void signature_is(enum dkim_canon canon, const char *field, const char *b, const char *want)
{
	CLEANUP(dkim_canon_free) struct dkim_canon_out o = {0};
	struct header_field f;
	size_t at = 0, where;

	assert_true(header_next(str_from(field), &at, &f));
	for (where = 0; !str_starts(str_drop(f.value, where), str_from(b)); where++)
		;
	dkim_canon_begin(&o, UINT64_MAX);
	dkim_canon_signature(&o, canon, &f, str_take(str_drop(f.value, where), strlen(b)));
	assert_hash_of(&o, str_from(want));
}

/* RFC 6376 3.7: the value of b= with all white space around it is treated as if it were empty; there is no line end. */
static void test_signature(void **state UNUSED)
{
	signature_is(DKIM_RELAXED, "S: a=x; b= AB\r\n CD ; c=y\r\n", " AB\r\n CD ", "s:a=x; b=; c=y");
	signature_is(DKIM_SIMPLE, "S: a=x; b= AB\r\n CD ; c=y\r\n", " AB\r\n CD ", "S: a=x; b=; c=y");
	signature_is(DKIM_RELAXED, "S: a=x;\r\n\tb=AB\r\n", "AB", "s:a=x; b=");
	signature_is(DKIM_RELAXED, "S: a=x; b=AB ;\r\n", "AB ", "s:a=x; b=;");
}

/* --- what is looked at many octets at a time --- */

/* RFC 6376 3.4.3, 3.4.4, line by line. */
static void spell_out(enum dkim_canon canon, str body, struct buf *out)
{
	size_t empty = 0;

	while (body.n > 0) {
		size_t at = str_find(body, '\n'), before = out->n;
		str line = str_take(body, at > 0 && at < body.n && body.p[at - 1] == '\r' ? at - 1 : at);
		BUF(plain, 1000);
		for (size_t i = 0; i < line.n; i++) {
			bool blank = canon == DKIM_RELAXED && (line.p[i] == ' ' || line.p[i] == '\t');
			if (!blank)
				buf_putc(&plain, line.p[i]);
			else if (plain.n == 0 || plain.p[plain.n - 1] != ' ')
				buf_putc(&plain, ' ');
		}
		plain.n -= canon == DKIM_RELAXED && plain.n > 0 && plain.p[plain.n - 1] == ' ';
		body = str_drop(body, at + 1);
		empty++;
		if (plain.n == 0)
			continue;
		for (; empty > 1; empty--)
			buf_puts(out, "\r\n");
		buf_put(out, buf_str(&plain));
		buf_puts(out, "\r\n");
		empty = 0;
		assert_true(out->n > before);
	}
	if (out->n == 0 && canon == DKIM_SIMPLE)
		buf_puts(out, "\r\n");
}

static void test_any_body(void **state UNUSED)
{
	static const char *const pieces[] = {"\r\n",
	                                     "\n",
	                                     "\r",
	                                     " ",
	                                     "\t",
	                                     "a",
	                                     "word and word",
	                                     "\r\n\r\n",
	                                     "many words of a line\r\n",
	                                     "that has to be looked at\r\n",
	                                     "at once\r\n"};
	uint32_t random = 1;

	for (int round = 0; round < 4000; round++) {
		BUF(body, 2000);
		BUF(want, 4000);
		enum dkim_canon canon = round % 2 == 0 ? DKIM_SIMPLE : DKIM_RELAXED;
		for (int i = round % 60; i > 0; i--) {
			random = random * 1664525 + 1013904223;
			buf_puts(&body, pieces[(random >> 24) % ARRAY_LEN(pieces)]);
		}
		CLEANUP(dkim_canon_free) struct dkim_canon_out o = {0};
		spell_out(canon, buf_str(&body), &want);
		dkim_canon_begin(&o, UINT64_MAX);
		dkim_canon_body(&o, canon, buf_str(&body));
		assert_hash_of(&o, buf_str(&want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_body), cmocka_unit_test(test_examples), cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_any_body),   cmocka_unit_test(test_length),   cmocka_unit_test(test_fields),
		cmocka_unit_test(test_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
