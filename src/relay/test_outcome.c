/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "base/date.h"
#include "relay/outcome.h"

#include <stdio.h>

#define NOW     (1000 * USEC_PER_SEC)
#define MINUTE  (60 * NSEC_PER_SEC)
#define MINUTES (60 * USEC_PER_SEC)

static const struct config_queue schedule = {.retry = {5 * MINUTE, 15 * MINUTE, 60 * MINUTE}, .retries = 3};

static void expect_due(uint64_t attempts, int64_t minutes)
{
	int64_t middle = NOW + minutes * MINUTES, tenth = minutes * MINUTES / 10;

	assert_int_equal(outcome_due(&schedule, attempts, NOW, 0), middle - tenth);
	assert_int_equal(outcome_due(&schedule, attempts, NOW, (uint64_t)tenth), middle);
	assert_int_equal(outcome_due(&schedule, attempts, NOW, (uint64_t)(2 * tenth)), middle + tenth);
	for (uint64_t random = 1, i = 0; i < 50; random *= 3, i++)
		assert_in_range(outcome_due(&schedule, attempts, NOW, random), middle - tenth, middle + tenth);
}

static void the_schedule(void **state UNUSED)
{
	expect_due(0, 5);
	expect_due(1, 15);
	expect_due(2, 60);
	expect_due(3, 60);
	expect_due(UINT64_MAX, 60);
}

static void short_times(void **state UNUSED)
{
	struct config_queue q = {.retry = {1000}, .retries = 1}; /* a microsecond has no tenth */

	assert_int_equal(outcome_due(&q, 0, NOW, 77), NOW + 1);
}

static void replies(void **state UNUSED)
{
	ARENA(a, 4096);

	assert_str(reply_line(&a, 550, STR("5.1.1"), STR("No such user")), "550 5.1.1 No such user");
	assert_str(reply_line(&a, 450, STR_NONE, STR("Later")), "450 Later");
	assert_str(reply_line(&a, 250, STR("2.0.0"), STR_NONE), "250 2.0.0");
	assert_str(reply_line(&a, 0, STR("5.3.4"), STR("Too large for it")), "Too large for it");
}

static struct outcome heard(err result, int code, struct arena *a)
{
	struct smtp_send_rcpt r = {.result = result, .code = code, .status = STR("x.1.1"), .reply = STR("text")};

	return outcome_heard(
		7, &r, &(struct relay_connection){.host = STR("mx[192.0.2.1]:25"), .security = STR("TLSv1.3")}, a);
}

static void what_was_heard(void **state UNUSED)
{
	ARENA(a, 4096);
	struct outcome o = heard(OK, 250, &a);

	assert_int_equal(o.rcpt, 7);
	assert_int_equal(o.result, OUTCOME_RELAYED);
	assert_str(o.reply, "250 x.1.1 text");
	assert_str(o.host, "mx[192.0.2.1]:25");
	assert_str(o.security, "TLSv1.3");
	assert_int_equal(heard(E_PERM, 550, &a).result, OUTCOME_FAILED);
	assert_int_equal(heard(E_TEMP, 450, &a).result, OUTCOME_LATER);
	assert_str(heard(E_PERM, 0, &a).host, ""); /* the server was not asked */
}

static void what_went_wrong(void **state UNUSED)
{
	ARENA(a, 4096);
	struct trouble t;

	(void)err_set(E_PERM, 556, "5.1.10", "takes no mail");
	trouble_note(&t, &a, E_PERM);
	struct outcome o = outcome_of_trouble(3, &t);
	assert_int_equal(o.result, OUTCOME_FAILED);
	assert_str(o.status, "5.1.10");
	assert_str(o.reply, "takes no mail");
	assert_str(o.host, "");
	(void)err_note(E_CLOSED, "refused");
	trouble_note(&t, &a, E_CLOSED);
	o = outcome_of_trouble(3, &t);
	assert_int_equal(o.result, OUTCOME_LATER);
	assert_str(o.status, "4.4.2");
}

static struct trouble said(int code, const char *status, struct arena *a)
{
	struct smtp_reply r = {.code = code, .text = BUF_INIT(100)};
	struct trouble t;

	snprintf(r.status, sizeof(r.status), "%s", status);
	buf_puts(&r.text, "go away");
	trouble_said(&t, a, &r, &(struct relay_connection){.host = STR("mx[192.0.2.1]:25")});
	buf_free(&r.text);
	return t;
}

static void what_a_host_said(void **state UNUSED)
{
	ARENA(a, 4096);
	struct trouble t = said(554, "5.7.1", &a);

	assert_int_equal(t.code, E_TEMP); /* another host may be of another mind, and so may this one tomorrow */
	assert_str(t.status, "4.7.1");
	assert_str(t.reply, "554 5.7.1 go away");
	assert_str(t.host, "mx[192.0.2.1]:25");
	assert_int_equal(said(521, "5.3.2", &a).code, E_PERM); /* RFC 7504 */
	assert_str(said(421, "", &a).status, "4.3.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_schedule),   cmocka_unit_test(short_times),     cmocka_unit_test(replies),
		cmocka_unit_test(what_was_heard), cmocka_unit_test(what_went_wrong), cmocka_unit_test(what_a_host_said),
	};

	return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
