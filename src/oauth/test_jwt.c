/* SPDX-License-Identifier: ISC */
#include "oauth/jwt.h"

#include "base/encode.h"
#include "base/test.h"
#include "oauth/base64url.h"
#include "oauth/tokens.h"

static void encode(struct buf *out, const char *text)
{
	BUF(base64, 8192);

	base64_encode(&base64, str_from(text));
	for (size_t i = 0; i < base64.n && base64.p[i] != '='; i++)
		buf_putc(out, base64.p[i] == '+' ? '-' : base64.p[i] == '/' ? '_' : base64.p[i]);
}

static err read_parts(const char *header, const char *claims, const char *signature)
{
	BUF(token, 1 << 15);
	ARENA(a, 1 << 17);
	struct jwt t;

	encode(&token, header);
	buf_putc(&token, '.');
	encode(&token, claims);
	buf_putc(&token, '.');
	buf_puts(&token, signature);
	err e = jwt_read(buf_str(&token), &a, &t);
	jwt_free(&t);
	return e;
}

static void good(void **state UNUSED)
{
	ARENA(a, 1 << 17);
	struct jwt t;

	assert_int_equal(jwt_read(str_from(token_rs256), &a, &t), OK);
	assert_str(t.kid, "r");
	assert_ptr_equal(t.algorithm, jose_algorithm_find(STR("RS256")));
	assert_int_equal(t.signature.n, 256);
	assert_int_equal(t.signed_part.n, str_find_last(str_from(token_rs256), '.'));
	assert_string_equal(json_string_value(json_object_get(t.claims, "email")), "alice@example.org");
	jwt_free(&t);
	assert_int_equal(jwt_read(str_from(token_no_kid), &a, &t), OK);
	assert_int_equal(t.kid.n, 0);
	jwt_free(&t);
	assert_int_equal(read_parts("{\"alg\":\"ES256\"}", "{}", "AA"), OK);
	assert_int_equal(
		read_parts("{\"alg\":\"ES256\",\"typ\":\"AT+JWT\",\"jku\":\"https://evil.example\"}", "{}", "AA"), OK);
}

static void algorithms(void **state UNUSED)
{
	ARENA(a, 1 << 17);
	struct jwt t;

	assert_int_equal(jwt_read(str_from(token_hs256), &a, &t), E_SYNTAX);
	assert_string_equal(err_info()->text, "the token's algorithm is not allowed");
	assert_int_equal(jwt_read(str_from(token_none), &a, &t), E_SYNTAX);
	assert_string_equal(err_info()->text, "the token's algorithm is not allowed");
	assert_int_equal(read_parts("{\"alg\":\"none\"}", "{}", "AA"), E_SYNTAX);
	assert_int_equal(read_parts("{\"alg\":\"nOnE\"}", "{}", ""), E_SYNTAX);
	assert_int_equal(read_parts("{\"alg\":[\"ES256\"]}", "{}", "AA"), E_SYNTAX);
	assert_int_equal(read_parts("{}", "{}", "AA"), E_SYNTAX);
}

static void headers(void **state UNUSED)
{
	assert_int_equal(read_parts("{\"alg\":\"ES256\",\"crit\":[\"b64\"],\"b64\":false}", "{}", "AA"), E_SYNTAX);
	assert_int_equal(read_parts("{\"alg\":\"ES256\",\"typ\":\"logout+jwt\"}", "{}", "AA"), E_SYNTAX);
	assert_int_equal(read_parts("{\"alg\":\"ES256\",\"typ\":1}", "{}", "AA"), E_SYNTAX);
	assert_int_equal(read_parts("{\"alg\":\"ES256\",\"kid\":1}", "{}", "AA"), E_SYNTAX);
	assert_int_equal(read_parts("[\"ES256\"]", "{}", "AA"), E_SYNTAX);
	assert_int_equal(read_parts("{\"alg\":\"ES256\"}", "[]", "AA"), E_SYNTAX);
	assert_int_equal(read_parts("{\"alg\":\"ES256\"}", "{", "AA"), E_SYNTAX);
	assert_int_equal(read_parts("{\"alg\":\"ES256\"}", "{\"a\":[[[[[[[[[[[[[[1]]]]]]]]]]]]]]}", "AA"), E_LIMIT);
}

static void no_tokens(void **state UNUSED)
{
	static const char *const texts[] = {
		"",   ".",    "..",      "a.b.c",   "e30.e30.",    "e30.e30.AA",      "opaque",
		"..", "e30.", "e30.e30", ".e30.AA", "e30=.e30.AA", "e30.e30.AA.AA.AA"};
	BUF(token, 1 << 15);
	ARENA(a, 1 << 17);
	struct jwt t;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(jwt_read(str_from(texts[i]), &a, &t), E_SYNTAX);
	assert_int_equal(read_parts("{\"alg\":\"ES256\"}", "{}", "A"), E_SYNTAX);
	assert_int_equal(read_parts("{\"alg\":\"ES256\"}", "{}", "AB"), E_SYNTAX); /* bits left over */
	assert_int_equal(read_parts("{\"alg\":\"ES256\"}", "{}", "AA=="), E_SYNTAX);
	assert_int_equal(read_parts("{\"alg\":\"ES256\"}", "{}", "A+AA"), E_SYNTAX);
	assert_int_equal(read_parts("{\"alg\":\"ES256\"}", "{}", "AA.AA"),
	                 E_SYNTAX); /* encrypted ones have five parts */
	while (token.n <= JWT_MAX)
		buf_putc(&token, 'a');
	assert_int_equal(jwt_read(buf_str(&token), &a, &t), E_LIMIT);
}

static void alphabet(void **state UNUSED)
{
	ARENA(a, 1 << 12);
	str out;

	assert_int_equal(base64url_decode(STR("-_8"), &a, &out), OK);
	assert_true(str_equal(out, STR("\xfb\xff")));
	assert_int_equal(base64url_decode(STR("+/8"), &a, &out), E_SYNTAX);
	assert_int_equal(base64url_decode(STR(""), &a, &out), E_SYNTAX);
	assert_int_equal(base64url_decode(STR("AAAAA"), &a, &out), E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(good), cmocka_unit_test(algorithms),
	                                   cmocka_unit_test(headers), cmocka_unit_test(no_tokens),
	                                   cmocka_unit_test(alphabet)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
