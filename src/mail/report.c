/* SPDX-License-Identifier: ISC */
#include "mail/report.h"

#include "base/date.h"
#include "base/encode.h"
#include "mail/header.h"
#include "mail/report_parts.h"
#include "mail/transfer.h"
#include "rt/crypto.h"

enum {
	ADDRESS_MAX = 400,
	SUBJECT_ADDRESS_MAX = 100,
	MESSAGE_ID_MAX = 250,
	LINE_MAX_OCTETS = 998, /* RFC 5322 2.1.1 */
	BOUNDARY_BYTES = 16
};

/* --- what is quoted --- */

/* Can it stand in a message as it is, in 7 or 8 bits (RFC 2045 2.7, 2.8)? */
static bool is_clean(str text)
{
	while (text.n > 0) {
		size_t lf = str_find(text, '\n');
		size_t line = lf > 0 && lf < text.n && text.p[lf - 1] == '\r' ? lf - 1 : lf;
		if ((lf < text.n && line == lf) || line > LINE_MAX_OCTETS ||
		    str_find(str_take(text, line), '\r') < line)
			return false;
		text = str_drop(text, lf + 1);
	}
	return true;
}

static bool has_failures(const struct report *r)
{
	for (size_t i = 0; i < r->rcpts_n; i++)
		if (r->rcpts[i].action == REPORT_FAILED)
			return true;
	return false;
}

/* RFC 3461 4.3: RET concerns failures alone. RFC 8689 5: no content of a message that requires TLS. RFC 2046 5.2.1: a message is quoted as it is or
 * not at all. */
static bool quotes_all(const struct report *r)
{
	return has_failures(r) && r->ret != DSN_RET_HDRS && (r->flags & MESSAGE_REQUIRE_TLS) == 0 &&
	       r->message.n <= r->quote_max && str_find(r->message, '\0') == r->message.n && is_clean(r->message);
}

/* The header without the empty line; whole lines of it where it is longer than may be quoted. */
static str header_to_quote(const struct report *r)
{
	size_t at = 0;
	struct header_field f;

	while (header_next(r->message, &at, &f) && at <= r->quote_max)
		;
	if (at <= r->quote_max)
		return str_take(r->message, at);
	str head = str_take(r->message, r->quote_max);
	size_t end = str_find_last(head, '\n');
	return str_take(head, end < head.n ? end + 1 : head.n);
}

struct quote {
	str text;
	const char *type, *encoding;
	bool encoded; /* in quoted-printable */
};

/* RFC 6533 4.2, 4.3: the global forms for UTF-8 in the header. */
static struct quote quote_of(const struct report *r)
{
	str header = header_to_quote(r);
	bool ascii = str_is_ascii(header), utf8 = !ascii && str_is_utf8(header);

	if (quotes_all(r))
		return (struct quote){r->message, utf8 ? "message/global" : "message/rfc822",
		                      str_is_ascii(r->message) ? "7bit" : "8bit", false};
	if (str_find(header, '\0') < header.n || !is_clean(header) || (!ascii && !utf8))
		return (struct quote){header, "text/rfc822-headers", "quoted-printable", true};
	return (struct quote){header, utf8 ? "message/global-headers" : "text/rfc822-headers", utf8 ? "8bit" : "7bit",
	                      false};
}

/* --- the header of the report --- */

static const struct {
	const char *subject;
} kinds[] = {
	[REPORT_FAILED] = {"Not delivered"}, [REPORT_DELAYED] = {"Delayed"},    [REPORT_DELIVERED] = {"Delivered"},
	[REPORT_RELAYED] = {"Handed on"},    [REPORT_EXPANDED] = {"Delivered"},
};

/* What matters most is what the subject is about. */
static enum report_action gravest(const struct report *r, const struct report_rcpt **first, size_t *n)
{
	enum report_action found = REPORT_EXPANDED;

	for (size_t i = 0; i < r->rcpts_n; i++)
		if (r->rcpts[i].action < found)
			found = r->rcpts[i].action;
	*n = 0;
	for (size_t i = r->rcpts_n; i-- > 0;) {
		if (r->rcpts[i].action != found)
			continue;
		*first = &r->rcpts[i];
		++*n;
	}
	return found;
}

static void put_subject(struct buf *out, const struct report *r, struct arena *a)
{
	const struct report_rcpt *first = NULL;
	size_t n;
	enum report_action kind = gravest(r, &first, &n);
	str address = first == NULL ? STR_NONE : report_accepted_address(first);

	buf_printf(out, "Subject: %s: your message", kinds[kind].subject);
	if (n > 1)
		buf_printf(out, " to %zu recipients", n);
	else if (address.n > 0 && address.n <= SUBJECT_ADDRESS_MAX && str_is_ascii(address))
		buf_printf(out, " to " STR_FMT, STR_ARG(report_plain(a, address, SUBJECT_ADDRESS_MAX, true)));
	buf_puts(out, "\r\n");
}

/* RFC 5322 3.6.4, without what only old software writes. */
static bool is_message_id(str s)
{
	if (s.n < 5 || s.n > MESSAGE_ID_MAX || s.p[0] != '<' || s.p[s.n - 1] != '>')
		return false;
	for (size_t i = 1; i + 1 < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || str_find(STR("<>()\\\","), s.p[i]) < 7)
			return false;
	return true;
}

/* RFC 3834 3.1.3 */
static void put_reference(struct buf *out, const struct report *r)
{
	struct header_field f;
	str id = header_find(r->message, STR("Message-ID"), &f) ? str_trim(f.value) : STR_NONE;

	if (is_message_id(id))
		buf_printf(out, "In-Reply-To: " STR_FMT "\r\nReferences: " STR_FMT "\r\n", STR_ARG(id), STR_ARG(id));
}

static void put_header(struct buf *out, const struct report *r, struct arena *a)
{
	char id[ID_TEXT_MAX];

	buf_puts(out, "Date: ");
	date_rfc5322(out, r->at);
	buf_printf(out, "\r\nFrom: Mail Delivery System <" STR_FMT ">\r\nTo: <" STR_FMT ">\r\n",
	           STR_ARG(report_plain(a, r->from, ADDRESS_MAX, false)),
	           STR_ARG(report_plain(a, r->to, ADDRESS_MAX, false)));
	put_subject(out, r, a);
	buf_printf(out, "Message-ID: <" STR_FMT "@" STR_FMT ">\r\n", STR_ARG(id_text(r->id, id)),
	           STR_ARG(report_plain(a, r->hostname, ADDRESS_MAX, true)));
	put_reference(out, r);
	buf_puts(out, "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"); /* RFC 3834 5 */
}

/* --- the whole --- */

/* It cannot stand in the quoted text, which would have to hold its own hash. */
static bool make_boundary(const struct report *r, str quoted, struct buf *out)
{
	struct crypto_digest d;
	char id[ID_TEXT_MAX];

	if (crypto_hash(CRYPTO_SHA256, quoted, &d) != OK)
		return false;
	buf_printf(out, "=_" STR_FMT "_", STR_ARG(id_text(r->id, id)));
	hex_encode(out, str_make((const char *)d.bytes, BOUNDARY_BYTES));
	return true;
}

static void put_part(struct buf *out, str boundary, const char *type, const char *encoding, const char *description)
{
	buf_printf(out,
	           "\r\n--" STR_FMT
	           "\r\nContent-Type: %s\r\nContent-Transfer-Encoding: %s\r\nContent-Description: %s\r\n\r\n",
	           STR_ARG(boundary), type, encoding, description);
}

static void put_text_part(struct buf *out, str boundary, str text)
{
	bool ascii = str_is_ascii(text);

	put_part(out, boundary, ascii ? "text/plain; charset=us-ascii" : "text/plain; charset=utf-8",
	         ascii ? "7bit" : "8bit", "What happened");
	buf_put(out, text);
}

static void put_status_part(struct buf *out, str boundary, str status, bool global)
{
	put_part(out, boundary, global ? "message/global-delivery-status" : "message/delivery-status",
	         global ? "8bit" : "7bit", "Delivery report");
	buf_put(out, status);
}

static void put_quote_part(struct buf *out, str boundary, const struct quote *q)
{
	put_part(out, boundary, q->type, q->encoding, "The message");
	if (q->encoded)
		transfer_quoted_printable(out, q->text);
	else
		buf_put(out, q->text);
	if (q->text.n > 0 && !str_ends(q->text, STR("\r\n")))
		buf_puts(out, "\r\n");
	buf_printf(out, "\r\n--" STR_FMT "--\r\n", STR_ARG(boundary));
}

void report_print(struct buf *out, const struct report *r, struct arena *a)
{
	BUF(text, out->cap);
	BUF(status, out->cap);
	BUF(boundary, 128);
	struct quote q = quote_of(r);

	report_text(&text, r, a);
	report_status(&status, r, a);
	if (!make_boundary(r, q.text, &boundary) || text.full || status.full || a->full) {
		out->full = true;
		return;
	}
	bool is_8bit =
		!str_is_ascii(buf_str(&text)) || !str_is_ascii(buf_str(&status)) || strcmp(q.encoding, "8bit") == 0;
	put_header(out, r, a);
	buf_printf(out,
	           "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"" STR_FMT "\"\r\n",
	           STR_ARG(buf_str(&boundary)));
	buf_printf(out, "Content-Transfer-Encoding: %s\r\n", is_8bit ? "8bit" : "7bit");
	put_text_part(out, buf_str(&boundary), buf_str(&text));
	put_status_part(out, buf_str(&boundary), buf_str(&status), report_status_is_global(r));
	put_quote_part(out, buf_str(&boundary), &q);
}
