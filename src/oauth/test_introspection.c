/* SPDX-License-Identifier: ISC */
#include "oauth/introspection.h"

#include "base/test.h"

static const struct claims_rules rules = {.audience = {"mail", 4}, .user = {"username", 8}, .now = 1800000000};

static err read_answer(const char *json)
{
	ARENA(a, 1 << 16);
	struct claims c;
	err e = introspection_read(str_from(json), &rules, &a, &c);

	if (e == OK)
		assert_str(c.user, "alice@example.org");
	return e;
}

static void answers(void **state UNUSED)
{
	/* RFC 7662 2.2 */
	assert_int_equal(
		read_answer(
			"{\"active\": true, \"client_id\": \"l238j323ds-23ij4\", \"username\": \"alice@example.org\","
			"\"scope\": \"read write dolphin\", \"aud\": \"mail\", \"iss\": "
	                "\"https://server.example.com/\","
			"\"exp\": 1819356238, \"iat\": 1419350238, \"extension_field\": \"twenty-seven\"}"),
		OK);
	assert_int_equal(read_answer("{\"active\":true,\"username\":\"alice@example.org\",\"aud\":\"mail\"}"), OK);
	assert_int_equal(read_answer("{\"active\": false}"), E_DENIED);
	assert_string_equal(err_info()->text, "the token is not active");
	assert_int_equal(read_answer("{\"active\":false,\"username\":\"alice@example.org\",\"aud\":\"mail\"}"),
	                 E_DENIED);
	assert_int_equal(read_answer("{\"active\":true,\"username\":\"alice@example.org\",\"aud\":\"other\"}"),
	                 E_DENIED);
	assert_int_equal(
		read_answer("{\"active\":true,\"username\":\"alice@example.org\",\"aud\":\"mail\",\"exp\":1000000000}"),
		E_DENIED);
	assert_int_equal(read_answer("{\"active\":true,\"aud\":\"mail\"}"), E_DENIED);
}

static void no_answers(void **state UNUSED)
{
	static const char *const texts[] = {"",
	                                    "{}",
	                                    "[]",
	                                    "true",
	                                    "<html>",
	                                    "{\"active\":\"true\",\"username\":\"alice@example.org\",\"aud\":\"mail\"}",
	                                    "{\"active\":1,\"username\":\"alice@example.org\",\"aud\":\"mail\"}",
	                                    "{\"error\":\"invalid_client\"}"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(read_answer(texts[i]), E_SYNTAX);
	assert_int_equal(read_answer("{\"active\":[[[[[[[[[[[[[[true]]]]]]]]]]]]]]}"), E_LIMIT);
}

static void questions(void **state UNUSED)
{
	BUF(out, 1000);

	introspection_ask(STR("a-._~+/b=="), &out);
	assert_str(buf_str(&out), "token_type_hint=access_token&token=a-._~%2B%2Fb%3D%3D");
	buf_reset(&out);
	introspection_encode(STR("a b&c\xc3\xb6%\0:"), &out);
	assert_str(buf_str(&out), "a%20b%26c%C3%B6%25%00%3A");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(answers), cmocka_unit_test(no_answers),
	                                   cmocka_unit_test(questions)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
