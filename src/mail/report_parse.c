/* SPDX-License-Identifier: ISC */
/* Reports of other servers: multipart/report (RFC 6522) with a message/delivery-status (RFC 3464) and mostly the message that it is about. Lenient: they come from everybody. */
#include "base/buf.h"
#include "base/cursor.h"
#include "mail/header.h"
#include "mail/report.h"
#include "mail/transfer_undo.h"

enum { PARTS_MAX = 20, RCPTS_MAX = 1000, VALUE_MAX = 1000, BOUNDARY_MAX = 200, MESSAGE_ID_MAX = 256 };

/* A part of the multipart, as it stands in the message. */
struct part {
	str type, encoding; /* type: without parameters */
	str body;
};

static err malformed(const char *what)
{
	return err_note(E_SYNTAX, "no report: %s", what);
}

/* --- values --- */

/* One line of at most VALUE_MAX octets; control characters become blanks. */
static str clean(struct arena *a, str value)
{
	return arena_line(a, str_take(header_unfold(a, str_take(str_trim(value), 4 * VALUE_MAX)), VALUE_MAX), ' ');
}

static str field_of(str header, const char *name, struct arena *a)
{
	struct header_field f;

	return header_find(header, str_from(name), &f) ? clean(a, f.value) : STR_NONE;
}

/* What stands behind "type;" in a field (RFC 3464 2.1.2). */
static str untyped(str value)
{
	str type, rest;

	return str_cut(value, ';', &type, &rest) ? str_trim(rest) : value;
}

/* Without the comment behind it. */
static str first_word(str value)
{
	return str_word(&value);
}

/* --- MIME, as far as it is needed --- */

static bool is_token_octet(unsigned char c)
{
	return c > ' ' && c != 0x7f && str_find(STR("()<>@,;:\\\"/[]?="), (char)c) == 15;
}

/* A token or a quoted string (RFC 2045 5.1); pairs in quotes are not undone: no boundary has any. */
static str take_value(struct cursor *c)
{
	if (!cursor_accept(c, '"'))
		return cursor_take_while(c, is_token_octet);
	str value = cursor_take_until(c, '"');
	cursor_expect(c, '"');
	return value;
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

/* The parameter of a field's value; "" when it is not there. */
static str parameter(str value, str name)
{
	struct cursor c = cursor_of(value);

	(void)cursor_take_until(&c, ';');
	while (cursor_accept(&c, ';')) {
		(void)cursor_take_while(&c, is_blank);
		str key = cursor_take_while(&c, is_token_octet);
		(void)cursor_take_while(&c, is_blank);
		cursor_expect(&c, '=');
		(void)cursor_take_while(&c, is_blank);
		str found = take_value(&c);
		if (!c.failed && str_equal_nocase(key, name))
			return found;
		(void)cursor_take_until(&c, ';');
	}
	return STR_NONE;
}

static str media_type(str value)
{
	str type, rest;

	str_cut(value, ';', &type, &rest);
	return str_trim(type);
}

/* Takes the line off `rest`, its line end included. */
static str take_line(str *rest)
{
	str line = str_take(*rest, str_find(*rest, '\n') + 1);

	*rest = str_drop(*rest, line.n);
	return line;
}

/* "--boundary", or with *last "--boundary--", and blanks. */
static bool is_delimiter(str line, str boundary, bool *last)
{
	if (!str_starts(line, STR("--")) || !str_starts(str_drop(line, 2), boundary))
		return false;
	str behind = str_trim(str_drop(line, 2 + boundary.n));
	*last = str_equal(behind, STR("--"));
	return *last || behind.n == 0;
}

/* What stands in front of the next delimiter is cut off *rest, without the line end that belongs to the delimiter (RFC 2046 5.1.1). False: there was none, it goes to the end. */
static bool cut_part(str *rest, str boundary, str *text, bool *last)
{
	str all = *rest;

	while (rest->n > 0) {
		size_t before = all.n - rest->n;
		if (!is_delimiter(take_line(rest), boundary, last))
			continue;
		*text = str_take(all, before);
		if (str_ends(*text, STR("\n")))
			text->n--;
		if (str_ends(*text, STR("\r")))
			text->n--;
		return true;
	}
	*text = all;
	*last = true;
	return false;
}

static struct part part_of(str text, struct arena *a)
{
	size_t header = header_size(text);
	str fields = str_take(text, header);

	return (struct part){.type = media_type(field_of(fields, "Content-Type", a)),
	                     .encoding = field_of(fields, "Content-Transfer-Encoding", a),
	                     .body = str_drop(text, header)};
}

static err find_parts(str message, struct arena *a, struct part *parts, size_t *n)
{
	size_t header = header_size(message);
	str type = field_of(str_take(message, header), "Content-Type", a), rest = str_drop(message, header), text;
	str boundary = parameter(type, STR("boundary"));
	bool last = false;

	*n = 0;
	if (!str_equal_nocase(media_type(type), STR("multipart/report")) || boundary.n == 0 ||
	    boundary.n > BOUNDARY_MAX)
		return malformed("not multipart/report");
	if (!cut_part(&rest, boundary, &text, &last)) /* the preamble */
		return malformed("no parts");
	while (!last && *n < PARTS_MAX) {
		(void)cut_part(&rest, boundary, &text, &last);
		parts[(*n)++] = part_of(text, a);
	}
	return OK;
}

/* --- transfer encodings, which RFC 6533 4.4 allows, and others use where they should not --- */

static str decoded(const struct part *p, struct arena *a)
{
	BUF(out, p->body.n + 1);

	if (!str_equal_nocase(p->encoding, STR("quoted-printable")) && !str_equal_nocase(p->encoding, STR("base64")))
		return p->body;
	return transfer_undo(&out, p->encoding, p->body) == OK ? arena_str(a, buf_str(&out)) : STR_NONE;
}

/* --- the delivery status --- */

static bool is_status(str s)
{
	size_t dots = 0;

	for (size_t i = 0; i < s.n; i++) {
		dots += s.p[i] == '.';
		if (s.p[i] != '.' && (s.p[i] < '0' || s.p[i] > '9'))
			return false;
	}
	return dots == 2 && s.n >= 5 && s.n <= 9 && s.p[1] == '.' && s.p[s.n - 1] != '.' && !str_contains(s, STR(".."));
}

static bool action_of(str word, enum report_action *out)
{
	static const str words[] = {
		[REPORT_FAILED] = STR("failed"),       [REPORT_DELAYED] = STR("delayed"),
		[REPORT_DELIVERED] = STR("delivered"), [REPORT_RELAYED] = STR("relayed"),
		[REPORT_EXPANDED] = STR("expanded"),
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		*out = (enum report_action)i;
		if (str_equal_nocase(word, words[i]))
			return true;
	}
	return false;
}

static str original_of(str value, struct arena *a)
{
	str type, address;

	if (!str_cut(value, ';', &type, &address))
		return STR_NONE;
	return arena_printf(a, STR_FMT ";" STR_FMT, STR_ARG(str_trim(type)), STR_ARG(str_trim(address)));
}

/* False: not the fields of a recipient. */
static bool recipient_of(str group, struct arena *a, struct report_rcpt *out)
{
	str final = field_of(group, "Final-Recipient", a), original = field_of(group, "Original-Recipient", a);
	str status = first_word(field_of(group, "Status", a));

	*out = (struct report_rcpt){0};
	if (!action_of(first_word(field_of(group, "Action", a)), &out->action) || (final.n == 0 && original.n == 0))
		return false;
	out->address = untyped(final.n > 0 ? final : original);
	out->orcpt = original_of(original, a);
	out->status = is_status(status) ? status : STR_NONE;
	out->reply = untyped(field_of(group, "Diagnostic-Code", a));
	out->host = untyped(field_of(group, "Remote-MTA", a));
	return true;
}

/* Groups of fields with empty lines between them. */
static str take_group(str *rest)
{
	str behind = *rest;

	while (behind.n > 0 && str_trim(take_line(&behind)).n == 0)
		*rest = behind;
	str group = behind = *rest;
	while (behind.n > 0 && str_trim(take_line(&behind)).n > 0)
		*rest = behind;
	return str_take(group, group.n - rest->n);
}

static size_t count_groups(str text)
{
	size_t n = 0;

	while (take_group(&text).n > 0 && n < RCPTS_MAX)
		n++;
	return n;
}

static err read_status(str text, struct arena *a, struct report_found *out)
{
	size_t n = count_groups(text);

	out->rcpts = arena_array(a, n, sizeof(*out->rcpts));
	for (size_t i = 0; i < n && out->rcpts != NULL; i++) {
		str group = take_group(&text);
		if (i == 0) {
			out->envid = field_of(group, "Original-Envelope-Id", a);
			out->reporting_mta = untyped(field_of(group, "Reporting-MTA", a));
		}
		if (recipient_of(group, a, &out->rcpts[out->rcpts_n]))
			out->rcpts_n++;
	}
	return out->rcpts_n > 0 ? OK : malformed("no recipient");
}

/* --- the whole --- */

static bool is_one_of(str type, const char *plain, const char *global)
{
	return str_equal_nocase(type, str_from(plain)) || str_equal_nocase(type, str_from(global));
}

static str message_id_of(str quoted, struct arena *a)
{
	str id = first_word(field_of(quoted, "Message-ID", a));

	return id.n > 2 && id.n <= MESSAGE_ID_MAX && id.p[0] == '<' && id.p[id.n - 1] == '>' ? id : STR_NONE;
}

err report_parse(str message, struct arena *a, struct report_found *out)
{
	struct part parts[PARTS_MAX];
	size_t n;
	bool found = false;
	err e = find_parts(message, a, parts, &n);

	*out = (struct report_found){0};
	for (size_t i = 0; i < n && e == OK; i++) {
		const struct part *p = &parts[i];
		if (!found && is_one_of(p->type, "message/delivery-status", "message/global-delivery-status")) {
			e = read_status(decoded(p, a), a, out);
			found = true;
		} else if (found && out->message_id.n == 0 &&
		           (is_one_of(p->type, "message/rfc822", "message/global") ||
		            is_one_of(p->type, "text/rfc822-headers", "message/global-headers"))) {
			out->message_id = message_id_of(decoded(p, a), a);
		}
	}
	if (a->full) /* then what was read is not what stands there */
		return err_note(E_LIMIT, "no memory for a report");
	return e == OK && !found ? malformed("no delivery status") : e;
}
