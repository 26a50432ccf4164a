/* SPDX-License-Identifier: ISC */
/* AUTH (RFC 4954), the client's side. */
#include "base/encode.h"
#include "rt/tls.h"
#include "sasl/scram_client.h"
#include "smtp/client_state.h"

enum {
	RESPONSE_MAX = 12288,
	NONCE_OCTETS = 18,
	MEMORY = 32 << 10
}; /* RFC 4954 4: the longest line of an exchange, without its end */

static const struct reply_limits challenge_limits = {.line = RESPONSE_MAX + 6, .lines = 100, .octets = 64 << 10};

static err no_memory(void)
{
	return err_note(E_MEMORY, "no memory to log in");
}

/* Passwords do not stay in memory that others get next. */
static void wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->size);
	buf_free(b);
}

#define SECRET(name, limit) CLEANUP(wipe) struct buf name = BUF_INIT(limit)

/* --- the line and what comes back: 334 with a challenge, or the end --- */

enum turn { TURN_CHALLENGE, TURN_DONE };

static err hear_turn(struct smtp_client *c, enum turn *out)
{
	err e = client_hear(c, &challenge_limits, c->command_time);

	if (e != OK)
		return e;
	*out = c->reply.code / 100 == 3 ? TURN_CHALLENGE : TURN_DONE;
	return client_judge(c, *out == TURN_CHALLENGE ? 3 : 2);
}

/* "AUTH name", with the initial response when there is one. */
static err begin(struct smtp_client *c, const char *mechanism, str initial, enum turn *out)
{
	SECRET(base64, RESPONSE_MAX);
	err e = client_begin_idle(c);

	if (e != OK)
		return e;
	base64_encode(&base64, initial);
	if (base64.full)
		return err_note(E_SYNTAX, "the user's name or password is too long");
	stream_put(c->stream, STR("AUTH "));
	stream_put(c->stream, str_from(mechanism));
	stream_put(c->stream, base64.n > 0 ? STR(" ") : STR(""));
	stream_put(c->stream, buf_str(&base64));
	stream_put(c->stream, STR("\r\n"));
	return hear_turn(c, out);
}

static err answer(struct smtp_client *c, str response, enum turn *out)
{
	SECRET(base64, RESPONSE_MAX);

	base64_encode(&base64, response);
	if (base64.full)
		return client_fail(c, err_note(E_SYNTAX, "the user's name or password is too long"));
	stream_put(c->stream, buf_str(&base64));
	stream_put(c->stream, STR("\r\n"));
	return hear_turn(c, out);
}

/* RFC 4954 4: the client ends an exchange that it does not like with "*". Returns `e`. */
static err cancel(struct smtp_client *c, err e)
{
	struct err_info why = *err_info();

	stream_put(c->stream, STR("*\r\n"));
	if (client_hear(c, &reply_limits_common, c->command_time) == OK && c->reply.code < 400)
		(void)!client_fail(c, E_SYNTAX);
	return err_set(e, why.reply, why.status, "%s", why.text);
}

/* What a 334 brings, decoded. */
static err challenge(struct smtp_client *c, struct buf *out)
{
	str lines = buf_str(&c->lines), line;

	if (!reply_next_line(&lines, &line) || lines.n > 0 || base64_decode(out, str_trim(line)) != OK)
		return err_note(E_SYNTAX, "the server's challenge is malformed");
	return OK;
}

static err out_of_turn(struct smtp_client *c)
{
	return client_fail(c, err_note(E_SYNTAX, "the server goes on asking after the login's last step"));
}

/* --- PLAIN (RFC 4616) and LOGIN --- */

static err log_in_plain(struct smtp_client *c, str user, str password)
{
	SECRET(response, RESPONSE_MAX);
	enum turn turn;

	buf_putc(&response, '\0');
	buf_put(&response, user);
	buf_putc(&response, '\0');
	buf_put(&response, password);
	if (response.full)
		return no_memory();
	err e = begin(c, "PLAIN", buf_str(&response), &turn);
	return e == OK && turn != TURN_DONE ? out_of_turn(c) : e;
}

/* What the prompts say is not looked at: no two servers agree on it. */
static err log_in_login(struct smtp_client *c, str user, str password)
{
	enum turn turn = TURN_CHALLENGE;
	err e = begin(c, "LOGIN", STR_NONE, &turn);

	if (e == OK && turn == TURN_CHALLENGE)
		e = answer(c, user, &turn);
	if (e == OK && turn == TURN_CHALLENGE)
		e = answer(c, password, &turn);
	return e == OK && turn != TURN_DONE ? out_of_turn(c) : e;
}

/* --- SCRAM --- */

/* In a thread: the server chooses how long it takes, and the others of this process do not wait for it. */
struct work {
	struct scram_client *scram;
	str challenge;
	struct buf *response;
	err result;
	struct err_info why;
};

static void work(void *arg)
{
	struct work *w = arg;

	w->result = scram_client_final(w->scram, w->challenge, w->response);
	w->why = *err_info();
}

static err scram_respond(struct smtp_client *c, struct scram_client *scram, struct buf *response)
{
	BUF(said, SCRAM_MESSAGE_MAX);
	err e = challenge(c, &said);
	struct work w = {.scram = scram, .challenge = buf_str(&said), .response = response};

	if (e != OK)
		return e;
	rt_work(work, &w);
	if (w.result != OK)
		return err_set(w.result, w.why.reply, w.why.status, "%s", w.why.text);
	return OK;
}

/* The server's proof comes as a challenge that is answered with nothing (RFC 4954 4). */
static err scram_conclude(struct smtp_client *c, const struct scram_client *scram, enum turn turn)
{
	BUF(said, SCRAM_MESSAGE_MAX);
	err e = turn == TURN_CHALLENGE ? challenge(c, &said)
	                               : err_note(E_DENIED, "the server let us in without proving that it is the one");

	if (e == OK)
		e = scram_client_verify(scram, buf_str(&said));
	if (e != OK) /* whoever this is must not get our mail */
		return client_fail(c, turn == TURN_CHALLENGE ? cancel(c, e) : e);
	e = answer(c, STR_NONE, &turn);
	return e == OK && turn != TURN_DONE ? out_of_turn(c) : e;
}

static err scram_exchange(struct smtp_client *c, struct scram_client *scram)
{
	char octets[NONCE_OCTETS];
	BUF(nonce, 64);
	BUF(message, 4 * SCRAM_MESSAGE_MAX);
	enum turn turn;

	rt_random(octets, sizeof(octets));
	base64_encode(&nonce, str_make(octets, sizeof(octets)));
	err e = scram_client_first(scram, buf_str(&nonce), &message);
	if (e == OK)
		e = begin(c, scram->binding != NULL ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256", buf_str(&message), &turn);
	if (e != OK)
		return e;
	buf_reset(&message);
	e = turn == TURN_CHALLENGE ? scram_respond(c, scram, &message) : OK;
	if (e != OK)
		return cancel(c, e);
	if (turn == TURN_CHALLENGE)
		e = answer(c, buf_str(&message), &turn);
	return e == OK ? scram_conclude(c, scram, turn) : e;
}

/* RFC 9266 for TLS 1.3, RFC 5929 for the rest and for where it cannot be had. */
static bool find_binding(const struct smtp_client *c, struct buf *data, struct auth_binding *out)
{
	static const char *const names[] = {"tls-exporter", "tls-server-end-point"};

	for (size_t i = 0; stream_is_tls(c->stream) && i < ARRAY_LEN(names); i++) {
		buf_reset(data);
		if (!stream_tls_binding(c->stream, names[i], data))
			continue;
		*out = (struct auth_binding){str_from(names[i]), buf_str(data)};
		return true;
	}
	return false;
}

/* `binding`: what the channel can prove, NULL nothing; `plus`: the server wants to know it. */
static err log_in_scram(struct smtp_client *c, str user, str password, const struct auth_binding *binding, bool plus)
{
	ARENA(memory, MEMORY);
	struct scram_client scram = {.memory = &memory,
	                             .hash = CRYPTO_SHA256,
	                             .user = user,
	                             .password = password,
	                             .binding = plus ? binding : NULL,
	                             .could_bind = binding != NULL && !plus};

	return scram_exchange(c, &scram);
}

/* A weaker mechanism is never tried after a stronger one failed: that would be what somebody in between waits for. */
err smtp_client_auth(struct smtp_client *c, str user, str password, bool plain_allowed)
{
	BUF(data, 256);
	struct auth_binding binding;
	unsigned offered = c->offer.mechanisms;
	bool can_bind = find_binding(c, &data, &binding), plus = can_bind && (offered & OFFER_SCRAM_PLUS) != 0;
	bool plain = plain_allowed || stream_is_tls(c->stream);

	if (user.n == 0 || str_has_control(user) || str_find(password, '\0') < password.n)
		return err_note(E_SYNTAX,
		                "the user's name is empty or has a control character, or the password has a NUL");
	if (plus || (offered & OFFER_SCRAM) != 0)
		return log_in_scram(c, user, password, can_bind ? &binding : NULL, plus);
	if (plain && (offered & OFFER_PLAIN) != 0)
		return log_in_plain(c, user, password);
	if (plain && (offered & OFFER_LOGIN) != 0)
		return log_in_login(c, user, password);
	return err_note(E_NOT_FOUND,
	                !plain && offered != 0
	                        ? "the server wants the password as it is, and there is no TLS to say it in"
	                        : "the server offers no mechanism to log in that we know");
}
