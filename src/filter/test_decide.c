/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "filter/decide.h"

#include <stdio.h>

struct situation {
	struct config *config;
	struct rcpt rcpts[3];
	struct checks checks;
	struct scan_result scan;
	struct decide_input in;
	struct arena arena;
	struct decision d;
};

static const char config_text[] = "version 1\nhostname mx.example.org\ndomain example.org\ndomain soft.example { dmarc "
				  "junk junk 8 reject never }\n"
				  "domain deaf.example { dmarc ignore }\nspam quarantine 10\n";

static void begin(struct situation *s)
{
	struct config_faults faults = {.text = BUF_INIT(4096)};

	*s = (struct situation){.arena = ARENA_INIT(1 << 20)};
	s->config = config_parse(str_from(config_text), "test", &faults);
	assert_non_null(s->config);
	s->rcpts[0].address = STR("alice@example.org");
	s->checks = (struct checks){.done = true,
	                            .kind = AUTHOR_ONE,
	                            .author = {.address = STR("bob@sender.example"), .domain = STR("sender.example")},
	                            .dmarc = {.result = AUTH_NONE}};
	s->in = (struct decide_input){.config = s->config,
	                              .rcpts = s->rcpts,
	                              .rcpts_n = 1,
	                              .checks = &s->checks,
	                              .reasons = STR("helo 2"),
	                              .id = 1234};
}

static void end(struct situation *s)
{
	config_release(s->config);
	arena_free(&s->arena);
}

static void run(struct situation *s)
{
	assert_int_equal(decide(&s->in, &s->arena, &s->d), OK);
}

static void fail_dmarc(struct situation *s, enum dmarc_policy policy)
{
	s->checks.dmarc = (struct dmarc_result){
		.result = AUTH_FAIL,
		.policy = policy,
		.record = {.domain = STR("sender.example"), .text = STR("v=DMARC1; p=reject"), .p = policy}};
}

static void expect_refused(const struct situation *s, uint64_t reply, const char *status, const char *text)
{
	assert_true(s->d.code != OK);
	assert_int_equal(s->d.reply, reply);
	assert_str(s->d.status, status);
	assert_str(s->d.text, text);
	assert_true(s->d.text.n < sizeof(((struct err_info *)0)->text));
}

static void expect_finding(const struct situation *s, const char *name, const char *result, const char *evidence)
{
	assert_str(s->d.finding.name, name);
	assert_str(s->d.finding.result, result);
	assert_str(s->d.finding.evidence, evidence);
}

static void nothing_against_it(void **state UNUSED)
{
	struct situation s;

	begin(&s);
	s.in.points = 1500;
	run(&s);
	assert_int_equal(s.d.code, OK);
	assert_int_equal(s.d.verdicts[0].disposition, DISPOSITION_DELIVER);
	expect_finding(&s, "points", "deliver", "1.5 points; junk from 5");
	end(&s);
}

static void points(void **state UNUSED)
{
	struct situation s;

	begin(&s);
	s.in.points = 7100;
	run(&s);
	assert_int_equal(s.d.worst, DISPOSITION_JUNK);
	expect_finding(&s, "points", "junk",
	               "7.1 points, the limit is 5; a little more than 2.1 fewer would have changed it");
	s.in.points = 10000;
	run(&s);
	assert_int_equal(s.d.worst, DISPOSITION_QUARANTINE);
	s.in.points = 15000;
	run(&s);
	expect_refused(&s, 550, "5.7.1", "Refused as spam (15 points: helo 2); id 16J");
	assert_str(s.d.finding.result, "reject");
	s.rcpts[0].address = STR("Alice@SOFT.example");
	run(&s);
	assert_int_equal(s.d.code, OK);
	end(&s);
}

static void policies(void **state UNUSED)
{
	struct situation s;

	begin(&s);
	fail_dmarc(&s, DMARC_REJECT);
	run(&s);
	expect_refused(&s, 550, "5.7.1",
	               "Rejected by the policy of sender.example (DMARC): neither SPF nor DKIM proved that it is from "
	               "there; ask its postmaster; id 16J");
	assert_int_equal(s.d.applied, DMARC_REJECT);
	expect_finding(&s, "dmarc", "reject",
	               "sender.example asks for it (DMARC); a DKIM signature of sender.example, or an envelope sender "
	               "of it that SPF lets pass, would have changed it");
	s.rcpts[0].address = STR("a@soft.example");
	run(&s);
	assert_int_equal(s.d.worst, DISPOSITION_JUNK);
	assert_int_equal(s.d.applied, DMARC_QUARANTINE);
	s.rcpts[0].address = STR("a@deaf.example");
	run(&s);
	assert_int_equal(s.d.worst, DISPOSITION_DELIVER);
	assert_int_equal(s.d.applied, DMARC_NONE);
	s.rcpts[0].address = STR("a@example.org");
	fail_dmarc(&s, DMARC_QUARANTINE);
	run(&s);
	assert_int_equal(s.d.worst, DISPOSITION_JUNK);
	fail_dmarc(&s, DMARC_NONE);
	run(&s);
	assert_int_equal(s.d.worst, DISPOSITION_DELIVER);
	end(&s);
}

static void a_trusted_sealer(void **state UNUSED)
{
	struct situation s;

	begin(&s);
	fail_dmarc(&s, DMARC_REJECT);
	s.checks.sealer = STR("lists.example");
	run(&s);
	assert_int_equal(s.d.worst, DISPOSITION_DELIVER);
	expect_finding(&s, "points", "deliver",
	               "0 points; junk from 5; DMARC fails, and lists.example is believed that it was authentic");
	end(&s);
}

/* One reply for all: those that would refuse it alone have it as junk. */
static void recipients_differ(void **state UNUSED)
{
	struct situation s;

	begin(&s);
	s.rcpts[1].address = STR("a@deaf.example");
	s.in.rcpts_n = 2;
	fail_dmarc(&s, DMARC_REJECT);
	run(&s);
	assert_int_equal(s.d.code, OK);
	assert_int_equal(s.d.verdicts[0].disposition, DISPOSITION_JUNK);
	assert_int_equal(s.d.verdicts[1].disposition, DISPOSITION_DELIVER);
	assert_true(str_ends(s.d.finding.evidence, STR("; it would be refused, but other recipients have it")));
	s.rcpts[1].address = STR("carol@example.org");
	run(&s);
	assert_int_equal(s.d.code, E_PERM);
	end(&s);
}

static void authors(void **state UNUSED)
{
	struct situation s;

	begin(&s);
	s.checks.kind = AUTHOR_SEVERAL;
	run(&s);
	expect_refused(&s, 550, "5.7.1", "The header has several From fields, so nobody can tell who wrote it; id 16J");
	s.checks.kind = AUTHOR_UNCLEAR;
	run(&s);
	assert_int_equal(s.d.worst, DISPOSITION_JUNK);
	s.checks.kind = AUTHOR_NONE;
	run(&s);
	assert_int_equal(s.d.worst, DISPOSITION_DELIVER);
	end(&s);
}

static void come_back_later(void **state UNUSED)
{
	struct situation s;

	begin(&s);
	s.in.greylisted = true;
	s.in.points = 4500;
	run(&s);
	expect_refused(&s, 451, "4.7.1",
	               "Not known here yet, and a little suspicious (helo 2); try again in 6 minutes");
	assert_str(s.d.finding.name, "greylist");
	assert_true(str_ends(s.d.finding.evidence, STR("; fewer than 4 points would have changed it")));
	s.in.points = 20000;
	run(&s);
	assert_int_equal(s.d.reply, 550);
	s.in.points = 0;
	s.in.greylisted = false;
	fail_dmarc(&s, DMARC_REJECT);
	s.checks.dmarc.result = AUTH_TEMPERROR;
	run(&s);
	expect_refused(
		&s, 451, "4.7.1",
		"The DNS does not tell at present whether sender.example has sent this (DMARC); try again later");
	assert_true(str_ends(s.d.finding.evidence, STR("; an answer of the DNS would have changed it")));
	s.checks.dmarc.policy = DMARC_QUARANTINE;
	run(&s);
	assert_int_equal(s.d.code, OK);
	end(&s);
}

static void from_the_front(void **state UNUSED)
{
	struct situation s;

	begin(&s);
	s.in.front = true;
	s.in.greylisted = true;
	fail_dmarc(&s, DMARC_REJECT);
	run(&s);
	assert_int_equal(s.d.code, OK);
	assert_int_equal(s.d.worst, DISPOSITION_DELIVER);
	s.in.points = 20000;
	run(&s);
	assert_int_equal(s.d.code, OK);
	assert_int_equal(s.d.worst, DISPOSITION_JUNK);
	end(&s);
}

static void scanners(void **state UNUSED)
{
	struct situation s;

	begin(&s);
	s.in.scan = &s.scan;
	s.scan = (struct scan_result){
		.action = SCAN_REJECT, .reply = 554, .status = STR("5.7.1"), .text = STR("a virus")};
	run(&s);
	expect_refused(&s, 554, "5.7.1", "a virus");
	expect_finding(&s, "scanner", "reject", "a scanner says so: a virus");
	s.scan = (struct scan_result){.action = SCAN_LATER, .reply = 451, .status = STR("4.7.0"), .text = STR("later")};
	run(&s);
	expect_refused(&s, 451, "4.7.0", "later");
	s.scan = (struct scan_result){.action = SCAN_DISCARD};
	run(&s);
	assert_int_equal(s.d.worst, DISPOSITION_DISCARD);
	s.scan = (struct scan_result){.action = SCAN_QUARANTINE};
	run(&s);
	assert_int_equal(s.d.worst, DISPOSITION_QUARANTINE);
	end(&s);
}

/* Whatever others wrote: the text of a reply is not cut. */
static void long_names(void **state UNUSED)
{
	struct situation s;
	char name[254], reasons[300];

	begin(&s);
	memset(name, 'a', sizeof(name));
	memset(reasons, 'r', sizeof(reasons));
	fail_dmarc(&s, DMARC_REJECT);
	s.checks.author.domain = str_make(name, 253);
	s.in.reasons = str_make(reasons, sizeof(reasons));
	s.in.id = UINT64_MAX;
	run(&s);
	assert_true(s.d.text.n < sizeof(((struct err_info *)0)->text));
	s.checks.dmarc.result = AUTH_TEMPERROR;
	run(&s);
	assert_true(s.d.text.n < sizeof(((struct err_info *)0)->text));
	s.in.points = 999999;
	run(&s);
	assert_true(s.d.text.n < sizeof(((struct err_info *)0)->text));
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_against_it), cmocka_unit_test(points),
		cmocka_unit_test(policies),           cmocka_unit_test(a_trusted_sealer),
		cmocka_unit_test(recipients_differ),  cmocka_unit_test(authors),
		cmocka_unit_test(come_back_later),    cmocka_unit_test(from_the_front),
		cmocka_unit_test(scanners),           cmocka_unit_test(long_names),
	};

	return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
