/* SPDX-License-Identifier: ISC */
/* Settings of authentication and of the judge. */
#include "conf/fake.h"

static void defaults(void **state UNUSED)
{
	struct config *c = parse(HEAD);

	assert_int_equal(c->authenticate, CONFIG_YES);
	assert_int_equal(c->dkim_rotate, 180 * 86400 * NSEC_PER_SEC);
	assert_int_equal(c->arc_trust_n + c->blocklists_n + c->rules_n + c->scanners_n, 0);
	assert_int_equal(c->arc_seal, CONFIG_NO);
	assert_int_equal(c->suffix_list, CONFIG_YES);
	assert_int_equal(c->dmarc_reports, TLS_REPORTS_SEND);
	assert_int_equal(c->dmarc_reports_every, 0);
	assert_int_equal(c->spam.judge, CONFIG_YES);
	assert_int_equal(c->spam.greylist, 4000);
	assert_int_equal(c->spam.greylist_delay, 300 * NSEC_PER_SEC);
	assert_int_equal(c->spam.junk_inbox, CONFIG_NO);
	assert_int_equal(c->spam.learn_moves, CONFIG_YES);
	assert_int_equal(c->spam.history, 60);
	assert_int_equal(c->domains[0].dkim, DKIM_RSA | DKIM_ED25519);
	assert_int_equal(c->domains[0].dmarc, DMARC_OBEY);
	assert_int_equal(c->domains[0].spam.junk, 5000);
	assert_true(c->domains[0].spam.quarantine == CONFIG_POINTS_NEVER);
	assert_int_equal(c->domains[0].spam.reject, 15000);
	config_release(c);
}

static void domains(void **state UNUSED)
{
	struct config *c =
		parse("version 1\nhostname a.b\ndomain a.b { dkim rsa dmarc junk junk 3.5 reject never }\n"
	              "domain c.d { dkim off }\ndomain e.f { dkim ed25519 rsa  dmarc ignore }\nspam reject 20\n");

	assert_int_equal(c->domains[0].dkim, DKIM_RSA);
	assert_int_equal(c->domains[0].dmarc, DMARC_JUNK);
	assert_int_equal(c->domains[0].spam.junk, 3500);
	assert_true(c->domains[0].spam.reject == CONFIG_POINTS_NEVER);
	assert_int_equal(c->domains[1].dkim, 0);
	assert_int_equal(c->domains[1].spam.reject, 20000);
	assert_int_equal(c->domains[2].dkim, DKIM_RSA | DKIM_ED25519);
	assert_int_equal(c->domains[2].dmarc, DMARC_IGNORE);
	config_release(c);
	expect_printed("version 1\nhostname a.b\ndomain a.b { dkim rsa dmarc junk junk 3.5 reject never }\n",
	               "domain a.b { dkim rsa dmarc junk junk 3.5 reject never }\n");
	expect_printed("version 1\nhostname a.b\ndomain a.b { dkim off catchall x@a.b }\n",
	               "domain a.b { catchall x@a.b dkim off }\n");
	expect_fault_at("domain a.b { dkim dsa }", "4:19: no such kind of signature: \"dsa\" (did you mean \"rsa\"?)");
	expect_fault_at("domain a.b { dkim rsa off }", "4:23: off stands alone");
	expect_fault_at("domain a.b { dmarc obay }", "4:20: dmarc cannot be \"obay\" (did you mean \"obey\"?)");
	expect_fault_at("domain a.b { junk many }",
	                "4:19: \"many\" is not a number of points such as 5, 2.5 or -0.25, nor never");
	expect_fault_at("domain a.b { junk 20 }", "1:1: a.b: points have to rise from junk over quarantine to reject");
}

static void thresholds(void **state UNUSED)
{
	struct config *c = parse(
		HEAD "spam junk 2.5 quarantine 8 reject never greylist never\nspam greylist-delay 1m junk-to inbox\n"
		     "spam history 7d judge no learn-moves no\n");

	assert_int_equal(c->spam.thresholds.junk, 2500);
	assert_int_equal(c->spam.thresholds.quarantine, 8000);
	assert_true(c->spam.thresholds.reject == CONFIG_POINTS_NEVER);
	assert_true(c->spam.greylist == CONFIG_POINTS_NEVER);
	assert_int_equal(c->spam.junk_inbox, CONFIG_YES);
	assert_int_equal(c->spam.learn_moves, CONFIG_NO);
	assert_int_equal(c->spam.history, 7);
	assert_int_equal(c->spam.judge, CONFIG_NO);
	config_release(c);
	expect_fault_at("spam junk 16", "1:1: spam: points have to rise from junk over quarantine to reject");
	expect_fault_at("spam quarantine 4", "1:1: spam: points have to rise from junk over quarantine to reject");
	expect_fault_at("spam junk 5,5", "4:11: \"5,5\" is not a number of points such as 5, 2.5 or -0.25, nor never");
	expect_fault_at("spam history 90m", "4:14: \"90m\" is not a number of days such as 60d");
	expect_fault_at("spam history 0d", "4:14: \"0d\" is too small for history, the least is 1d");
	expect_fault_at("spam jugde no", "4:6: spam has no option \"jugde\" (did you mean \"judge\"?)");
}

static void sealers(void **state UNUSED)
{
	struct config *c = parse(HEAD "arc trust Lists.example example.net seal yes\n");

	assert_int_equal(c->arc_trust_n, 2);
	assert_str(c->arc_trust[0], "lists.example");
	assert_int_equal(c->arc_seal, CONFIG_YES);
	config_release(c);
	expect_printed(HEAD "arc trust a.b c.d\n", "\narc trust a.b c.d\narc seal no\n");
	expect_fault_at(
		"arc trust a_b",
		"4:11: \"a_b\" is not the name of a domain: only letters, digits, hyphens and dots make a domain name");
}

static void lists(void **state UNUSED)
{
	struct config *c =
		parse(HEAD "dnsbl zen.example\nuribl dbl.example points 2.25\ndnsbl good.example points -3\n");

	assert_int_equal(c->blocklists_n, 3);
	assert_int_equal(c->blocklists[0].points, 4000);
	assert_true(c->blocklists[1].domains);
	assert_int_equal(c->blocklists[1].points, 2250);
	assert_false(c->blocklists[2].domains);
	assert_int_equal(c->blocklists[2].points, -3000);
	config_release(c);
	expect_printed(HEAD "uribl a.b\ndnsbl c.d points 1\n", "\ndnsbl c.d points 1\nuribl a.b points 4\n");
	expect_fault_at("dnsbl a.b\ndnsbl A.b", "5:7: dnsbl a.b is there twice, first at f:4:7");
	expect_fault_at("dnsbl a.b points never", "4:18: \"never\" is not a number of points such as 5, 2.5 or -0.25");
}

static void rules(void **state UNUSED)
{
	struct config *c = parse(HEAD "rule helo-no-address points 0.125\nrule no-date points -1\n");

	assert_int_equal(c->rules_n, 2);
	assert_str(c->rules[0].name, "helo-no-address");
	assert_int_equal(c->rules[0].points, 125);
	assert_int_equal(c->rules[1].points, -1000);
	config_release(c);
	expect_printed(HEAD "rule x points 0.125\n", "\nrule x points 0.125\n");
	expect_fault_at("rule x 5", "4:8: behind the name of the rule stands points POINTS");
	expect_fault_at("rule X points 5", "4:6: \"X\" is not the name of a rule");
	expect_fault_at("rule x points 5\nrule x points 6", "5:6: rule x is there twice, first at f:4:6");
}

static void scanners(void **state UNUSED)
{
	struct config *c = parse(
		HEAD "scanner rspamd 127.0.0.1:11333\nscanner clamd unix:/run/c fail closed timeout 30s mail all\n"
		     "scanner milter [::1]:8891\n");

	assert_int_equal(c->scanners_n, 3);
	assert_int_equal(c->scanners[0].kind, SCANNER_RSPAMD);
	assert_false(c->scanners[0].closed);
	assert_int_equal(c->scanners[0].timeout, 10 * NSEC_PER_SEC);
	assert_int_equal(c->scanners[0].mail, SCANNER_IN);
	assert_true(c->scanners[1].closed);
	assert_int_equal(c->scanners[1].timeout, 30 * NSEC_PER_SEC);
	assert_int_equal(c->scanners[1].address.sa.ss_family, AF_UNIX);
	assert_int_equal(c->scanners[2].mail, SCANNER_IN | SCANNER_OUT);
	config_release(c);
	expect_printed(HEAD "scanner milter [::1]:8891 mail out\n",
	               "\nscanner milter [::1]:8891 fail open timeout 10s mail out\n");
	expect_fault_at("scanner rspam 127.0.0.1:1", "4:9: no such program \"rspam\" (did you mean \"rspamd\"?)");
	expect_fault_at("scanner spamd localhost",
	                "4:15: \"localhost\" is not an address such as 127.0.0.1:11333 or unix:/run/clamav/clamd.ctl");
	expect_fault_at("scanner spamd [::1]:783 fail shut", "4:30: fail cannot be \"shut\"");
	expect_fault_at("scanner spamd [::1]:783 timeout 6m",
	                "4:33: \"6m\" is not a time such as 30s, 5m, 2h or 1d, from 1s to 5m");
	expect_fault_at("scanner spamd", "4:14: scanner needs a value: ADDRESS");
}

static void the_rest(void **state UNUSED)
{
	struct config *c =
		parse(HEAD "authenticate no\ndkim-rotate never\npublic-suffix-list no\ndmarc-reports off every 2s\n");

	assert_int_equal(c->authenticate, CONFIG_NO);
	assert_int_equal(c->dkim_rotate, 0);
	assert_int_equal(c->suffix_list, CONFIG_NO);
	assert_int_equal(c->dmarc_reports, TLS_REPORTS_OFF);
	assert_int_equal(c->dmarc_reports_every, 2 * NSEC_PER_SEC);
	config_release(c);
	expect_fault_at("dkim-rotate 180", "4:13: \"180\" is not a time such as 30s, 5m, 2h or 1d, nor never");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults), cmocka_unit_test(domains),  cmocka_unit_test(thresholds),
		cmocka_unit_test(sealers),  cmocka_unit_test(lists),    cmocka_unit_test(rules),
		cmocka_unit_test(scanners), cmocka_unit_test(the_rest),
	};

	return cmocka_run_group_tests_name("spam", tests, NULL, NULL);
}
