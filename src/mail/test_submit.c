/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/buf.h"
#include "mail/submit.h"

static const struct inspect_options options = {.hops = 50, .hostname = STR("mx.example.org"), .at = 0};

static struct inspect_reply submit(struct arena *a, str message)
{
	struct origin origin = {.login = STR("alice@example.org")};
	struct inspect_request q = {
		.id = 1234, .origin = &origin, .origin_n = 1, .flags = MESSAGE_SUBMISSION, .body = BODY_OF(message)};
	struct inspect_reply r = {0};

	submit_message(&q, &options, &r, a);
	assert_false(a->full);
	return r;
}

/* What the store keeps of it, below the trace headers. */
static void assert_kept(const char *message, const char *expected)
{
	ARENA(a, 1 << 20);
	BUF(kept, 1 << 16);
	str body = str_from(message);
	struct inspect_reply r = submit(&a, body);
	size_t at = 0;

	assert_int_equal(r.code, OK);
	buf_put(&kept, r.headers);
	for (size_t i = 0; i < r.drop_n; i++) {
		buf_put(&kept, str_take(str_drop(body, at), r.drop[i].offset - at));
		at = r.drop[i].offset + r.drop[i].length;
	}
	buf_put(&kept, str_drop(body, at));
	assert_string_equal(arena_z(&a, buf_str(&kept)), expected);
}

static void assert_refused(const char *message, const char *text)
{
	ARENA(a, 1 << 20);
	struct inspect_reply r = submit(&a, str_from(message));

	if (r.code != E_PERM || !str_contains(r.text, str_from(text)))
		fail_msg("%s: %d " STR_FMT, message, (int)r.code, STR_ARG(r.text));
	assert_int_equal(r.reply, 550);
	assert_str(r.status, "5.6.0");
}

#define COMPLETE "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@x>\r\n"

static void test_a_complete_message_stays(void **state UNUSED)
{
	assert_kept(COMPLETE "From: alice@example.org\r\n\r\nhi\r\n", COMPLETE "From: alice@example.org\r\n\r\nhi\r\n");
	assert_kept(COMPLETE "FROM : alice@example.org\r\n", COMPLETE "FROM : alice@example.org\r\n");
}

static void test_what_is_missing_is_added(void **state UNUSED)
{
	assert_kept("From: alice@example.org\r\n\r\nDate: x\r\n",
	            "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\nMessage-ID: <16J@mx.example.org>\r\n"
	            "From: alice@example.org\r\n\r\nDate: x\r\n");
}

static void test_an_added_message_id_is_reported(void **state UNUSED)
{
	ARENA(a, 1 << 20);

	assert_str(submit(&a, STR("From: a@b\r\n\r\n")).message_id, "<16J@mx.example.org>");
}

/* RFC 5322 3.6.2 */
static void test_several_authors_get_a_sender(void **state UNUSED)
{
	assert_kept(COMPLETE "From: alice@example.org, bob@example.org\r\n\r\n",
	            "Sender: alice@example.org\r\n" COMPLETE "From: alice@example.org, bob@example.org\r\n\r\n");
	assert_kept(COMPLETE "From: alice@example.org, bob@example.org\r\nSender: bob@example.org\r\n\r\n",
	            COMPLETE "From: alice@example.org, bob@example.org\r\nSender: bob@example.org\r\n\r\n");
}

static void test_bcc_is_dropped(void **state UNUSED)
{
	assert_kept(COMPLETE "bcc: carol@example.org,\r\n\tdave@example.org\r\nFrom: alice@example.org\r\nBCC :\r\n"
	                     "Resent-Bcc: x\r\n\r\nBcc: text\r\n",
	            COMPLETE "From: alice@example.org\r\n\r\nBcc: text\r\n");
	assert_kept("From alice Thu Jan  1 1970\nBcc: x\n" COMPLETE "From: alice@example.org\r\n\r\n",
	            COMPLETE "From: alice@example.org\r\n\r\n");
}

static void test_ranges_are_joined_and_few(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	BUF(b, 1 << 20);

	struct inspect_reply r = submit(&a, STR("Bcc: x\r\nBcc: y\r\nFrom: a@b\r\n\r\n"));
	assert_int_equal(r.drop_n, 1);
	assert_int_equal(r.drop[0].offset, 0);
	assert_int_equal(r.drop[0].length, 16);
	buf_puts(&b, "From: a@b\r\n");
	for (int i = 0; i < 101; i++)
		buf_puts(&b, "Bcc: x\r\nX: y\r\n");
	assert_int_equal(submit(&a, buf_str(&b)).code, E_PERM);
}

static void test_authors(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct inspect_reply r =
		submit(&a, STR("From: \"A, B\" <a@example.org>, G: b@example.org;\r\nSender: c@example.org\r\n\r\n"));

	assert_int_equal(r.authors_n, 3);
	assert_str(r.authors[0].address, "a@example.org");
	assert_str(r.authors[1].address, "b@example.org");
	assert_str(r.authors[2].address, "c@example.org");
}

/* RFC 5322 3.6.6: they are the login's, too. */
static void test_resent(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	BUF(b, 1 << 16);
	struct inspect_reply r = submit(&a, STR("Resent-From: d@example.org, e@example.org\r\nResent-Sender: "
	                                        "f@example.org\r\nresent-from : g@example.org\r\n"
	                                        "From: a@example.org\r\nSender: c@example.org\r\n\r\n"));

	assert_int_equal(r.authors_n, 6);
	assert_str(r.authors[2].address, "d@example.org");
	assert_str(r.authors[4].address, "f@example.org");
	assert_str(r.authors[5].address, "g@example.org");
	assert_refused("From: a@b\r\nResent-From: nobody\r\n\r\n", "Resent field must name");
	assert_refused("From: a@b\r\nResent-Sender:\r\n\r\n", "Resent field must name");
	buf_puts(&b, "From: a@b\r\n");
	for (int i = 0; i < 21; i++)
		buf_puts(&b, "Resent-From: a@b\r\n");
	buf_putc(&b, 0);
	assert_refused(b.p, "too many Resent");
}

static void test_so_many_authors(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	BUF(b, 1 << 16);

	buf_puts(&b, "Resent-From: a@b");
	for (int i = 1; i < 99; i++)
		buf_puts(&b, ", a@b");
	buf_puts(&b, "\r\nFrom: a@b");
	size_t from = b.n;
	buf_puts(&b, "\r\n\r\n");
	assert_int_equal(submit(&a, buf_str(&b)).authors_n, 100);
	b.n = from;
	buf_puts(&b, ", c@d\r\n\r\n");
	buf_putc(&b, 0);
	assert_refused(b.p, "too many authors");
}

/* A program of this machine has no address of its own. */
static void test_sender_of_a_local_program(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct origin origin = {.login = STR("uid=1000"), .client = STR("unix")};
	struct inspect_request q = {.id = 1234,
	                            .origin = &origin,
	                            .origin_n = 1,
	                            .sender = STR("cron@example.org"),
	                            .flags = MESSAGE_SUBMISSION | MESSAGE_LOCAL,
	                            .body = BODY_OF(STR(COMPLETE "From: a@b, c@d\r\n\r\n"))};
	struct inspect_reply r = {0};

	submit_message(&q, &options, &r, &a);
	assert_str(r.headers, "Sender: cron@example.org\r\n");
	q.sender = STR_NONE;
	submit_message(&q, &options, &r, &a);
	assert_str(r.headers, "");
}

static void test_refused(void **state UNUSED)
{
	assert_refused("", "exactly one From");
	assert_refused("\r\nhi\r\n", "exactly one From");
	assert_refused("From: a@b\r\nSubject: x\r\nFrom: c@d\r\n\r\n", "exactly one From");
	assert_refused("From: a@b\r\nSender: c@d\r\nSender: c@d\r\n\r\n", "only one Sender");
	assert_refused("From: a@b\r\nSender: c@d, e@f\r\n\r\n", "name one address");
	assert_refused("From: nobody\r\n\r\n", "From field must name");
	assert_refused("From: Nobody:;\r\n\r\n", "From field must name");
	assert_refused("From: a@b\r\nodd line\r\nFrom: c@d\r\n\r\n", "empty line");
	assert_refused("From: a@b\r\nX: y\rFrom: c@d\r\n\r\n", "CR that stands alone");
}

static void test_nul(void **state UNUSED)
{
	ARENA(a, 1 << 20);

	assert_int_equal(submit(&a, STR("From: a@b\r\nX: \0\r\n\r\n")).code, E_PERM);
	assert_int_equal(submit(&a, STR("From: a@b\r\nX: \r\n\r\n\0\r")).code, OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_complete_message_stays),
		cmocka_unit_test(test_what_is_missing_is_added),
		cmocka_unit_test(test_an_added_message_id_is_reported),
		cmocka_unit_test(test_several_authors_get_a_sender),
		cmocka_unit_test(test_bcc_is_dropped),
		cmocka_unit_test(test_ranges_are_joined_and_few),
		cmocka_unit_test(test_authors),
		cmocka_unit_test(test_resent),
		cmocka_unit_test(test_so_many_authors),
		cmocka_unit_test(test_sender_of_a_local_program),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
