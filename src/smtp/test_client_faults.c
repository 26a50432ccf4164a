/* SPDX-License-Identifier: ISC */
/* A server that stops, stalls or closes at every single reply, and in the midst of it: nothing hangs, nothing that was taken counts as not taken without a doubt, nothing
 * that was not taken counts as taken. */
#include "base/test.h"

#include "smtp/client_sent.h"

#define MINUTE (60 * NSEC_PER_SEC)

enum { RCPTS = 3 };

struct way {
	const char *extensions;
	bool lmtp, large;
};

static str large_text(struct buf *out)
{
	while (out->n < 3 << 20)
		buf_puts(out, ".a line of text\r\n");
	return buf_str(out);
}

/* True: the fault was met. */
static bool try_fault(const struct way *way, enum fault fault, size_t at, bool torn, str large)
{
	struct sent s = {.extensions = way->extensions,
	                 .lmtp = way->lmtp,
	                 .torn = torn,
	                 .rcpts = {{.address = STR("b@y")}, {.address = STR("c@y")}, {.address = STR("d@y")}}};
	size_t taken = 0;

	s.m = (struct meeting){
		.server = {.extensions = way->extensions, .lmtp = way->lmtp, .fault = fault, .fault_at = at},
		.act = sent_act,
		.ctx = &s,
		.torn = torn,
		.send = {.sender = STR("a@x"),
	                 .message = way->large ? large : STR(TEXT),
	                 .rcpts = s.rcpts,
	                 .rcpts_n = RCPTS}};
	assert_int_equal(meet(&s.m, at), OK);
	for (size_t i = 0; s.m.greeted == OK && i < RCPTS; i++)
		taken += s.rcpts[i].result == OK;
	bool met = s.m.server.said >= at;
	if (s.m.server.taken == 1) /* it was said in full */
		assert_true(s.m.result == OK && taken == RCPTS && !s.m.in_doubt);
	else
		assert_true(s.m.result == E_CLOSED || s.m.result == E_TIMEOUT);
	if (s.m.server.ends == 1 && s.m.server.taken == 0)
		assert_true(s.m.in_doubt);
	if (s.m.in_doubt)
		assert_true(s.m.result != OK);
	if (!way->lmtp && s.m.result != OK)
		assert_int_equal(taken, 0);
	bool stalls = fault == FAULT_STALL || fault == FAULT_HALF_STALL;
	assert_true(s.m.lasted <= (stalls ? 11 * MINUTE : MINUTE));
	if (met && stalls && s.m.result != OK)
		assert_int_equal(s.m.result, E_TIMEOUT);
	sent_done(&s);
	return met;
}

static void every_step(void **state UNUSED)
{
	static const struct way ways[] = {{"", false, false},
	                                  {"PIPELINING", false, false},
	                                  {"CHUNKING", false, false},
	                                  {"PIPELINING CHUNKING", false, false},
	                                  {"PIPELINING", true, false},
	                                  {"CHUNKING PIPELINING", true, false},
	                                  {"", false, true},
	                                  {"CHUNKING", false, true},
	                                  {"CHUNKING PIPELINING", false, true}};
	BUF(text, 4 << 20);
	str large = large_text(&text);

	for (size_t w = 0; w < ARRAY_LEN(ways); w++)
		for (enum fault f = FAULT_CLOSE; f < FAULT_COUNT; f++)
			for (size_t at = 1; try_fault(&ways[w], f, at, at % 2 == 0 && !ways[w].large, large); at++)
				assert_true(at < 20);
}

/* --- times --- */

static void options_for_each_wait(void **state UNUSED)
{
	static const struct {
		size_t at;
		nsec want;
	} cases[] = {{1, 1}, {2, 2}, {3, 2}, {4, 2}, {5, 2}, {6, 4}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sent s = {.rcpts = {{.address = STR("b@y")}}};

		s.m = (struct meeting){
			.server = {.extensions = "", .fault = FAULT_STALL, .fault_at = cases[i].at},
			.options = {.greeting_time = NSEC_PER_SEC,
		                    .command_time = 2 * NSEC_PER_SEC,
		                    .data_time = 3 * NSEC_PER_SEC,
		                    .end_time = 4 * NSEC_PER_SEC},
			.act = sent_act,
			.ctx = &s,
			.send = {.sender = STR("a@x"), .message = STR(TEXT), .rcpts = s.rcpts, .rcpts_n = 1}};
		assert_int_equal(meet(&s.m, 1), OK);
		assert_int_equal(s.m.result, E_TIMEOUT);
		assert_int_equal(s.m.lasted, cases[i].want * NSEC_PER_SEC);
		sent_done(&s);
	}
}

/* One octet a minute is not enough to be waited for. */
static void drip(void *arg)
{
	struct stream *s = arg;

	while (stream_error(s) == OK && rt_sleep_until(rt_after(MINUTE)) == OK) {
		stream_put(s, STR("2"));
		stream_flush(s);
	}
	stream_close(s);
}

struct dripping {
	err result;
	nsec lasted;
};

static void meet_drip(void *arg)
{
	struct dripping *d = arg;
	struct stream *ours, *theirs;
	struct smtp_client_options o = {.hello = STR("x")};

	if (!stream_pair(&ours, &theirs, 1 << 16, false) || rt_spawn(drip, theirs, "drip") == NULL)
		abort();
	struct smtp_client *c = smtp_client_new(ours, &o);
	nsec began = rt_now();
	d->result = smtp_client_greet(c);
	d->lasted = rt_now() - began;
	smtp_client_free(c);
}

static void a_reply_that_drips(void **state UNUSED)
{
	struct dripping d = {0};

	assert_int_equal(rt_run_simulated(1, meet_drip, &d), OK);
	assert_int_equal(d.result, E_TIMEOUT);
	assert_true(d.lasted <= 6 * MINUTE);
}

/* A server that takes a message so slowly that it would last for months. */
static void sip(void *arg)
{
	struct stream *s = arg;
	str bytes;

	stream_put(s, STR("220 x\r\n250 PIPELINING\r\n"));
	while (stream_peek(s, &bytes, rt_after(FAKE_NEVER)) == OK) {
		if (str_starts(bytes, STR("EHLO")))
			stream_put(s, STR("250-x\r\n250 PIPELINING\r\n"));
		if (str_contains(bytes, STR("DATA\r\n")))
			stream_put(s, STR("250 x\r\n250 x\r\n354 x\r\n"));
		stream_consume(s, str_starts(bytes, STR(".a")) ? 1000 : bytes.n);
		stream_flush(s);
		if (rt_sleep_until(rt_after(MINUTE)) != OK)
			break;
	}
	stream_close(s);
}

struct sipped {
	str message;
	err result;
	bool in_doubt;
	nsec lasted;
};

static void meet_sip(void *arg)
{
	struct sipped *p = arg;
	struct stream *ours, *theirs;
	struct smtp_client_options o = {.hello = STR("x"), .lmtp = false};
	struct smtp_send_rcpt r = {.address = STR("b@y")};
	struct smtp_send m = {.message = p->message, .rcpts = &r, .rcpts_n = 1};
	ARENA(a, 1 << 16);

	if (!stream_pair(&ours, &theirs, 1000, false) || rt_spawn(sip, theirs, "sip") == NULL)
		abort();
	struct smtp_client *c = smtp_client_new(ours, &o);
	(void)!smtp_client_greet(c);
	nsec began = rt_now();
	p->result = smtp_client_send(c, &m, &a, &p->in_doubt);
	p->lasted = rt_now() - began;
	smtp_client_free(c);
}

static void a_message_that_is_sipped(void **state UNUSED)
{
	BUF(text, 4 << 20);
	struct sipped p = {.message = large_text(&text)};

	assert_int_equal(rt_run_simulated(1, meet_sip, &p), OK);
	assert_int_not_equal(p.result, OK);
	assert_false(p.in_doubt);
	assert_true(p.lasted <= 120 * MINUTE);
}

/* Who is cancelled is out at once. */
struct cancelling {
	struct co *who;
	struct sent *sent;
};

static void cancel_soon(void *arg)
{
	struct cancelling *c = arg;

	(void)!rt_sleep_until(rt_after(NSEC_PER_SEC));
	rt_cancel(c->who);
}

static void act_and_be_cancelled(struct meeting *m, struct smtp_client *c)
{
	struct cancelling *k = m->ctx;

	k->who = rt_self();
	if (rt_spawn(cancel_soon, k, "cancel") == NULL)
		abort();
	meeting_send(m, c);
}

static void cancelled(void **state UNUSED)
{
	for (size_t at = 1; at <= 6; at++) {
		struct smtp_send_rcpt r = {.address = STR("b@y")};
		struct cancelling k = {0};
		struct meeting m = {.server = {.extensions = "", .fault = FAULT_STALL, .fault_at = at},
		                    .act = act_and_be_cancelled,
		                    .ctx = &k,
		                    .send = {.message = STR(TEXT), .rcpts = &r, .rcpts_n = 1}};

		(void)!meet(&m, 1); /* the test's own waiting is cancelled, too */
		assert_int_equal(m.result, E_CANCELLED);
		assert_int_equal(m.in_doubt, at == 6);
		assert_int_equal(m.lasted, NSEC_PER_SEC);
		meeting_end(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step),         cmocka_unit_test(options_for_each_wait),
		cmocka_unit_test(a_reply_that_drips), cmocka_unit_test(a_message_that_is_sipped),
		cmocka_unit_test(cancelled),
	};

	return cmocka_run_group_tests_name("client_faults", tests, NULL, NULL);
}
