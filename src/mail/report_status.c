/* SPDX-License-Identifier: ISC */
/* message/delivery-status: RFC 3464 2; message/global-delivery-status: RFC 6533 4.1. */
#include "base/cursor.h"
#include "base/date.h"
#include "base/encode.h"
#include "mail/report_parts.h"

/* Octets of others' words in one field: even without a blank to fold at, the line stays below 998. */
enum { FIELD_TEXT_MAX = 900, ADDRESS_MAX = 500, TYPE_MAX = 100, UNITEXT_DIGITS_MAX = 6 };

static const char *const actions[] = {
	[REPORT_FAILED] = "failed",   [REPORT_DELAYED] = "delayed",   [REPORT_DELIVERED] = "delivered",
	[REPORT_RELAYED] = "relayed", [REPORT_EXPANDED] = "expanded",
};

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 3464 2.3.4: DIGIT "." 1*3DIGIT "." 1*3DIGIT */
static bool is_status(str s)
{
	struct cursor c = cursor_of(s);

	for (int i = 0; i < 3; i++) {
		str digits = cursor_take_while(&c, is_digit);
		if (digits.n == 0 || digits.n > (i == 0 ? 1u : 3u) || (digits.n > 1 && digits.p[0] == '0'))
			return false;
		if (i < 2)
			cursor_expect(&c, '.');
	}
	return !c.failed && cursor_end(&c);
}

str report_status_code(const struct report_rcpt *rcpt)
{
	if (is_status(rcpt->status))
		return rcpt->status;
	return rcpt->action == REPORT_FAILED    ? STR("5.0.0")
	       : rcpt->action == REPORT_DELAYED ? STR("4.0.0")
	                                        : STR("2.0.0");
}

str report_accepted_address(const struct report_rcpt *rcpt)
{
	return rcpt->original.n > 0 ? rcpt->original : rcpt->address;
}

bool report_status_is_global(const struct report *r)
{
	for (size_t i = 0; i < r->rcpts_n; i++)
		if (!str_is_ascii(report_accepted_address(&r->rcpts[i])) || !str_is_ascii(r->rcpts[i].orcpt))
			return true;
	return false;
}

static void put_date(struct buf *out, const char *name, int64_t at)
{
	if (at <= 0)
		return;
	buf_printf(out, "%s: ", name);
	date_rfc5322(out, at);
	buf_puts(out, "\r\n");
}

static bool is_hex(unsigned char c)
{
	return hex_digit((char)c) >= 0;
}

/* "\x{HEXPOINT}" at the cursor, which fails where it is none. */
static void take_embedded(struct cursor *c, struct buf *out)
{
	uint32_t code = 0;

	if (!cursor_accept_str(c, STR("\\x{")))
		cursor_fail(c);
	str digits = cursor_take_while(c, is_hex);
	cursor_expect(c, '}');
	if (digits.n < 2 || digits.n > UNITEXT_DIGITS_MAX)
		cursor_fail(c);
	for (size_t i = 0; !c->failed && i < digits.n; i++)
		code = code << 4 | (uint32_t)hex_digit(digits.p[i]);
	if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		cursor_fail(c);
	if (!c->failed)
		buf_utf8(out, code);
}

/* RFC 6533 3: the 7-bit form is converted back; what is malformed is copied as it is. */
static str without_unitext(struct arena *a, str address)
{
	BUF(text, FIELD_TEXT_MAX);
	struct cursor c = cursor_of(address);

	while (!cursor_end(&c)) {
		buf_put(&text, cursor_take_until(&c, '\\'));
		if (!cursor_end(&c))
			take_embedded(&c, &text);
	}
	return c.failed || text.full || str_has_control(buf_str(&text)) ? address : arena_str(a, buf_str(&text));
}

/* `orcpt`: "type;address". */
static void put_original(struct buf *out, str orcpt, bool global, struct arena *a)
{
	str type, address;

	if (!str_cut(orcpt, ';', &type, &address))
		return;
	if (global && str_equal_nocase(type, STR("utf-8")))
		address = without_unitext(a, address);
	buf_printf(out, "Original-Recipient: " STR_FMT "; " STR_FMT "\r\n",
	           STR_ARG(report_plain(a, type, TYPE_MAX, true)),
	           STR_ARG(report_plain(a, address, ADDRESS_MAX, !global)));
}

static void put_final(struct buf *out, str address, bool global, struct arena *a)
{
	buf_printf(out, "Final-Recipient: %s; " STR_FMT "\r\n", str_is_ascii(address) ? "rfc822" : "utf-8",
	           STR_ARG(report_plain(a, address, ADDRESS_MAX, !global)));
}

/* "mx.example.com[192.0.2.1]:25": the name, or the literal where there is none (RFC 3461 9.3). */
static str name_of_host(str host)
{
	size_t bracket = str_find(host, '[');

	return bracket > 0 ? str_take(host, bracket) : str_take(host, str_find(host, ']') + 1);
}

static bool is_smtp_reply(str reply)
{
	return reply.n > 3 && is_digit((unsigned char)reply.p[0]) && is_digit((unsigned char)reply.p[1]) &&
	       is_digit((unsigned char)reply.p[2]) && (reply.p[3] == ' ' || reply.p[3] == '-');
}

static void put_diagnosis(struct buf *out, const struct report_rcpt *rcpt, struct arena *a)
{
	str reply = report_plain(a, rcpt->reply, FIELD_TEXT_MAX, true);
	const char *type = rcpt->host.n > 0 && is_smtp_reply(reply) ? "smtp" : "x-pombo";

	if (rcpt->host.n > 0)
		buf_printf(out, "Remote-MTA: dns; " STR_FMT "\r\n",
		           STR_ARG(report_plain(a, name_of_host(rcpt->host), FIELD_TEXT_MAX, true)));
	if (reply.n > 0)
		report_fold(out, "Diagnostic-Code: ", " ", arena_printf(a, "%s; " STR_FMT, type, STR_ARG(reply)));
}

static void put_recipient(struct buf *out, const struct report_rcpt *rcpt, bool global, struct arena *a)
{
	buf_puts(out, "\r\n");
	put_original(out, rcpt->orcpt, global, a);
	put_final(out, report_accepted_address(rcpt), global, a);
	buf_printf(out, "Action: %s\r\nStatus: " STR_FMT "\r\n", actions[rcpt->action],
	           STR_ARG(report_status_code(rcpt)));
	put_diagnosis(out, rcpt, a);
	put_date(out, "Last-Attempt-Date", rcpt->at);
	if (rcpt->action == REPORT_DELAYED)
		put_date(out, "Will-Retry-Until", rcpt->retry_until);
}

void report_status(struct buf *out, const struct report *r, struct arena *a)
{
	bool global = report_status_is_global(r);

	buf_printf(out, "Reporting-MTA: dns; " STR_FMT "\r\n",
	           STR_ARG(report_plain(a, r->hostname, FIELD_TEXT_MAX, true)));
	if (r->envid.n > 0)
		buf_printf(out, "Original-Envelope-Id: " STR_FMT "\r\n",
		           STR_ARG(report_plain(a, r->envid, FIELD_TEXT_MAX, true)));
	put_date(out, "Arrival-Date", r->received);
	for (size_t i = 0; i < r->rcpts_n; i++)
		put_recipient(out, &r->rcpts[i], global, a);
}
