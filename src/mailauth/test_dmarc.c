/* SPDX-License-Identifier: ISC */
/* Records found and judged over zones in text (RFC 9989). */
#include "base/test.h"

#include "mailauth/dmarc.h"
#include "mailauth/vector_dns.h"

enum { LOG_MAX = 100 };

static struct vector_dns dns;
static struct resolver resolver;
static struct arena memory;
static struct dmarc_found found;
static struct dmarc_result result;
static str asked[LOG_MAX];
static size_t asked_n;

static err logging_ask(void *ctx, const struct resolve_request *q, struct resolve_reply *r, struct arena *a,
                       nsec deadline)
{
	if (asked_n < LOG_MAX)
		asked[asked_n++] = arena_str(&memory, q->name);
	return vector_ask(ctx, q, r, a, deadline);
}

static int begin(void **state UNUSED)
{
	resolver = (struct resolver){.ask = logging_ask, .ctx = &dns};
	memory = ARENA_INIT(1 << 20);
	asked_n = 0;
	return 0;
}

static int end(void **state UNUSED)
{
	vector_dns_clear(&dns);
	arena_free(&memory);
	return 0;
}

#define ZONE(...) vector_zone(&dns, (const char *const[]){__VA_ARGS__, NULL})

static enum auth_result find(const char *author)
{
	asked_n = 0;
	assert_int_equal(dmarc_find(&resolver, str_from(author), false, RT_NEVER, &memory, &found), OK);
	assert_true(found.result == AUTH_PASS || found.why.n > 0);
	return found.result;
}

/* --- discovery --- */

static void test_own_record(void **state UNUSED)
{
	ZONE("_dmarc.example.com TXT v=DMARC1; p=reject; sp=none", "_dmarc.a.example.com TXT v=DMARC1; p=quarantine");
	assert_int_equal(find("example.com"), AUTH_PASS);
	assert_str(found.record.domain, "example.com");
	assert_str(found.record.text, "v=DMARC1; p=reject; sp=none");
	assert_int_equal(found.record.p, DMARC_REJECT);
	assert_str(found.organization, "example.com");
	assert_false(found.nonexistent);
	assert_int_equal(find("a.example.com"), AUTH_PASS);
	assert_str(found.record.domain, "a.example.com");
	assert_str(found.organization, "example.com");
}

static void test_record_above(void **state UNUSED)
{
	ZONE("_dmarc.example.com TXT v=DMARC1; p=reject", "_dmarc.b.example.com TXT v=DMARC1; p=none",
	     "b.example.com A 192.0.2.1");
	assert_int_equal(find("x.b.example.com"), AUTH_PASS);
	assert_str(found.record.domain, "example.com"); /* not the one between */
	assert_str(found.organization, "example.com");
	assert_true(found.nonexistent);
	ZONE("x.b.example.com MX 1 a.example"); /* there, but without an address */
	assert_int_equal(find("x.b.example.com"), AUTH_PASS);
	assert_false(found.nonexistent);
}

static void test_no_record(void **state UNUSED)
{
	ZONE("example.org A 192.0.2.1", "_dmarc.example.org TXT v=spf1 -all");
	assert_int_equal(find("example.org"), AUTH_NONE);
	assert_str(found.organization, "example.org");
	assert_str(found.why, "example.org has no DMARC record");
	assert_false(found.nonexistent);
	assert_int_equal(find("www.example.net"), AUTH_NONE);
	assert_true(found.nonexistent);
	assert_str(found.organization, "www.example.net");
	assert_int_equal(dmarc_find(&resolver, STR("a.www.example.co.uk"), true, RT_NEVER, &memory, &found), OK);
	assert_str(found.organization, "example.co.uk"); /* RFC 7489 3.2 */
	assert_int_equal(dmarc_find(&resolver, STR("co.uk"), true, RT_NEVER, &memory, &found), OK);
	assert_str(found.organization, "co.uk");
}

/* RFC 9989 4.10: the example there. */
static void test_eight_queries(void **state UNUSED)
{
	static const char *const want[] = {"_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com",
	                                   "_dmarc.g.h.i.j.mail.example.com",
	                                   "_dmarc.h.i.j.mail.example.com",
	                                   "_dmarc.i.j.mail.example.com",
	                                   "_dmarc.j.mail.example.com",
	                                   "_dmarc.mail.example.com",
	                                   "_dmarc.example.com",
	                                   "_dmarc.com"};

	assert_int_equal(find("a.b.c.d.e.f.g.h.i.j.mail.example.com"), AUTH_NONE);
	assert_int_equal(asked_n, 8 + 1); /* and whether there is such a domain */
	for (size_t i = 0; i < 8; i++)
		assert_str(asked[i], want[i]);
	assert_int_equal(find("b.c.d.e.f.mail.example.com"), AUTH_NONE);
	assert_int_equal(asked_n, 8 + 1);
	assert_str(asked[1], "_dmarc.c.d.e.f.mail.example.com");
	assert_int_equal(find("x.b.c.d.e.f.mail.example.com"), AUTH_NONE);
	assert_int_equal(asked_n, 8 + 1);
	assert_str(asked[1], "_dmarc.c.d.e.f.mail.example.com");
}

/* RFC 9989 4.10.2 */
static void test_psd(void **state UNUSED)
{
	ZONE("_dmarc.bank TXT v=DMARC1; p=reject; psd=y; np=quarantine; sp=none",
	     "_dmarc.own.a.bank TXT v=DMARC1; p=none; psd=n", "_dmarc.a.bank TXT v=DMARC1; p=quarantine");
	assert_int_equal(find("x.b.bank"), AUTH_PASS);
	assert_str(found.record.domain, "bank");
	assert_str(found.organization, "b.bank");
	assert_int_equal(find("x.a.bank"), AUTH_PASS);
	assert_str(found.record.domain, "a.bank");
	assert_str(found.organization, "a.bank");
	assert_int_equal(find("y.own.a.bank"), AUTH_PASS);
	assert_str(found.record.domain, "own.a.bank");
	assert_str(found.organization, "own.a.bank");
	assert_int_equal(asked_n, 3); /* the walk ends there */
	assert_int_equal(find("bank"), AUTH_PASS);
	assert_str(found.organization, "bank");
}

/* RFC 9989 4.10: several are none. */
static void test_two_records(void **state UNUSED)
{
	ZONE("_dmarc.a.example.com TXT v=DMARC1; p=none", "_dmarc.a.example.com TXT v=DMARC1; p=none",
	     "_dmarc.a.example.com TXT x", "_dmarc.example.com TXT v=DMARC1; p=reject",
	     "_dmarc.example.com TXT v=DMARC2; p=none", "_dmarc.example.org TXT v=DMARC1; p=none",
	     "_dmarc.example.org TXT v=DMARC1; p=reject");
	assert_int_equal(find("a.example.com"), AUTH_PASS);
	assert_str(found.record.domain, "example.com");
	assert_int_equal(find("example.org"), AUTH_NONE);
}

static void test_malformed_record(void **state UNUSED)
{
	ZONE("_dmarc.example.com TXT v=DMARC1; sp=reject",
	     "_dmarc.example.org TXT v=DMARC1; sp=reject; rua=mailto:a@example.org");
	assert_int_equal(find("example.com"), AUTH_PERMERROR);
	assert_str(found.why, "the DMARC record of example.com has no p=, and nowhere to report to");
	assert_int_equal(find("example.org"), AUTH_PASS);
	assert_int_equal(found.record.sp, DMARC_NONE);
}

static void test_no_answer(void **state UNUSED)
{
	ZONE("_dmarc.example.com TIMEOUT", "_dmarc.a.example.org TXT v=DMARC1; p=reject", "_dmarc.example.org TIMEOUT");
	assert_int_equal(find("example.com"), AUTH_TEMPERROR);
	assert_int_equal(find("b.example.com"), AUTH_TEMPERROR);
	assert_int_equal(find("a.example.org"), AUTH_PASS);
	assert_int_equal(found.organization.n, 0);
	assert_int_equal(find("b.example.org"), AUTH_TEMPERROR);
}

static void test_long_names(void **state UNUSED)
{
	BUF(name, 300);

	for (int i = 0; i < 126; i++)
		buf_puts(&name, "a.");
	buf_putc(&name, 'b');
	buf_putc(&name, 0);
	assert_int_equal(find(name.p), AUTH_NONE);
	assert_true(asked_n <= 9);
}

/* --- judgement --- */

static enum auth_result judge(const char *author, enum auth_result spf, const char *spf_domain, enum auth_result dkim,
                              const char *dkim_domain)
{
	const struct spf_result s = {.result = spf, .domain = str_from(spf_domain)};
	const struct dkim_result d[] = {{.result = AUTH_FAIL, .domain = str_from(author)},
	                                {.result = AUTH_PASS, .domain = STR("other.example")},
	                                {.result = dkim, .domain = str_from(dkim_domain)}};
	const struct dmarc_query q = {&resolver, str_from(author), &s, d, 3, false, RT_NEVER};

	(void)find(author);
	assert_int_equal(dmarc_judge(&q, &found, &memory, &result), OK);
	return result.result;
}

static void test_alignment(void **state UNUSED)
{
	ZONE("_dmarc.example.com TXT v=DMARC1; p=reject", "_dmarc.own.example.com TXT v=DMARC1; p=none; psd=n");
	assert_int_equal(judge("example.com", AUTH_PASS, "example.com", AUTH_FAIL, "x.example"), AUTH_PASS);
	assert_true(result.spf_aligned);
	assert_false(result.dkim_aligned);
	assert_int_equal(result.policy, DMARC_NONE);
	assert_int_equal(judge("example.com", AUTH_FAIL, "example.com", AUTH_PASS, "EXAMPLE.com"), AUTH_PASS);
	assert_true(result.dkim_aligned);
	assert_int_equal(judge("a.example.com", AUTH_PASS, "b.example.com", AUTH_NONE, ""), AUTH_PASS);
	assert_int_equal(judge("example.com", AUTH_PASS, "b.example.com", AUTH_PASS, "c.example.com"), AUTH_PASS);
	assert_true(result.spf_aligned && result.dkim_aligned);
	assert_int_equal(judge("example.com", AUTH_PASS, "notexample.com", AUTH_PASS, "com"), AUTH_FAIL);
	assert_int_equal(judge("example.com", AUTH_PASS, "x.own.example.com", AUTH_NONE, ""), AUTH_FAIL);
	assert_int_equal(judge("x.own.example.com", AUTH_PASS, "example.com", AUTH_NONE, ""), AUTH_FAIL);
	assert_int_equal(judge("example.com", AUTH_SOFTFAIL, "example.com", AUTH_POLICY, "example.com"), AUTH_FAIL);
	assert_int_equal(result.policy, DMARC_REJECT);
	assert_str(result.why, "nothing that SPF or DKIM found shows that this comes from example.com");
	assert_int_equal(judge("example.com", AUTH_NONE, "", AUTH_NONE, ""), AUTH_FAIL);
}

static void test_strict(void **state UNUSED)
{
	ZONE("_dmarc.example.com TXT v=DMARC1; p=reject; adkim=s", "_dmarc.example.org TXT v=DMARC1; p=reject; aspf=s");
	assert_int_equal(judge("example.com", AUTH_FAIL, "", AUTH_PASS, "a.example.com"), AUTH_FAIL);
	assert_int_equal(judge("example.com", AUTH_PASS, "a.example.com", AUTH_FAIL, ""), AUTH_PASS);
	assert_int_equal(judge("example.org", AUTH_PASS, "a.example.org", AUTH_FAIL, ""), AUTH_FAIL);
	assert_int_equal(judge("example.org", AUTH_PASS, "example.org", AUTH_FAIL, ""), AUTH_PASS);
}

static void test_policies(void **state UNUSED)
{
	ZONE("_dmarc.example.com TXT v=DMARC1; p=reject; sp=quarantine; np=none", "a.example.com A 192.0.2.1",
	     "_dmarc.example.org TXT v=DMARC1; p=reject; sp=quarantine; t=y", "a.example.org A 192.0.2.1",
	     "_dmarc.example.net TXT v=DMARC1; p=quarantine; pct=0",
	     "_dmarc.pct.example TXT v=DMARC1; p=reject; pct=50");
	assert_int_equal(judge("example.com", AUTH_FAIL, "", AUTH_FAIL, ""), AUTH_FAIL);
	assert_int_equal(result.policy, DMARC_REJECT);
	assert_int_equal(judge("a.example.com", AUTH_FAIL, "", AUTH_FAIL, ""), AUTH_FAIL);
	assert_int_equal(result.policy, DMARC_QUARANTINE);
	assert_int_equal(judge("b.example.com", AUTH_FAIL, "", AUTH_FAIL, ""), AUTH_FAIL);
	assert_int_equal(result.policy, DMARC_NONE);
	assert_true(result.nonexistent);
	assert_int_equal(judge("example.org", AUTH_FAIL, "", AUTH_FAIL, ""), AUTH_FAIL);
	assert_int_equal(result.policy, DMARC_QUARANTINE);
	assert_int_equal(result.record.p, DMARC_REJECT);
	assert_int_equal(judge("a.example.org", AUTH_FAIL, "", AUTH_FAIL, ""), AUTH_FAIL);
	assert_int_equal(result.policy, DMARC_NONE);
	assert_int_equal(judge("b.example.org", AUTH_FAIL, "", AUTH_FAIL, ""), AUTH_FAIL);
	assert_int_equal(result.policy, DMARC_NONE); /* np is sp's, one step less */
	assert_int_equal(judge("example.net", AUTH_FAIL, "", AUTH_FAIL, ""), AUTH_FAIL);
	assert_int_equal(result.policy, DMARC_NONE);
	assert_int_equal(judge("pct.example", AUTH_FAIL, "", AUTH_FAIL, ""), AUTH_FAIL);
	assert_int_equal(result.policy, DMARC_REJECT);
}

/* RFC 9989 5.3.6: without an answer it neither passes nor fails. */
static void test_unsure(void **state UNUSED)
{
	ZONE("_dmarc.example.com TXT v=DMARC1; p=reject", "_dmarc.a.example.com TIMEOUT",
	     "_dmarc.dead.example TIMEOUT");
	assert_int_equal(judge("example.com", AUTH_TEMPERROR, "example.com", AUTH_FAIL, ""), AUTH_TEMPERROR);
	assert_int_equal(result.policy, DMARC_REJECT);
	assert_int_equal(judge("example.com", AUTH_TEMPERROR, "other.example", AUTH_FAIL, ""), AUTH_FAIL);
	assert_int_equal(judge("example.com", AUTH_TEMPERROR, "example.com", AUTH_PASS, "example.com"), AUTH_PASS);
	assert_int_equal(judge("example.com", AUTH_FAIL, "", AUTH_TEMPERROR, "b.example.com"), AUTH_TEMPERROR);
	assert_int_equal(judge("example.com", AUTH_PASS, "a.example.com", AUTH_FAIL, ""), AUTH_TEMPERROR);
	assert_int_equal(judge("dead.example", AUTH_PASS, "dead.example", AUTH_FAIL, ""), AUTH_TEMPERROR);
	assert_int_equal(judge("nothing.example", AUTH_PASS, "nothing.example", AUTH_FAIL, ""), AUTH_NONE);
}

static err cancelled(void *ctx UNUSED, const struct resolve_request *q UNUSED, struct resolve_reply *r UNUSED,
                     struct arena *a UNUSED, nsec deadline UNUSED)
{
	return err_note(E_CANCELLED, "cancelled");
}

static void test_faults(void **state UNUSED)
{
	ARENA(small, 64);

	resolver.ask = cancelled;
	assert_int_equal(dmarc_find(&resolver, STR("example.com"), false, RT_NEVER, &memory, &found), E_CANCELLED);
	assert_int_equal(dmarc_find(&resolver, STR("example.com"), false, RT_NEVER, &small, &found), E_LIMIT);
}

static void run(void *arg)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_own_record, begin, end),
		cmocka_unit_test_setup_teardown(test_record_above, begin, end),
		cmocka_unit_test_setup_teardown(test_no_record, begin, end),
		cmocka_unit_test_setup_teardown(test_eight_queries, begin, end),
		cmocka_unit_test_setup_teardown(test_psd, begin, end),
		cmocka_unit_test_setup_teardown(test_two_records, begin, end),
		cmocka_unit_test_setup_teardown(test_malformed_record, begin, end),
		cmocka_unit_test_setup_teardown(test_no_answer, begin, end),
		cmocka_unit_test_setup_teardown(test_long_names, begin, end),
		cmocka_unit_test_setup_teardown(test_alignment, begin, end),
		cmocka_unit_test_setup_teardown(test_strict, begin, end),
		cmocka_unit_test_setup_teardown(test_policies, begin, end),
		cmocka_unit_test_setup_teardown(test_unsure, begin, end),
		cmocka_unit_test_setup_teardown(test_faults, begin, end),
	};

	*(int *)arg = cmocka_run_group_tests_name("dmarc", tests, NULL, NULL);
}

int main(void)
{
	int failed = 1;

	return rt_run_simulated(1, run, &failed) == OK ? failed : 1;
}
