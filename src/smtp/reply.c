/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>

#include "smtp/session.h"

enum { TEXT_MAX = 400 }; /* RFC 5321 4.5.3.1.5: a reply line has up to 512 octets */

/* Text of others: printing ASCII only, so that it is one line and no client takes it for anything else. */
static void put_text(struct smtp *s, int code, str status, str text)
{
	char line[TEXT_MAX];

	text = str_take(text, sizeof(line));
	for (size_t i = 0; i < text.n; i++)
		line[i] = (char)(text.p[i] >= ' ' && text.p[i] <= '~' ? text.p[i] : '?');
	stream_printf(s->stream, "%d " STR_FMT " " STR_FMT "\r\n", code, STR_ARG(status),
	              STR_ARG(str_make(line, text.n)));
}

static void count_error(struct smtp *s, int code)
{
	if (code >= 500)
		s->errors++;
}

void smtp_reply(struct smtp *s, int code, const char *status, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	count_error(s, code);
	stream_printf(s->stream, "%d %s %s\r\n", code, status, text);
}

static bool is_status(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '.' && (s.p[i] < '0' || s.p[i] > '9'))
			return false;
	return s.n >= 5 && s.n <= 11;
}

struct refusal {
	int code;
	str status, text;
};

/* RFC 2034 4: the class of the status is that of the code. */
static struct refusal make_refusal(uint64_t code, str status, str text)
{
	if (code < 400 || code > 599 || !is_status(status) || status.p[0] != (char)('0' + code / 100))
		return (struct refusal){451, STR("4.3.0"), STR("Something is wrong here; try again later")};
	return (struct refusal){(int)code, status, text};
}

static struct refusal refusal_of_err(void)
{
	const struct err_info *i = err_info();

	return make_refusal((uint64_t)i->reply, str_from(i->status), str_from(i->text));
}

void smtp_reply_refusal(struct smtp *s, uint64_t code, str status, str text)
{
	struct refusal r = make_refusal(code, status, text);

	count_error(s, r.code);
	put_text(s, r.code, r.status, r.text);
}

void smtp_reply_err(struct smtp *s)
{
	struct refusal r = refusal_of_err();

	count_error(s, r.code);
	put_text(s, r.code, r.status, r.text);
}

void smtp_reply_message_err(struct smtp *s, const struct envelope *env)
{
	struct refusal r = refusal_of_err();
	size_t n = s->options->lmtp ? env->rcpts_n : 1;

	count_error(s, r.code);
	for (size_t i = 0; i < n; i++)
		put_text(s, r.code, r.status, r.text);
}

void smtp_close(struct smtp *s, int code, const char *status, const char *text)
{
	smtp_reply(s, code, status, "%s", text);
	s->closing = true;
}
