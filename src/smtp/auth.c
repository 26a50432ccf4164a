/* SPDX-License-Identifier: ISC */
/* AUTH (RFC 4954), for submission (RFC 6409): who is it. */
#include "base/log.h"
#include "rt/tls.h"
#include "sasl/exchange.h"
#include "sasl/offer.h"
#include "smtp/session.h"

#define CALL_TIME (60 * NSEC_PER_SEC)

enum { REPLY_MAX = 64 << 10, MECHANISM_MAX = 64 };

static struct sasl_offer offer_of(const struct smtp *s)
{
	return sasl_offer_of(s->stream, net_address_is_loopback(&s->options->client), s->config);
}

void smtp_put_auth(struct smtp *s)
{
	BUF(names, 1024);
	struct sasl_offer offer = offer_of(s);

	if (!s->options->submission || s->options->local || s->account != 0)
		return;
	sasl_offered(&offer, &names);
	if (names.n > 0)
		stream_printf(s->stream, "250-AUTH " STR_FMT "\r\n", STR_ARG(buf_str(&names)));
}

/* RFC 4954 4: 334 and the challenge; the response is a line that may be longer than a command. */
static err ask(void *ctx, str challenge, str *line)
{
	struct smtp *s = ctx;

	stream_put(s->stream, STR("334 "));
	stream_put(s->stream, challenge);
	stream_put(s->stream, STR("\r\n"));
	err e = stream_read_line(s->stream, SASL_LINE_MAX + 2, line, smtp_deadline(s));
	if (e == E_LIMIT)
		return err_set(E_LIMIT, 500, "5.5.6", "The response is longer than %d octets", SASL_LINE_MAX);
	if (e != OK)
		return smtp_lost(s, e);
	if (!str_ends(*line, STR("\r\n")))
		return err_set(E_SYNTAX, 501, "5.5.2", "A response ends with CR and LF");
	line->n -= 2;
	return OK;
}

static err exchange(struct smtp *s, str mechanism, str initial, struct auth_reply *reply, struct arena *a)
{
	struct sasl_exchange x = {.keys = s->options->peers->keys,
	                          .session = s->options->session,
	                          .client = buf_str(&s->client),
	                          .service = STR("submission"),
	                          .ctx = s,
	                          .ask = ask};

	sasl_exchange_bind(&x, s->stream, mechanism, a);
	return sasl_exchange(&x, mechanism, initial, reply, a);
}

static void logged_in(struct smtp *s, const struct auth_reply *r)
{
	if (r->address.n > sizeof(s->login_text) || r->account == 0) {
		smtp_reply(s, 454, "4.7.0", "Cannot log in at present; try again later");
		return;
	}
	memcpy(s->login_text, r->address.p, r->address.n);
	s->login = str_make(s->login_text, r->address.n);
	s->account = r->account;
	s->commands = 0;
	smtp_reply(s, 235, "2.7.0", "Welcome");
}

static void refuse(struct smtp *s)
{
	if (s->closing) /* the stream failed */
		return;
	if (err_info()->reply >= 500) {
		smtp_reply_err(s);
		return;
	}
	s->errors++; /* guessing is not for free, whatever the answer */
	smtp_reply(s, 454, "4.7.0", "Cannot log in at present; try again later");
}

static void log_in(struct smtp *s, str mechanism, str initial)
{
	ARENA(a, REPLY_MAX);
	struct auth_reply reply = {0};
	err e = exchange(s, mechanism, initial, &reply, &a);

	/* A call that got no answer may yet be granted. */
	s->granted = s->granted || e == OK || e == E_TEMP || e == E_TIMEOUT || e == E_CANCELLED;
	if (e == OK)
		logged_in(s, &reply);
	else
		refuse(s);
}

/* RFC 4954 4, RFC 3207 4, RFC 8314 3.3. False: it was answered. */
static bool may_authenticate(struct smtp *s, const struct sasl_offer *offer)
{
	if (!s->options->submission || s->options->local)
		smtp_reply(s, 502, "5.5.1", "Nobody logs in here; submission is another service");
	else if (s->hello != HELLO_EXTENDED)
		smtp_reply(s, 503, "5.5.1", "Say EHLO first");
	else if (s->account != 0)
		smtp_reply(s, 503, "5.5.1", "You are logged in");
	else if (!offer->tls && !offer->loopback)
		smtp_reply(s, 538, "5.7.11", "Say STARTTLS first: a password is not for everybody");
	else
		return true;
	return false;
}

void smtp_auth(struct smtp *s)
{
	struct sasl_offer offer = offer_of(s);
	char name[MECHANISM_MAX];
	str mechanism, initial;

	if (!may_authenticate(s, &offer))
		return;
	str_cut(s->command.args, ' ', &mechanism, &initial);
	if (mechanism.n == 0 || str_find(initial, ' ') < initial.n) {
		smtp_reply(s, 501, "5.5.4", "Write AUTH mechanism, or AUTH mechanism response");
	} else if (mechanism.n > sizeof(name) || !sasl_is_offered(&offer, mechanism)) {
		smtp_reply(s, 504, "5.5.4", "This mechanism is not offered");
	} else {
		memcpy(name, mechanism.p, mechanism.n); /* the command's views do not outlive the next line */
		log_in(s, str_make(name, mechanism.n), initial);
	}
}

void smtp_log_out(struct smtp *s, bool wait)
{
	ARENA(a, 4096);
	struct session_end_request q = {.session = s->options->session};
	struct session_end_reply r;

	s->account = 0;
	s->login = STR_NONE;
	if (!s->granted)
		return;
	s->granted = false;
	struct link *store = s->options->peers->store;
	err e = wait ? call_session_end(store, &q, &r, &a, rt_after(CALL_TIME)) : tell_session_end(store, &q);
	if (e != OK && !rt_cancelled())
		LOG(WARN, "smtp.error", LOG_STR("sid", s->options->session), LOG_Z("call", "session_end"),
		    LOG_Z("text", err_info()->text));
}

bool smtp_must_log_in(struct smtp *s)
{
	if (!s->options->submission || s->options->local || s->account != 0)
		return false;
	if (!stream_is_tls(s->stream) && !net_address_is_loopback(&s->options->client))
		smtp_reply(s, 530, "5.7.0", "Say STARTTLS first, then AUTH");
	else
		smtp_reply(s, 530, "5.7.0", "Log in first, with AUTH");
	return true;
}
