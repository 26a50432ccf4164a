/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "filter/removal.h"

static void expect_left(str message, bool spam_fields, struct range *before, size_t n, const char *left)
{
	const struct removal how = {.hostname = STR("mx.example.org"), .spam_fields = spam_fields};
	struct inspect_reply reply = {.drop = before, .drop_n = n};
	BUF(header, 1 << 16);
	ARENA(a, 1 << 20);

	assert_int_equal(removal_add(&how, message, &reply, &a), OK);
	for (size_t i = 1; i < reply.drop_n; i++)
		assert_true(reply.drop[i].offset > reply.drop[i - 1].offset + reply.drop[i - 1].length);
	removal_apply(message, reply.drop, reply.drop_n, &header);
	assert_str(buf_str(&header), left);
}

static void nothing_to_do(void **state UNUSED)
{
	expect_left(STR("From: a@b\r\nAuthentication-Results: other.example; spf=pass\r\n\r\nAuthentication-Results: "
	                "mx.example.org; x\r\n"),
	            true, NULL, 0, "From: a@b\r\nAuthentication-Results: other.example; spf=pass\r\n");
	expect_left(STR(""), true, NULL, 0, "");
	expect_left(STR("no header at all"), true, NULL, 0, "");
}

static void forged_ones_go(void **state UNUSED)
{
	expect_left(STR("authentication-results: MX.example.org; dmarc=pass\r\n header.from=a.b\r\nFrom: "
	                "a@b\r\npombo-sender: verified\r\n"
	                "X-Spam-Flag: NO\r\nSubject: x\r\n\r\nbody\r\n"),
	            true, NULL, 0, "From: a@b\r\nSubject: x\r\n");
	expect_left(STR("X-Spam-Flag: NO\r\nX-Spam-Status: No\r\n\r\nbody\r\n"), false, NULL, 0,
	            "X-Spam-Flag: NO\r\nX-Spam-Status: No\r\n");
}

static void beside_what_goes_anyhow(void **state UNUSED)
{
	struct range bcc[] = {{11, 10}}; /* behind From */

	expect_left(STR("From: a@b\r\nBcc: c@d\r\nPombo-Sender: x\r\nTo: c\r\n\r\n"), false, bcc, 1,
	            "From: a@b\r\nTo: c\r\n");
}

/* A milter says with good reason that it is ours. */
static void what_was_added_here_stays(void **state UNUSED)
{
	const struct removal how = {
		STR("mx.example.org"), true,
		STR("X-Spam-Flag: NO\r\nAuthentication-Results: mx.example.org; x\r\n\r\nbody\r\n")};
	str now = STR("Authentication-Results: mx.example.org; y\r\nX-Spam-Flag: NO\r\nX-Spam-Flag: "
	              "YES\r\nPombo-Sender: x\r\n"
	              "Authentication-Results: mx.example.org; x\r\n\r\nbody\r\n");
	struct inspect_reply reply = {0};
	BUF(header, 1 << 16);
	ARENA(a, 1 << 20);

	assert_int_equal(removal_add(&how, now, &reply, &a), OK);
	removal_apply(now, reply.drop, reply.drop_n, &header);
	assert_str(buf_str(&header), "Authentication-Results: mx.example.org; y\r\nX-Spam-Flag: YES\r\n");
}

static void expect_hidden(const char *message, err expected)
{
	const struct removal how = {.hostname = STR("mx.example.org"), .spam_fields = true};
	struct inspect_reply reply = {0};
	ARENA(a, 1 << 20);

	assert_int_equal(removal_add(&how, str_from(message), &reply, &a), expected);
}

static void behind_what_is_no_field(void **state UNUSED)
{
	expect_hidden("From: a@b\r\nlost\r\nX: y\r\nAuthentication-Results:\r\n mx.example.org; x\r\n\r\n", E_LIMIT);
	expect_hidden("From: a@b\r\n\xc3\xbc: y\r\npombo-sender : z\r\n\r\n", E_LIMIT);
	expect_hidden("From: a@b\r\nlost\r\nAuthentication-Results: other.example; x\r\nX-Spam-Flag: NO\r\n\r\n", OK);
	expect_hidden("From: a@b\r\nlost\r\n \r\nAuthentication-Results: mx.example.org; x\r\n\r\n",
	              E_LIMIT); /* not empty */
	expect_hidden("From: a@b\r\nlost\r\n\r\nAuthentication-Results: mx.example.org; x\r\n", OK);
	expect_hidden("lost\r\nAuthentication-Results: mx.example.org; x\r\n", OK);
}

static void expect_too_many(const char *fields)
{
	const struct removal how = {.hostname = STR("mx.example.org"), .spam_fields = true};
	struct inspect_reply reply = {0};
	BUF(message, 1 << 20);
	ARENA(a, 1 << 20);

	for (int i = 0; i < 1001; i++)
		buf_puts(&message, fields);
	assert_int_equal(removal_add(&how, buf_str(&message), &reply, &a), E_LIMIT);
	assert_int_equal(err_info()->reply, 554);
}

static void too_many(void **state UNUSED)
{
	expect_too_many("X-Spam-Flag: NO\r\nX: y\r\n");
	expect_too_many("Authentication-Results: other.example; none\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_do),           cmocka_unit_test(forged_ones_go),
		cmocka_unit_test(beside_what_goes_anyhow), cmocka_unit_test(what_was_added_here_stays),
		cmocka_unit_test(behind_what_is_no_field), cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests_name("removal", tests, NULL, NULL);
}
