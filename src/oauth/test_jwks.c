/* SPDX-License-Identifier: ISC */
#include "oauth/jwks.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/test.h"
#include "oauth/tokens.h"

static struct jwks *keys_of(const char *json)
{
	struct jwks *s;

	assert_int_equal(jwks_read(str_from(json), &s), OK);
	return s;
}

static err verify(const struct jwks *s, const char *token)
{
	ARENA(a, 1 << 17);
	struct jwt t;
	err e = jwt_read(str_from(token), &a, &t);

	assert_int_equal(e, OK);
	e = jwks_verify(s, &t);
	jwt_free(&t);
	return e;
}

static void good(void **state UNUSED)
{
	struct jwks *s = keys_of(token_keys);

	assert_int_equal(jwks_count(s), 4);
	assert_int_equal(verify(s, token_rs256), OK);
	assert_int_equal(verify(s, token_ps256), OK);
	assert_int_equal(verify(s, token_es256), OK);
	assert_int_equal(verify(s, token_es384), OK);
	assert_int_equal(verify(s, token_eddsa), OK);
	assert_int_equal(verify(s, token_no_kid), OK);
	assert_int_equal(verify(s, token_new), E_NOT_FOUND);
	assert_int_equal(verify(s, token_foreign), E_DENIED);
	jwks_free(s);
	s = keys_of(token_other_keys);
	assert_int_equal(verify(s, token_new), OK);
	assert_int_equal(verify(s, token_rs256), E_NOT_FOUND);
	assert_int_equal(verify(s, token_no_kid), E_DENIED);
	jwks_free(s);
}

/* Each octet of a token counts. */
static void changed(void **state UNUSED)
{
	struct jwks *s = keys_of(token_keys);
	char token[2048];
	size_t n = strlen(token_es256), header = str_find(str_from(token_es256), '.');

	for (size_t i = header + 1; i < n; i += 7) {
		ARENA(a, 1 << 17);
		struct jwt t;

		memcpy(token, token_es256, n + 1);
		token[i] = token[i] == 'A' ? 'B' : 'A';
		if (jwt_read(str_make(token, n), &a, &t) == OK)
			assert_int_equal(jwks_verify(s, &t), E_DENIED);
		jwt_free(&t);
	}
	jwks_free(s);
}

/* Another algorithm in the header of a token than that of the key. */
static void confusion(void **state UNUSED)
{
	struct jwks *s = keys_of(token_keys);
	static const char *const names[] = {"RS512", "PS256", "ES256", "ES384", "EdDSA"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		ARENA(a, 1 << 17);
		struct jwt t;

		assert_int_equal(jwt_read(str_from(token_rs256), &a, &t), OK);
		t.algorithm = jose_algorithm_find(str_from(names[i]));
		err e = jwks_verify(s, &t);
		assert_true(e == E_DENIED || e == E_NOT_FOUND);
		jwt_free(&t);
	}
	jwks_free(s);
}

static err one(const char *members)
{
	char json[2048];
	struct jwks *s;

	snprintf(json, sizeof(json), "{\"keys\":[{%s}]}", members);
	err e = jwks_read(str_from(json), &s);
	jwks_free(s);
	return e;
}

#define ED25519 \
	"\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"" /* RFC 8037 A.2 */

static void what_is_left_out(void **state UNUSED)
{
	assert_int_equal(one(ED25519), OK);
	assert_int_equal(
		one(ED25519 ",\"use\":\"sig\",\"key_ops\":[\"sign\",\"verify\"],\"alg\":\"EdDSA\",\"kid\":\"x\""), OK);
	assert_int_equal(one(ED25519 ",\"use\":\"enc\""), E_SYNTAX);
	assert_int_equal(one(ED25519 ",\"use\":1"), E_SYNTAX);
	assert_int_equal(one(ED25519 ",\"key_ops\":[\"encrypt\"]"), E_SYNTAX);
	assert_int_equal(one(ED25519 ",\"key_ops\":\"verify\""), E_SYNTAX);
	assert_int_equal(one(ED25519 ",\"alg\":\"ES256\""), E_SYNTAX);
	assert_int_equal(one(ED25519 ",\"alg\":\"HS256\""), E_SYNTAX);
	assert_int_equal(
		one("\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""),
		E_SYNTAX);
	assert_int_equal(one("\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg\""), E_SYNTAX);
	assert_int_equal(one("\"kty\":\"oct\",\"k\":\"AAAA\""), E_SYNTAX);
	assert_int_equal(one("\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\""), E_SYNTAX);
	assert_int_equal(one("\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\""), E_SYNTAX);
	assert_int_equal(one(""), E_SYNTAX);
}

static void no_sets(void **state UNUSED)
{
	static const char *const texts[] = {
		"",       "{}",         "[]", "null", "{\"keys\":{}}", "{\"keys\":[]}", "{\"keys\":[1,\"x\",[],null]}",
		"<html>", "{\"keys\":["};
	struct jwks *s;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(jwks_read(str_from(texts[i]), &s), E_SYNTAX);
		assert_null(s);
	}
}

static void too_many(void **state UNUSED)
{
	BUF(json, 1 << 20);
	struct jwks *s;

	buf_puts(&json, "{\"keys\":[");
	for (int i = 0; i < JWKS_KEYS_MAX; i++)
		buf_puts(&json, "{" ED25519 "},");
	buf_puts(&json, "{" ED25519 "}]}");
	assert_int_equal(jwks_read(buf_str(&json), &s), E_LIMIT);
	while (json.n <= JWKS_OCTETS_MAX)
		buf_putc(&json, ' ');
	assert_int_equal(jwks_read(buf_str(&json), &s), E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(good),      cmocka_unit_test(changed),
	                                   cmocka_unit_test(confusion), cmocka_unit_test(what_is_left_out),
	                                   cmocka_unit_test(no_sets),   cmocka_unit_test(too_many)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
