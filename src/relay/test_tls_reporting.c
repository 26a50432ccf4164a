/* SPDX-License-Identifier: ISC */
/* What is seen of other servers' TLS, counted, and told when the day is over. */
#include "base/test.h"
#include "mailauth/report_fake.h"
#include "relay/fake.h"

#include <stdio.h>

#define HEAD    "version 1\nhostname mail.example.org\ndomain example.org\ndomain example.net\nqueue retry 1d\n"
#define HOUR    (3600 * NSEC_PER_SEC)
#define H32     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ENFORCE "version: STSv1\nmode: enforce\nmx: mx.sts.example\nmx: *.x.example\nmax_age: 604800\n"
#define TESTING "version: STSv1\nmode: testing\nmx: mx.sts.example\nmax_age: 604800\n"
#define OTHER   "version: STSv1\nmode: testing\nmx: other.example\nmax_age: 604800\n"
#define RUA     " TXT v=TLSRPTv1; rua=mailto:tls@example.com"

static const char *const zone[] = {
	"a.example MX 10 mx.a.example",
	"mx.a.example A 192.0.2.1",
	"_smtp._tls.a.example" RUA,
	"quiet.example MX 10 mx.a.example",
	"bad.example MX 10 mx.a.example",
	"_smtp._tls.bad.example TXT v=TLSRPTv1; rua=mailto:nobody",
	"web.example MX 10 mx.a.example",
	"_smtp._tls.web.example TXT v=TLSRPTv1; rua=https://reports.web.example:8443/x,mailto:tls@web.example",
	"reports.web.example A 192.0.2.7",
	"fails.example MX 10 mx.a.example",
	"_smtp._tls.fails.example SERVFAIL",
	"dane.example SECURE MX 10 mx.dane.example",
	"mx.dane.example SECURE A 192.0.2.1",
	"_25._tcp.mx.dane.example SECURE TLSA 3 1 1 " H32,
	"_25._tcp.mx.dane.example SECURE TLSA 1 1 1 " H32,
	"_smtp._tls.dane.example" RUA,
	"pkix.example SECURE MX 10 mx.pkix.example",
	"mx.pkix.example SECURE A 192.0.2.1",
	"_25._tcp.mx.pkix.example SECURE TLSA 1 1 1 " H32,
	"_smtp._tls.pkix.example" RUA,
	"bogus.example SECURE MX 10 mx.bogus.example",
	"mx.bogus.example SECURE A 192.0.2.1",
	"_25._tcp.mx.bogus.example BOGUS",
	"_smtp._tls.bogus.example" RUA,
	"sts.example MX 10 mx.sts.example",
	"mx.sts.example A 192.0.2.1",
	"_mta-sts.sts.example TXT v=STSv1; id=1;",
	"mta-sts.sts.example A 192.0.2.9",
	"_smtp._tls.sts.example" RUA,
	NULL,
};

static struct fake_world w;
static struct fake_host hosts[2];
static struct lease_rcpt rcpts[10];
static struct buf told;                     /* what came to those who asked for it */
static size_t refusals, posts, asked_store; /* refusals: so many times nobody takes a report, at first */
static nsec length;                         /* how long the world lasts */
static err fetch_error;
static int64_t told_at; /* microseconds into the day */

static void world(const char *config, nsec lasts)
{
	w = (struct fake_world){.config = config, .hosts = hosts, .zone = {.lines = zone}};
	hosts[0] = (struct fake_host){.address = "192.0.2.1:25", .extensions = "PIPELINING"};
	hosts[1] = (struct fake_host){0};
	told = BUF_INIT(1 << 20);
	refusals = posts = asked_store = 0;
	length = lasts;
	fetch_error = OK;
	told_at = 0;
}

static struct lease_reply *message(const char *domain)
{
	static char addresses[10][100];
	char *to = addresses[w.leases_n];
	struct lease_rcpt *r = &rcpts[w.leases_n];

	snprintf(to, sizeof(addresses[0]), "bob@%s", domain);
	*r = (struct lease_rcpt){.address = str_from(to)};
	return fake_add(&w, domain, r, 1);
}

/* --- who is told --- */

static void put_policy(const struct tls_report_policy *p)
{
	buf_printf(&told, " %.*s %.*s %u/%u", STR_ARG(p->type), STR_ARG(p->domain), (unsigned)p->successes,
	           (unsigned)p->failures);
	for (size_t i = 0; i < p->strings_n; i++)
		buf_printf(&told, "%s%.*s", i == 0 ? " [" : ", ", STR_ARG(p->strings[i]));
	for (size_t i = 0; i < p->hosts_n; i++)
		buf_printf(&told, "; %.*s", STR_ARG(p->hosts[i]));
	buf_puts(&told, p->strings_n > 0 ? "]\n" : "\n");
	for (size_t i = 0; i < p->details_n; i++) {
		const struct tls_report_failure *f = &p->details[i];
		buf_printf(&told, "  %.*s %.*s %.*s %u %.*s\n", STR_ARG(f->result), STR_ARG(f->receiving_host),
		           STR_ARG(f->receiving_ip), (unsigned)f->sessions, STR_ARG(f->reason));
	}
}

static void tell(const char *how, str to, str packed)
{
	ARENA(a, 1 << 20);
	struct tls_report r;

	if (tls_report_parse(packed, &a, &r) != OK)
		abort();
	told_at = rt_wall() % (86400 * INT64_C(1000000));
	buf_printf(&told, "%s %.*s %.*s %u s\n", how, STR_ARG(to), STR_ARG(r.contact),
	           (unsigned)((r.until - r.from) / 1000000 + 1));
	for (size_t i = 0; i < r.policies_n; i++)
		put_policy(&r.policies[i]);
}

static err accept_call(void *ctx UNUSED, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	const struct accept_request *q = request;
	struct accept_reply *r = reply;
	BUF(packed, 1 << 16);

	asked_store++;
	if (refusals > 0) {
		refusals--;
		return err_note(E_TEMP, "as the test wants it");
	}
	if (q->rcpts_n != 1 || q->rcpts[0].notify != DSN_NEVER || (q->flags & MESSAGE_TLS_OPTIONAL) == 0 ||
	    !str_equal(q->sender, STR("postmaster@example.org")) ||
	    report_part(q->body.bytes, "application", "tlsrpt+gzip", &packed) != OK)
		abort();
	r->answers_n = 1;
	r->answers = arena_array(a, 1, sizeof(*r->answers));
	tell("mail", q->rcpts[0].address, buf_str(&packed));
	return OK;
}

static err fetch(const struct http_request *q, str *body, struct arena *a, nsec deadline)
{
	if (q->method_body.n == 0 && fetch_error != OK)
		return err_note(fetch_error, "no policy today");
	if (q->method_body.n == 0)
		return fake_fetch(q, body, a, deadline);
	posts++;
	if (refusals > 0) {
		refusals--;
		return err_note(E_CLOSED, "nobody is there");
	}
	if (q->addresses_n != 1 || q->plain || !str_equal(q->content_type, STR("application/tlsrpt+gzip")))
		abort();
	tell("post", q->url, q->method_body);
	return OK;
}

/* --- the world --- */

static void run_main(void *arg UNUSED)
{
	nsec until = rt_after(length);

	fake_begin(&w);
	w.service.handlers[CALL_accept] = accept_call;
	w.relay->fetch = fetch;
	if (relay_start(w.relay) != OK)
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

#define EACH_HOUR HEAD "tls-reports send every 1h\n"

/* --- who is told, and when --- */

static void who_asks_is_told(void **state UNUSED)
{
	world(EACH_HOUR, 3 * HOUR);
	message("a.example");
	message("a.example")->flags = MESSAGE_REQUIRE_TLS; /* not even tried */
	message("quiet.example");
	message("bad.example");
	expect("mail tls@example.com postmaster@example.org 3600 s\n no-policy-found a.example 0/1\n"
	       "  starttls-not-supported mx.a.example 192.0.2.1 1 \n");
}

static void by_https_too(void **state UNUSED)
{
	world(EACH_HOUR, 2 * HOUR);
	message("web.example");
	expect("post https://reports.web.example:8443/x postmaster@example.org 3600 s\n no-policy-found web.example "
	       "0/1\n"
	       "  starttls-not-supported mx.a.example 192.0.2.1 1 \n"
	       "mail tls@web.example postmaster@example.org 3600 s\n no-policy-found web.example 0/1\n"
	       "  starttls-not-supported mx.a.example 192.0.2.1 1 \n");
}

/* One of two ways will do. */
static void one_that_takes_it_will_do(void **state UNUSED)
{
	world(HEAD, 56 * HOUR);
	message("web.example");
	refusals = 1;
	expect("mail tls@web.example postmaster@example.org 86400 s\n no-policy-found web.example 0/1\n"
	       "  starttls-not-supported mx.a.example 192.0.2.1 1 \n");
	assert_int_equal(posts, 1);
}

/* RFC 8460 5.5 */
static void it_is_tried_again(void **state UNUSED)
{
	world(HEAD, 56 * HOUR);
	message("a.example");
	refusals = 4;
	expect("mail tls@example.com postmaster@example.org 86400 s\n no-policy-found a.example 0/1\n"
	       "  starttls-not-supported mx.a.example 192.0.2.1 1 \n");
	assert_int_equal(asked_store, 5);
}

/* A day later there is something else to tell. */
static void it_is_not_tried_for_ever(void **state UNUSED)
{
	world(HEAD, 100 * HOUR);
	message("a.example");
	refusals = 1000;
	expect("");
	assert_in_range(asked_store, 5, 10);
	world(HEAD, 56 * HOUR);
	message("fails.example");
	expect("");
	assert_int_equal(asked_store, 0);
}

/* RFC 8460 4.1 */
static void not_at_midnight(void **state UNUSED)
{
	world(HEAD, 30 * HOUR);
	message("a.example");
	expect("mail tls@example.com postmaster@example.org 86400 s\n no-policy-found a.example 0/1\n"
	       "  starttls-not-supported mx.a.example 192.0.2.1 1 \n");
	assert_in_range(told_at, 1, 4 * 3600 * INT64_C(1000000) + 60 * INT64_C(1000000));
}

static void nobody_is_when_it_is_off(void **state UNUSED)
{
	world(HEAD "tls-reports off every 1h\n", 3 * HOUR);
	message("a.example");
	expect("");
}

/* --- what is counted --- */

static void not_what_does_without(void **state UNUSED)
{
	world(EACH_HOUR "route web.example mx tls never\nroute fails.example smtp 192.0.2.1\n", 3 * HOUR);
	message("a.example")->flags = MESSAGE_TLS_OPTIONAL;
	message("web.example");
	w.leases[1].reply.destination = STR("web.example #1");
	message("fails.example");
	w.leases[2].reply.destination = STR("#2 smtp 192.0.2.1:25");
	expect("");
	assert_int_equal(w.settled, 3);
}

static void starttls_refused(void **state UNUSED)
{
	static const struct fake_reply replies[] = {{"STARTTLS", "454 4.7.0 not today\r\n"}, {NULL, NULL}};

	world(EACH_HOUR, 2 * HOUR);
	hosts[0].extensions = "STARTTLS";
	hosts[0].replies = replies;
	message("a.example");
	message("a.example");
	expect("mail tls@example.com postmaster@example.org 3600 s\n no-policy-found a.example 0/2\n"
	       "  starttls-not-supported mx.a.example 192.0.2.1 2 454 4.7.0 not today\n");
}

/* It goes on without TLS; that is no second session. */
static void handshake_fails(void **state UNUSED)
{
	static const struct fake_reply replies[] = {{"STARTTLS", "220 go\r\n"}, {NULL, NULL}};

	world(EACH_HOUR, 2 * HOUR);
	hosts[0].extensions = "STARTTLS";
	hosts[0].replies = replies;
	hosts[0].fault_at = 4; /* what it says to the handshake */
	hosts[0].fault = FAULT_CLOSE;
	hosts[0].faulty_once = true;
	message("a.example");
	assert_int_equal(rt_run_simulated(1, run_main, NULL), OK);
	if (!str_starts(buf_str(&told), STR("mail tls@example.com postmaster@example.org 3600 s\n"
	                                    " no-policy-found a.example 0/1\n"
	                                    "  validation-failure mx.a.example 192.0.2.1 1 ")))
		fail_msg(STR_FMT, STR_ARG(buf_str(&told)));
	fake_free(&w);
	buf_free(&told);
}

static void dane(void **state UNUSED)
{
	world(EACH_HOUR, 2 * HOUR);
	message("dane.example");
	expect("mail tls@example.com postmaster@example.org 3600 s\n tlsa mx.dane.example 0/1 [3 1 1 " H32
	       ", 1 1 1 " H32 "]\n  starttls-not-supported mx.dane.example 192.0.2.1 1 \n");
}

static void records_that_are_of_no_use(void **state UNUSED)
{
	world(EACH_HOUR, 2 * HOUR);
	message("pkix.example");
	expect("mail tls@example.com postmaster@example.org 3600 s\n tlsa mx.pkix.example 0/1 [1 1 1 " H32
	       "]\n  tlsa-invalid mx.pkix.example  1 no record can be used\n no-policy-found pkix.example 0/1\n"
	       "  starttls-not-supported mx.pkix.example 192.0.2.1 1 \n");
}

static void records_that_are_bogus(void **state UNUSED)
{
	world(EACH_HOUR, 2 * HOUR);
	message("bogus.example");
	expect("mail tls@example.com postmaster@example.org 3600 s\n tlsa mx.bogus.example 0/1\n"
	       "  dnssec-invalid mx.bogus.example  1 TLSA records: the DNS of _25._tcp.mx.bogus.example cannot be "
	       "trusted: signature expired\n");
}

static void sts(void **state UNUSED)
{
	world(EACH_HOUR, 2 * HOUR);
	w.fetched = ENFORCE;
	message("sts.example");
	expect("mail tls@example.com postmaster@example.org 3600 s\n sts sts.example 0/1 [version: STSv1, mode: "
	       "enforce, "
	       "mx: mx.sts.example, mx: *.x.example, max_age: 604800; mx.sts.example; *.x.example]\n"
	       "  starttls-not-supported mx.sts.example 192.0.2.1 1 \n");
}

static void sts_testing(void **state UNUSED)
{
	world(EACH_HOUR, 2 * HOUR);
	w.fetched = TESTING;
	message("sts.example");
	expect("mail tls@example.com postmaster@example.org 3600 s\n sts sts.example 0/1 [version: STSv1, mode: "
	       "testing, "
	       "mx: mx.sts.example, max_age: 604800; mx.sts.example]\n"
	       "  starttls-not-supported mx.sts.example 192.0.2.1 1 \n");
	assert_int_equal(w.settled, 1);
}

static void sts_names_another_host(void **state UNUSED)
{
	world(EACH_HOUR, 2 * HOUR);
	w.fetched = OTHER;
	message("sts.example");
	expect("mail tls@example.com postmaster@example.org 3600 s\n sts sts.example 0/1 [version: STSv1, mode: "
	       "testing, "
	       "mx: other.example, max_age: 604800; other.example]\n"
	       "  validation-failure mx.sts.example  1 the policy does not name this host\n");
}

static void expect_sts_trouble(err e, const char *fetched, const char *result, const char *why)
{
	char text[1000];

	world(EACH_HOUR, 2 * HOUR);
	fetch_error = e;
	w.fetched = fetched;
	message("sts.example");
	snprintf(text, sizeof(text),
	         "mail tls@example.com postmaster@example.org 3600 s\n sts sts.example 0/1\n  %s mx.sts.example  1 %s\n"
	         " no-policy-found sts.example 0/1\n  starttls-not-supported mx.sts.example 192.0.2.1 1 \n",
	         result, why);
	expect(text);
}

static void sts_policy_is_not_to_be_had(void **state UNUSED)
{
	expect_sts_trouble(E_NOT_FOUND, NULL, "sts-policy-fetch-error", "no policy today");
	expect_sts_trouble(E_DENIED, NULL, "sts-webpki-invalid", "no policy today");
	expect_sts_trouble(OK, "version: STSv2\n", "sts-policy-invalid", "MTA-STS: another version than STSv1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_asks_is_told),
		cmocka_unit_test(by_https_too),
		cmocka_unit_test(one_that_takes_it_will_do),
		cmocka_unit_test(it_is_tried_again),
		cmocka_unit_test(it_is_not_tried_for_ever),
		cmocka_unit_test(not_at_midnight),
		cmocka_unit_test(nobody_is_when_it_is_off),
		cmocka_unit_test(not_what_does_without),
		cmocka_unit_test(starttls_refused),
		cmocka_unit_test(handshake_fails),
		cmocka_unit_test(dane),
		cmocka_unit_test(records_that_are_of_no_use),
		cmocka_unit_test(records_that_are_bogus),
		cmocka_unit_test(sts),
		cmocka_unit_test(sts_testing),
		cmocka_unit_test(sts_names_another_host),
		cmocka_unit_test(sts_policy_is_not_to_be_had),
	};

	return cmocka_run_group_tests_name("tls_reporting", tests, NULL, NULL);
}
