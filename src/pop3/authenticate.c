/* SPDX-License-Identifier: ISC */
/* USER and PASS (RFC 1939 7), AUTH (RFC 5034). `keys` says who it is, then the store lends us the mailbox. */
#include "pop3/session.h"
#include "rt/tls.h"
#include "sasl/exchange.h"
#include "sasl/plain.h"

#define LOGIN_TIME (90 * NSEC_PER_SEC) /* `keys` makes those wait who guess */

enum { REPLY_MAX = 16384 };

static void login_failed(struct pop3 *s, err e)
{
	if (e == E_DENIED)
		pop3_fail(s, "AUTH", "wrong user name or password");
	else if (e == E_BUSY)
		pop3_fail(s, "LOGIN-DELAY", "too many logins, try again later");
	else if (e == E_SYNTAX || e == E_PERM || e == E_LIMIT)
		pop3_fail(s, NULL, "%s", err_info()->text);
	else
		pop3_fail_call(s, e, "cannot log in at present");
}

static void open_failed(struct pop3 *s, err e)
{
	if (e == E_BUSY)
		pop3_fail(s, "IN-USE", "the mailbox is locked by another session");
	else
		pop3_fail_call(s, e, "cannot open the mailbox");
}

/* What keys has answered. */
static void logged_in(struct pop3 *s, err e, uint64_t account)
{
	/* A call that got no answer may yet be granted. */
	s->granted = e != E_DENIED && e != E_BUSY && e != E_SYNTAX && e != E_PERM;
	if (e != OK) {
		login_failed(s, e);
	} else if ((e = maildrop_open(&s->drop, account, s->memory)) != OK) {
		open_failed(s, e);
	} else {
		struct maildrop_totals t = maildrop_totals(&s->drop);
		pop3_ok(s, "%zu messages (%llu octets)", t.messages, (unsigned long long)t.octets);
		return;
	}
	pop3_release(s);
}

static err ask_keys(struct pop3 *s, str message, struct auth_reply *r, struct arena *a)
{
	BUF(client, 128);

	net_address_host(&client, &s->options->client);
	struct auth_request q = {.session = s->options->session,
	                         .client = buf_str(&client),
	                         .service = STR("pop3"),
	                         .mechanism = STR("PLAIN"),
	                         .response = message,
	                         .has_response = 1,
	                         .tls = stream_is_tls(s->stream)};
	return call_auth(s->options->peers->keys, &q, r, a, rt_after(LOGIN_TIME));
}

static void log_in(struct pop3 *s, str user, str password)
{
	BUF(message, PLAIN_MAX);
	ARENA(a, REPLY_MAX);
	struct auth_reply r = {0};
	err e = plain_compose(user, password, &message);

	if (e == OK)
		e = ask_keys(s, buf_str(&message), &r, &a);
	if (message.p != NULL)
		explicit_bzero(message.p, message.size);
	logged_in(s, e == E_SYNTAX ? E_DENIED : e, r.account);
}

void pop3_pass(struct pop3 *s, str user)
{
	if (user.n == 0)
		pop3_fail(s, NULL, "USER first");
	else
		log_in(s, user, s->command.argument);
}

/* One challenge and its answer (RFC 5034 4). */
struct conversation {
	struct pop3 *session;
	err stream; /* an error that ends the session */
};

static err ask_client(void *ctx, str challenge, str *line)
{
	struct conversation *c = ctx;
	struct stream *stream = c->session->stream;

	stream_printf(stream, "+ " STR_FMT "\r\n", STR_ARG(challenge));
	err e = stream_read_line(stream, SASL_LINE_MAX, line, pop3_line_deadline(c->session));
	if (e == OK)
		*line = pop3_line_text(*line);
	if (e == E_LIMIT)
		return err_note(E_LIMIT, "response too long");
	c->stream = e;
	return e;
}

err pop3_auth(struct pop3 *s)
{
	const struct pop3_command *command = &s->command;
	struct conversation c = {.session = s};
	struct auth_reply r = {0};
	BUF(client, 128);
	ARENA(a, REPLY_MAX);

	net_address_host(&client, &s->options->client);
	struct sasl_exchange x = {.keys = s->options->peers->keys,
	                          .session = s->options->session,
	                          .client = buf_str(&client),
	                          .service = STR("pop3"),
	                          .ctx = &c,
	                          .ask = ask_client};
	sasl_exchange_bind(&x, s->stream, command->words[0], &a);
	err e = sasl_exchange(&x, command->words[0], command->words_n == 1 ? STR_NONE : command->words[1], &r, &a);
	if (c.stream == OK)
		logged_in(s, e, r.account);
	return c.stream;
}
