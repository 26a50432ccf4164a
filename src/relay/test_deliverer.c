/* SPDX-License-Identifier: ISC */
/* Leases, what is made of them with the outside world as it is, and settlements. */
#include "base/test.h"
#include "relay/fake.h"

#include <stdio.h>

#define HEAD "version 1\nhostname mail.example.org\ndomain example.org\nqueue retry 100s 200s expire 5d\n"
#define ONE  HEAD "queue connections 1\n" /* so that there is an order */
#define MX1  "192.0.2.1:25"
#define MX2  "192.0.2.2:25"

static const char *const zone[] = {
	"a.example MX 10 mx1.a.example",
	"a.example MX 20 mx2.a.example",
	"mx1.a.example A 192.0.2.1",
	"mx2.a.example A 192.0.2.2",
	"b.example MX 10 mx1.a.example",
	"null.example MX 0 .",
	"fails.example SERVFAIL",
	"two.example MX 10 two.example",
	"two.example A 192.0.2.1",
	"two.example A 192.0.2.2",
	NULL,
};

static struct fake_world w;
static struct fake_host hosts[3];
static struct lease_rcpt rcpts[250];

static void world(const char *config)
{
	memset(rcpts, 0, sizeof(rcpts));
	w = (struct fake_world){.config = config, .hosts = hosts, .zone = {.lines = zone}};
	hosts[0] = (struct fake_host){.address = MX1, .extensions = "PIPELINING 8BITMIME"};
	hosts[1] = (struct fake_host){.address = MX2, .extensions = "PIPELINING DSN"};
	hosts[2] = (struct fake_host){0};
	for (size_t i = 0; i < ARRAY_LEN(rcpts); i++)
		rcpts[i] = (struct lease_rcpt){.rcpt = i, .address = STR("bob@a.example")};
}

static struct lease_reply *message(void)
{
	return fake_add(&w, "a.example", rcpts, 1);
}

static bool all_settled(void)
{
	for (size_t i = 0; i < w.leases_n; i++)
		if (!w.leases[i].settled)
			return false;
	return true;
}

static void run_main(void *arg UNUSED)
{
	nsec until = rt_after(7200 * NSEC_PER_SEC);

	fake_begin(&w);
	if (relay_start(w.relay) != OK)
		abort();
	while (!all_settled() && rt_now() < until)
		(void)!rt_sleep_until(rt_after(NSEC_PER_SEC / 10));
	(void)!rt_sleep_until(rt_after(3 * NSEC_PER_SEC)); /* connections are kept for a while */
	fake_end_world(&w);
}

static void run(void)
{
	assert_int_equal(rt_run_simulated(1, run_main, NULL), OK);
	assert_true(all_settled());
}

/* One message, and what becomes of it. */
static void expect(const char *outcomes)
{
	run();
	assert_str(buf_str(&w.outcomes), outcomes);
	fake_free(&w);
}

static void expect_part(const struct buf *text, const char *part)
{
	if (!str_contains(buf_str(text), str_from(part)))
		fail_msg("\"%s\" is not in \"" STR_FMT "\"", part, STR_ARG(buf_str(text)));
}

static void a_message_leaves(void **state UNUSED)
{
	world(HEAD);
	message();
	run();
	assert_str(buf_str(&w.outcomes), "0 relayed 2.0.0 250 2.0.0 Ok: queued mx1.a.example[192.0.2.1]:25\n");
	assert_str(buf_str(&hosts[0].sessions[0]->content), "Subject: hello\r\n\r\nHow are you?\r\n");
	expect_part(&hosts[0].sessions[0]->commands, "EHLO mail.example.org\r\n");
	expect_part(&hosts[0].sessions[0]->commands, "MAIL FROM:<alice@example.org>");
	expect_part(&hosts[0].sessions[0]->commands, "RCPT TO:<bob@a.example>\r\n");
	expect_part(&hosts[0].sessions[0]->commands, "QUIT\r\n");
	assert_int_equal(w.destination_due, 0);
	assert_int_equal(w.reports.n, 0);
	assert_int_equal(hosts[1].dials, 0);
	fake_free(&w);
}

static void a_connection_is_used_again(void **state UNUSED)
{
	world(ONE);
	for (int i = 0; i < 5; i++)
		message();
	run();
	assert_int_equal(hosts[0].sessions_n, 1);
	assert_int_equal(hosts[0].sessions[0]->taken, 5);
	fake_free(&w);
}

static void not_where_something_is_lacking(void **state UNUSED)
{
	world(ONE);
	for (int i = 0; i < 4; i++)
		message();
	w.leases[1].reply.flags = MESSAGE_UTF8;
	w.leases[3].reply.by_mode = BY_RETURN;
	w.leases[3].reply.deliver_by = INT64_MAX;
	run();
	assert_int_equal(hosts[0].sessions_n, 3);
	fake_free(&w);
}

static void not_for_another_destination(void **state UNUSED)
{
	static struct lease_rcpt other = {.rcpt = 0, .address = STR("carol@b.example")};

	world(ONE);
	message();
	fake_add(&w, "b.example", &other, 1);
	run();
	assert_int_equal(hosts[0].sessions_n, 2);
	fake_free(&w);
}

static void not_for_ever(void **state UNUSED)
{
	world(ONE);
	for (int i = 0; i < 130; i++)
		message();
	run();
	assert_int_equal(hosts[0].sessions_n, 2);
	assert_int_equal(hosts[0].sessions[0]->taken, 100);
	assert_int_equal(hosts[0].sessions[1]->taken, 30);
	fake_free(&w);
}

/* The server ends it while nothing is to be sent: that is no failure. */
static void a_kept_connection_that_was_closed(void **state UNUSED)
{
	world(ONE);
	message();
	message();
	hosts[0].faulty_once = true;
	hosts[0].fault = FAULT_CLOSE;
	hosts[0].fault_at = 6; /* greeting, EHLO, MAIL, RCPT, DATA, end: then MAIL */
	hosts[0].fault_at++;
	run();
	assert_str(buf_str(&w.outcomes), "0 relayed 2.0.0 250 2.0.0 Ok: queued mx1.a.example[192.0.2.1]:25\n"
	                                 "0 relayed 2.0.0 250 2.0.0 Ok: queued mx1.a.example[192.0.2.1]:25\n");
	assert_int_equal(hosts[0].sessions_n, 2);
	assert_int_equal(hosts[1].dials, 0);
	fake_free(&w);
}

static void refused_for_good(void **state UNUSED)
{
	static const struct fake_reply replies[] = {{"RCPT", "550 5.1.1 No such user\r\n"}, {NULL, NULL}};

	world(HEAD);
	message();
	hosts[0].replies = replies;
	run();
	assert_str(buf_str(&w.outcomes), "0 failed 5.1.1 550 5.1.1 No such user mx1.a.example[192.0.2.1]:25\n");
	assert_int_equal(hosts[1].dials, 0); /* the first who answers decides */
	expect_part(&w.reports, "bob@a.example");
	expect_part(&w.reports, "550 5.1.1 No such user");
	fake_free(&w);
}

static void no_report_for_a_report(void **state UNUSED)
{
	static const struct fake_reply replies[] = {{"RCPT", "550 5.1.1 No such user\r\n"}, {NULL, NULL}};

	world(HEAD);
	message()->sender = STR_NONE;
	hosts[0].replies = replies;
	run();
	assert_int_equal(w.reports.n, 0);
	expect_part(&hosts[0].sessions[0]->commands, "MAIL FROM:<>");
	fake_free(&w);
}

static void refused_for_now(void **state UNUSED)
{
	static const struct fake_reply replies[] = {{"RCPT", "450 4.2.1 Try later\r\n"}, {NULL, NULL}};

	world(HEAD);
	message();
	hosts[0].replies = replies;
	run();
	assert_str(buf_str(&w.outcomes), "0 later 4.2.1 450 4.2.1 Try later mx1.a.example[192.0.2.1]:25\n");
	assert_int_equal(hosts[1].dials, 0);
	assert_int_equal(w.destination_due, 0); /* it was reached */
	assert_true(w.due > 0);
	fake_free(&w);
}

static void recipients_of_every_kind(void **state UNUSED)
{
	static const struct fake_reply replies[] = {
		{"RCPT TO:<no@", "550 5.1.1 No\r\n"}, {"RCPT TO:<wait@", "450 4.2.0 Wait\r\n"}, {NULL, NULL}};

	world(HEAD);
	rcpts[0].address = STR("no@a.example");
	rcpts[1].address = STR("wait@a.example");
	fake_add(&w, "a.example", rcpts, 3);
	hosts[0].replies = replies;
	expect("0 failed 5.1.1 550 5.1.1 No mx1.a.example[192.0.2.1]:25\n"
	       "1 later 4.2.0 450 4.2.0 Wait mx1.a.example[192.0.2.1]:25\n"
	       "2 relayed 2.0.0 250 2.0.0 Ok: queued mx1.a.example[192.0.2.1]:25\n");
}

static const char by_the_second[] = "0 relayed 2.0.0 250 2.0.0 Ok: queued mx2.a.example[192.0.2.2]:25\n";

static void the_next_host(void **state UNUSED)
{
	static const struct fake_reply greeting4[] = {{"", "421 4.3.2 Too busy\r\n"}, {NULL, NULL}};
	static const struct fake_reply greeting5[] = {{"", "554 5.7.1 Not you\r\n"}, {NULL, NULL}};
	static const struct fake_reply hello[] = {{"EHLO", "451 4.3.0 Sorry\r\n"}, {NULL, NULL}};
	static const struct fake_reply mail[] = {{"MAIL", "452 4.3.1 No space\r\n"}, {NULL, NULL}};
	static const struct fake_reply rcpt[] = {{"RCPT", "421 4.3.2 Going down\r\n"}, {NULL, NULL}};
	static const struct fake_reply nonsense[] = {{"", "hello there\r\n"}, {NULL, NULL}};
	static const struct fake_reply *const all[] = {greeting4, greeting5, hello, mail, rcpt, nonsense};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		world(HEAD);
		message();
		hosts[0].replies = all[i];
		expect(by_the_second);
	}
	world(HEAD);
	message();
	hosts[0].refuses = true;
	expect(by_the_second);
	world(HEAD);
	message();
	hosts[0].hangs = true;
	expect(by_the_second);
}

/* At every reply: nothing is lost, and what was in doubt is said to be. */
static void a_server_that_breaks_off(void **state UNUSED)
{
	for (size_t at = 1; at <= 5; at++)
		for (enum fault fault = FAULT_CLOSE; fault < FAULT_COUNT; fault++) {
			world(HEAD);
			message();
			hosts[0].fault = fault;
			hosts[0].fault_at = at;
			expect(by_the_second);
		}
	world(HEAD);
	message();
	hosts[0].fault = FAULT_CLOSE;
	hosts[0].fault_at = 6;
	expect("0 later 4.4.2 The connection broke before the message was confirmed; it may arrive twice "
	       "mx1.a.example[192.0.2.1]:25\n");
	assert_int_equal(hosts[1].dials, 0);
}

static void all_break_off(void **state UNUSED)
{
	world(HEAD);
	message();
	hosts[0].fault = hosts[1].fault = FAULT_CLOSE;
	hosts[0].fault_at = hosts[1].fault_at = 1;
	expect("0 later 4.4.2 mx2.a.example[192.0.2.2]:25: peer closed the connection \n");
}

static void nobody_answers(void **state UNUSED)
{
	world(HEAD);
	message()->rcpts[0].attempts = 1;
	hosts[0].refuses = hosts[1].refuses = true;
	run();
	assert_str(buf_str(&w.outcomes), "0 later 4.4.1 mx2.a.example: connect to 192.0.2.2:25: refused \n");
	assert_int_equal(w.destination_due, w.due);
	assert_in_range(w.due - (int64_t)w.leases[0].reply.received, 180 * 1000000, 224 * 1000000);
	fake_free(&w);
}

static void the_dns_decides(void **state UNUSED)
{
	world(HEAD);
	rcpts[0].address = STR("bob@null.example");
	fake_add(&w, "null.example", rcpts, 1);
	expect("0 failed 5.1.10 null.example takes no mail (null MX) \n");
	world(HEAD);
	rcpts[0].address = STR("bob@nowhere.example");
	fake_add(&w, "nowhere.example", rcpts, 1);
	expect("0 failed 5.1.2 There is no domain nowhere.example, or it has no mail server \n");
	world(HEAD);
	rcpts[0].address = STR("bob@fails.example");
	fake_add(&w, "fails.example", rcpts, 1);
	expect("0 later 4.4.3 the DNS fails for fails.example (rcode 2) \n");
}

static void addresses_of_one_host(void **state UNUSED)
{
	static const struct fake_reply busy[] = {{"", "421 4.3.2 Too busy\r\n"}, {NULL, NULL}};

	world(HEAD);
	rcpts[0].address = STR("bob@two.example");
	fake_add(&w, "two.example", rcpts, 1);
	hosts[0].replies = busy;
	expect("0 relayed 2.0.0 250 2.0.0 Ok: queued two.example[192.0.2.2]:25\n");
}

static void our_own_name_is_a_circle(void **state UNUSED)
{
	static const struct fake_reply replies[] = {{"EHLO", "250-mail.example.org hello\r\n250 HELP\r\n"},
	                                            {NULL, NULL}};

	world(HEAD);
	message();
	hosts[0].replies = replies;
	expect("0 failed 5.4.6 The mail server of a.example is this machine, which does not have its mail \n");
	assert_int_equal(hosts[1].dials, 0);
	world(HEAD "route * mx loopback allow\n");
	fake_add(&w, "a.example #1", rcpts, 1);
	hosts[0].replies = replies;
	expect("0 relayed 2.0.0 250 2.0.0 Ok: queued mx1.a.example[192.0.2.1]:25\n");
}

static void a_host_that_takes_no_mail(void **state UNUSED)
{
	static const struct fake_reply replies[] = {{"", "521 5.3.2 mx takes no mail\r\n"}, {NULL, NULL}};

	world(HEAD);
	message();
	hosts[0].replies = hosts[1].replies = replies;
	expect("0 failed 5.3.2 521 5.3.2 mx takes no mail mx2.a.example[192.0.2.2]:25\n");
}

/* RFC 5321 4.5.3.1.10. */
static void more_recipients_than_it_takes(void **state UNUSED)
{
	static char addresses[250][30];
	static const struct fake_reply none[] = {{NULL, NULL}};

	world(HEAD);
	for (size_t i = 0; i < 250; i++) {
		snprintf(addresses[i], sizeof(addresses[i]), "r%zu@a.example", i);
		rcpts[i].address = str_from(addresses[i]);
	}
	fake_add(&w, "a.example", rcpts, 250);
	hosts[0].replies = none;
	run();
	assert_int_equal(hosts[0].sessions_n, 1);
	assert_int_equal(hosts[0].sessions[0]->taken, 3); /* of 100, 100 and 50 */
	fake_free(&w);
}

static void routes(void **state UNUSED)
{
	static struct lease_rcpt inner = {.rcpt = 0, .address = STR("carol@c.example")};

	world(HEAD "route * smtp 192.0.2.2:25 source 192.0.2.77\n");
	fake_add(&w, "#1 smtp 192.0.2.2:25", rcpts, 1);
	run();
	assert_str(buf_str(&w.outcomes), "0 relayed 2.0.0 250 2.0.0 Ok: queued [192.0.2.2]:25\n");
	assert_str(buf_str(&w.dialled), "192.0.2.2:25<192.0.2.77 ");
	fake_free(&w);
	world(HEAD "domain c.example { relay lmtp 192.0.2.1:25 }\n");
	fake_add(&w, "c.example lmtp 192.0.2.1:25", &inner, 1);
	hosts[0].lmtp = true;
	run();
	assert_str(buf_str(&w.outcomes), "0 relayed 2.0.0 250 2.0.0 Ok: queued [192.0.2.1]:25\n");
	expect_part(&hosts[0].sessions[0]->commands, "LHLO mail.example.org\r\n");
	fake_free(&w);
}

static void tls_that_a_route_asks_for(void **state UNUSED)
{
	world(HEAD "route * smtp 192.0.2.2:25 tls required\n");
	fake_add(&w, "#1 smtp 192.0.2.2:25", rcpts, 1);
	expect("0 later 4.7.4 192.0.2.2 does not offer TLS, which the route asks for \n");
	assert_int_equal(hosts[1].sessions[0] == NULL, false);
}

static void tls_that_fails(void **state UNUSED)
{
	world(HEAD); /* who says yes to STARTTLS and then nothing that is TLS gets it in plaintext, over a new connection */
	message();
	hosts[0].extensions = "STARTTLS";
	run();
	assert_str(buf_str(&w.outcomes), "0 relayed 2.0.0 250 2.0.0 Ok: queued mx1.a.example[192.0.2.1]:25\n");
	assert_int_equal(hosts[0].sessions_n, 2);
	fake_free(&w);
	world(HEAD "route * mx tls required\n");
	fake_add(&w, "a.example #1", rcpts, 1);
	hosts[0].extensions = hosts[1].extensions = "STARTTLS";
	run();
	assert_true(
		str_starts(buf_str(&w.outcomes), STR("0 later 4.7.4 TLS with mx2.a.example[192.0.2.2]:25 failed: ")));
	fake_free(&w);
}

static void a_message_that_requires_tls(void **state UNUSED)
{
	world(HEAD);
	message()->flags = MESSAGE_REQUIRE_TLS;
	run();
	assert_true(str_starts(buf_str(&w.outcomes), STR("0 failed 5.7.30 The message requires TLS, and ")));
	assert_int_equal(hosts[0].dials, 0);
	fake_free(&w);
}

static void domains_in_any_script(void **state UNUSED)
{
	static const char *const lines[] = {"xn--mller-kva.example A 192.0.2.1", NULL};

	world(HEAD);
	w.zone.lines = lines;
	rcpts[0].address = STR("bob@M\xc3\xbcller.example");
	fake_add(&w, "xn--mller-kva.example", rcpts, 1);
	expect("0 relayed 2.0.0 250 2.0.0 Ok: queued xn--mller-kva.example[192.0.2.1]:25\n");
	world(HEAD);
	rcpts[0].address = STR("bob@[IPv6:2001:db8::1]");
	fake_add(&w, "[ipv6:2001:db8::1]", rcpts, 1);
	expect("0 later 4.4.1 2001:db8::1: connect to [2001:db8::1]:25: refused \n");
}

static void what_goes_another_way_now(void **state UNUSED)
{
	world(HEAD "route a.example smtp 192.0.2.2:25\n");
	message();
	expect("0 moved  #1 smtp 192.0.2.2:25 \n");
	assert_int_equal(hosts[0].dials + hosts[1].dials, 0);
}

static void what_is_not_tried_any_more(void **state UNUSED)
{
	struct lease_reply *l;

	world(HEAD);
	l = message();
	l->why = LEASE_EXPIRED;
	l->reason = STR("450 4.2.1 Try later");
	run();
	assert_str(buf_str(&w.outcomes), "0 failed 5.4.7 450 4.2.1 Try later \n");
	expect_part(&w.reports, "450 4.2.1 Try later");
	assert_int_equal(hosts[0].dials, 0);
	fake_free(&w);
	world(HEAD);
	message()->why = LEASE_FAIL;
	expect("0 failed 5.0.0 Given up by the administrator \n");
	world(HEAD);
	l = message();
	l->by_mode = BY_RETURN;
	l->deliver_by = 1;
	expect("0 failed 5.4.7 It could not be sent by the time that its sender named \n");
}

static void success_that_was_asked_for(void **state UNUSED)
{
	world(HEAD);
	rcpts[0].notify = DSN_SUCCESS;
	message();
	run();
	expect_part(&w.reports, "relayed");
	fake_free(&w);
	world(HEAD);
	rcpts[0].notify = DSN_SUCCESS;
	message();
	hosts[0].refuses = true; /* the second one knows DSN and tells by itself */
	run();
	assert_int_equal(w.reports.n, 0);
	expect_part(&hosts[1].sessions[0]->commands, "NOTIFY=SUCCESS");
	fake_free(&w);
}

static void a_settlement_is_not_forgotten(void **state UNUSED)
{
	world(HEAD);
	message();
	w.settle_failures = 7;
	w.settle_error = E_TEMP;
	run();
	assert_int_equal(w.settled, 1);
	assert_int_equal(hosts[0].sessions[0]->taken, 1);
	fake_free(&w);
}

/* The store was started anew while the first one is being sent, and gives it out again. */
static void what_is_in_hand_is_not_sent_again(void **state UNUSED)
{
	world(HEAD);
	struct lease_reply *first = message(), *again = message(), *other = message();
	again->message = other->message = first->message;
	other->rcpts = &rcpts[1]; /* of the same message, but not in hand */
	w.settle_failures = 14;
	w.settle_error = E_FULL;
	run();
	assert_str(buf_str(&w.outcomes), "1 relayed 2.0.0 250 2.0.0 Ok: queued mx1.a.example[192.0.2.1]:25\n"
	                                 "0 relayed 2.0.0 250 2.0.0 Ok: queued mx1.a.example[192.0.2.1]:25\n");
	assert_int_equal(hosts[0].sessions_n, 2);
	assert_int_equal(w.settled, 3); /* one of them says nothing: it goes back */
	fake_free(&w);
}

static void errors_that_pass(void **state UNUSED)
{
	static const err all[] = {E_TEMP, E_TIMEOUT, E_BUSY, E_FULL, E_IO, E_MEMORY};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		world(ONE);
		message();
		w.settle_failures = 2;
		w.settle_error = all[i];
		run();
		assert_int_equal(w.settled, 1);
		assert_int_equal(hosts[0].sessions[0]->taken, 1);
		fake_free(&w);
	}
}

static void fewer_connections_main(void *arg UNUSED)
{
	struct config_faults faults = {.text = BUF_INIT(4096)};

	fake_begin(&w);
	if (relay_start(w.relay) != OK)
		abort();
	(void)!rt_sleep_until(rt_after(60 * NSEC_PER_SEC));
	assert_in_range(w.relay->deliverers, 6, 10);
	struct config *less = config_parse(STR(HEAD "queue connections 3\n"), "f", &faults);
	relay_configure(w.relay, less);
	config_release(less);
	(void)!rt_sleep_until(rt_after(3600 * NSEC_PER_SEC));
	assert_in_range(w.relay->deliverers, 1, 3);
	fake_end_world(&w);
}

static void a_reload_may_ask_for_fewer_connections(void **state UNUSED)
{
	world(HEAD "queue connections 10\n");
	for (int i = 0; i < 8; i++)
		message();
	hosts[0].fault = FAULT_STALL;
	hosts[0].fault_at = 1;
	assert_int_equal(rt_run_simulated(1, fewer_connections_main, NULL), OK);
	fake_free(&w);
}

static void as_many_as_there_is_work_for(void **state UNUSED)
{
	static char names[20][40];
	static struct lease_rcpt each[20];

	world(HEAD "queue connections 10\n");
	hosts[0].fault = FAULT_STALL; /* for minutes */
	hosts[0].fault_at = 1;
	hosts[1] = hosts[0];
	hosts[1].address = MX2;
	for (size_t i = 0; i < 20; i++) {
		snprintf(names[i], sizeof(names[i]), "bob@[192.0.2.%zu]", i % 2 + 1);
		each[i] = (struct lease_rcpt){.address = str_from(names[i])};
		fake_add(&w, names[i] + 4, &each[i], 1);
	}
	run();
	assert_in_range(w.calls_any, 20, 100);
	fake_free(&w);
}

/* --- stopping --- */

static void drain_main(void *arg UNUSED)
{
	fake_begin(&w);
	if (relay_start(w.relay) != OK)
		abort();
	(void)!rt_sleep_until(rt_after(NSEC_PER_SEC));
	nsec began = rt_now();
	relay_drain(w.relay, rt_after(10 * NSEC_PER_SEC));
	assert_int_equal(w.relay->deliverers, 0);
	assert_true(rt_now() - began < NSEC_PER_SEC);
	fake_end_world(&w);
}

static void idle_ones_stop_at_once(void **state UNUSED)
{
	world(ONE);
	assert_int_equal(rt_run_simulated(1, drain_main, NULL), OK);
	fake_free(&w);
}

static void stop_main(void *arg UNUSED)
{
	fake_begin(&w);
	if (relay_start(w.relay) != OK)
		abort();
	(void)!rt_sleep_until(rt_after(NSEC_PER_SEC));
	relay_drain(w.relay, rt_after(10 * NSEC_PER_SEC));
	assert_int_equal(w.relay->deliverers, 1); /* it waits for a greeting */
	fake_end_world(&w);
}

static void who_is_busy_is_ended(void **state UNUSED)
{
	world(ONE);
	message();
	hosts[0].fault = FAULT_STALL;
	hosts[0].fault_at = 1;
	assert_int_equal(rt_run_simulated(1, stop_main, NULL), OK);
	assert_int_equal(w.settled, 0);
	fake_free(&w);
}

/* For one of two the server has said yes. */
static void what_was_said_before_the_end_counts(void **state UNUSED)
{
	static struct lease_rcpt inner[2] = {{.rcpt = 0, .address = STR("carol@c.example")},
	                                     {.rcpt = 1, .address = STR("dave@c.example")}};

	world(ONE "domain c.example { relay lmtp 192.0.2.1:25 }\n");
	fake_add(&w, "c.example lmtp 192.0.2.1:25", inner, 2);
	hosts[0].lmtp = true;
	hosts[0].fault = FAULT_STALL;
	hosts[0].fault_at = 8; /* greeting, LHLO, MAIL, RCPT, RCPT, DATA, end for the first, end for the second */
	assert_int_equal(rt_run_simulated(1, stop_main, NULL), OK);
	assert_str(buf_str(&w.outcomes), "0 relayed 2.0.0 250 2.0.0 Ok: queued [192.0.2.1]:25\n");
	fake_free(&w);
}

static void stop_soon_main(void *arg UNUSED)
{
	fake_begin(&w);
	if (relay_start(w.relay) != OK)
		abort();
	(void)!rt_sleep_until(rt_after(20 * NSEC_PER_SEC));
	nsec began = rt_now();
	relay_stop(w.relay);
	assert_in_range(rt_now() - began, 0, 3 * NSEC_PER_SEC);
	fake_end_world(&w);
}

/* The store fails, or says nothing: it is asked once more, and not for long. */
static void a_stop_does_not_wait_for_the_store(void **state UNUSED)
{
	for (int stalls = 0; stalls < 2; stalls++) {
		world(ONE);
		message();
		w.settle_failures = 1000;
		w.settle_error = E_TEMP;
		w.settle_stalls = stalls == 1;
		assert_int_equal(rt_run_simulated(1, stop_soon_main, NULL), OK);
		assert_in_range(w.settle_calls, 2, 6);
		fake_free(&w);
	}
}

/* --- servers that are slow on purpose --- */

static const char *slow_rcpt(struct fake_server *f UNUSED, str line)
{
	if (str_starts(line, STR("RCPT")))
		(void)!rt_sleep_until(rt_after(290 * NSEC_PER_SEC));
	return NULL;
}

static nsec lasted;

static void run_timed(void *arg)
{
	nsec begin = rt_now();

	run_main(arg);
	lasted = rt_now() - begin;
}

/* Each step in time, and all of them would take eight hours. */
static void slow_at_each_step(void **state UNUSED)
{
	world(ONE);
	hosts[0].extensions = "8BITMIME";
	hosts[0].think = slow_rcpt;
	hosts[1].refuses = true;
	fake_add(&w, "a.example", rcpts, 100);
	assert_int_equal(rt_run_simulated(1, run_timed, NULL), OK);
	assert_true(all_settled());
	assert_in_range(lasted / NSEC_PER_SEC, 1790, 2100);
	expect_part(&w.outcomes, "99 later 4.4.2 The connection to mx1.a.example[192.0.2.1]:25 broke");
	assert_true(w.destination_due > 0);
	fake_free(&w);
}

/* Many domains that lead to one such host: it gets a share of the deliverers, and the others go on. */
static void one_host_behind_many_domains(void **state UNUSED)
{
	static struct lease_rcpt other = {.rcpt = 7, .address = STR("carol@b.example")};

	world(HEAD "queue connections 4 per-destination 1\n");
	hosts[0].fault_at = 1;
	hosts[0].fault = FAULT_STALL;
	fake_add(&w, "b.example", &other, 1);
	fake_add(&w, "b.example", &other, 1); /* put off, and no attempt is counted */
	message();                            /* has another host to go to */
	run();
	assert_int_equal(hosts[0].dials, 1);
	assert_int_equal(w.settled, 3);
	assert_str(buf_str(&w.outcomes), "0 relayed 2.0.0 250 2.0.0 Ok: queued mx2.a.example[192.0.2.2]:25\n"
	                                 "7 later 4.4.2 mx1.a.example[192.0.2.1]:25: timed out \n");
	fake_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_at_each_step),
		cmocka_unit_test(one_host_behind_many_domains),
		cmocka_unit_test(a_message_leaves),
		cmocka_unit_test(a_connection_is_used_again),
		cmocka_unit_test(not_where_something_is_lacking),
		cmocka_unit_test(not_for_another_destination),
		cmocka_unit_test(not_for_ever),
		cmocka_unit_test(a_kept_connection_that_was_closed),
		cmocka_unit_test(refused_for_good),
		cmocka_unit_test(no_report_for_a_report),
		cmocka_unit_test(refused_for_now),
		cmocka_unit_test(recipients_of_every_kind),
		cmocka_unit_test(the_next_host),
		cmocka_unit_test(a_server_that_breaks_off),
		cmocka_unit_test(all_break_off),
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(the_dns_decides),
		cmocka_unit_test(addresses_of_one_host),
		cmocka_unit_test(our_own_name_is_a_circle),
		cmocka_unit_test(a_host_that_takes_no_mail),
		cmocka_unit_test(more_recipients_than_it_takes),
		cmocka_unit_test(routes),
		cmocka_unit_test(tls_that_a_route_asks_for),
		cmocka_unit_test(tls_that_fails),
		cmocka_unit_test(a_message_that_requires_tls),
		cmocka_unit_test(domains_in_any_script),
		cmocka_unit_test(what_goes_another_way_now),
		cmocka_unit_test(what_is_not_tried_any_more),
		cmocka_unit_test(success_that_was_asked_for),
		cmocka_unit_test(a_settlement_is_not_forgotten),
		cmocka_unit_test(what_is_in_hand_is_not_sent_again),
		cmocka_unit_test(errors_that_pass),
		cmocka_unit_test(a_reload_may_ask_for_fewer_connections),
		cmocka_unit_test(as_many_as_there_is_work_for),
		cmocka_unit_test(idle_ones_stop_at_once),
		cmocka_unit_test(who_is_busy_is_ended),
		cmocka_unit_test(what_was_said_before_the_end_counts),
		cmocka_unit_test(a_stop_does_not_wait_for_the_store),
	};

	return cmocka_run_group_tests_name("deliverer", tests, NULL, NULL);
}
