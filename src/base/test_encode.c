/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/encode.h"

/* RFC 4648 10 */
static void test_base64_vectors(void **state UNUSED)
{
	static const char *const vectors[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
		{"\xfb\xff\xbf", "+/+/"},
	};

	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		BUF(text, 100);
		BUF(back, 100);
		base64_encode(&text, str_from(vectors[i][0]));
		assert_str(buf_str(&text), vectors[i][1]);
		assert_int_equal(base64_decode(&back, buf_str(&text)), OK);
		assert_str(buf_str(&back), vectors[i][0]);
	}
}

static void test_base64_is_strict(void **state UNUSED)
{
	static const char *const bad[] = {
		"Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm8=Zm8=", "Zm 9", "Zm-_", "Zm9v\n"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		BUF(out, 100);
		assert_int_equal(base64_decode(&out, str_from(bad[i])), E_SYNTAX);
		assert_int_equal(out.n, 0);
	}
}

static void test_base64_cap(void **state UNUSED)
{
	BUF(out, 2);

	assert_int_equal(base64_decode(&out, STR("Zm9v")), E_LIMIT);
	assert_true(out.full);
}

static void test_hex(void **state UNUSED)
{
	BUF(out, 8);

	hex_encode(&out, STR("\x00\xfa\x10"));
	assert_str(buf_str(&out), "00fa10");
	hex_encode(&out, STR("xy"));
	assert_true(out.full);
}

static void test_hex_digits(void **state UNUSED)
{
	assert_int_equal(hex_digit('0'), 0);
	assert_int_equal(hex_digit('9'), 9);
	assert_int_equal(hex_digit('a'), 10);
	assert_int_equal(hex_digit('F'), 15);
	for (const char *none = "/:@G`g\x10\x19\xc1"; *none != '\0'; none++)
		assert_int_equal(hex_digit(*none), -1);
	assert_int_equal(hex_octet(STR("a0rest")), 0xa0);
	assert_int_equal(hex_octet(STR("FF")), 0xff);
	assert_int_equal(hex_octet(STR("f")), -1);
	assert_int_equal(hex_octet(STR("fg")), -1);
	assert_int_equal(hex_octet(STR("g0")), -1);
	assert_int_equal(hex_octet(STR_NONE), -1);
}

static void test_percent(void **state UNUSED)
{
	ARENA(a, 100);

	assert_str(percent_decode(&a, STR("a%40b%c3%A9")), "a@b\xc3\xa9");
	assert_str(percent_decode(&a, STR("100%25")), "100%");
	assert_null(percent_decode(&a, STR("%4")).p);
	assert_null(percent_decode(&a, STR("x%")).p);
	assert_null(percent_decode(&a, STR("%zz")).p);
}

static void test_xtext(void **state UNUSED)
{
	BUF(text, 100);
	BUF(back, 100);

	xtext_encode(&text, STR("a+b=c d@example.org\xc3\xa9"));
	assert_str(buf_str(&text), "a+2Bb+3Dc+20d@example.org+C3+A9");
	assert_int_equal(xtext_decode(&back, buf_str(&text)), OK);
	assert_str(buf_str(&back), "a+b=c d@example.org\xc3\xa9");
}

static void test_xtext_faults(void **state UNUSED)
{
	static const char *const bad[] = {"a b", "a=b", "+", "+2", "+2b", "+0D+0A", "+00", "+7F", "\xc3\xa9", "+GG"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		BUF(out, 100);
		assert_int_equal(xtext_decode(&out, str_from(bad[i])), E_SYNTAX);
	}
	BUF(small, 2);
	assert_int_equal(xtext_decode(&small, STR("abc")), E_LIMIT);
}

static void test_ids(void **state UNUSED)
{
	static const uint64_t ids[] = {0, 1, 31, 32, 1234567890123, UINT64_MAX};
	char text[ID_TEXT_MAX];
	uint64_t id;

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		assert_true(id_parse(id_text(ids[i], text), &id));
		assert_true(id == ids[i]);
	}
	assert_str(id_text(0, text), "0");
	assert_str(id_text(UINT64_MAX, text), "FZZZZZZZZZZZZ");
	assert_true(id_parse(STR("1oIlz"), &id));
	assert_str(id_text(id, text), "1011Z");
	assert_false(id_parse(STR(""), &id));
	assert_false(id_parse(STR("U"), &id));
	assert_false(id_parse(STR("G000000000000"), &id));
	assert_false(id_parse(STR("00000000000001"), &id));
	assert_false(id_parse(STR("1\0"), &id));
}

/* RFC 3720 B.4 and the check value of the catalogue of CRCs. */
static void test_crc32c_vectors(void **state UNUSED)
{
	char zeros[32] = {0}, ones[32];

	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(crc32c(0, STR("123456789")), 0xe3069283);
	assert_int_equal(crc32c(0, str_make(zeros, 32)), 0x8a9136aa);
	assert_int_equal(crc32c(0, str_make(ones, 32)), 0x62a8ab43);
	assert_int_equal(crc32c(0, STR_NONE), 0);
}

static void test_crc32c_table_agrees(void **state UNUSED)
{
	char data[1000];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * i + i / 7);
	for (size_t n = 0; n < sizeof(data); n += 13) {
		str s = str_make(data, n);
		uint32_t crc = crc32c(0, s);
		assert_int_equal(crc, crc32c_by_table(0, s));
		assert_int_equal(crc, crc32c(crc32c(0, str_take(s, n / 3)), str_drop(s, n / 3)));
	}
}

static void test_escape(void **state UNUSED)
{
	BUF(out, 200);

	escape_text(&out, STR("caf\xc3\xa9\r\n\x1b[1m\x7f\xff\\ \xe2\x80\xae\xc2\x9b!"));
	assert_str(buf_str(&out), "caf\xc3\xa9\\x0d\\x0a\\x1b[1m\\x7f\\xff\\x5c \\xe2\\x80\\xae\\xc2\\x9b!");
}

static void test_json(void **state UNUSED)
{
	BUF(out, 200);

	json_quote(&out, STR("a\"b\\c\n\x01\x7f\xc3\xa9\xff\xe2\x80\xae"));
	assert_str(buf_str(&out), "\"a\\\"b\\\\c\\n\\u0001\\u007f\xc3\xa9\\ufffd\\u202e\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64_vectors),
		cmocka_unit_test(test_base64_is_strict),
		cmocka_unit_test(test_base64_cap),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_hex_digits),
		cmocka_unit_test(test_percent),
		cmocka_unit_test(test_xtext),
		cmocka_unit_test(test_xtext_faults),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_crc32c_vectors),
		cmocka_unit_test(test_crc32c_table_agrees),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests_name("encode", tests, NULL, NULL);
}
