/* SPDX-License-Identifier: ISC */
/* A session: the greeting, one command after the other, and what ends it. */
#include <stdio.h>

#include "base/log.h"
#include "smtp/session.h"

/* The client gets its last reply only if nothing it sent lies unread when the connection closes (RFC 9293 3.6.1). */
#define LINGER_TIME   NSEC_PER_SEC
#define LINGER_OCTETS ((uint64_t)64 << 20)

nsec smtp_deadline(const struct smtp *s)
{
	nsec command = rt_after(s->config->limits.command_time);

	return command < s->end ? command : s->end;
}

static bool is_stopping(struct smtp *s)
{
	if (*s->options->stopping && !s->closing)
		smtp_close(s, 421, "4.3.2", "Shutting down; try again later");
	return s->closing;
}

err smtp_lost(struct smtp *s, err e)
{
	if (e == E_TIMEOUT)
		smtp_close(s, 421, "4.4.2", "Waited too long for you; goodbye");
	else if (e == E_CANCELLED)
		is_stopping(s);
	s->closing = true;
	return e;
}

static bool within_limits(struct smtp *s)
{
	const struct config_limits *limits = &s->config->limits;

	if (s->errors >= limits->errors)
		smtp_close(s, 421, "4.7.0", "Too many errors; goodbye");
	else if (s->commands >= limits->commands)
		smtp_close(s, 421, "4.7.0", "Too many commands; goodbye");
	else if (rt_now() >= s->end)
		smtp_close(s, 421, "4.4.2", "This session lasts too long; goodbye");
	s->linger = s->linger || s->closing;
	return !s->closing;
}

static err read_line(struct smtp *s, str *line)
{
	if (s->options->idle != NULL)
		*s->options->idle = true;
	err e = stream_read_line(s->stream, s->options->submission ? AUTH_LINE_MAX : COMMAND_LINE_MAX, line,
	                         smtp_deadline(s));
	if (s->options->idle != NULL)
		*s->options->idle = false;
	if (e == OK && line->n > COMMAND_LINE_MAX && !str_starts_nocase(*line, STR("AUTH ")))
		e = E_LIMIT;
	return e;
}

bool smtp_read_command(struct smtp *s)
{
	while (!s->closing && !is_stopping(s) && within_limits(s)) {
		str line;
		err e = read_line(s, &line);

		s->commands++;
		if (e == E_LIMIT)
			smtp_reply(s, 500, "5.5.2", "The line is longer than %d octets", COMMAND_LINE_MAX);
		else if (e != OK)
			smtp_lost(s, e);
		else if (!is_stopping(s) && command_parse(line, &s->command) == OK)
			return true;
		else if (!s->closing)
			smtp_reply_err(s);
	}
	return false;
}

bool smtp_take_buffered_rcpt(struct smtp *s)
{
	str input = stream_buffered(s->stream);
	str line = str_take(input, str_find(input, '\n') + 1);
	struct command command;

	if (!command_rcpt_follows(input) || line.n > COMMAND_LINE_MAX || command_parse(line, &command) != OK)
		return false;
	stream_consume(s->stream, line.n);
	s->command = command;
	s->commands++;
	return true;
}

/* RFC 5321 4.3.1: the client waits for the greeting. Who does not is no mail server, or repeats what somebody else
 * made it say. */
static void greet(struct smtp *s)
{
	if (stream_poll(s->stream).n > 0) {
		s->linger = true;
		smtp_close(s, 554, "5.5.1", "You spoke before the greeting");
	} else if (!is_stopping(s)) {
		stream_printf(s->stream, "220 " STR_FMT " %s Pombo\r\n", STR_ARG(s->config->hostname),
		              s->options->lmtp ? "LMTP" : "ESMTP");
	}
}

/* The kernel has said who a local program is. */
static void name_local(struct smtp *s)
{
	int n = snprintf(s->login_text, sizeof(s->login_text), "uid=%llu", (unsigned long long)s->options->uid);

	s->login = str_make(s->login_text, (size_t)n);
}

static void session_command(struct smtp *s)
{
	switch (s->command.verb) {
	case SMTP_MAIL:
		smtp_transaction(s);
		break;
	case SMTP_RCPT:
	case SMTP_DATA:
		smtp_reply(s, 503, "5.5.1", "MAIL comes first");
		break;
	case SMTP_BDAT:
		(void)!smtp_stray_bdat(s);
		break;
	case SMTP_RSET:
		if (smtp_no_arguments(s))
			smtp_reply(s, 250, "2.0.0", "Ok");
		break;
	case SMTP_AUTH:
		smtp_auth(s);
		break;
	case SMTP_XFATE:
		smtp_fate(s);
		break;
	default:
		smtp_common_command(s);
	}
}

static void hear_out(struct smtp *s)
{
	nsec until = rt_after(LINGER_TIME);
	uint64_t heard = 0;
	str bytes;

	while (heard < LINGER_OCTETS && stream_peek(s->stream, &bytes, until) == OK) {
		heard += bytes.n;
		stream_consume(s->stream, bytes.n);
	}
}

void smtp_serve(struct stream *stream, const struct smtp_options *options)
{
	struct smtp s = {.stream = stream,
	                 .options = options,
	                 .config = options->config,
	                 .client = BUF_INIT(128),
	                 .end = rt_after(options->config->limits.session_time)};

	net_address_host(&s.client, &options->client);
	if (options->local)
		name_local(&s);
	stream_write_timeout(stream, options->config->limits.command_time);
	greet(&s);
	while (smtp_read_command(&s))
		session_command(&s);
	smtp_log_out(&s, false);
	if (stream_finish(stream) == OK && s.linger)
		hear_out(&s);
	LOG(DEBUG, "smtp.end", LOG_STR("sid", options->session), LOG_NUM("messages", s.messages),
	    LOG_NUM("errors", s.errors));
	buf_free(&s.client);
}
