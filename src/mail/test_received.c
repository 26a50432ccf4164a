/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "mail/header.h"
#include "mail/received.h"

static void print(struct buf *b, const char *helo, const char *client, const char *recipient)
{
	struct origin o = {.helo = str_from(helo), .client = str_from(client), .protocol = STR("ESMTP")};

	received_print(b, &(struct received){.origin = &o,
	                                     .hostname = STR("mx.example.org"),
	                                     .id = 1234,
	                                     .only_recipient = str_from(recipient),
	                                     .at = 0});
}

static void test_one_recipient(void **state UNUSED)
{
	BUF(b, 1000);

	print(&b, "client.example", "192.0.2.1", "u@example.org");
	assert_str(buf_str(&b),
	           "Received: from client.example ([192.0.2.1])\r\n\tby mx.example.org with ESMTP id 16J\r\n"
	           "\tfor <u@example.org>; Thu, 1 Jan 1970 00:00:00 +0000\r\n");
}

static void test_recipient_beyond_ascii(void **state UNUSED)
{
	BUF(domain, 1000);
	BUF(local, 1000);

	print(&domain, "client.example", "192.0.2.1",
	      "u@b\xc3\xbc"
	      "cher.example");
	assert_true(str_contains(buf_str(&domain), STR("\r\n\tfor <u@xn--bcher-kva.example>;")));
	print(&local, "client.example", "192.0.2.1", "\xc3\xbc@example.org");
	assert_true(str_is_ascii(buf_str(&local)));
	assert_false(str_contains(buf_str(&local), STR("for <")));
}

static void test_hidden_client(void **state UNUSED)
{
	BUF(b, 1000);
	struct origin o = {.helo = STR("laptop"), .client = STR("192.0.2.1"), .protocol = STR("ESMTPSA")};

	received_print(&b, &(struct received){
				   .origin = &o, .hostname = STR("mx.example.org"), .id = 1234, .hide_client = true});
	assert_str(buf_str(&b), "Received: by mx.example.org with ESMTPSA id 16J; Thu, 1 Jan 1970 00:00:00 +0000\r\n");
}

static void test_several_recipients(void **state UNUSED)
{
	BUF(b, 1000);

	print(&b, "[192.0.2.1]", "2001:db8::1", "");
	assert_str(buf_str(&b),
	           "Received: from [192.0.2.1] ([IPv6:2001:db8::1])\r\n\tby mx.example.org with ESMTP id 16J; "
	           "Thu, 1 Jan 1970 00:00:00 +0000\r\n");
}

static void test_unix_client(void **state UNUSED)
{
	BUF(b, 1000);

	print(&b, "", "unix", "");
	assert_true(str_starts(buf_str(&b), STR("Received: from unknown (unix)\r\n")));
}

static void test_local_user(void **state UNUSED)
{
	struct origin o = {
		.helo = STR("host.example"), .client = STR("unix"), .protocol = STR("ESMTP"), .login = STR("uid=1000")};
	BUF(b, 1000);

	received_print(&b, &(struct received){.origin = &o, .hostname = STR("mx.example.org"), .id = 1234});
	assert_true(
		str_starts(buf_str(&b), STR("Received: from host.example (local user 1000)\r\n\tby mx.example.org")));
}

static void test_tls(void **state UNUSED)
{
	struct origin o = {.helo = STR("client.example"), .client = STR("192.0.2.1"), .protocol = STR("ESMTPS")};
	BUF(b, 1000);

	received_print(&b, &(struct received){.origin = &o,
	                                      .hostname = STR("mx.example.org"),
	                                      .tls_version = STR("TLSv1.3"),
	                                      .tls_cipher = STR("TLS_AES_256_GCM_SHA384"),
	                                      .id = 1234});
	assert_str(buf_str(&b), "Received: from client.example ([192.0.2.1])\r\n\tby mx.example.org with ESMTPS "
	                        "(TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n\tid 16J; Thu, 1 Jan 1970 00:00:00 +0000\r\n");
}

/* Whatever a client calls itself, the field is one field and its words stay where they are. */
static void test_hostile_names(void **state UNUSED)
{
	static const char *const names[] = {
		"x) by evil (", "a\r\nX-Evil: 1", "[IPv6:::1", "\x1b[31m", "\xe2\x80\xae",
		"a;b",          "a\"b",           "a b",       "(((((",    "\\",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		BUF(b, 1000);
		struct header_field f;
		size_t at = 0;

		print(&b, names[i], "192.0.2.1", "a\r\nb@example.org");
		assert_true(header_next(buf_str(&b), &at, &f));
		assert_int_equal(at, b.n);
		assert_int_equal(str_find_last(buf_str(&b), '('), str_find(buf_str(&b), '('));
		assert_int_equal(str_find_last(buf_str(&b), ')'), str_find(buf_str(&b), ')'));
		assert_int_equal(str_find_last(buf_str(&b), ';'), str_find(buf_str(&b), ';'));
		assert_true(str_is_ascii(buf_str(&b)));
		assert_false(str_contains(buf_str(&b), STR("for")));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_recipient), cmocka_unit_test(test_recipient_beyond_ascii),
		cmocka_unit_test(test_hidden_client), cmocka_unit_test(test_several_recipients),
		cmocka_unit_test(test_unix_client),   cmocka_unit_test(test_local_user),
		cmocka_unit_test(test_tls),           cmocka_unit_test(test_hostile_names),
	};

	return cmocka_run_group_tests_name("received", tests, NULL, NULL);
}
