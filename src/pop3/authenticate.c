/* SPDX-License-Identifier: ISC */
/* USER and PASS (RFC 1939 7), AUTH (RFC 5034). `keys` says who it is, then the store lends us the mailbox. */
#include "pop3/session.h"
#include "sasl/plain.h"

#define LOGIN_TIME (90 * NSEC_PER_SEC) /* `keys` makes those wait who guess */

enum { REPLY_MAX = 8192 };

static err ask_keys(struct pop3 *s, str user, str password, uint64_t *account)
{
	BUF(client, 128);
	ARENA(a, REPLY_MAX);
	struct login_reply r;

	net_address_host(&client, &s->options->client);
	struct login_request q = {.session = s->options->session,
	                          .client = buf_str(&client),
	                          .service = STR("pop3"),
	                          .mechanism = STR("PLAIN"),
	                          .user = user,
	                          .password = password};
	err e = call_login(s->options->peers->keys, &q, &r, &a, rt_after(LOGIN_TIME));
	if (e == OK)
		*account = r.account;
	return e;
}

static void login_failed(struct pop3 *s, err e)
{
	if (e == E_DENIED)
		pop3_fail(s, "AUTH", "wrong user name or password");
	else if (e == E_BUSY)
		pop3_fail(s, "LOGIN-DELAY", "too many logins, try again later");
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

static void log_in(struct pop3 *s, str user, str password)
{
	uint64_t account = 0;
	err e = ask_keys(s, user, password, &account);

	/* A call that got no answer may yet be granted. */
	s->granted = e != E_DENIED && e != E_BUSY;
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

void pop3_pass(struct pop3 *s, str user)
{
	if (user.n == 0)
		pop3_fail(s, NULL, "USER first");
	else
		log_in(s, user, s->command.argument);
}

static void plain(struct pop3 *s, str response)
{
	BUF(message, PLAIN_MAX);
	struct plain p;

	if (plain_decode(response, &message, &p) != OK)
		pop3_fail(s, NULL, "malformed response");
	else if (p.authorization.n > 0 && !str_equal(p.authorization, p.user))
		pop3_fail(s, "AUTH", "one user cannot act as another");
	else
		log_in(s, p.user, p.password);
	if (message.p != NULL)
		explicit_bzero(message.p, message.size);
}

/* RFC 5034 4: an empty challenge; a line that is "*" cancels. */
static err plain_after_challenge(struct pop3 *s)
{
	str line;

	stream_put(s->stream, STR("+ \r\n"));
	err e = stream_read_line(s->stream, PLAIN_LINE_MAX, &line, pop3_line_deadline(s));
	if (e == E_LIMIT)
		pop3_fail(s, NULL, "response too long");
	else if (e == OK && str_equal(pop3_line_text(line), STR("*")))
		pop3_fail(s, NULL, "cancelled");
	else if (e == OK)
		plain(s, pop3_line_text(line));
	return e == E_LIMIT ? OK : e;
}

err pop3_auth(struct pop3 *s)
{
	const struct pop3_command *c = &s->command;

	if (!str_equal_nocase(c->words[0], STR("PLAIN"))) {
		pop3_fail(s, NULL, "unknown mechanism");
		return OK;
	}
	if (c->words_n == 1)
		return plain_after_challenge(s);
	plain(s, c->words[1]); /* "=" is an empty response, which PLAIN does not have */
	return OK;
}
