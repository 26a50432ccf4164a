/* SPDX-License-Identifier: ISC */
#include "pop3/session.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

/* RFC 1939 3: the timer must be of at least ten minutes. */
#define AUTOLOGOUT_MIN (600 * NSEC_PER_SEC)

/* RFC 9293 3.6.1: closing with input unread is a reset, which may take our last reply away from the client. */
#define LINGER_TIME   NSEC_PER_SEC
#define LINGER_OCTETS ((uint64_t)64 << 20)

enum { TEXT_MAX = 300 }; /* RFC 2449 4: a response line has up to 512 octets */

void pop3_ok(struct pop3 *s, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	stream_printf(s->stream, "+OK %s\r\n", text);
}

void pop3_fail(struct pop3 *s, const char *code, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->errors++;
	if (code != NULL)
		stream_printf(s->stream, "-ERR [%s] %s\r\n", code, text);
	else
		stream_printf(s->stream, "-ERR %s\r\n", text);
}

static bool is_permanent(err e)
{
	return e == E_PERM || e == E_NOT_FOUND || e == E_DENIED || e == E_LIMIT || e == E_SYNTAX;
}

void pop3_fail_call(struct pop3 *s, err e, const char *what)
{
	LOG(WARN, "pop3.error", LOG_STR("sid", s->options->session), LOG_Z("error", err_name(e)),
	    LOG_Z("text", err_info()->text));
	pop3_fail(s, is_permanent(e) ? "SYS/PERM" : "SYS/TEMP", "%s", what);
}

struct sasl_offer pop3_offer(const struct pop3 *s)
{
	return sasl_offer_of(s->stream, net_address_is_loopback(&s->options->client), s->options->config);
}

/* The limit on a session's length is for strangers: who is logged in may stay. */
nsec pop3_line_deadline(const struct pop3 *s)
{
	const struct config_limits *limits = &s->options->config->limits;
	nsec idle = rt_after(limits->command_time > AUTOLOGOUT_MIN ? limits->command_time : AUTOLOGOUT_MIN);
	nsec left = limits->session_time - (rt_now() - s->started);
	nsec end = rt_after(left > 0 ? left : 0);

	return s->drop.open || idle < end ? idle : end;
}

void pop3_release(struct pop3 *s)
{
	struct session_end_request q = {.session = s->options->session};
	struct session_end_reply r;
	ARENA(a, 4096);

	if (!s->granted)
		return;
	s->granted = false;
	err e = call_session_end(s->options->peers->store, &q, &r, &a, rt_after(CALL_TIME));
	if (e != OK && !rt_cancelled())
		LOG(WARN, "pop3.error", LOG_STR("sid", s->options->session), LOG_Z("error", err_name(e)),
		    LOG_Z("text", err_info()->text));
}

void pop3_hear_out(struct pop3 *s)
{
	nsec until = rt_after(LINGER_TIME);
	uint64_t heard = 0;
	str bytes;

	while (heard < LINGER_OCTETS && stream_peek(s->stream, &bytes, until) == OK) {
		heard += bytes.n;
		stream_consume(s->stream, bytes.n);
	}
}
