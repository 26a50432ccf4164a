/* SPDX-License-Identifier: ISC */
/* Commands that may come at any time, and those that are none. */
#include "base/date.h"
#include "smtp/session.h"

/* RFC 5321 4.5.3.1.4: no extension makes this command's line longer. */
enum { HELLO_LINE_MAX = 512, HELLO_VERB = sizeof("EHLO ") - 1 + sizeof("\r\n") - 1 };

bool smtp_no_arguments(struct smtp *s)
{
	if (s->command.args.n > 0)
		smtp_reply(s, 501, "5.5.4", "This command takes no arguments");
	return s->command.args.n == 0;
}

static bool has_tls(const struct smtp *s)
{
	return stream_is_tls(s->stream);
}

static void put_limits(struct smtp *s)
{
	const struct config_limits *limits = &s->config->limits;

	stream_printf(s->stream, "250-LIMITS RCPTMAX=%llu", (unsigned long long)limits->recipients); /* RFC 9422 */
	if (limits->messages > 0)
		stream_printf(s->stream, " MAILMAX=%llu", (unsigned long long)limits->messages);
	stream_put(s->stream, STR("\r\n"));
}

static void put_future_release(struct smtp *s)
{
	BUF(until, 40);

	date_rfc3339(&until, rt_wall() + HOLD_SECONDS_MAX * USEC_PER_SEC);
	str seconds = str_take(buf_str(&until), str_find(buf_str(&until), '.'));
	stream_printf(s->stream, "250-FUTURERELEASE %d " STR_FMT "Z\r\n", HOLD_SECONDS_MAX, STR_ARG(seconds));
}

/* What is not for everybody. */
static void put_offers(struct smtp *s)
{
	unsigned offer = smtp_offer(s);

	if ((offer & PARAMS_SUBMISSION) != 0) {
		put_future_release(s);
		stream_put(s->stream, STR("250-MT-PRIORITY\r\n250-XFATE\r\n"));
	}
	if ((offer & PARAMS_DELIVERBY) != 0)
		stream_put(s->stream, STR("250-DELIVERBY\r\n"));
	if ((offer & PARAMS_REQUIRETLS) != 0)
		stream_put(s->stream, STR("250-REQUIRETLS\r\n"));
}

static void put_extensions(struct smtp *s)
{
	stream_printf(s->stream, "250-" STR_FMT "\r\n250-PIPELINING\r\n250-SIZE %llu\r\n", STR_ARG(s->config->hostname),
	              (unsigned long long)s->config->limits.message_size);
	stream_put(s->stream, STR("250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250-DSN\r\n250-"
	                          "ENHANCEDSTATUSCODES\r\n"));
	if (s->options->tls != NULL && !has_tls(s))
		stream_put(s->stream, STR("250-STARTTLS\r\n"));
	put_limits(s);
	put_offers(s);
	smtp_put_auth(s);
	stream_put(s->stream, STR("250 HELP\r\n"));
}

static bool is_verb_of_this_protocol(const struct smtp *s)
{
	return s->options->lmtp == (s->command.verb == SMTP_LHLO); /* RFC 2033 4.1 */
}

/* What a client calls itself is taken as it comes, from any that could be a name: too many have an odd one. It is
 * told to people, and decides nothing. */
static bool hello(struct smtp *s)
{
	str name = s->command.args;

	if (!is_verb_of_this_protocol(s))
		smtp_reply(s, 500, "5.5.1", s->options->lmtp ? "This is LMTP: say LHLO" : "This is SMTP: say EHLO");
	else if (name.n + HELLO_VERB > HELLO_LINE_MAX)
		smtp_reply(s, 554, "5.5.2", "The line is longer than %d octets", HELLO_LINE_MAX);
	else if (name.n == 0 || name.n > HELO_MAX)
		smtp_reply(s, 501, "5.5.4", "Say who you are: a domain name or [address]");
	else {
		memcpy(s->helo_text, name.p, name.n);
		s->helo = str_make(s->helo_text, name.n);
		s->hello = s->command.verb == SMTP_HELO ? HELLO_PLAIN : HELLO_EXTENDED;
		if (s->hello == HELLO_PLAIN)
			stream_printf(s->stream, "250 " STR_FMT "\r\n", STR_ARG(s->config->hostname));
		else
			put_extensions(s);
		return true;
	}
	return false;
}

/* RFC 3207 4.2: what was said before the handshake, and what is known from it, is forgotten. */
static bool starttls(struct smtp *s)
{
	if (!smtp_no_arguments(s))
		return false;
	if (has_tls(s) || s->options->tls == NULL) {
		smtp_reply(s, has_tls(s) ? 503 : 502, "5.5.1", has_tls(s) ? "TLS is in use" : "There is no TLS here");
		return false;
	}
	smtp_log_out(s, true); /* another login of this session may follow */
	smtp_reply(s, 220, "2.0.0", "Begin TLS");
	err e = stream_start_tls(s->stream, s->options->tls, smtp_deadline(s), s->options->session);
	s->closing = e != OK; /* nothing more can be said */
	s->hello = HELLO_NONE;
	s->helo = STR_NONE;
	return true;
}

/* RFC 5321 3.5.3, 7.3: neither yes nor no. */
static void verify(struct smtp *s)
{
	if (s->command.args.n == 0)
		smtp_reply(s, 501, "5.5.4", "Write VRFY address");
	else
		smtp_reply(s, 252, "2.1.5", "Send mail and it will be tried");
}

static void quit(struct smtp *s)
{
	if (smtp_no_arguments(s))
		smtp_close(s, 221, "2.0.0", "Goodbye");
}

bool smtp_common_command(struct smtp *s)
{
	switch (s->command.verb) {
	case SMTP_HELO:
	case SMTP_EHLO:
	case SMTP_LHLO:
		return hello(s);
	case SMTP_STARTTLS:
		return starttls(s);
	case SMTP_NOOP:
		smtp_reply(s, 250, "2.0.0", "Ok");
		break;
	case SMTP_VRFY:
		verify(s);
		break;
	case SMTP_EXPN:
		smtp_reply(s, 502, "5.5.1", "Lists are not shown");
		break;
	case SMTP_HELP:
		smtp_reply(s, 214, "2.0.0", "Commands are those of RFC 5321; write to postmaster for help from people");
		break;
	case SMTP_QUIT:
		quit(s);
		break;
	case SMTP_AUTH: /* RFC 4954 4: not within a transaction */
	case SMTP_XFATE:
		smtp_reply(s, 503, "5.5.1", "A transaction is under way; RSET ends it");
		break;
	case SMTP_UNAVAILABLE:
		smtp_reply(s, 502, "5.5.1", "This command is not available here");
		break;
	case SMTP_HTTP:
		s->linger = true;
		smtp_close(s, 502, "5.7.0", "This is a mail server");
		break;
	default:
		smtp_reply(s, 500, "5.5.2", "Unknown command");
	}
	return false;
}
