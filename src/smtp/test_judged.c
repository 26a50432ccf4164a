/* SPDX-License-Identifier: ISC */
/* What the filter says is done: refused, junk, other recipients, another body. */
#include "smtp/talk.h"

#define TWO                                                                                                     \
	{                                                                                                       \
		STR("MAIL FROM:<a@x>\r\nRCPT TO:<u@example.org>\r\nRCPT TO:<v@example.org>\r\n"), "250 250 250" \
	}
#define DATA_STEP                      \
	{                              \
		STR("DATA\r\n"), "354" \
	}

static struct talk judged(const struct step *steps, const struct inspect_reply *says)
{
	struct talk t = talk_of(steps);

	t.fake.says = says;
	run(&t, 1);
	return t;
}

static void nothing_said(void **state UNUSED)
{
	const struct inspect_reply says = {.new_body = BODY_OF(STR_NONE)};
	struct talk t = judged(STEPS(HELLO, TWO, DATA_STEP, {STR(MESSAGE ".\r\n"), "250"}), &says);

	assert_str(buf_str(&t.fake.dispositions), "0 0 ");
	assert_str(buf_str(&t.fake.judged), "250 ");
	talk_free(&t);
}

static void verdicts(void **state UNUSED)
{
	struct rcpt_verdict each[] = {{DISPOSITION_DELIVER}, {DISPOSITION_JUNK}};
	struct judgement judgement = {.findings = STR("check spf pass 0 x\n")};
	const struct inspect_reply says = {.judgement = &judgement,
	                                   .judgement_n = 1,
	                                   .verdicts = each,
	                                   .verdicts_n = 2,
	                                   .headers = STR("X-Spam-Flag: YES\r\n"),
	                                   .new_body = BODY_OF(STR_NONE)};
	struct talk t = judged(STEPS(HELLO, TWO, DATA_STEP, {STR(MESSAGE ".\r\n"), "250"}), &says);

	assert_str(buf_str(&t.fake.dispositions), "0 1 ");
	assert_str(buf_str(&t.fake.judged), "250 check spf pass 0 x\n");
	assert_contains(&t.fake.headers, "\r\nX-Spam-Flag: YES\r\n");
	talk_free(&t);
}

/* What makes no sense is no verdict. */
static void wrong_verdicts(void **state UNUSED)
{
	struct rcpt_verdict each[] = {{DISPOSITION_JUNK}, {99}};
	struct inspect_reply says = {.verdicts = each, .verdicts_n = 1, .new_body = BODY_OF(STR_NONE)};
	struct talk t = judged(STEPS(HELLO, TWO, DATA_STEP, {STR(MESSAGE ".\r\n"), "250"}), &says);

	assert_str(buf_str(&t.fake.dispositions), "0 0 ");
	talk_free(&t);
	says.verdicts_n = 2;
	t = judged(STEPS(HELLO, TWO, DATA_STEP, {STR(MESSAGE ".\r\n"), "250"}), &says);
	assert_str(buf_str(&t.fake.dispositions), "1 0 ");
	talk_free(&t);
}

static void refused(void **state UNUSED)
{
	struct judgement judgement = {.findings = STR("decision dmarc reject 0 x\n")};
	const struct inspect_reply says = {.code = E_PERM,
	                                   .reply = 550,
	                                   .status = STR("5.7.1"),
	                                   .text = STR("Rejected by the policy of x"),
	                                   .judgement = &judgement,
	                                   .judgement_n = 1,
	                                   .new_body = BODY_OF(STR_NONE)};
	struct talk t = judged(
		STEPS(HELLO, ENVELOPE, DATA_STEP, {STR(MESSAGE ".\r\n"), "550"}, {STR("NOOP\r\n"), "250"}), &says);

	assert_contains(&t.text, "550 5.7.1 Rejected by the policy of x\r\n");
	assert_int_equal(t.fake.refusals, 1);
	assert_int_equal(t.fake.accepts, 0);
	assert_str(buf_str(&t.fake.judged), "550 decision dmarc reject 0 x\n");
	talk_free(&t);
}

static void refused_for_now(void **state UNUSED)
{
	const struct inspect_reply says = {.code = E_TEMP,
	                                   .reply = 451,
	                                   .status = STR("4.7.1"),
	                                   .text = STR("later"),
	                                   .new_body = BODY_OF(STR_NONE)};
	struct talk t = judged(STEPS(HELLO, ENVELOPE, DATA_STEP, {STR(MESSAGE ".\r\n"), "451"}), &says);

	assert_contains(&t.text, "451 4.7.1 later\r\n");
	assert_int_equal(t.fake.refusals, 0);
	talk_free(&t);
}

static void another_body_and_sender(void **state UNUSED)
{
	struct inspect_reply says = {.changed = CHANGED_BODY | CHANGED_SENDER,
	                             .new_sender = STR("new@x"),
	                             .new_body = BODY_OF(STR("Subject: t\r\n\r\nother\r\n"))};
	struct talk t = judged(STEPS(HELLO, ENVELOPE, DATA_STEP, {STR(MESSAGE ".\r\n"), "250"}), &says);

	assert_str(buf_str(&t.fake.body), "Subject: t\r\n\r\nother\r\n");
	assert_str(buf_str(&t.fake.sender), "new@x");
	talk_free(&t);
	says.new_sender = STR("this is none");
	t = judged(STEPS(HELLO, ENVELOPE, DATA_STEP, {STR(MESSAGE ".\r\n"), "250"}), &says);
	assert_str(buf_str(&t.fake.sender), "a@x");
	talk_free(&t);
}

static const struct inspect_reply *other_rcpts(struct inspect_reply *says, struct rcpt *rcpts, size_t n)
{
	*says = (struct inspect_reply){
		.changed = CHANGED_RCPTS, .new_rcpts = rcpts, .new_rcpts_n = n, .new_body = BODY_OF(STR_NONE)};
	return says;
}

/* Those who were there keep what RCPT said of them; new ones are asked for, and those nobody has are left out. */
static void other_recipients(void **state UNUSED)
{
	struct rcpt rcpts[] = {{.address = STR("u@example.org")},
	                       {.address = STR("nobody@example.org")},
	                       {.address = STR("w@example.org")}};
	struct rcpt_verdict each[] = {{DISPOSITION_DELIVER}, {DISPOSITION_DELIVER}, {DISPOSITION_JUNK}};
	struct inspect_reply says;

	other_rcpts(&says, rcpts, 3);
	says.verdicts = each;
	says.verdicts_n = 3;
	struct talk t = judged(
		STEPS(HELLO,
	              {STR("MAIL FROM:<a@x>\r\nRCPT TO:<u@example.org> NOTIFY=NEVER\r\nRCPT TO:<v@example.org>\r\n"),
	               "250 250 250"},
	              DATA_STEP, {STR(MESSAGE ".\r\n"), "250"}),
		&says);
	assert_str(buf_str(&t.fake.rcpts), "u@example.org  1\nw@example.org  0\n");
	assert_str(buf_str(&t.fake.dispositions), "0 1 ");
	talk_free(&t);
}

static void no_recipient_left(void **state UNUSED)
{
	struct inspect_reply says;
	struct talk t =
		judged(STEPS(HELLO, TWO, DATA_STEP, {STR(MESSAGE ".\r\n"), "250"}), other_rcpts(&says, NULL, 0));

	assert_str(buf_str(&t.fake.dispositions), "3 3 ");
	talk_free(&t);
}

/* A line for each RCPT, whoever it goes to now. */
static void other_recipients_of_lmtp(void **state UNUSED)
{
	struct rcpt rcpts[] = {{.address = STR("w@example.org")}};
	struct inspect_reply says;
	struct talk t = talk_of(STEPS({STR("LHLO x\r\n"), "250"}, TWO, DATA_STEP, {STR(MESSAGE ".\r\n"), "250 250"}));

	t.lmtp = true;
	t.fake.says = other_rcpts(&says, rcpts, 1);
	run(&t, 1);
	assert_str(buf_str(&t.fake.rcpts), "w@example.org  0\n");
	talk_free(&t);
}

/* One answer for all of them must not say that it failed when it is somebody's already: all or none. */
static void other_recipients_of_lmtp_are_one(void **state UNUSED)
{
	struct rcpt rcpts[] = {{.address = STR("w@example.org")}, {.address = STR("v@example.org")}};
	struct inspect_reply says;
	struct talk t = talk_of(STEPS({STR("LHLO x\r\n"), "250"}, TWO, DATA_STEP, {STR(MESSAGE ".\r\n"), "250 250"}));

	t.lmtp = true;
	t.fake.says = other_rcpts(&says, rcpts, 2);
	run(&t, 1);
	assert_true((t.fake.flags & MESSAGE_ALL_OR_NONE) != 0);
	talk_free(&t);
	t = talk_of(STEPS({STR("LHLO x\r\n"), "250"}, TWO, DATA_STEP, {STR(MESSAGE ".\r\n"), "250 250"}));
	t.lmtp = true;
	run(&t, 1);
	assert_int_equal(t.fake.flags & MESSAGE_ALL_OR_NONE, 0);
	talk_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_said),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(wrong_verdicts),
		cmocka_unit_test(refused),
		cmocka_unit_test(refused_for_now),
		cmocka_unit_test(another_body_and_sender),
		cmocka_unit_test(other_recipients),
		cmocka_unit_test(no_recipient_left),
		cmocka_unit_test(other_recipients_of_lmtp),
		cmocka_unit_test(other_recipients_of_lmtp_are_one),
	};

	return cmocka_run_group_tests_name("judged", tests, NULL, NULL);
}
