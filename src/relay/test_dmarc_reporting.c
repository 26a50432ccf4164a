/* SPDX-License-Identifier: ISC */
/* What the store has counted, told to those who ask for it when the day is over. */
#include "base/test.h"
#include "mail/mime.h"
#include "mailauth/dmarc_report.h"
#include "relay/dmarc_reporting.h"
#include "relay/fake.h"

#define HEAD   "version 1\nhostname mail.example.org\ndomain example.org\ntls-reports off\npublic-suffix-list no\n"
#define HOURLY HEAD "dmarc-reports send every 1h\n"
#define HOUR   (3600 * NSEC_PER_SEC)
#define DAYS   (24 * HOUR)

static const char *const zone[] = {
	"_dmarc.a.example TXT v=DMARC1; p=quarantine; rua=mailto:dmarc@a.example; psd=n",
	"_dmarc.below.example TXT v=DMARC1; p=none; rua=mailto:dmarc@mail.below.example; psd=n",
	"_dmarc.out.example TXT v=DMARC1; p=none; "
        "rua=mailto:x@agrees.example,mailto:x@refuses.example,mailto:x@moves.example,"
	"mailto:x@cheats.example; psd=n",
	"out.example._report._dmarc.agrees.example TXT v=DMARC1;",
	"out.example._report._dmarc.moves.example TXT v=DMARC1; rua=mailto:y@moves.example",
	"out.example._report._dmarc.cheats.example TXT v=DMARC1; rua=mailto:y@victim.example",
	"_dmarc.gone.example TXT v=DMARC1; p=none; psd=n",
	"_dmarc.fails.example SERVFAIL",
	"_dmarc.slow.example TXT v=DMARC1; p=none; rua=mailto:x@dead.example; psd=n",
	"slow.example._report._dmarc.dead.example SERVFAIL",
	"_dmarc.small.example TXT v=DMARC1; p=none; rua=mailto:x@small.example!1k; psd=n",
	NULL,
};

struct counted {
	const char *domain;
	size_t rows;
	bool told;
};

static struct fake_world w;
static struct fake_host hosts[1];
static struct counted counted[8];
static struct buf told;        /* what came to those who asked for it */
static size_t refusals, asked; /* refusals: so many times the store takes no mail, at first */
static size_t away;            /* so many times it does not answer at all, at first */
static err refusal;
static nsec length;
static const char *record = "v=DMARC1; p=reject; sp=none; adkim=s; rua=mailto:old@fails.example";

static void world(const char *config, nsec lasts)
{
	w = (struct fake_world){.config = config, .hosts = hosts, .zone = {.lines = zone}};
	memset(counted, 0, sizeof(counted));
	told = BUF_INIT(1 << 20);
	refusals = away = asked = 0;
	refusal = E_TEMP;
	length = lasts;
}

/* --- the store --- */

static struct tally_row row_of(const struct counted *c, size_t i, struct arena *a)
{
	BUF(text, DMARC_ROW_MAX);

	dmarc_row_print(&text, &(struct dmarc_row){.source = arena_printf(a, "192.0.2.%zu", i),
	                                           .disposition = STR("none"),
	                                           .dkim = STR("fail"),
	                                           .spf = STR("fail"),
	                                           .header_from = str_from(c->domain),
	                                           .envelope_from = arena_printf(a, "x%zu.%zx.example", i, i * 7919),
	                                           .record = str_from(record),
	                                           .record_domain = str_from(c->domain)});
	return (struct tally_row){arena_str(a, buf_str(&text)), 1000 - i};
}

static err tally_call(void *ctx UNUSED, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	const struct tally_request *q = request;
	struct tally_reply *r = reply;
	struct counted *next = NULL;

	if (away > 0) {
		away--;
		return err_note(E_TEMP, "the store is away");
	}
	for (struct counted *c = counted; c->domain != NULL; c++) {
		str domain = str_from(c->domain);
		c->told |= str_equal(domain, q->done);
		if (next == NULL && !c->told && str_compare(domain, q->after) > 0)
			next = c;
	}
	if (next == NULL)
		return OK;
	r->domain = str_from(next->domain);
	r->from = q->until - 7200 * UINT64_C(1000000);
	r->rows = arena_array(a, next->rows, sizeof(*r->rows));
	for (; r->rows_n < next->rows; r->rows_n++)
		r->rows[r->rows_n] = row_of(next, r->rows_n, a);
	return OK;
}

static void tell(const struct accept_request *q)
{
	ARENA(a, 16 << 20);
	BUF(packed, 1 << 20);
	struct dmarc_report r;
	struct mime mime;

	if (mime_read(q->body.bytes, &a, &mime) != OK || mime.n != 3 || mime_content(&mime.parts[2], &packed) != OK ||
	    dmarc_report_parse(buf_str(&packed), &a, &r) != OK)
		abort();
	buf_printf(&told, "%.*s: %.*s p=%.*s sp=%.*s adkim=%.*s %zu %.*s\n", STR_ARG(q->rcpts[0].address),
	           STR_ARG(r.domain), STR_ARG(r.p), STR_ARG(r.sp), STR_ARG(r.adkim), r.records_n,
	           STR_ARG(r.records[0].row.source));
	if (!str_equal(r.contact, q->sender) || r.until < r.from || !str_starts(r.id, str_from(arena_z(&a, r.domain))))
		abort();
	if (str_contains(q->body.bytes, STR("DKIM-Signature:")) != w.signs)
		abort();
}

static err accept_call(void *ctx UNUSED, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	const struct accept_request *q = request;
	struct accept_reply *r = reply;

	asked++;
	if (q->rcpts_n != 1 || q->rcpts[0].notify != DSN_NEVER || !str_equal(q->sender, STR("postmaster@example.org")))
		abort();
	r->answers_n = 1;
	r->answers = arena_array(a, 1, sizeof(*r->answers));
	if (refusals > 0) {
		refusals--;
		r->answers[0].code = refusal;
		return OK;
	}
	tell(q);
	return OK;
}

static err sign_call(void *ctx UNUSED, struct link *from UNUSED, const void *request UNUSED, void *reply,
                     struct arena *a UNUSED)
{
	((struct sign_reply *)reply)->signature = STR("signed");
	return OK;
}

/* --- the world --- */

static struct domain_key keys[] = {{STR("example.org"), STR("r1"), STR("rsa"), 1, 1, STR("v=DKIM1; p=R1"), STR_NONE}};

static void run_main(void *arg UNUSED)
{
	nsec until = rt_after(length);

	fake_begin(&w);
	w.service.handlers[CALL_accept] = accept_call;
	w.service.handlers[CALL_tally] = tally_call;
	w.service.handlers[CALL_sign] = sign_call;
	if (relay_certify(w.relay, &(struct certify_request){.domain_keys = keys, .domain_keys_n = 1}) != OK ||
	    relay_start(w.relay) != OK)
		abort();
	while (rt_now() < until)
		(void)!rt_sleep_until(rt_after(NSEC_PER_SEC));
	fake_end_world(&w);
}

static void expect(const char *what)
{
	assert_int_equal(rt_run_simulated(1, run_main, NULL), OK);
	assert_str(buf_str(&told), what);
	fake_free(&w);
	buf_free(&told);
}

/* --- who is told --- */

static void who_asks_is_told(void **state UNUSED)
{
	world(HOURLY, HOUR / 60);
	counted[0] = (struct counted){"a.example", 2, false};
	counted[1] = (struct counted){"below.example", 1, false};
	counted[2] = (struct counted){"gone.example", 1, false};
	counted[3] = (struct counted){"nowhere.example", 1, false};
	expect("dmarc@a.example: a.example p=reject sp=none adkim=s 2 192.0.2.0\n"
	       "dmarc@mail.below.example: below.example p=reject sp=none adkim=s 1 192.0.2.0\n");
	for (size_t i = 0; i < 4; i++)
		assert_true(counted[i].told);
}

static void it_is_signed(void **state UNUSED)
{
	world(HOURLY, HOUR / 60);
	w.signs = true;
	counted[0] = (struct counted){"a.example", 1, false};
	expect("dmarc@a.example: a.example p=reject sp=none adkim=s 1 192.0.2.0\n");
}

/* RFC 9990 4 */
static void others_have_to_agree(void **state UNUSED)
{
	world(HOURLY, HOUR / 60);
	counted[0] = (struct counted){"out.example", 1, false};
	expect("x@agrees.example: out.example p=reject sp=none adkim=s 1 192.0.2.0\n"
	       "y@moves.example: out.example p=reject sp=none adkim=s 1 192.0.2.0\n");
	assert_true(counted[0].told);
}

/* Then the record that mail was judged by says where to. */
static void the_dns_does_not_answer(void **state UNUSED)
{
	world(HOURLY, HOUR / 60);
	counted[0] = (struct counted){"fails.example", 1, false};
	expect("old@fails.example: fails.example p=reject sp=none adkim=s 1 192.0.2.0\n");
}

static void what_is_too_large(void **state UNUSED)
{
	world(HOURLY, HOUR / 60);
	counted[0] = (struct counted){"small.example", 200, false};
	expect("x@small.example: small.example p=reject sp=none adkim=s 25 192.0.2.0\n");
}

static void nobody_is_when_it_is_off(void **state UNUSED)
{
	world(HEAD "dmarc-reports off every 1h\n", 3 * HOUR);
	counted[0] = (struct counted){"a.example", 1, false};
	expect("");
	assert_false(counted[0].told);
}

/* --- later --- */

static void it_is_tried_again(void **state UNUSED)
{
	world(HEAD, 2 * DAYS);
	counted[0] = (struct counted){"a.example", 1, false};
	counted[1] = (struct counted){"below.example", 1, false};
	away = 3;
	refusals = 1;
	expect("dmarc@mail.below.example: below.example p=reject sp=none adkim=s 1 192.0.2.0\n"
	       "dmarc@a.example: a.example p=reject sp=none adkim=s 1 192.0.2.0\n");
	assert_int_equal(asked, 3);
}

static void a_refusal_is_an_answer(void **state UNUSED)
{
	world(HEAD, 2 * DAYS);
	counted[0] = (struct counted){"a.example", 1, false};
	refusals = 1;
	refusal = E_PERM;
	expect("");
	assert_int_equal(asked, 1);
	assert_true(counted[0].told);
}

/* Others are not held up by it. */
static void one_that_is_not_known_now(void **state UNUSED)
{
	world(HOURLY, HOUR / 60);
	counted[0] = (struct counted){"slow.example", 1, false};
	counted[1] = (struct counted){"small.example", 1, false};
	expect("x@small.example: small.example p=reject sp=none adkim=s 1 192.0.2.0\n");
	assert_false(counted[0].told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_asks_is_told),         cmocka_unit_test(it_is_signed),
		cmocka_unit_test(others_have_to_agree),     cmocka_unit_test(the_dns_does_not_answer),
		cmocka_unit_test(what_is_too_large),        cmocka_unit_test(nobody_is_when_it_is_off),
		cmocka_unit_test(it_is_tried_again),        cmocka_unit_test(a_refusal_is_an_answer),
		cmocka_unit_test(one_that_is_not_known_now)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
