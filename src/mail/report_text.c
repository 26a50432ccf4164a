/* SPDX-License-Identifier: ISC */
/* What a report says to people. */
#include "base/date.h"
#include "base/encode.h"
#include "mail/report_parts.h"

enum { REPLY_MAX = 900, ADDRESS_MAX = 400, COLUMNS = 76 };

/* --- others' words --- */

static bool turns_direction(uint32_t code)
{
	return code == 0x61c || code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

/* Octets of the character that `s` begins with, 1 where it begins with none. '\0' in *instead: it is kept. */
static size_t judge_character(str s, bool ascii, char *instead)
{
	uint32_t code = 0;
	size_t n = str_utf8_char(s, &code);

	*instead = '\0';
	if (n == 0 || (ascii && code >= 0x80) || (code >= 0x7f && code < 0xa0) || turns_direction(code))
		*instead = '?';
	else if (code < ' ')
		*instead = ' ';
	return n == 0 ? 1 : n;
}

str report_plain(struct arena *a, str s, size_t max, bool ascii)
{
	size_t n = 0;

	max = s.n < max ? s.n : max; /* nothing becomes longer */
	char *p = arena_alloc(a, max);
	if (p == NULL)
		return STR_NONE;
	while (s.n > 0) {
		char instead;
		size_t octets = judge_character(s, ascii, &instead), more = instead == '\0' ? octets : 1;
		if (n + more > max)
			break;
		if (instead == '\0')
			memcpy(p + n, s.p, octets);
		else
			p[n] = instead;
		n += instead == ' ' && (n == 0 || p[n - 1] == ' ') ? 0 : more;
		s = str_drop(s, octets);
	}
	return str_trim(str_make(p, n));
}

static size_t columns(str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

void report_fold(struct buf *out, const char *first, const char *indent, str text)
{
	size_t at = strlen(first);
	str word = str_word(&text);

	buf_puts(out, first);
	buf_put(out, word);
	at += columns(word);
	while ((word = str_word(&text)).n > 0) {
		if (at + 1 + columns(word) > COLUMNS) {
			buf_printf(out, "\r\n%s", indent);
			at = strlen(indent);
		} else {
			buf_putc(out, ' ');
			at++;
		}
		buf_put(out, word);
		at += columns(word);
	}
	buf_puts(out, "\r\n");
}

/* --- what a status means (RFC 3463 3, RFC 5248's registry), whatever its class --- */

static const struct meaning {
	const char *status; /* behind the class; one that ends in a dot stands for all that begin so */
	const char *failed; /* a sentence */
	const char *advice; /* NULL: that of all */
} meanings[] = {
	{".1.1", "There is no such mailbox.", "Check the address for a slip of the pen, or ask its owner another way."},
	{".1.2", "There is no such mail domain.", "Check what stands behind the @ for a slip of the pen."},
	{".1.3", "The address is not well-formed.", "Check it for a slip of the pen."},
	{".1.6", "The mailbox has moved.", "Ask its owner for the new address."},
	{".1.10", "The domain takes no mail.", "Ask the recipient for another address."},
	{".1.7", "The recipient's server does not take mail from your address.", NULL},
	{".1.8", "The recipient's server does not take mail from your address.", NULL},
	{".2.1", "The mailbox takes no mail at present.", "Try again later, or reach its owner another way."},
	{".2.2", "The mailbox is full.", "Try again later, or tell its owner another way."},
	{".2.3", "The message is too large for the mailbox.",
         "Send a smaller one, with a link instead of an attachment."},
	{".3.1", "The recipient's server has no room left.", "Try again later."},
	{".3.4", "The message is too large for the recipient's server.",
         "Send a smaller one, with a link instead of an attachment."},
	{".4.1", "The recipient's server did not answer.", "Try again later."},
	{".4.2", "The connection to the recipient's server broke.", "Try again later."},
	{".4.3", "The recipient's server could not be found: the domain's name service did not answer.",
         "Try again later."},
	{".4.4", "The recipient's server could not be found.", "Check what stands behind the @ for a slip of the pen."},
	{".4.6", "The message goes round in circles: a server on its way is set up wrongly.",
         "Tell the postmaster of the recipient's domain, if you can."},
	{".4.7", "The time in which the message was to be delivered is over.",
         "Send it again, or reach the recipient another way."},
	{".6.7", "The recipient's server cannot take a message with this international address.",
         "Ask the recipient for another address."},
	{".7.10", "No encrypted connection to the recipient's server could be made, and none other was allowed.", NULL},
	{".7.30", "The recipient's server cannot promise the encryption that you asked for.",
         "Send the message again without asking for it, if you may."},
	{".7.23", "The recipient's server could not verify that the message is from you.", NULL},
	{".7.26", "The recipient's server could not verify that the message is from you.", NULL},
	{".7.27", "The recipient's server could not verify that the message is from you.", NULL},
	{".7.", "The recipient's server refused the message.",
         "Often that is its filter against unwanted mail: what it says may tell you more."},
	{".", "The recipient's server refused the message.", NULL},
};

static const struct meaning *meaning_of(const struct report_rcpt *rcpt)
{
	str status = str_drop(report_status_code(rcpt), 1);
	const struct meaning *m = meanings;

	for (;; m++) {
		str known = str_from(m->status);
		if (str_equal(status, known) || (str_ends(known, STR(".")) && str_starts(status, known)))
			return m;
	}
}

/* --- a recipient --- */

static void put_reason(struct buf *out, const struct report_rcpt *rcpt, struct arena *a)
{
	bool ours = rcpt->host.n == 0 && rcpt->reply.n > 0;

	if (rcpt->explanation.n > 0)
		report_fold(out, "    ", "    ", report_plain(a, rcpt->explanation, REPLY_MAX, false));
	else if (rcpt->action == REPORT_FAILED && !ours)
		report_fold(out, "    ", "    ", str_from(meaning_of(rcpt)->failed));
	if (ours && rcpt->explanation.n == 0)
		report_fold(out, "    ", "    ", report_plain(a, rcpt->reply, REPLY_MAX, false));
	if (rcpt->host.n == 0)
		return;
	report_fold(out, "    ", "    ",
	            arena_printf(a, "The server " STR_FMT "%s",
	                         STR_ARG(report_plain(a, rcpt->host, ADDRESS_MAX, false)),
	                         rcpt->reply.n > 0 ? " said:" : " has it."));
	if (rcpt->reply.n > 0)
		report_fold(out, "      ", "      ", report_plain(a, rcpt->reply, REPLY_MAX, false));
}

static void put_advice(struct buf *out, const struct report_rcpt *rcpt)
{
	const char *advice = meaning_of(rcpt)->advice;

	if (rcpt->action == REPORT_FAILED && advice != NULL)
		report_fold(out, "    ", "    ", str_from(advice));
}

static void put_recipient(struct buf *out, const struct report_rcpt *rcpt, struct arena *a)
{
	str address = report_plain(a, report_accepted_address(rcpt), ADDRESS_MAX, false);
	bool leads_on = rcpt->original.n > 0 && !str_equal_nocase(rcpt->original, rcpt->address);

	buf_printf(out, "\r\n  " STR_FMT "\r\n", STR_ARG(address));
	if (leads_on)
		buf_printf(out, "  (which leads to " STR_FMT ")\r\n",
		           STR_ARG(report_plain(a, rcpt->address, ADDRESS_MAX, false)));
	put_reason(out, rcpt, a);
	put_advice(out, rcpt);
	if (rcpt->action == REPORT_DELAYED && rcpt->retry_until > 0) {
		buf_puts(out, "    It is tried until ");
		date_rfc5322(out, rcpt->retry_until);
		buf_puts(out, ".\r\n");
	}
}

/* --- the whole --- */

static const struct {
	const char *what;
	const char *means;
} sections[] = {
	[REPORT_FAILED] = {"could not be delivered to:", "It will not be tried again."},
	[REPORT_DELAYED] = {"is delayed, and has not been delivered yet to:",
                            "You need not do anything: it is tried again, and you will be told if that fails."},
	[REPORT_DELIVERED] = {"was delivered to:", NULL},
	[REPORT_RELAYED] = {"was handed on, as far as this server can follow it, for:",
                            "The next server took it, and may not tell you what becomes of it."},
	[REPORT_EXPANDED] = {"was delivered to this list of addresses:", NULL},
};

static void put_section(struct buf *out, const struct report *r, enum report_action action, struct arena *a)
{
	bool begun = false;

	for (size_t i = 0; i < r->rcpts_n; i++) {
		if (r->rcpts[i].action != action)
			continue;
		if (!begun && r->received > 0) {
			buf_puts(out, "\r\nYour message of ");
			date_rfc5322(out, r->received);
			buf_printf(out, "\r\n%s\r\n", sections[action].what);
		} else if (!begun) {
			buf_printf(out, "\r\nYour message %s\r\n", sections[action].what);
		}
		begun = true;
		put_recipient(out, &r->rcpts[i], a);
	}
	if (begun && sections[action].means != NULL) {
		buf_puts(out, "\r\n");
		report_fold(out, "", "", str_from(sections[action].means));
	}
}

void report_text(struct buf *out, const struct report *r, struct arena *a)
{
	char id[ID_TEXT_MAX];

	buf_printf(out, "This is the mail server " STR_FMT ".\r\n",
	           STR_ARG(report_plain(a, r->hostname, ADDRESS_MAX, false)));
	for (enum report_action action = REPORT_FAILED; action <= REPORT_EXPANDED; action++)
		put_section(out, r, action, a);
	buf_puts(out, "\r\n");
	report_fold(out, "", "",
	            arena_printf(a, "If you need help, write to " STR_FMT " and name the message " STR_FMT ".",
	                         STR_ARG(report_plain(a, r->from, ADDRESS_MAX, false)),
	                         STR_ARG(id_text(r->message_id, id))));
}
