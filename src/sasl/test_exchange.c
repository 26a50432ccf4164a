/* SPDX-License-Identifier: ISC */
/* The client's side of exchanges, against keys that follow a script. */
#include "sasl/exchange.h"

#include "base/log.h"
#include "base/test.h"
#include "rt/tls.h"
#include "sasl/offer.h"

struct world {
	const char *initial;  /* NULL: none */
	const char *lines[4]; /* what the client answers; NULL: the connection is gone */
	size_t asked, calls, cancels;
	str said[4]; /* to keys */
	bool had[4];
	char memory[4][400];
	const char *challenges[4]; /* what keys says; NULL: done */
	struct buf heard;          /* by the client */
	err result;
	struct err_info info;
};

static err serve_auth(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	struct world *w = ctx;
	const struct auth_request *q = request;
	struct auth_reply *r = reply;

	(void)from, (void)arena;
	if (q->step == AUTH_CANCEL) {
		w->cancels++;
		return OK;
	}
	assert_int_equal(q->step, w->calls == 0 ? AUTH_BEGIN : AUTH_NEXT);
	assert_true(q->response.n < 400);
	if (q->response.n > 0)
		memcpy(w->memory[w->calls], q->response.p, q->response.n);
	w->said[w->calls] = str_make(w->memory[w->calls], q->response.n);
	w->had[w->calls] = q->has_response;
	const char *challenge = w->challenges[w->calls++];
	r->state = challenge == NULL ? AUTH_DONE : AUTH_CONTINUE;
	r->challenge = str_from(challenge);
	r->account = challenge == NULL ? 7 : 0;
	return OK;
}

static err ask(void *ctx, str challenge, str *line)
{
	struct world *w = ctx;
	const char *answer = w->lines[w->asked++];

	buf_put(&w->heard, challenge);
	buf_putc(&w->heard, '|');
	*line = str_from(answer);
	return answer == NULL ? err_note(E_CLOSED, "gone") : OK;
}

static void converse(void *arg)
{
	struct world *w = arg;
	struct stream *a, *b;
	struct link_service service = {.ctx = w, .handlers = {[CALL_auth] = serve_auth}};
	struct link *server = link_new("edge-0", &service), *client = link_new("keys", NULL);
	struct auth_reply r = {0};
	ARENA(arena, 16384);

	assert_true(stream_pair(&a, &b, 1 << 16, false));
	assert_int_equal(link_attach_stream(server, a), OK);
	assert_int_equal(link_attach_stream(client, b), OK);
	struct sasl_exchange x = {
		.keys = client, .session = STR("s"), .client = STR("192.0.2.1"), .ctx = w, .ask = ask};
	w->result = sasl_exchange(&x, STR("PLAIN"), str_from(w->initial), &r, &arena);
	w->info = *err_info();
	if (w->result == OK)
		assert_int_equal(r.account, 7);
	link_free(client);
	link_free(server);
}

static void run(struct world *w)
{
	log_to(-1);
	w->heard = BUF_INIT(1000);
	assert_int_equal(rt_run_simulated(1, converse, w), OK);
}

static void at_once(void **state)
{
	struct world w = {.initial = "AGEAYg=="};
	(void)state;

	run(&w);
	assert_int_equal(w.result, OK);
	assert_true(str_equal(w.said[0], STR("\0a\0b")));
	assert_true(w.had[0]);
	w = (struct world){.initial = "="};
	run(&w);
	assert_int_equal(w.said[0].n, 0);
	assert_true(w.had[0]);
}

static void after_challenges(void **state)
{
	struct world w = {.challenges = {"", "who"}, .lines = {"AGEAYg==", ""}};
	(void)state;

	run(&w);
	assert_int_equal(w.result, OK);
	assert_false(w.had[0]);
	assert_true(str_equal(w.said[1], STR("\0a\0b")));
	assert_true(w.had[2]);
	assert_int_equal(w.said[2].n, 0);
	assert_str(buf_str(&w.heard), "|d2hv|");
	assert_int_equal(w.cancels, 0);
	buf_free(&w.heard);
}

/* What is no answer ends the exchange, also in keys. */
static void bad_answers(void **state)
{
	static const struct {
		const char *line, *status;
		err result;
	} cases[] = {{"*", "5.7.0", E_SYNTAX},          {"=", "5.5.2", E_SYNTAX},
	             {"AGEA\tYg==", "5.5.2", E_SYNTAX}, {"A", "5.5.2", E_SYNTAX},
	             {"AGEAYg==x", "5.5.2", E_SYNTAX},  {"AGEA Yg==", "5.5.2", E_SYNTAX},
	             {"**", "5.5.2", E_SYNTAX},         {NULL, "", E_CLOSED}};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w = {.challenges = {""}, .lines = {cases[i].line}};
		run(&w);
		assert_int_equal(w.result, cases[i].result);
		assert_string_equal(w.info.status, cases[i].status);
		assert_int_equal(w.info.reply, cases[i].result == E_SYNTAX ? 501 : 0);
		assert_int_equal(w.calls, 1);
		assert_int_equal(w.cancels, 1);
		buf_free(&w.heard);
	}
	struct world w = {.initial = "*"};
	run(&w);
	assert_int_equal(w.result, E_SYNTAX);
	assert_int_equal(w.calls, 0);
	assert_int_equal(w.cancels, 0);
}

static void bind_plain(void *arg)
{
	struct sasl_exchange x = {.tls = true, .bindings_n = 7};
	struct stream *a, *b;
	ARENA(arena, 16384);

	(void)arg;
	assert_true(stream_pair(&a, &b, 1 << 16, false));
	sasl_exchange_bind(&x, a, STR("SCRAM-SHA-256-PLUS"), &arena);
	assert_false(x.tls);
	assert_int_equal(x.bindings_n, 0);
	struct config config = {.scram_sha1 = PERMISSION_ALLOW, .scram_plus = PERMISSION_ALLOW};
	struct sasl_offer o = sasl_offer_of(a, true, &config);
	assert_true(o.loopback && o.sha1 && !o.tls && !o.binding);
	assert_false(stream_tls_can_bind(a));
	stream_close(a);
	stream_close(b);
}

static void without_tls_there_is_no_binding(void **state)
{
	(void)state;
	assert_int_equal(rt_run_simulated(1, bind_plain, NULL), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_once),
		cmocka_unit_test(after_challenges),
		cmocka_unit_test(bad_answers),
		cmocka_unit_test(without_tls_there_is_no_binding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
