/* SPDX-License-Identifier: ISC */
/* The states of a session (RFC 1939 3): AUTHORIZATION, TRANSACTION, UPDATE. Each is a function. */
#include "pop3/server.h"

#include "base/log.h"
#include "pop3/session.h"

enum {
	LINE_MAX_OCTETS = 600, /* of a command: PASS with the longest password fits (RFC 2449 4 asks for 255) */
	USER_MAX = LINE_MAX_OCTETS
};

/* Who lists messages one by one asks twice for each. */
static uint64_t commands_max(const struct pop3 *s)
{
	return s->options->config->limits.commands + 2 * s->drop.n;
}

static bool within_limits(struct pop3 *s)
{
	if (s->errors > s->options->config->limits.errors)
		pop3_fail(s, NULL, "too many errors");
	else if (s->commands >= commands_max(s))
		pop3_fail(s, NULL, "too many commands");
	else
		return true;
	s->linger = true;
	return false;
}

static bool is_stopping(struct pop3 *s)
{
	if (!*s->options->stopping)
		return false;
	pop3_fail(s, "SYS/TEMP", "shutting down");
	return true;
}

static err read_line(struct pop3 *s, str *line)
{
	bool unused, *idle = s->options->idle != NULL ? s->options->idle : &unused;

	*idle = true;
	err e = stream_read_line(s->stream, LINE_MAX_OCTETS, line, pop3_line_deadline(s));
	*idle = false;
	return e;
}

/* E_SYNTAX: no command that could be served; it has been answered. */
static err read_one(struct pop3 *s)
{
	str line;
	err e = read_line(s, &line);

	s->commands++;
	if (e == E_LIMIT) {
		pop3_fail(s, NULL, "line too long");
		return E_SYNTAX;
	}
	if (e == E_CANCELLED)
		is_stopping(s);
	if (e != OK)
		return e;
	e = pop3_command_parse(line, &s->command);
	if (e == OK)
		return OK;
	pop3_fail(s, NULL, e == E_NOT_FOUND ? "unknown command" : "wrong number of arguments");
	return E_SYNTAX;
}

/* The next command, in s->command. Not OK: the session ends. */
static err read_command(struct pop3 *s)
{
	err e;

	do {
		if (!within_limits(s))
			return E_LIMIT;
		e = read_one(s);
	} while (e == E_SYNTAX);
	if (e == OK && s->command.verb != POP3_QUIT && is_stopping(s))
		return E_TEMP;
	return e;
}

static bool may_start_tls(const struct pop3 *s)
{
	return s->options->tls != NULL && !stream_is_tls(s->stream) && !s->drop.open;
}

/* RFC 2595 4. What was said before the handshake is forgotten: the caller forgets the user's name. */
static err stls(struct pop3 *s)
{
	if (!may_start_tls(s)) {
		pop3_fail(s, NULL, stream_is_tls(s->stream) ? "TLS is in use" : "there is no TLS here");
		return OK;
	}
	pop3_ok(s, "begin TLS");
	return stream_start_tls(s->stream, s->options->tls, pop3_line_deadline(s), s->options->session);
}

/* RFC 2449 5, 6: may be asked in both states. */
static void capabilities(struct pop3 *s)
{
	struct sasl_offer offer = pop3_offer(s);
	BUF(mechanisms, 200);

	pop3_ok(s, "capabilities");
	sasl_offered(&offer, &mechanisms);
	if (mechanisms.n > 0)
		stream_printf(s->stream, "USER\r\nSASL " STR_FMT "\r\n", STR_ARG(buf_str(&mechanisms)));
	if (may_start_tls(s))
		stream_put(s->stream, STR("STLS\r\n"));
	stream_put(s->stream, STR("TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\n"
	                          "LOGIN-DELAY 0\r\nUTF8\r\nLANG\r\nIMPLEMENTATION Pombo\r\n.\r\n"));
}

/* RFC 6856 3: we speak English only, which "i-default" and "*" may be too. */
static void language(struct pop3 *s)
{
	str tag = s->command.words[0];

	if (s->command.words_n == 0) {
		pop3_ok(s, "languages");
		stream_put(s->stream, STR("en English\r\ni-default English\r\n.\r\n"));
	} else if (str_equal_nocase(tag, STR("i-default"))) {
		pop3_ok(s, "i-default this is English");
	} else if (str_equal_nocase(tag, STR("en")) || str_equal(tag, STR("*"))) {
		pop3_ok(s, "en this is English");
	} else {
		pop3_fail(s, NULL, "no such language");
	}
}

static void common_command(struct pop3 *s)
{
	switch (s->command.verb) {
	case POP3_CAPA:
		capabilities(s);
		break;
	case POP3_LANG:
		language(s);
		break;
	default:
		pop3_fail(s, NULL, s->drop.open ? "you are logged in" : "log in first");
	}
}

/* RFC 3206 4: [AUTH] says that the fault is in how the client proves who it is. */
static bool may_log_in(struct pop3 *s)
{
	struct sasl_offer offer = pop3_offer(s);
	bool may = offer.tls || offer.loopback;

	if (!may)
		pop3_fail(s, "AUTH", "no passwords over a connection without encryption");
	return may;
}

static void user_command(struct pop3 *s, struct buf *user)
{
	buf_reset(user);
	if (!may_log_in(s))
		return;
	buf_put(user, s->command.argument);
	/* RFC 1939 7: the same for everybody, whether there is such a mailbox or not. */
	pop3_ok(s, "and the password");
}

static void pass_command(struct pop3 *s, struct buf *user)
{
	if (may_log_in(s))
		pop3_pass(s, buf_str(user));
	buf_reset(user);
}

/* RFC 1939 4. OK: logged in; E_END: QUIT. */
static err authorization(struct pop3 *s)
{
	BUF(user, USER_MAX);
	err e = OK;

	while (e == OK && !s->drop.open && (e = read_command(s)) == OK) {
		switch (s->command.verb) {
		case POP3_USER:
			user_command(s, &user);
			break;
		case POP3_PASS:
			pass_command(s, &user);
			break;
		case POP3_AUTH:
			e = may_log_in(s) ? pop3_auth(s) : OK;
			break;
		case POP3_STLS:
			buf_reset(&user);
			e = stls(s);
			break;
		case POP3_UTF8:
			pop3_ok(s, "UTF-8 it is"); /* RFC 6856 2: only here; changes nothing, see server.h */
			break;
		case POP3_QUIT:
			pop3_ok(s, "bye");
			e = E_END;
			break;
		default:
			common_command(s);
		}
	}
	return e;
}

static void dele(struct pop3 *s)
{
	size_t index;

	if (maildrop_find(&s->drop, s->command.words[0], &index)) {
		s->drop.deleted[index] = true;
		s->commands--; /* it moves mail */
		pop3_ok(s, "message %zu deleted", index + 1);
	} else {
		pop3_fail(s, NULL, "no such message");
	}
}

static void rset(struct pop3 *s)
{
	maildrop_reset(&s->drop);
	pop3_ok(s, "%zu messages", s->drop.n);
}

/* RFC 1939 5. E_END: QUIT. */
static err transaction(struct pop3 *s)
{
	err e = OK;

	while (e == OK && (e = read_command(s)) == OK) {
		switch (s->command.verb) {
		case POP3_STAT:
			pop3_stat(s);
			break;
		case POP3_LIST:
			pop3_list(s);
			break;
		case POP3_UIDL:
			pop3_uidl(s);
			break;
		case POP3_RETR:
			e = pop3_retr(s);
			break;
		case POP3_TOP:
			e = pop3_top(s);
			break;
		case POP3_DELE:
			dele(s);
			break;
		case POP3_RSET:
			rset(s);
			break;
		case POP3_NOOP:
			pop3_ok(s, "here");
			break;
		case POP3_QUIT:
			e = E_END;
			break;
		default:
			common_command(s);
		}
	}
	return e;
}

/* RFC 1939 6: removes what was marked, gives up the lock, and only then answers: a client that comes back at once finds both done. */
static void update(struct pop3 *s)
{
	size_t marked = maildrop_marked(&s->drop);
	err e = maildrop_expunge(&s->drop);

	pop3_release(s);
	if (e != OK) {
		pop3_fail_call(s, e, "the deleted messages may still be there");
		return;
	}
	s->removed = marked;
	pop3_ok(s, "bye");
}

/* E_END: the client said QUIT. */
static err dialogue(struct pop3 *s)
{
	if (is_stopping(s))
		return E_TEMP;
	pop3_ok(s, STR_FMT " POP3 Pombo", STR_ARG(s->options->config->hostname));
	err e = authorization(s);
	if (e != OK)
		return e;
	e = transaction(s);
	if (e == E_END)
		update(s);
	return e;
}

void pop3_serve(struct stream *stream, const struct pop3_options *options)
{
	ARENA(memory, options->config->limits.session_memory);
	struct pop3 s = {.stream = stream,
	                 .options = options,
	                 .memory = &memory,
	                 .drop = {.store = options->peers->store, .session = options->session},
	                 .started = rt_now()};
	err e = dialogue(&s);

	pop3_release(&s);
	err finished = stream_finish(stream);
	if (finished == OK && s.linger)
		pop3_hear_out(&s);
	LOG(INFO, "pop3.end", LOG_STR("sid", options->session), LOG_NUM("retrieved", s.retrieved),
	    LOG_NUM("removed", s.removed), LOG_NUM("errors", s.errors),
	    LOG_Z("end", e == E_END ? "quit" : err_name(finished != OK ? finished : e)));
}
