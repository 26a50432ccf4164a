/* SPDX-License-Identifier: ISC */
#include "spam/tokens.h"

#include "base/buf.h"
#include "base/test.h"

static bool has(const struct token *t, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (str_equal(t[i].word, str_from(word)))
			return true;
	return false;
}

static void words_of_a_message(void **state UNUSED)
{
	static const char *const wanted[] = {"subject:caf\xc3\xa9",
	                                     "subject:caf\xc3\xa9 offer",
	                                     "from:alice",
	                                     "from:alice@example.org",
	                                     "has:x-mailer",
	                                     "mailer:bat!",
	                                     "hello",
	                                     "link:shop.example.com",
	                                     "link:example.com",
	                                     "image:address",
	                                     "id:example.org",
	                                     "part:html",
	                                     "hello you"};
	static const char *const unwanted[] = {"link:com", "href", "12345", "has:x-spam-flag", "spamhost", "secret"};
	ARENA(a, TOKENS_MEMORY);
	struct token *t;
	size_t n;

	assert_int_equal(
		tokens_of(
			STR("Received: from spamhost\r\nX-Spam-Flag: YES\r\nAuthentication-Results: spamhost\r\n"
	                    "Subject: =?utf-8?Q?Caf=C3=A9?= offer\r\nFrom: Alice <alice@example.org>\r\nX-Mailer: The "
	                    "Bat!\r\n"
	                    "Message-ID: <12345@example.org>\r\nContent-Type: text/html\r\n\r\n"
	                    "Hel<b>lo</b> you <a href=\"http://shop.example.com/x\">here</a><img src=http://192.0.2.1/>"
	                    "<p style=\"display:none\"></p><div style=\"display:none\">secret</div>"),
			&a, &t, &n),
		OK);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		if (!has(t, n, wanted[i]))
			fail_msg("%s", wanted[i]);
	for (size_t i = 0; i < ARRAY_LEN(unwanted); i++)
		if (has(t, n, unwanted[i]))
			fail_msg("%s", unwanted[i]);
}

static void nothing(void **state UNUSED)
{
	ARENA(a, TOKENS_MEMORY);
	ARENA(small, 1000);
	struct token *t;
	size_t n;

	assert_int_equal(tokens_of(STR_NONE, &a, &t, &n), OK);
	assert_int_equal(tokens_of(STR("Subject: x\r\n\r\n"), &small, &t, &n), E_LIMIT);
}

/* 50 MB of HTML, as words, as tags, as text that is no UTF-8. */
static void large(void **state UNUSED)
{
	static const char *const pieces[] = {"word <b>x</b> ", "<a href=http://x.example/>", "\xff\xfe\xc3", "&#99;",
	                                     "<p>"};

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		ARENA(a, TOKENS_MEMORY);
		BUF(m, 50 << 20);
		struct token *t;
		size_t n;

		buf_puts(&m, "Content-Type: text/html; charset=utf-8\r\n\r\n");
		while (!m.full)
			buf_puts(&m, pieces[i]);
		assert_int_equal(tokens_of(buf_str(&m), &a, &t, &n), OK);
		assert_true(n <= TOKENS_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_a_message),
		cmocka_unit_test(nothing),
		cmocka_unit_test(large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
