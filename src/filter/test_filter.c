/* SPDX-License-Identifier: ISC */
#include "filter/fake.h"

#include "mail/finding.h"

static const char *const zone[] = {"sender.example TXT v=spf1 ip4:192.0.2.1 -all",
                                   "_dmarc.sender.example TXT v=DMARC1; p=reject; rua=mailto:d@sender.example",
                                   "soft.example TXT v=spf1 -all",
                                   "_dmarc.soft.example TXT v=DMARC1; p=quarantine",
                                   "1.2.0.192.in-addr.arpa PTR mx.sender.example",
                                   "mx.sender.example A 192.0.2.1",
                                   NULL};

static struct domain_key keys[] = {
	{STR("example.org"), STR("r1"), STR("rsa"), 1, 1, STR("v=DKIM1; p=R1"), STR_NONE},
	{STR("example.org"), STR("e1"), STR("ed25519"), 2, 1, STR("v=DKIM1; p=E1"), STR_NONE},
};

struct world {
	struct fake fake;
	struct config *config;
	struct filter *filter;
	struct origin origin;
	struct rcpt rcpts[2];
	struct inspect_request q;
	struct inspect_reply r;
	struct arena arena;
};

static void begin(struct world *w, const char *settings)
{
	struct config_faults faults = {.text = BUF_INIT(4096)};
	BUF(text, 4096);

	buf_printf(&text, "version 1\nhostname mx.example.org\ndomain example.org\nspam judge no\n%s", settings);
	*w = (struct world){.arena = ARENA_INIT(16 << 20)};
	fake_begin(&w->fake, zone);
	w->config = config_parse(buf_str(&text), "test", &faults);
	assert_non_null(w->config);
	const struct filter_options o = {
		.config = w->config, .store = w->fake.link, .keys = w->fake.link, .resolver = w->fake.resolver};
	assert_int_equal(filter_new(&o, &w->filter), OK);
	assert_int_equal(filter_certify(w->filter, &(struct certify_request){.domain_keys = keys,
	                                                                     .domain_keys_n = ARRAY_LEN(keys)}),
	                 OK);
	assert_int_equal(filter_start(w->filter), OK);
	w->origin = (struct origin){.session = STR("s1"),
	                            .client = STR("192.0.2.1"),
	                            .helo = STR("mx.sender.example"),
	                            .protocol = STR("ESMTP")};
	w->rcpts[0].address = STR("alice@example.org");
	w->q = (struct inspect_request){.id = 1234,
	                                .origin = &w->origin,
	                                .origin_n = 1,
	                                .sender = STR("bob@sender.example"),
	                                .rcpts = w->rcpts,
	                                .rcpts_n = 1,
	                                .flags = MESSAGE_ALL_OR_NONE};
}

static void end(struct world *w)
{
	filter_stop(w->filter);
	filter_free(w->filter);
	config_release(w->config);
	arena_free(&w->arena);
	fake_end(&w->fake);
}

static void inspect(struct world *w, const char *message)
{
	w->r = (struct inspect_reply){0};
	w->q.body = BODY_OF(str_from(message));
	assert_int_equal(filter_inspect(w->filter, &w->q, &w->r, &w->arena), OK);
}

static struct finding finding_of(const struct world *w, const char *name)
{
	str text = w->r.judgement_n == 1 ? w->r.judgement->findings : STR_NONE;
	struct finding f;

	while (finding_next(&text, &f))
		if (str_equal(f.name, str_from(name)))
			return f;
	fail_msg("no finding %s in\n" STR_FMT, name,
	         STR_ARG(w->r.judgement_n == 1 ? w->r.judgement->findings : STR_NONE));
	return f;
}

static void expect_result(const struct world *w, const char *name, const char *result)
{
	assert_str(finding_of(w, name).result, result);
}

static void expect_header(const struct world *w, const char *part)
{
	if (!str_contains(w->r.headers, str_from(part)))
		fail_msg("%s is not in\n" STR_FMT, part, STR_ARG(w->r.headers));
}

#define HELLO \
	"Subject: hello\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\n\r\nHello.\r\n"

static void authentic_run(void *arg UNUSED)
{
	struct world w;

	begin(&w, "");
	inspect(&w, "From: \"Bob B.\" <Bob@Sender.example>\r\n" HELLO);
	assert_int_equal(w.r.code, OK);
	assert_str(w.r.message_id, "<1@sender.example>");
	expect_header(&w, "Authentication-Results: mx.example.org;");
	expect_header(&w, "dmarc=pass");
	expect_result(&w, "spf", "pass");
	expect_result(&w, "iprev", "pass");
	expect_result(&w, "dkim", "none");
	expect_result(&w, "dmarc", "pass");
	expect_result(&w, "points", "deliver");
	assert_int_equal(w.r.verdicts_n, 1);
	assert_int_equal(w.r.verdicts[0].disposition, DISPOSITION_DELIVER);
	assert_int_equal(w.r.judgement->author_n, 1);
	assert_str(w.r.judgement->author->address, "bob@sender.example");
	assert_str(w.r.judgement->author->name, "Bob B.");
	assert_int_equal(w.r.judgement->author->verified, 1);
	assert_str(w.r.judgement->dmarc_domain, "sender.example");
	assert_true(str_contains(w.r.judgement->dmarc_row, STR("pass")));
	end(&w);
}

static void rejected_run(void *arg UNUSED)
{
	struct world w;

	begin(&w, "");
	w.origin.client = STR("198.51.100.1");
	inspect(&w, "From: bob@sender.example\r\n" HELLO);
	assert_int_equal(w.r.code, E_PERM);
	assert_int_equal(w.r.reply, 550);
	assert_str(w.r.status, "5.7.1");
	expect_result(&w, "spf", "fail");
	expect_result(&w, "dmarc", "fail");
	assert_str(finding_of(&w, "spf").evidence,
	           "sender.example says that its mail does not come from this address (-all)");
	assert_int_equal(finding_of(&w, "dmarc").kind, FINDING_CHECK);
	assert_int_equal(w.r.headers.n, 0);
	assert_true(w.r.judgement->dmarc_row.n > 0);
	end(&w);
}

static void junked_run(void *arg UNUSED)
{
	struct world w;

	begin(&w, "");
	w.q.sender = STR("bob@soft.example");
	inspect(&w, "From: bob@soft.example\r\n" HELLO);
	assert_int_equal(w.r.code, OK);
	assert_int_equal(w.r.verdicts[0].disposition, DISPOSITION_JUNK);
	expect_header(&w, "X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=0 policy of soft.example (DMARC)\r\n");
	assert_int_equal(w.r.judgement->author->verified, 0);
	assert_int_equal(w.r.judgement->dmarc_row.n, 0); /* it does not ask for reports */
	end(&w);
}

static void forged_fields_run(void *arg UNUSED)
{
	struct world w;

	begin(&w, "");
	w.config->spam.judge = CONFIG_YES;
	inspect(&w, "Authentication-Results: mx.example.org; dmarc=pass\r\nFrom: bob@sender.example\r\nX-Spam-Flag: "
	            "NO\r\n" HELLO);
	assert_int_equal(w.r.drop_n, 2);
	assert_int_equal(w.r.drop[0].offset, 0);
	assert_int_equal(w.r.drop[0].length, 52);
	end(&w);
}

static void broken_run(void *arg UNUSED)
{
	struct world w;

	begin(&w, "");
	inspect(&w, "From: a@b.example\r\nthis is no field\r\nSubject: x\r\n\r\nx\r\n");
	assert_int_equal(w.r.code, E_PERM);
	expect_result(&w, "structure", "reject");
	end(&w);
}

/* Lines that are no fields end the header for us; whoever reads on behind them sees this From. */
static void hidden_author_run(void *arg UNUSED)
{
	static const char *const messages[] = {
		"Subject: x\r\nword\r\nFrom: bob@soft.example\r\n\r\nx\r\n",
		"From: bob@sender.example\r\nodd name: x\r\nFrom: bob@soft.example\r\n\r\nx\r\n"};

	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		struct world w;

		begin(&w, "");
		inspect(&w, messages[i]);
		assert_int_equal(w.r.code, OK);
		assert_int_equal(w.r.verdicts[0].disposition, DISPOSITION_JUNK);
		assert_int_equal(w.r.judgement->author_n, 0);
		assert_true(str_contains(finding_of(&w, "dmarc").evidence, STR("a line that is no field")));
		end(&w);
	}
}

static void unauthenticated_run(void *arg UNUSED)
{
	struct world w;

	begin(&w, "authenticate no\n");
	inspect(&w, "From: bob@soft.example\r\n" HELLO);
	assert_int_equal(w.r.code, OK);
	assert_int_equal(w.r.headers.n, 0);
	expect_result(&w, "authenticate", "off");
	assert_int_equal(w.fake.dns.asked > 2, false); /* but for the records of our keys */
	end(&w);
}

/* LMTP, and clients of relay-from: trusted, whatever it is that they hand on. */
static void front_run(void *arg UNUSED)
{
	struct world w;

	begin(&w, "relay-from 198.51.100.0/24\n");
	w.origin.client = STR("198.51.100.1");
	inspect(&w, "From: bob@sender.example\r\n" HELLO);
	assert_int_equal(w.r.code, OK);
	assert_int_equal(w.r.verdicts[0].disposition, DISPOSITION_DELIVER);
	expect_result(&w, "origin", "front");
	expect_result(&w, "dmarc", "fail");
	assert_int_equal(w.r.judgement->dmarc_row.n, 0);
	w.origin.client = STR("unix");
	w.origin.protocol = STR("LMTP");
	inspect(&w, "From: bob@sender.example\r\n" HELLO);
	expect_result(&w, "origin", "front");
	end(&w);
}

static void signs_run(void *arg UNUSED)
{
	struct world w;

	begin(&w, "");
	w.q.flags |= MESSAGE_SUBMISSION;
	w.q.account = 7;
	w.q.sender = STR("alice@example.org");
	w.rcpts[0].address = STR("bob@sender.example");
	inspect(&w, "From: alice@example.org\r\nSubject: x\r\n\r\nx\r\n");
	assert_int_equal(w.r.code, OK);
	expect_header(&w, "d=example.org");
	expect_header(&w, "s=r1");
	expect_header(&w, "s=e1");
	expect_header(&w, "Message-ID: ");
	assert_true(str_starts(w.r.headers, STR("DKIM-Signature:")));
	expect_result(&w, "dkim-sign", "signed");
	assert_int_equal(w.fake.signs, 2);
	w.fake.keys_away = true;
	inspect(&w, "From: alice@example.org\r\nSubject: x\r\n\r\nx\r\n");
	assert_int_equal(w.r.code, OK);
	assert_false(str_contains(w.r.headers, STR("DKIM-Signature:")));
	end(&w);
}

/* From another domain: the reverse-path's signs. From nobody of ours: nobody does. */
static void who_signs_run(void *arg UNUSED)
{
	struct world w;

	begin(&w, "relay-from 192.0.2.1\n");
	w.rcpts[0].address = STR("carol@other.example");
	w.q.sender = STR("alice@example.org");
	inspect(&w, "From: list@lists.example\r\n" HELLO);
	assert_int_equal(w.fake.signs, 2);
	w.q.sender = STR("bob@sender.example");
	inspect(&w, "From: bob@sender.example\r\n" HELLO);
	assert_int_equal(w.fake.signs, 2);
	assert_int_equal(w.r.judgement_n, 0);
	end(&w);
}

static void sealed_run(void *arg UNUSED)
{
	struct world w;

	begin(&w, "arc seal yes\n");
	inspect(&w, "From: bob@sender.example\r\n" HELLO);
	assert_int_equal(w.r.code, OK);
	assert_true(str_starts(w.r.headers, STR("ARC-Seal:")));
	expect_header(&w, "ARC-Authentication-Results: i=1;\r\n mx.example.org;");
	expect_result(&w, "arc-seal", "sealed");
	end(&w);
}

static void learned_run(void *arg UNUSED)
{
	struct world w;

	begin(&w, "");
	w.fake.lesson = STR("From: a@b.example\r\nSubject: cheap watches\r\n\r\nBuy cheap watches now\r\n");
	assert_int_equal(rt_sleep_until(rt_after(200 * NSEC_PER_SEC)), OK);
	assert_int_equal(w.fake.done, 17);
	assert_true(w.fake.learned.n > 0 && w.fake.learned.n % 8 == 0);
	end(&w);
}

static void judged_run(void *arg UNUSED)
{
	struct world w;

	begin(&w, "");
	filter_configure(w.filter, w.config);
	w.config->spam.judge = CONFIG_YES;
	inspect(&w, "From: bob@sender.example\r\n" HELLO);
	assert_int_equal(w.fake.histories, 1);
	assert_true(w.fake.models > 0);
	assert_int_equal(w.r.code, OK);
	end(&w);
}

SIMULATED(authentic)
SIMULATED(rejected)
SIMULATED(junked)
SIMULATED(forged_fields)
SIMULATED(broken)
SIMULATED(hidden_author)
SIMULATED(unauthenticated)
SIMULATED(front)
SIMULATED(signs)
SIMULATED(who_signs)
SIMULATED(sealed)
SIMULATED(learned)
SIMULATED(judged)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(authentic),     cmocka_unit_test(rejected), cmocka_unit_test(junked),
		cmocka_unit_test(forged_fields), cmocka_unit_test(broken),   cmocka_unit_test(unauthenticated),
		cmocka_unit_test(front),         cmocka_unit_test(signs),    cmocka_unit_test(who_signs),
		cmocka_unit_test(sealed),        cmocka_unit_test(learned),  cmocka_unit_test(judged),
		cmocka_unit_test(hidden_author),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
