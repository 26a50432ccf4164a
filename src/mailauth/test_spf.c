/* SPDX-License-Identifier: ISC */
/* SPF over zones in text. RFC 7208's own suite is in tests/test_vectors_spf.py. */
#include "base/test.h"

#include <stdio.h>

#include "base/date.h"
#include "mailauth/spf.h"
#include "mailauth/vector_dns.h"

static struct vector_dns dns;
static struct resolver resolver;
static struct arena memory;
static struct spf_result result;

static int begin(void **state UNUSED)
{
	resolver = vector_resolver(&dns);
	memory = ARENA_INIT(1 << 20);
	return 0;
}

static int end(void **state UNUSED)
{
	vector_dns_clear(&dns);
	arena_free(&memory);
	return 0;
}

static err ask(const char *client, const char *helo, const char *sender)
{
	struct net_address address;
	struct spf_query q = {.resolver = &resolver,
	                      .client = &address,
	                      .helo = str_from(helo),
	                      .sender = str_from(sender),
	                      .receiver = STR("mx.receiver.example"),
	                      .at = 1700000000 * USEC_PER_SEC,
	                      .deadline = RT_NEVER};

	assert_int_equal(net_address_parse(str_from(client), &address), OK);
	return spf_check(&q, &memory, &result);
}

static enum auth_result check(const char *client, const char *sender)
{
	assert_int_equal(ask(client, "helo.example", sender), OK);
	assert_false(str_has_control(result.why) || str_has_control(result.mechanism) ||
	             str_has_control(result.explanation));
	return result.result;
}

/* The client is 192.0.2.1, the sender of example.com, which has this record. */
static enum auth_result record(const char *text)
{
	vector_dns_clear(&dns);
	BUF(line, 128 << 10);
	buf_printf(&line, "example.com TXT %s", text);
	buf_putc(&line, 0);
	vector_zone_line(&dns, line.p);
	return check("192.0.2.1:25", "alice@example.com");
}

#define ZONE(...) vector_zone(&dns, (const char *const[]){__VA_ARGS__, NULL})

static void test_what_is_told(void **state UNUSED)
{
	assert_int_equal(record("v=spf1 ip4:192.0.2.0/24 -all"), AUTH_PASS);
	assert_str(result.domain, "example.com");
	assert_str(result.mechanism, "ip4:192.0.2.0/24");
	assert_int_equal(result.why.n, 0);
	assert_false(result.helo);
	assert_int_equal(result.lookups, 0);
	assert_int_equal(record("v=spf1 a -all"), AUTH_FAIL);
	assert_str(result.mechanism, "-all");
	assert_int_equal(result.lookups, 1);
	assert_str(result.why, "example.com says that its mail does not come from this address (-all)");
	assert_int_equal(record("v=spf1 ~all"), AUTH_SOFTFAIL);
	assert_int_equal(record("v=spf1 ?all"), AUTH_NEUTRAL);
	assert_int_equal(record("v=spf1"), AUTH_NEUTRAL);
	assert_int_equal(result.mechanism.n, 0);
	assert_int_equal(record("v=spf2 -all"), AUTH_NONE);
	assert_str(result.why, "example.com has no SPF record");
	assert_int_equal(record("v=spf1 nonsense -all"), AUTH_PERMERROR);
	assert_str(result.why, "the SPF record of example.com has a term that is malformed: nonsense");
}

/* RFC 7208 2.4, 4.3 */
static void test_identities(void **state UNUSED)
{
	ZONE("example.com TXT v=spf1 -all", "helo.example TXT v=spf1 +all", "xn--bcher-kva.example TXT v=spf1 ~all",
	     "_x.example.com TXT v=spf1 ?all");
	assert_int_equal(check("192.0.2.1:25", ""), AUTH_PASS);
	assert_true(result.helo);
	assert_str(result.domain, "helo.example");
	assert_int_equal(check("192.0.2.1:25", "Alice@EXAMPLE.com."), AUTH_FAIL);
	assert_str(result.domain, "example.com");
	assert_int_equal(check("192.0.2.1:25", "@example.com"), AUTH_FAIL);
	assert_int_equal(check("192.0.2.1:25", "\"a@b\"@example.com"), AUTH_FAIL);
	assert_int_equal(check("192.0.2.1:25", "a@b\303\274cher.example"), AUTH_SOFTFAIL);
	assert_int_equal(check("192.0.2.1:25", "a@_x.example.com"), AUTH_NEUTRAL);
}

static void test_no_domain(void **state UNUSED)
{
	static const char *const senders[] = {
		"a@localhost",    "a@[192.0.2.1]",  "a@192.0.2.1", "a@x..example", "a@-\t.example",
		"a@exa mple.com", "a@\xff.example", "postmaster",  "a@.",          "a@"};

	for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
		if (check("192.0.2.1:25", senders[i]) != AUTH_NONE)
			fail_msg("%s", senders[i]);
		assert_int_equal(result.domain.n, 0);
		assert_true(result.why.n > 0);
	}
	assert_int_equal(dns.asked, 0);
	assert_int_equal(check("unix:/run/x", "a@example.com"), AUTH_NONE);
}

/* RFC 7208 5: an address of IPv4 in one of IPv6 is one of IPv4. */
static void test_mapped(void **state UNUSED)
{
	ZONE("example.com TXT v=spf1 ip4:192.0.2.1 ip6:::ffff:192.0.2.2 a -all", "example.com A 192.0.2.3",
	     "example.com AAAA 2001:db8::3");
	assert_int_equal(check("[::ffff:192.0.2.1]:25", "a@example.com"), AUTH_PASS);
	assert_int_equal(check("[::ffff:192.0.2.2]:25", "a@example.com"), AUTH_FAIL);
	assert_int_equal(check("[::ffff:192.0.2.3]:25", "a@example.com"), AUTH_PASS);
	assert_int_equal(check("[2001:db8::3]:25", "a@example.com"), AUTH_PASS);
	assert_int_equal(check("[2001:db8::4]:25", "a@example.com"), AUTH_FAIL);
}

static const char *const malformed[] = {
	"ip4:192.0.2.0/33",
	"ip4:192.0.2.0/",
	"ip4:192.0.2",
	"ip4:1.2.3.4/024",
	"ip4:192.0.2.01",
	"ip4",
	"ip6:2001:db8::/129",
	"ip6:2001:db8",
	"ip6:",
	"ip6:2001:db8::%25eth0",
	"a/",
	"a/33",
	"a//129",
	"a/24/64",
	"a:",
	"a:example",
	"a:exa%mple.com",
	"a:%{x}.com",
	"a:%{l0}.com",
	"a:%{}.com",
	"a:%{l",
	"a:%{lrr}.com",
	"a:%{c}.com",
	"a:%{d}com",
	"a:%%{foo",
	"all:x",
	"all/0",
	"include",
	"include:",
	"include:x.com/24",
	"exists",
	"exists:x.com/8",
	"mx:x.com//",
	"ptr/24",
	"ptr:",
	"+-all",
	"++all",
	"redirect=",
	"redirect=x",
	"exp=",
	"exp=x.com exp=y.com",
	"redirect=x.com redirect=y.com",
	"a.b:c=d",
	"=x",
	"1x=y",
	"x=%",
	"x=%{z}",
	"\001all",
	"all\tall",
	"a:x.com\r\n",
	"a:x.123",
	"a:x.-com",
	"a:x.com-",
	"-",
};

static void test_syntax(void **state UNUSED)
{
	BUF(text, 1000);

	for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
		buf_reset(&text);
		buf_printf(&text, "v=spf1 +all %s ~all", malformed[i]); /* RFC 7208 4.6: wherever it stands */
		buf_putc(&text, 0);
		if (record(text.p) != AUTH_PERMERROR)
			fail_msg("%s", malformed[i]);
	}
	assert_int_equal(record("V=SPF1   +ALL  "), AUTH_PASS);
	assert_int_equal(record("v=spf1 unknown.x-y_z=a:b/c%{c}%{r}%{t}% +all"), AUTH_PERMERROR);
	assert_int_equal(record("v=spf1 unknown.x-y_z=a:b/c%{c}%{r}%{t} x= +all"), AUTH_PASS);
	assert_int_equal(record("v=spf1 A:%{D1r}.example.com./0 +aLL"), AUTH_PASS);
}

/* A NUL is an octet like any other that may not stand there. */
static void test_nul(void **state UNUSED)
{
	vector_dns_add(&dns, STR("example.com"), DNS_TXT, STR("\020v=spf1 all a:x\0.y"));
	assert_int_equal(check("192.0.2.1:25", "a@example.com"), AUTH_PERMERROR);
}

/* RFC 7208 3.3: strings are joined; 3.4: what is too long. */
static void test_long_records(void **state UNUSED)
{
	BUF(text, 128 << 10);

	buf_puts(&text, "v=spf1");
	for (int i = 0; i < 100; i++)
		buf_printf(&text, " ip4:198.51.100.%d", i);
	buf_put(&text, STR(" ip4:192.0.2.1 -all\0"));
	assert_int_equal(record(text.p), AUTH_PASS);
	text.n--;
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, " ip4:198.51.100.%d", i % 256);
	buf_putc(&text, 0);
	assert_int_equal(record(text.p), AUTH_PERMERROR);
}

static void test_records(void **state UNUSED)
{
	ZONE("two.example TXT v=spf1 +all", "two.example TXT v=spf1 -all",
	     "other.example TXT google-site-verification=x", "other.example TXT v=spf1 +all",
	     "alias.example CNAME other.example", "dead.example TIMEOUT");
	assert_int_equal(check("192.0.2.1:25", "a@two.example"), AUTH_PERMERROR);
	assert_str(result.why, "two.example has 2 SPF records");
	assert_int_equal(check("192.0.2.1:25", "a@other.example"), AUTH_PASS);
	assert_int_equal(check("192.0.2.1:25", "a@alias.example"), AUTH_PASS);
	assert_int_equal(check("192.0.2.1:25", "a@dead.example"), AUTH_TEMPERROR);
	assert_int_equal(check("192.0.2.1:25", "a@nothing.example"), AUTH_NONE);
}

/* --- limits (RFC 7208 4.6.4) --- */

static void test_loops(void **state UNUSED)
{
	ZONE("a.example TXT v=spf1 include:a.example -all", "b.example TXT v=spf1 redirect=b.example",
	     "c.example TXT v=spf1 include:c1.example", "c1.example TXT v=spf1 redirect=c.example");
	assert_int_equal(check("192.0.2.1:25", "x@a.example"), AUTH_PERMERROR);
	assert_int_equal(dns.asked, 1 + SPF_LOOKUPS_MAX);
	assert_str(result.why, "the record has more than 10 terms that ask the DNS");
	assert_int_equal(check("192.0.2.1:25", "x@b.example"), AUTH_PERMERROR);
	assert_int_equal(check("192.0.2.1:25", "x@c.example"), AUTH_PERMERROR);
}

static void test_terms(void **state UNUSED)
{
	ZONE("ten.example TXT v=spf1 a a a a a a a a a a +all", "ten.example A 192.0.2.9",
	     "eleven.example TXT v=spf1 a a a a a a a a a a a +all", "eleven.example A 192.0.2.9");
	assert_int_equal(check("192.0.2.1:25", "x@ten.example"), AUTH_PASS);
	assert_int_equal(result.lookups, 10);
	assert_int_equal(check("192.0.2.1:25", "x@eleven.example"), AUTH_PERMERROR);
}

static void test_voids(void **state UNUSED)
{
	assert_int_equal(record("v=spf1 a:x.nothing.example mx:y.nothing.example ~all"), AUTH_SOFTFAIL);
	assert_int_equal(record("v=spf1 a:x.nothing.example mx:y.nothing.example exists:z.nothing.example ~all"),
	                 AUTH_PERMERROR);
	assert_str(result.why, "more than 2 terms ask for what is not in the DNS");
	/* a name that cannot be is not asked for */
	assert_int_equal(record("v=spf1 a:..example.com a:x..com a:y..com a:z..com ~all"), AUTH_SOFTFAIL);
	assert_int_equal(dns.asked, 1);
}

static void test_mx(void **state UNUSED)
{
	ZONE("example.com TXT v=spf1 mx/24 -all", "example.com MX 0 .", "example.com MX 5 one.example",
	     "example.com MX 6 two.example", "two.example A 192.0.2.200", "many.example TXT v=spf1 mx -all");
	assert_int_equal(check("192.0.2.1:25", "x@example.com"), AUTH_PASS);
	assert_int_equal(check("198.51.100.1:25", "x@example.com"), AUTH_FAIL);
	ZONE("one.example TIMEOUT");
	assert_int_equal(check("198.51.100.1:25", "x@example.com"), AUTH_TEMPERROR);
	for (int i = 0; i < SPF_NAMES_MAX; i++)
		ZONE("many.example MX 1 two.example");
	assert_int_equal(check("192.0.2.1:25", "x@many.example"), AUTH_FAIL);
	ZONE("many.example MX 1 two.example");
	assert_int_equal(check("192.0.2.200:25", "x@many.example"), AUTH_PERMERROR);
	assert_str(result.why, "a domain has more than 10 MX records");
}

static void test_ptr(void **state UNUSED)
{
	ZONE("example.com TXT v=spf1 ptr -all", "1.2.0.192.in-addr.arpa PTR liar.example.com",
	     "1.2.0.192.in-addr.arpa PTR dead.example", "1.2.0.192.in-addr.arpa PTR mail.EXAMPLE.com",
	     "mail.example.com A 192.0.2.1", "dead.example TIMEOUT", "2.2.0.192.in-addr.arpa PTR notexample.com",
	     "notexample.com A 192.0.2.2");
	assert_int_equal(check("192.0.2.1:25", "x@example.com"), AUTH_PASS);
	assert_int_equal(check("192.0.2.2:25", "x@example.com"), AUTH_FAIL);
	assert_int_equal(check("192.0.2.3:25", "x@example.com"), AUTH_FAIL);
	ZONE("4.2.0.192.in-addr.arpa TIMEOUT"); /* RFC 7208 5.5: no match */
	assert_int_equal(check("192.0.2.4:25", "x@example.com"), AUTH_FAIL);
}

/* --- include and redirect --- */

static void test_include(void **state UNUSED)
{
	static const struct {
		const char *record;
		enum auth_result want;
	} list[] = {
		{"in.example TXT v=spf1 +all", AUTH_PASS},
		{"in.example TXT v=spf1 -all", AUTH_SOFTFAIL},
		{"in.example TXT v=spf1 ~all", AUTH_SOFTFAIL},
		{"in.example TXT v=spf1 ?all", AUTH_SOFTFAIL},
		{"in.example TXT v=spf1", AUTH_SOFTFAIL},
		{"in.example TXT v=spf1 foo", AUTH_PERMERROR},
		{"in.example TXT none", AUTH_PERMERROR},
		{"in.example TIMEOUT", AUTH_TEMPERROR},
		{"in.example TXT v=spf1 include:no.example", AUTH_PERMERROR},
	};

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		vector_dns_clear(&dns);
		ZONE("example.com TXT v=spf1 include:in.example ~all", list[i].record);
		assert_int_equal(check("192.0.2.1:25", "x@example.com"), list[i].want);
	}
	vector_dns_clear(&dns);
	ZONE("example.com TXT v=spf1 ?include:in.example", "in.example TXT v=spf1 +all");
	assert_int_equal(check("192.0.2.1:25", "x@example.com"), AUTH_NEUTRAL);
	assert_str(result.mechanism, "?include:in.example");
}

static void test_redirect(void **state UNUSED)
{
	ZONE("example.com TXT v=spf1 redirect=to.example", "to.example TXT v=spf1 -all exp=why.example",
	     "why.example TXT %{d} says no to %{i}", "nowhere.example TXT v=spf1 redirect=no.example");
	assert_int_equal(check("192.0.2.1:25", "x@example.com"), AUTH_FAIL);
	assert_str(result.domain, "example.com");
	assert_str(result.mechanism, "-all");
	assert_str(result.explanation, "to.example says no to 192.0.2.1");
	assert_int_equal(check("192.0.2.1:25", "x@nowhere.example"), AUTH_PERMERROR);
	assert_str(result.why, "a record redirects to no.example, which has none");
}

/* --- macros (RFC 7208 7) --- */

/* What `macro` stands for, in an explanation. */
static str expanded(const char *macro)
{
	BUF(line, 16 << 10);

	vector_dns_clear(&dns);
	ZONE("email.example.com TXT v=spf1 -all exp=why.example", "3.2.0.192.in-addr.arpa PTR other.example",
	     "3.2.0.192.in-addr.arpa PTR mx.example.org", "mx.example.org A 192.0.2.3", "other.example A 192.0.2.3");
	buf_printf(&line, "why.example TXT %s", macro);
	buf_putc(&line, 0);
	vector_zone_line(&dns, line.p);
	assert_int_equal(check("192.0.2.3:25", "strong-bad@email.example.com"), AUTH_FAIL);
	return result.explanation;
}

/* The examples of RFC 7208 7.4, and more. */
static void test_macros(void **state UNUSED)
{
	assert_str(expanded("%{s}"), "strong-bad@email.example.com");
	assert_str(expanded("%{o}"), "email.example.com");
	assert_str(expanded("%{d}"), "email.example.com");
	assert_str(expanded("%{d4}"), "email.example.com");
	assert_str(expanded("%{d3}"), "email.example.com");
	assert_str(expanded("%{d2}"), "example.com");
	assert_str(expanded("%{d1}"), "com");
	assert_str(expanded("%{dr}"), "com.example.email");
	assert_str(expanded("%{d2r}"), "example.email");
	assert_str(expanded("%{l}"), "strong-bad");
	assert_str(expanded("%{l-}"), "strong.bad");
	assert_str(expanded("%{lr}"), "strong-bad");
	assert_str(expanded("%{lr-}"), "bad.strong");
	assert_str(expanded("%{l1r-}"), "strong");
	assert_str(expanded("%{d99999999999999999999999}"), "email.example.com");
	assert_str(expanded("%{ir}.%{v}._spf.%{d2}"), "3.2.0.192.in-addr._spf.example.com");
	assert_str(expanded("%{lr-}.lp._spf.%{d2}"), "bad.strong.lp._spf.example.com");
	assert_str(expanded("%{h}/%{r}/%{t}/%{c}"), "helo.example/mx.receiver.example/1700000000/192.0.2.3");
	assert_str(expanded("100%% %_%-"), "100%  %20");
	assert_str(expanded("%{S}"), "strong-bad%40email.example.com");
	assert_str(expanded("%{p}"), "other.example");
	assert_int_equal(expanded("%{z}").n, 0);
	assert_int_equal(expanded("%x").n, 0);
	assert_int_equal(expanded("\xc3\xa4").n, 0);
}

/* Others' words: one line of ASCII, at most 300 octets. */
static void test_explanation(void **state UNUSED)
{
	BUF(text, 2000);

	for (int i = 0; i < 50; i++)
		buf_puts(&text, "0123456789");
	buf_putc(&text, 0);
	assert_int_equal(expanded(text.p).n, 300);
	ZONE("helo.example TXT v=spf1 -all exp=e.helo.example", "e.helo.example TXT <%{h}> <%{l}>");
	assert_int_equal(ask("192.0.2.3:25", "x\r\n\033[1m\xff.helo.example", "a\nb@helo.example"), OK);
	assert_str(result.explanation, "<x???[1m?.helo.example> <a?b>");
}

/* RFC 8616 4: a local part of UTF-8 matches nothing. What is not of host names is escaped for the resolver. */
static void test_odd_names(void **state UNUSED)
{
	ZONE("example.com TXT v=spf1 exists:%{l}._u.example.com -all", "a+b\\c._u.example.com A 127.0.0.2");
	assert_int_equal(check("192.0.2.1:25", "A+b\\c@example.com"), AUTH_PASS);
	assert_int_equal(check("192.0.2.1:25", "\xc3\xa4@example.com"), AUTH_FAIL);
	assert_int_equal(check("192.0.2.1:25", "b@example.com"), AUTH_FAIL);
}

/* --- faults --- */

static err cancelled(void *ctx, const struct resolve_request *q UNUSED, struct resolve_reply *r UNUSED,
                     struct arena *a UNUSED, nsec deadline UNUSED)
{
	struct vector_dns *v = ctx;

	return v->asked++ == 0 ? vector_ask(ctx, q, r, a, deadline) : err_note(E_CANCELLED, "cancelled");
}

static void test_cancelled(void **state UNUSED)
{
	static const char *const terms[] = {"a",
	                                    "mx",
	                                    "ptr",
	                                    "exists:x.example",
	                                    "include:x.example",
	                                    "exists:%{p}.example",
	                                    "redirect=x.example",
	                                    "-all exp=x.example"};
	BUF(line, 200);

	for (size_t i = 0; i < ARRAY_LEN(terms); i++) {
		vector_dns_clear(&dns);
		buf_reset(&line);
		buf_printf(&line, "example.com TXT v=spf1 %s", terms[i]);
		buf_putc(&line, 0);
		vector_zone_line(&dns, line.p);
		resolver.ask = cancelled;
		assert_int_equal(ask("192.0.2.1:25", "h", "a@example.com"), E_CANCELLED);
	}
}

static void test_no_memory(void **state UNUSED)
{
	ARENA(small, 16);

	memory = small;
	ZONE("example.com TXT v=spf1 -all");
	assert_int_equal(ask("192.0.2.1:25", "h", "alice@example.com"), E_LIMIT);
}

/* Deep as it may be, on the stack of a coroutine. */
static void test_deep(void **state UNUSED)
{
	char line[100];

	for (int i = 0; i < 9; i++) {
		(void)snprintf(line, sizeof(line), "d%d.example TXT v=spf1 include:d%d.example -all", i, i + 1);
		vector_zone_line(&dns, line);
	}
	ZONE("d9.example TXT v=spf1 mx:%{p}.x.example all", "1.2.0.192.in-addr.arpa PTR h.example",
	     "h.example A 192.0.2.1", "h.example.x.example MX 1 h.example");
	assert_int_equal(check("192.0.2.1:25", "x@d0.example"), AUTH_PASS);
	assert_int_equal(result.lookups, 10);
}

static void run(void *arg)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_told, begin, end),
		cmocka_unit_test_setup_teardown(test_identities, begin, end),
		cmocka_unit_test_setup_teardown(test_no_domain, begin, end),
		cmocka_unit_test_setup_teardown(test_mapped, begin, end),
		cmocka_unit_test_setup_teardown(test_syntax, begin, end),
		cmocka_unit_test_setup_teardown(test_nul, begin, end),
		cmocka_unit_test_setup_teardown(test_long_records, begin, end),
		cmocka_unit_test_setup_teardown(test_records, begin, end),
		cmocka_unit_test_setup_teardown(test_loops, begin, end),
		cmocka_unit_test_setup_teardown(test_terms, begin, end),
		cmocka_unit_test_setup_teardown(test_voids, begin, end),
		cmocka_unit_test_setup_teardown(test_mx, begin, end),
		cmocka_unit_test_setup_teardown(test_ptr, begin, end),
		cmocka_unit_test_setup_teardown(test_include, begin, end),
		cmocka_unit_test_setup_teardown(test_redirect, begin, end),
		cmocka_unit_test_setup_teardown(test_macros, begin, end),
		cmocka_unit_test_setup_teardown(test_explanation, begin, end),
		cmocka_unit_test_setup_teardown(test_odd_names, begin, end),
		cmocka_unit_test_setup_teardown(test_cancelled, begin, end),
		cmocka_unit_test_setup_teardown(test_no_memory, begin, end),
		cmocka_unit_test_setup_teardown(test_deep, begin, end),
	};

	*(int *)arg = cmocka_run_group_tests_name("spf", tests, NULL, NULL);
}

int main(void)
{
	int failed = 1;

	return rt_run_simulated(1, run, &failed) == OK ? failed : 1;
}
