/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <stdlib.h>

#include "base/date.h"
#include "mailauth/vector_dns.h"
#include "spam/blocklist.h"
#include "spam/judge.h"
#include "spam/rules.h"
#include "spam/tokens.h"

#define NOW 1795000000000000LL /* Nov 2026 */

static struct situation {
	struct arena arena;
	struct config *config;
	struct vector_dns dns;
	struct resolver resolver;
	struct origin origin;
	struct rcpt rcpts[2];
	struct inspect_request message;
	struct net_address client;
	struct spf_result spf;
	struct iprev_result iprev;
	struct dkim_result dkim;
	struct dmarc_result dmarc;
	struct auth_results auth;
	struct dmarc_author author;
	struct history_reply history;
	struct reputation known[3];
	struct contact contact;
	struct judge_input in;
	struct judge_result out;
	struct buf findings;
} s;

static const char good_message[] =
	"Date: Wed, 18 Nov 2026 12:00:00 +0000\r\nFrom: Bob <bob@sender.example>\r\nTo: alice@example.org\r\n"
	"Message-ID: <1@sender.example>\r\nSubject: The minutes of our meeting\r\n\r\nHello Alice,\r\nhere they "
	"are.\r\n";

static void configure(const char *more)
{
	struct config_faults faults = {.text = BUF_INIT(4096)};
	str text = arena_printf(&s.arena, "version 1\nhostname mx.example.org\ndomain example.org\n%s", more);

	config_release(s.config);
	s.config = config_parse(text, "test", &faults);
	if (s.config == NULL)
		fail_msg(STR_FMT, STR_ARG(buf_str(&faults.text)));
	s.in.config = s.config;
}

/* A small sender whose SPF passes; nothing else is there. */
static int begin(void **state UNUSED)
{
	memset(&s, 0, sizeof s);
	s.arena = ARENA_INIT(8 << 20);
	s.findings = BUF_INIT(FINDINGS_MAX);
	blocklist_forget();
	s.resolver = (struct resolver){.ask = vector_ask, .ctx = &s.dns};
	assert_int_equal(net_address_parse(STR("192.0.2.7:25"), &s.client), OK);
	s.origin = (struct origin){.client = STR("192.0.2.7"), .helo = STR("mail.sender.example")};
	s.rcpts[0].address = STR("alice@example.org");
	s.message = (struct inspect_request){.origin = &s.origin,
	                                     .origin_n = 1,
	                                     .sender = STR("bob@sender.example"),
	                                     .rcpts = s.rcpts,
	                                     .rcpts_n = 1,
	                                     .body = BODY_OF(str_from(good_message))};
	s.spf = (struct spf_result){.result = AUTH_PASS, .domain = STR("sender.example"), .mechanism = STR("mx")};
	s.iprev = (struct iprev_result){AUTH_PASS, STR("mail.sender.example")};
	s.dmarc = (struct dmarc_result){.result = AUTH_NONE};
	s.auth = (struct auth_results){
		.spf = &s.spf, .iprev = &s.iprev, .dmarc = &s.dmarc, .author = STR("sender.example")};
	s.author = (struct dmarc_author){STR("bob@sender.example"), STR("sender.example"), STR("Bob")};
	s.history = (struct history_reply){.known = s.known, .known_n = 3, .contacts = &s.contact, .contacts_n = 1};
	s.in = (struct judge_input){.resolver = &s.resolver,
	                            .message = &s.message,
	                            .client = &s.client,
	                            .auth = &s.auth,
	                            .author = &s.author,
	                            .history = &s.history,
	                            .now = NOW,
	                            .deadline = RT_NEVER};
	configure("");
	vector_zone(&s.dns, (const char *const[]){"mail.sender.example A 192.0.2.7", NULL});
	return 0;
}

static int end(void **state UNUSED)
{
	config_release(s.config);
	vector_dns_clear(&s.dns);
	buf_free(&s.findings);
	arena_free(&s.arena);
	return 0;
}

static void run_it(void *arg)
{
	buf_reset(&s.findings);
	s.out = (struct judge_result){.findings = &s.findings};
	*(err *)arg = judge_message(&s.in, &s.arena, &s.out);
}

static void judge(void)
{
	err e = E_TEMP;

	assert_int_equal(rt_run_simulated(1, run_it, &e), OK);
	assert_int_equal(e, OK);
}

static bool found(const char *name, struct finding *f)
{
	for (str text = buf_str(&s.findings); finding_next(&text, f);)
		if (str_equal(f->name, str_from(name)))
			return true;
	return false;
}

static void expect(const char *name, int64_t points, const char *evidence)
{
	struct finding f;

	if (!found(name, &f))
		fail_msg("no %s in:\n" STR_FMT, name, STR_ARG(buf_str(&s.findings)));
	assert_int_equal(f.points, points);
	if (!str_contains(f.evidence, str_from(evidence)))
		fail_msg("%s: \"" STR_FMT "\" has no \"%s\"", name, STR_ARG(f.evidence), evidence);
}

static void expect_not(const char *name)
{
	struct finding f;

	if (found(name, &f))
		fail_msg("%s: " STR_FMT, name, STR_ARG(f.evidence));
}

static void say(const char *message)
{
	s.message.body = BODY_OF(str_from(message));
	judge();
}

/* --- who and from where --- */

static void an_ordinary_message(void **state UNUSED)
{
	judge();
	assert_true(s.out.points < 1000);
	assert_false(s.out.greylisted);
	assert_int_equal(s.out.notes_n, 2);
	assert_str(s.out.notes[0].key, "domain sender.example");
	assert_str(s.out.notes[1].key, "net 192.0.2.0/24");
	judge_conclude(&s.out, false);
	assert_int_equal(s.out.notes[0].good, 1);
	judge_conclude(&s.out, true);
	assert_int_equal(s.out.notes[1].good, 0);
	assert_int_equal(s.out.notes[1].bad, 1);
}

static void nothing_proves_it(void **state UNUSED)
{
	s.spf.result = AUTH_NONE;
	judge();
	expect("unproven", 700, "");
	expect("spf-none", 300, "sender.example");
	assert_true(s.out.points < 2500);
	s.iprev = (struct iprev_result){.result = AUTH_PERMERROR};
	judge();
	expect("ptr-none", 1800, "");
	assert_true(s.out.points < 5000);
}

static void what_fails(void **state UNUSED)
{
	s.spf = (struct spf_result){.result = AUTH_FAIL, .domain = STR("sender.example"), .mechanism = STR("-all")};
	s.dkim = (struct dkim_result){
		.result = AUTH_FAIL, .domain = STR("sender.example"), .why = STR("the body was changed")};
	s.auth.dkim = &s.dkim;
	s.auth.dkim_n = 1;
	s.dmarc = (struct dmarc_result){.result = AUTH_FAIL, .policy = DMARC_REJECT, .why = STR("neither")};
	judge();
	expect("spf-fail", 2000, "-all");
	expect("dkim-fail", 500, "the body was changed");
	expect("dmarc-fail", 2500, "policy reject");
	assert_true(str_starts(s.out.reasons, STR("dmarc-fail 2.5, spf-fail 2")));
	s.spf.result = AUTH_SOFTFAIL;
	s.in.author = NULL;
	judge();
	expect("spf-softfail", 1000, "");
	expect("author-unclear", 2000, "");
}

static void who_is_trusted_saw_it(void **state UNUSED)
{
	struct arc_set sets[] = {{STR("list.example"), STR(" list.example; dmarc=pass header.from=sender.example")},
	                         {STR("other.example"), STR(" other.example; none")}};
	struct arc_result arc = {.result = AUTH_PASS, .sets = sets, .n = 2, .oldest_pass = 1};

	configure("arc trust list.example\n");
	s.dmarc = (struct dmarc_result){.result = AUTH_FAIL, .why = STR("neither")};
	s.auth.arc = &arc;
	judge();
	expect("arc-trusted", -2000, "list.example");
	expect_not("dmarc-fail");
	arc.oldest_pass = 2; /* another message than it saw */
	judge();
	expect("dmarc-fail", 2500, "neither");
	expect_not("arc-trusted");
}

static void names_of_clients(void **state UNUSED)
{
	static const struct {
		const char *ptr, *rule;
	} cases[] = {
		{"192-0-2-7.dsl.provider.example", "ptr-dynamic"},
		{"dyn2-7.provider.example", "ptr-dynamic"},
		{"mail7.example.net", NULL},
		{"host7.example.net", NULL},
		{"mail-192-0-2-7.example.net", NULL},
	};
	struct finding f;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		s.iprev = (struct iprev_result){AUTH_PASS, str_from(cases[i].ptr)};
		judge();
		if (found("ptr-dynamic", &f) != (cases[i].rule != NULL))
			fail_msg("%s", cases[i].ptr);
	}
	s.iprev = (struct iprev_result){AUTH_FAIL, STR("other.example")};
	judge();
	expect("ptr-forged", 1200, "other.example");
}

static void how_it_introduces_itself(void **state UNUSED)
{
	static const struct {
		const char *helo, *rule;
		int64_t points;
	} cases[] = {
		{"MX.example.org", "helo-ours", 3000},       {"example.org", "helo-ours", 3000},
		{"[192.0.2.7]", "helo-literal", 800},        {"192.0.2.7", "helo-literal", 800},
		{"[192.0.2.8]", "helo-other-literal", 2000}, {"localhost", "helo-no-name", 1500},
		{"a b.example", "helo-no-name", 1500},       {"unknown.example", "helo-unknown", 1000},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		s.origin.helo = str_from(cases[i].helo);
		judge();
		expect(cases[i].rule, cases[i].points, cases[i].helo);
	}
	s.in.client = NULL; /* not from the network */
	judge();
	expect_not("helo-unknown");
}

/* --- what earlier mail shows --- */

static void who_is_known(void **state UNUSED)
{
	s.contact = (struct contact){.sent = 2, .received = 9};
	judge();
	expect("contact-known", -5000, "2 messages");
	s.contact.sent = 0;
	judge();
	expect("contact-before", -1500, "9 messages");
	s.contact = (struct contact){.like = STR("b0b@sender.example")};
	judge();
	expect("contact-like", 4000, "b0b@sender.example");
	s.contact = (struct contact){.sent = 2};
	s.spf.result = AUTH_FAIL; /* anybody can say that he is a friend */
	judge();
	expect_not("contact-known");
}

static void how_it_was_before(void **state UNUSED)
{
	s.known[0] = (struct reputation){.good = 0, .bad = 95};
	s.known[1] = (struct reputation){.good = 5, .bad = 0};
	judge();
	expect("domain-bad", 2850, "domain sender.example: 0 wanted, 95 not");
	expect("net-good", -500, "net 192.0.2.0/24");
	s.in.history = NULL;
	judge();
	expect_not("domain-bad");
}

/* --- its header --- */

static void headers(void **state UNUSED)
{
	static const struct {
		const char *message, *rule;
	} cases[] = {
		{"Subject: x\r\n\r\n", "date-missing"},
		{"Date: yesterday\r\n\r\n", "date-malformed"},
		{"Date: 18 Nov 2027 12:00:00 +0000\r\n\r\n", "date-future"},
		{"Date: 18 Nov 2025 12:00:00 +0000\r\n\r\n", "date-old"},
		{"Subject: x\r\n\r\n", "id-missing"},
		{"Message-ID: x\r\n\r\n", "id-malformed"},
		{"Subject:\r\n\r\n", "subject-empty"},
		{"Subject: BUY THIS NOW!!!\r\n\r\n", "subject-capitals"},
		{"Subject: =?utf-8?B?YWJj?=\r\n\r\n", "subject-encoded"},
		{"Subject: caf\xc3\xa9\r\n\r\n", "header-raw"},
		{"Received: from x by MX.example.org; x\r\n\r\n", "received-forged"},
		{"Reply-To: winner@gmail.com\r\n\r\n", "reply-elsewhere"},
		{"To: undisclosed-recipients:;\r\n\r\n", "to-undisclosed"},
		{"Precedence: bulk\r\n\r\n", "bulk-no-unsubscribe"},
	};
	struct finding f;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		say(cases[i].message);
		if (!found(cases[i].rule, &f))
			fail_msg("%s", cases[i].rule);
	}
	s.author.name = STR("service@bank.example");
	judge();
	expect("from-name-address", 2000, "bank.example");
	s.author.name = STR("bob@mail.sender.example");
	judge();
	expect_not("from-name-address");
}

/* --- its content --- */

#define HTML "Content-Type: text/html\r\n\r\n"
#define FILE_OF(name) \
	"Content-Type: application/octet-stream; name=\"" name "\"\r\nContent-Disposition: attachment\r\n\r\nx"

static void contents_of_mail(void **state UNUSED)
{
	static const struct {
		const char *message, *rule, *evidence; /* evidence NULL: the rule does not hold */
	} cases[] = {
		{HTML "hello", "html-only", ""},
		{HTML "<img src=http://a.example/x>", "html-image", "1 images"},
		{HTML "<script>x</script>", "html-script", ""},
		{HTML "<form action=http://a.example/>", "html-form", ""},
		{HTML "<a href=http://192.0.2.1/>x</a>", "link-address", "192.0.2.1"},
		{HTML "<a href=http://bank.example@evil.example/>x</a>", "link-user", "evil.example"},
		{HTML "<a href=http://evil.example/>www.bank.example/login</a>", "link-other",
	         "shown as www.bank.example"},
		{HTML "<a href=http://evil.example/>bank.com</a>", "link-other", "evil.example"},
		{HTML "<a href=http://www.bank.example/>bank.example</a>", "link-other", NULL},
		{HTML "<a href=http://evil.example/>click here</a>", "link-other", NULL},
		{HTML "<a href=http://evil.example/>e.g.</a>", "link-other", NULL},
		{HTML "<a href=http://xn--pypal-4ve.example/>x</a>", "link-mixed", "xn--pypal-4ve"},
		{HTML "<a href=http://xn--bcher-kva.example/>x</a>", "link-mixed", NULL},
		{"Content-Type: text/plain; charset=utf-8\r\n\r\nvi\xe2\x80\x8b"
	         "ag\xe2\x80\x8b"
	         "r\xe2\x80\x8b"
	         "a",
	         "text-split", "3 times"},
		{FILE_OF("bill.exe"), "file-program", "bill.exe"},
		{FILE_OF("bill.pdf.exe"), "file-disguised", "bill.pdf.exe"},
		{FILE_OF("bill.pdf   .SCR"), "file-disguised", ""},
		{FILE_OF("page.html"), "file-page", "page.html"},
		{FILE_OF("bill.pdf"), "file-program", NULL},
		{"Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	         "UEsDBAoAAAAAAAAAAAAAAAAAAQAAAAEAAAAFAAAAeC5leGV4",
	         "file-packed", "x.exe in a.zip"},
	};
	struct finding f;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		say(cases[i].message);
		if (found(cases[i].rule, &f) != (cases[i].evidence != NULL))
			fail_msg("%s: %s\n" STR_FMT, cases[i].rule, cases[i].message, STR_ARG(buf_str(&s.findings)));
		if (cases[i].evidence != NULL && !str_contains(f.evidence, str_from(cases[i].evidence)))
			fail_msg("%s: " STR_FMT, cases[i].rule, STR_ARG(f.evidence));
	}
}

static void hidden_text(void **state UNUSED)
{
	BUF(m, 4096);

	buf_puts(&m, HTML "<div style='display:none'>");
	for (int i = 0; i < 100; i++)
		buf_puts(&m, "words ");
	buf_puts(&m, "</div>buy");
	s.message.body = BODY_OF(buf_str(&m));
	judge();
	expect("text-hidden", 1000, "");
	buf_reset(&m);
	buf_puts(&m, "Content-Transfer-Encoding: base64\r\n\r\n");
	for (int i = 0; i < 100; i++)
		buf_puts(&m, "YWJj");
	s.message.body = BODY_OF(buf_str(&m));
	judge();
	expect("text-base64", 500, "text/plain");
}

/* --- its words --- */

static void words(void **state UNUSED)
{
	ARENA(a, TOKENS_MEMORY);
	struct token *t;
	size_t n;

	assert_int_equal(tokens_of(str_from(good_message), &a, &t, &n), OK);
	struct model_builder b = {.size = model_size(n)};
	b.memory = malloc(b.size);
	assert_non_null(b.memory);
	assert_int_equal(model_begin(&b, n, (struct model_counts){100, 100}), OK);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(model_add(&b, t[i].hash, (struct model_counts){0, 50}), OK);
	struct model m;
	assert_int_equal(model_open(str_make(b.memory, b.size), &m), OK);
	s.in.all = &m;
	judge();
	expect("bayes-spam", 4900, "1.000: ");
	configure("rule bayes-spam points 1\n");
	judge();
	expect("bayes-spam", 1000, "1.000: ");
	free(b.memory);
}

/* --- what is made to be looked at for long --- */

static void put_html(struct buf *m)
{
	buf_puts(m, "--b\r\nContent-Type: text/html; charset=\"\\u\\t\\f\\-8\"\r\n\r\n");
	for (int i = 0; i < 130; i++)
		buf_printf(m, "<a href=http://h%d.evil%d.example/%01900d></a>", i, i, i);
	buf_puts(m, "\r\n");
}

static void bounded(void **state UNUSED)
{
	BUF(m, 60 << 20);

	configure("uribl a.example\nuribl b.example\nuribl c.example\nuribl d.example\nuribl e.example\nuribl "
	          "f.example\n");
	buf_puts(&m, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (int i = 0; i < 100; i++)
		put_html(&m);
	for (int i = 0; i < 800; i++)
		buf_printf(&m,
		           "--b\r\nContent-Type: application/zip; name=\"\\a%01900d.zip\"\r\nContent-Disposition: "
		           "attachment\r\n\r\nx\r\n",
		           i);
	s.message.body = BODY_OF(buf_str(&m));
	judge(); /* no E_LIMIT */
	expect("uribl", 0, "20 questions");
}

/* --- lists --- */

static void lists(void **state UNUSED)
{
	configure("dnsbl bl.example points 3\nuribl ur.example points 2.5\n");
	vector_zone(&s.dns,
	            (const char *const[]){"2.0.0.127.bl.example A 127.0.0.2", "7.2.0.192.bl.example A 127.0.0.4",
	                                  "test.ur.example A 127.0.0.2", "evil.example.ur.example A 127.0.0.8", NULL});
	say("Subject: x\r\n\r\nhttp://www.evil.example/x http://good.example/\r\n");
	expect("dnsbl", 3000, "192.0.2.7 in bl.example: 127.0.0.4");
	expect("uribl", 2500, "evil.example in ur.example: 127.0.0.8");
	judge(); /* the lists are known to be in order now */
	expect("dnsbl", 3000, "127.0.0.4");
}

/* RFC 5782 2.1, 5; answers of those who took a dead list's name over, or who want to be paid. */
static void lists_out_of_order(void **state UNUSED)
{
	static const char *const answers[][4] = {
		{"2.0.0.127.bl.example A 127.0.0.2", "7.2.0.192.bl.example A 203.0.113.1", NULL},
		{"2.0.0.127.bl.example A 127.0.0.2", "7.2.0.192.bl.example A 127.255.255.254", NULL},
		{"2.0.0.127.bl.example A 127.0.0.2", "7.2.0.192.bl.example A 127.0.0.1", NULL},
		{"2.0.0.127.bl.example A 127.0.0.2", "1.0.0.127.bl.example A 127.0.0.2",
	         "7.2.0.192.bl.example A 127.0.0.2", NULL},
		{"7.2.0.192.bl.example A 127.0.0.2", NULL},
	};

	configure("dnsbl bl.example points 3\n");
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		vector_dns_clear(&s.dns);
		vector_zone(&s.dns, answers[i]);
		blocklist_forget();
		judge();
		expect("dnsbl", 0, "bl.example");
	}
	judge(); /* it is remembered */
	expect("dnsbl", 0, "does not list what it has to");
}

/* --- greylisting --- */

static void the_suspicious_come_back(void **state UNUSED)
{
	struct word *keys;
	size_t n;

	configure("spam greylist 0.5\n");
	s.spf.result = AUTH_NONE;
	s.history.known_n = 2; /* net, grey */
	assert_int_equal(judge_keys(&s.in, &s.arena, &keys, &n), OK);
	assert_int_equal(n, 2);
	assert_true(str_starts(keys[1].text, STR("grey 192.0.2.0/24 ")));
	judge();
	assert_true(s.out.greylisted);
	assert_int_equal(s.out.notes_n, 1);
	assert_true(str_equal(s.out.notes[0].key, keys[1].text));
	judge_conclude(&s.out, true);
	assert_int_equal(s.out.notes[0].bad, 0);

	s.known[1] = (struct reputation){.first = NOW - 60 * USEC_PER_SEC, .last = NOW - 60 * USEC_PER_SEC};
	judge();
	assert_true(s.out.greylisted); /* too early */
	s.known[1].first = NOW - 600 * USEC_PER_SEC;
	judge();
	assert_false(s.out.greylisted);
	s.known[1].last = s.known[1].first = NOW - 40 * 86400 * USEC_PER_SEC;
	judge();
	assert_true(s.out.greylisted); /* too long ago */
	s.in.history = NULL;
	judge();
	assert_false(s.out.greylisted); /* the store is away */
}

static void what_is_junk_for_a_recipient_is_not_held_up(void **state UNUSED)
{
	configure("spam greylist 0.5\ndomain lax.example { junk 5 }\n"
	          "domain strict.example { junk 0.6 }\n");
	s.spf.result = AUTH_NONE;
	s.history.known_n = 2;
	s.rcpts[1].address = STR("carol@lax.example");
	s.message.rcpts_n = 2;
	judge();
	assert_true(s.out.points > 600);
	assert_true(s.out.greylisted);
	s.rcpts[1].address = STR("dora@strict.example");
	judge();
	assert_false(s.out.greylisted);
}

static void the_order_of_recipients_does_not_matter(void **state UNUSED)
{
	struct word *one, *other;
	size_t n;

	s.rcpts[1].address = STR("carol@example.org");
	s.message.rcpts_n = 2;
	assert_int_equal(judge_keys(&s.in, &s.arena, &one, &n), OK);
	s.rcpts[1] = s.rcpts[0];
	s.rcpts[0].address = STR("Carol@example.org");
	assert_int_equal(judge_keys(&s.in, &s.arena, &other, &n), OK);
	assert_int_equal(n, 3);
	assert_true(str_equal(one[2].text, other[2].text));
}

static void rules_have_names(void **state UNUSED)
{
	BUF(manual, 64 << 10);

	assert_true(rules_known(STR("bayes-spam")));
	assert_false(rules_known(STR("bayes")));
	judge_manual(&manual);
	assert_true(str_contains(buf_str(&manual), STR(".It Sy spf-fail Pq 2\n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_ordinary_message, begin, end),
		cmocka_unit_test_setup_teardown(nothing_proves_it, begin, end),
		cmocka_unit_test_setup_teardown(what_fails, begin, end),
		cmocka_unit_test_setup_teardown(who_is_trusted_saw_it, begin, end),
		cmocka_unit_test_setup_teardown(names_of_clients, begin, end),
		cmocka_unit_test_setup_teardown(how_it_introduces_itself, begin, end),
		cmocka_unit_test_setup_teardown(who_is_known, begin, end),
		cmocka_unit_test_setup_teardown(how_it_was_before, begin, end),
		cmocka_unit_test_setup_teardown(headers, begin, end),
		cmocka_unit_test_setup_teardown(contents_of_mail, begin, end),
		cmocka_unit_test_setup_teardown(hidden_text, begin, end),
		cmocka_unit_test_setup_teardown(words, begin, end),
		cmocka_unit_test_setup_teardown(bounded, begin, end),
		cmocka_unit_test_setup_teardown(lists, begin, end),
		cmocka_unit_test_setup_teardown(lists_out_of_order, begin, end),
		cmocka_unit_test_setup_teardown(the_suspicious_come_back, begin, end),
		cmocka_unit_test_setup_teardown(what_is_junk_for_a_recipient_is_not_held_up, begin, end),
		cmocka_unit_test_setup_teardown(the_order_of_recipients_does_not_matter, begin, end),
		cmocka_unit_test(rules_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
