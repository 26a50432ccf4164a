/* SPDX-License-Identifier: ISC */
#include "mailauth/report_part.h"

#include "base/encode.h"
#include "mail/content_type.h"
#include "mail/header.h"

enum { DEPTH_MAX = 4, PARTS_MAX = 50, BOUNDARY_MAX = 200, PARAMETER_MEMORY = 64 << 10 };

struct search {
	const str *types;
	size_t types_n;
	struct arena *arena;
	struct buf *out;
	size_t parts;
};

static err find(struct search *s, str entity, size_t depth);

/* --- transfer encodings (RFC 2045 6) --- */

static bool is_base64_octet(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' || c == '/';
}

/* RFC 2045 6.8: other octets are passed over; padding that is missing is added. */
static err undo_base64(str in, struct buf *out)
{
	BUF(plain, in.n + 4);

	for (size_t i = 0; i < in.n && in.p[i] != '='; i++)
		if (is_base64_octet(in.p[i]))
			buf_putc(&plain, in.p[i]);
	if (plain.n % 4 == 1)
		return err_note(E_SYNTAX, "a report's base64 is malformed");
	while (plain.n % 4 != 0)
		buf_putc(&plain, '=');
	return plain.full ? err_note(E_LIMIT, "no memory for a report") : base64_decode(out, buf_str(&plain));
}

static int hex_digit(char c)
{
	size_t at = str_find(STR("0123456789ABCDEFabcdef"), c);

	return at > 21 ? -1 : (int)(at > 15 ? at - 6 : at);
}

/* RFC 2045 6.7; what is malformed stays as it is. */
static err undo_quoted_printable(str in, struct buf *out)
{
	while (in.n > 0) {
		size_t plain = str_find(in, '=');
		buf_put(out, str_take(in, plain));
		in = str_drop(in, plain);
		int high = in.n > 2 ? hex_digit(in.p[1]) : -1, low = in.n > 2 ? hex_digit(in.p[2]) : -1;

		if (high >= 0 && low >= 0) {
			buf_putc(out, (char)(high << 4 | low));
			in = str_drop(in, 3);
		} else if (str_starts(in, STR("=\r\n"))) {
			in = str_drop(in, 3);
		} else if (str_starts(in, STR("=\n"))) {
			in = str_drop(in, 2);
		} else {
			buf_put(out, str_take(in, 1));
			in = str_drop(in, 1);
		}
	}
	return OK;
}

static err undo(str encoding, str body, struct buf *out)
{
	err e = OK;

	if (str_equal_nocase(encoding, STR("base64")))
		e = undo_base64(body, out);
	else if (str_equal_nocase(encoding, STR("quoted-printable")))
		e = undo_quoted_printable(body, out);
	else if (encoding.n == 0 || str_equal_nocase(encoding, STR("7bit")) ||
	         str_equal_nocase(encoding, STR("8bit")) || str_equal_nocase(encoding, STR("binary")))
		buf_put(out, body);
	else
		e = err_note(E_SYNTAX, "a report in an unknown encoding");
	return e == OK && out->full ? err_note(E_LIMIT, "a report is too large") : e;
}

/* --- parts (RFC 2046 5.1) --- */

static str take_line(str *rest)
{
	str line = str_take(*rest, str_find(*rest, '\n') + 1);

	*rest = str_drop(*rest, line.n);
	return line;
}

/* Is it a delimiter of these parts? */
static bool is_delimiter(str line, str boundary, bool *last)
{
	if (!str_starts(line, STR("--")) || !str_starts(str_drop(line, 2), boundary))
		return false;
	str behind = str_trim(str_drop(line, 2 + boundary.n));
	*last = str_equal(behind, STR("--"));
	return *last || behind.n == 0;
}

/* What stands in front of the next delimiter. */
static str cut_part(str *rest, str boundary, bool *last)
{
	str all = *rest;

	while (rest->n > 0) {
		size_t before = all.n - rest->n;
		if (is_delimiter(take_line(rest), boundary, last))
			return str_take(all, before);
	}
	*last = true;
	return all;
}

static err find_in_parts(struct search *s, str body, str boundary, size_t depth)
{
	bool last = false;
	err e = E_NOT_FOUND;

	if (boundary.n == 0 || boundary.n > BOUNDARY_MAX || depth == DEPTH_MAX)
		return E_NOT_FOUND;
	(void)cut_part(&body, boundary, &last); /* the preamble */
	while (!last && e == E_NOT_FOUND && s->parts++ < PARTS_MAX)
		e = find(s, cut_part(&body, boundary, &last), depth + 1);
	return e;
}

static bool is_wanted(const struct search *s, const struct content_type *t)
{
	for (size_t i = 0; i < s->types_n; i++) {
		str type, subtype;
		(void)str_cut(s->types[i], '/', &type, &subtype);
		if (str_equal_nocase(t->type, type) && str_equal_nocase(t->subtype, subtype))
			return true;
	}
	return false;
}

static err find(struct search *s, str entity, size_t depth)
{
	size_t size = header_size(entity);
	str header = str_take(entity, size), body = str_drop(entity, size);
	struct header_field type, encoding;
	struct content_type t;

	if (!header_find(header, STR("Content-Type"), &type) || !content_type_parse(type.value, &t))
		return E_NOT_FOUND;
	if (str_equal_nocase(t.type, STR("multipart")))
		return find_in_parts(s, body, content_type_param(t.params, STR("boundary"), s->arena), depth);
	if (!is_wanted(s, &t))
		return E_NOT_FOUND;
	bool encoded = header_find(header, STR("Content-Transfer-Encoding"), &encoding);
	return undo(encoded ? content_type_token(encoding.value) : STR_NONE, body, s->out);
}

err report_part(str message, const str *types, size_t types_n, struct buf *out)
{
	ARENA(a, PARAMETER_MEMORY);
	struct search s = {types, types_n, &a, out, 0};
	err e = find(&s, message, 0);

	return e == E_NOT_FOUND ? err_note(E_NOT_FOUND, "no part of it is a report") : e;
}
