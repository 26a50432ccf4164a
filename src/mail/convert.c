/* SPDX-License-Identifier: ISC */
#include "mail/convert.h"

#include "mail/content_type.h"
#include "mail/header.h"
#include "mail/transfer.h"

enum { DEPTH_MAX = 20, LINE_MAX_OCTETS = 998, VALUE_MAX = 16 << 10, ROOM = 64 << 10 };

struct conversion {
	const struct convert_options *options;
	struct buf *out;
};

/* An entity (RFC 2045 2.4): a message, or a part of one. */
struct entity {
	str text, header, body; /* header: with the empty line, if there is one */
	bool message;           /* it is one */
	bool has_version, has_type;
	str type, encoding; /* values; type "" none */
	str default_type;
	size_t depth;
};

size_t convert_room(size_t message)
{
	return 2 * message + ROOM;
}

static err cannot(const char *why)
{
	return err_note(E_SYNTAX, "conversion: %s", why);
}

/* --- what may stay --- */

/* No CR without LF behind it, no LF without CR before it. */
static bool has_bare(str s)
{
	for (str rest = s; rest.n > 0;) {
		str line = str_take(rest, str_find(rest, '\n') + 1);
		size_t cr = str_find(line, '\r');

		if (str_ends(line, STR("\n")) ? cr + 2 != line.n : cr < line.n)
			return true;
		rest = str_drop(rest, line.n);
	}
	return false;
}

static bool has_long_line(str s)
{
	while (s.n > 0) {
		size_t n = str_find(s, '\n');

		if (n > LINE_MAX_OCTETS + 1)
			return true;
		s = str_drop(s, n + 1);
	}
	return false;
}

static bool is_binary(str s)
{
	return str_find(s, '\0') < s.n || has_bare(s);
}

static bool may_stand(const struct conversion *c, str s)
{
	return (c->options->eight_bit || str_is_ascii(s)) && !is_binary(s);
}

static bool may_stay(const struct conversion *c, str s)
{
	return may_stand(c, s) && !(c->options->binary && has_long_line(s));
}

/* --- headers --- */

static void read_field(struct entity *e, const struct header_field *f)
{
	if (str_equal_nocase(f->name, STR("MIME-Version"))) {
		e->has_version = true;
	} else if (str_equal_nocase(f->name, STR("Content-Type")) && !e->has_type) {
		e->has_type = true;
		e->type = f->value;
	} else if (str_equal_nocase(f->name, STR("Content-Transfer-Encoding")) && e->encoding.n == 0) {
		e->encoding = content_type_token(f->value);
	}
}

static struct entity read_entity(str text, bool message, str default_type, size_t depth)
{
	struct entity e = {.text = text, .message = message, .default_type = default_type, .depth = depth};
	struct header_field f;
	size_t size = header_size(text), at = 0;

	e.header = str_take(text, size);
	e.body = str_drop(text, size);
	while (header_next(e.header, &at, &f))
		read_field(&e, &f);
	return e;
}

/* RFC 2045 6.4: composite types have one of these, and what has one of these is not encoded yet. */
static bool is_identity(str encoding)
{
	return encoding.n == 0 || str_equal_nocase(encoding, STR("7bit")) || str_equal_nocase(encoding, STR("8bit")) ||
	       str_equal_nocase(encoding, STR("binary"));
}

static void put_new_fields(struct conversion *c, const struct entity *e, const char *encoding)
{
	if (e->message && !e->has_version)
		buf_puts(c->out, "MIME-Version: 1.0\r\n");
	if (e->message && !e->has_type && !e->has_version)
		buf_puts(c->out, "Content-Type: text/plain; charset=unknown-8bit\r\n"); /* RFC 1428 3 */
	if (encoding != NULL)
		buf_printf(c->out, "Content-Transfer-Encoding: %s\r\n", encoding);
}

/* Of what is not encoded, "8bit" stays true with 8BITMIME alone, and "binary" never. */
static bool keeps_encoding(const struct conversion *c, const struct entity *e)
{
	return !is_identity(e->encoding) || (c->options->eight_bit && !str_equal_nocase(e->encoding, STR("binary")));
}

/* The header with another encoding; NULL: with the one it has if that stays true, else none, which is 7bit. */
static err put_header(struct conversion *c, const struct entity *e, const char *encoding)
{
	bool keep = encoding == NULL && keeps_encoding(c, e);
	struct header_field f;
	size_t at = 0, put = 0;

	if (!may_stand(c, e->header))
		return cannot("a header has octets that it must not have");
	while (header_next(e->header, &at, &f)) {
		if (keep || !str_equal_nocase(f.name, STR("Content-Transfer-Encoding")))
			buf_put(c->out, str_take(str_drop(e->header, put), at - put));
		put = at;
	}
	if (put > 0 && !str_ends(str_take(e->header, put), STR("\r\n")))
		buf_puts(c->out, "\r\n");
	put_new_fields(c, e, encoding);
	buf_puts(c->out, "\r\n");
	return OK;
}

/* --- leaves --- */

static size_t count_high(str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (unsigned char)s.p[i] >= 0x80 || s.p[i] == '=';
	return n;
}

/* Text of which most can be read as it is, is worth to be; and it must have lines. */
static bool suits_quoted_printable(const struct entity *e, str type)
{
	return str_equal_nocase(type, STR("text")) && !is_binary(e->body) && count_high(e->body) < e->body.n / 6;
}

static err convert_leaf(struct conversion *c, const struct entity *e, str type)
{
	bool stays = may_stay(c, e->body), quoted = suits_quoted_printable(e, type);

	if (!stays && !is_identity(e->encoding))
		return cannot("a part that is encoded has octets that its encoding must not have");
	err result = put_header(c, e, stays ? NULL : quoted ? "quoted-printable" : "base64");
	if (result != OK)
		return result;
	if (stays)
		buf_put(c->out, e->body);
	else if (quoted)
		transfer_quoted_printable(c->out, e->body);
	else
		transfer_base64(c->out, e->body);
	return OK;
}

/* --- multiparts (RFC 2046 5.1) --- */

struct delimiter {
	size_t at, end; /* octets of the body: from the CRLF that belongs to it, up to what is behind its line */
	bool close;
};

/* "--" boundary ["--"] and blanks, alone on a line that begins at `line`. */
static bool is_delimiter(str body, size_t line, str boundary, struct delimiter *out)
{
	str rest = str_drop(body, line), end;

	if (!str_starts(rest, STR("--")) || !str_starts(str_drop(rest, 2), boundary))
		return false;
	size_t size = str_find(rest, '\n');
	end = str_take(str_drop(rest, 2 + boundary.n), size - 2 - boundary.n);
	out->close = str_starts(end, STR("--"));
	out->end = line + (size < rest.n ? size + 1 : size);
	return str_trim(str_drop(end, out->close ? 2 : 0)).n == 0;
}

/* The next one in the body from `from` on, which is where a line begins. */
static bool next_delimiter(str body, size_t from, str boundary, struct delimiter *out)
{
	for (size_t line = from; line < body.n;) {
		bool follows_crlf = line >= 2 && body.p[line - 2] == '\r' && body.p[line - 1] == '\n';

		if ((line == 0 || follows_crlf) && is_delimiter(body, line, boundary, out)) {
			out->at = line >= from + 2 ? line - 2 : line;
			return true;
		}
		line += str_find(str_drop(body, line), '\n') + 1;
	}
	return false;
}

/* Preamble and epilogue, which nobody is shown. */
static void put_unseen(struct conversion *c, str s)
{
	if (may_stay(c, s)) {
		buf_put(c->out, s);
		return;
	}
	for (size_t i = 0; i < s.n; i++)
		buf_putc(c->out, s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : ' ');
}

static err convert_entity(struct conversion *c, str text, bool message, str default_type, size_t depth);

static err convert_parts(struct conversion *c, const struct entity *e, str boundary, str default_type)
{
	struct delimiter d;
	size_t from = 0;
	err result = OK;

	if (!next_delimiter(e->body, 0, boundary, &d))
		return cannot("a multipart has no parts");
	put_unseen(c, str_take(e->body, d.at));
	while (result == OK && !d.close) {
		buf_put(c->out, str_take(str_drop(e->body, d.at), d.end - d.at));
		from = d.end;
		if (!next_delimiter(e->body, from, boundary, &d)) /* the end is missing: the last part goes on to it */
			return convert_entity(c, str_drop(e->body, from), false, default_type, e->depth + 1);
		result = convert_entity(c, str_take(str_drop(e->body, from), d.at - from), false, default_type,
		                        e->depth + 1);
	}
	if (result != OK)
		return result;
	buf_put(c->out, str_take(str_drop(e->body, d.at), d.end - d.at));
	put_unseen(c, str_drop(e->body, d.end));
	return OK;
}

static err convert_multipart(struct conversion *c, const struct entity *e, const struct content_type *type)
{
	ARENA(a, VALUE_MAX);
	str boundary = content_type_param(type->params, STR("boundary"), &a);

	if (str_equal_nocase(type->subtype, STR("signed"))) /* RFC 1847 2.1: not a single octet of it may change */
		return err_note(E_DENIED, "conversion: a signed part has octets that would have to change");
	if (boundary.n == 0 || !is_identity(e->encoding))
		return cannot("a multipart without a boundary, or with an encoding");
	err result = put_header(c, e, NULL);
	if (result != OK)
		return result;
	bool digest = str_equal_nocase(type->subtype, STR("digest")); /* RFC 2046 5.1.5 */
	return convert_parts(c, e, boundary, digest ? STR("message/rfc822") : STR("text/plain"));
}

/* RFC 2046 5.2: message/rfc822 is converted within; RFC 6532 3.7: message/global may be encoded; the others are ASCII by definition. */
static err convert_enclosed(struct conversion *c, const struct entity *e, const struct content_type *type)
{
	if (str_starts_nocase(type->subtype, STR("global")))
		return convert_leaf(c, e, type->type);
	if (!str_equal_nocase(type->subtype, STR("rfc822")) || !is_identity(e->encoding))
		return cannot("a part that cannot be encoded has octets that it must not have");
	err result = put_header(c, e, NULL);
	return result == OK ? convert_entity(c, e->body, true, STR("text/plain"), e->depth + 1) : result;
}

static err convert_entity(struct conversion *c, str text, bool message, str default_type, size_t depth)
{
	struct content_type type;

	if (may_stay(c, text)) {
		buf_put(c->out, text);
		return OK;
	}
	if (depth > DEPTH_MAX)
		return err_note(E_LIMIT, "conversion: parts nest too deeply");
	struct entity e = read_entity(text, message, default_type, depth);
	if (!content_type_parse(e.has_type ? e.type : default_type, &type))
		(void)!content_type_parse(STR("text/plain"), &type);
	if (str_equal_nocase(type.type, STR("multipart")))
		return convert_multipart(c, &e, &type);
	if (str_equal_nocase(type.type, STR("message")))
		return convert_enclosed(c, &e, &type);
	return convert_leaf(c, &e, type.type);
}

err convert_message(str message, const struct convert_options *options, struct buf *out)
{
	struct conversion c = {.options = options, .out = out};
	size_t from = out->n;
	err e = convert_entity(&c, message, true, STR("text/plain"), 0);

	if (e == OK && out->full)
		e = err_note(E_LIMIT, "conversion: the message becomes too large");
	if (e == OK && !may_stand(&c, str_drop(buf_str(out), from))) /* whatever it was made of */
		e = cannot("octets are left that must not be there");
	return e;
}
