/* SPDX-License-Identifier: ISC */
#include "mail/mime.h"

#include "base/encode.h"
#include "mail/charset.h"
#include "mail/content_type.h"
#include "mail/encoded_word.h"
#include "mail/header.h"
#include "mail/transfer_undo.h"

enum { PARTS_FIRST = 8, PARAMS_MAX = 2 << 10, SEGMENTS_MAX = 50, NAME_MAX_OCTETS = 255 };

struct level { /* a multipart that is open */
	str boundary;
	int part;
};
struct reader {
	struct mime *mime;
	struct arena *arena;
	struct level levels[MIME_DEPTH_MAX];
	size_t levels_n, size;
	str text; /* all of it */
	size_t at;
};

/* --- delimiters --- */

struct delimiter {
	size_t level, end; /* end: what is behind its line */
	bool close;
};

static bool is_delimiter_of(str line, str boundary, bool *close)
{
	str behind = str_drop(line, 2);

	if (!str_starts(behind, boundary))
		return false;
	behind = str_drop(behind, boundary.n);
	*close = str_starts(behind, STR("--"));
	if (str_trim(behind).n == 0)
		return true;
	return *close && str_trim(str_drop(behind, 2)).n == 0;
}

/* Is the line at `at` one? Octets of the line in *size. */
static bool is_delimiter(const struct reader *r, size_t at, size_t *size, struct delimiter *out)
{
	str rest = str_drop(r->text, at), line = str_take(rest, str_find(rest, '\n') + 1);

	*size = line.n;
	if (!str_starts(line, STR("--")))
		return false;
	for (size_t i = r->levels_n; i-- > 0;)
		if (is_delimiter_of(line, r->levels[i].boundary, &out->close)) {
			out->level = i;
			out->end = at + line.n;
			return true;
		}
	return false;
}

/* Where the next one begins, from the beginning of a line on; the text's end when there is none. */
static size_t find_delimiter(const struct reader *r, size_t from, struct delimiter *out)
{
	size_t size;

	if (r->levels_n == 0)
		return r->text.n;
	for (size_t at = from; at < r->text.n; at += size)
		if (is_delimiter(r, at, &size, out))
			return at;
	return r->text.n;
}

static size_t before_line_end(const struct reader *r, size_t from, size_t at)
{
	if (at > from && at <= r->text.n && r->text.p[at - 1] == '\n')
		at--;
	if (at > from && at < r->text.n && r->text.p[at] == '\n' && r->text.p[at - 1] == '\r')
		at--;
	return at;
}

/* --- parts --- */

static struct mime_part *add_part(struct reader *r)
{
	struct mime *m = r->mime;

	if (m->n == r->size) {
		size_t size = r->size == 0 ? PARTS_FIRST : 2 * r->size;
		struct mime_part *more = arena_array(r->arena, size, sizeof *more);
		if (more == NULL)
			return NULL;
		if (m->n > 0)
			memcpy(more, m->parts, m->n * sizeof *more);
		m->parts = more;
		r->size = size;
	}
	return &m->parts[m->n++];
}

static void read_type(struct mime_part *p, str value)
{
	struct content_type t;

	if (!content_type_parse(value, &t))
		return;
	p->type = t.type;
	p->subtype = t.subtype;
	p->params = t.params;
}

static void read_fields(struct mime_part *p)
{
	struct header_field f;
	bool typed = false;

	for (size_t at = 0; header_next(p->header, &at, &f);) {
		if (f.name.n < 12 || !str_starts_nocase(f.name, STR("Content-")))
			continue;
		if (str_equal_nocase(f.name, STR("Content-Type")) && !typed) {
			typed = true;
			read_type(p, f.value);
		} else if (str_equal_nocase(f.name, STR("Content-Transfer-Encoding")) && p->encoding.n == 0) {
			p->encoding = content_type_token(f.value);
		} else if (str_equal_nocase(f.name, STR("Content-Disposition")) && p->disposition.n == 0) {
			p->disposition = str_trim(f.value);
		}
	}
}

/* A header may end without an empty line, where the next part begins. */
static size_t header_end(const struct reader *r)
{
	struct delimiter d;
	size_t size, at = r->at;

	if (r->levels_n == 0)
		return r->text.n;
	for (; at < r->text.n && !is_delimiter(r, at, &size, &d); at += size)
		if (size <= 2 && str_trim(str_take(str_drop(r->text, at), size)).n == 0)
			return at + size;
	return at;
}

static bool in_digest(const struct reader *r, int parent)
{
	return parent != MIME_NONE && mime_is(&r->mime->parts[parent], STR("multipart"), STR("digest"));
}

/* RFC 2045 6.4: what is composite must not be encoded. */
static bool is_identity(str encoding)
{
	return encoding.n == 0 || str_equal_nocase(encoding, STR("7bit")) || str_equal_nocase(encoding, STR("8bit")) ||
	       str_equal_nocase(encoding, STR("binary"));
}

/* What it is, and the boundary of a multipart. */
static enum mime_kind classify(struct reader *r, const struct mime_part *p, str *boundary)
{
	bool multipart = mime_is(p, STR("multipart"), STR(""));
	bool message = mime_is(p, STR("message"), STR("rfc822")) || mime_is(p, STR("message"), STR("global"));

	if ((!multipart && !message) || !is_identity(p->encoding))
		return MIME_LEAF;
	if (p->depth + 1 >= MIME_DEPTH_MAX) {
		r->mime->too_deep = true;
		return MIME_LEAF;
	}
	if (message)
		return MIME_MESSAGE;
	*boundary = content_type_param(str_take(p->params, PARAMS_MAX), STR("boundary"), r->arena);
	return boundary->n == 0 || boundary->n > MIME_BOUNDARY_MAX ? MIME_LEAF : MIME_MULTIPART;
}

/* All multiparts and messages that contain part `from` end here, up to part `outer`, which goes on. */
static void end_parts(struct reader *r, int from, int outer, size_t end)
{
	for (int i = from; i != outer && i != MIME_NONE; i = r->mime->parts[i].parent) {
		struct mime_part *p = &r->mime->parts[i];
		p->body.n = (size_t)(r->text.p + end - p->body.p);
	}
}

/* Behind a part, or a preamble: to where the next part begins. False: there is none. */
static bool go_to_next(struct reader *r, int from, int *parent)
{
	struct delimiter d = {.close = true};
	size_t least = r->at;
	int inner = from;

	while (d.close) {
		size_t at = find_delimiter(r, r->at, &d);
		bool found = at < r->text.n;
		int outer = found ? r->levels[d.level].part : MIME_NONE;
		end_parts(r, inner, outer, found ? before_line_end(r, least, at) : r->text.n);
		if (!found)
			return false;
		r->at = d.end;
		r->levels_n = d.level + !d.close;
		inner = outer; /* its epilogue belongs to it */
		least = at;
	}
	*parent = inner;
	return true;
}

/* The header of the next part, and what it is; false: out of memory. */
static bool read_part(struct reader *r, int parent, enum mime_kind *kind)
{
	bool digest = in_digest(r, parent);
	struct mime_part *p = add_part(r);
	str boundary = STR_NONE;

	if (p == NULL)
		return false;
	*p = (struct mime_part){.type = digest ? STR("message") : STR("text"),
	                        .subtype = digest ? STR("rfc822") : STR("plain"),
	                        .parent = parent,
	                        .depth = parent == MIME_NONE ? 0 : r->mime->parts[parent].depth + 1};
	str rest = str_take(str_drop(r->text, r->at), header_end(r) - r->at);
	p->header = str_take(rest, header_size(rest));
	r->at += p->header.n;
	p->body = str_drop(r->text, r->at);
	read_fields(p);
	p->kind = *kind = classify(r, p, &boundary);
	if (*kind == MIME_MULTIPART)
		r->levels[r->levels_n++] = (struct level){boundary, (int)r->mime->n - 1};
	return true;
}

static err no_memory(void)
{
	return err_note(E_LIMIT, "a message has too many parts for the memory that there is");
}

err mime_read(str message, struct arena *a, struct mime *out)
{
	struct reader r = {.mime = out, .arena = a, .text = message};
	int parent = MIME_NONE;
	enum mime_kind kind;

	*out = (struct mime){0};
	for (bool more = true; more;) {
		if (!read_part(&r, parent, &kind))
			return no_memory();
		int last = (int)out->n - 1;
		if (kind == MIME_MESSAGE && out->n < MIME_PARTS_MAX) {
			parent = last;
			continue;
		}
		more = go_to_next(&r, last, &parent);
		out->too_many = more && out->n == MIME_PARTS_MAX;
		more = more && !out->too_many;
	}
	return a->full ? no_memory() : OK;
}

/* --- of one part --- */

bool mime_is(const struct mime_part *p, str type, str subtype)
{
	return str_equal_nocase(p->type, type) && (subtype.n == 0 || str_equal_nocase(p->subtype, subtype));
}

err mime_content(const struct mime_part *p, struct buf *out)
{
	return transfer_undo(out, p->encoding, p->body);
}

str mime_charset(const struct mime_part *p, struct arena *a)
{
	return p->params.n == 0 ? STR_NONE : content_type_param(p->params, STR("charset"), a);
}

bool mime_text(const struct mime_part *p, struct arena *a, struct buf *scratch, struct buf *out)
{
	str charset = mime_charset(p, a);

	if (is_identity(p->encoding))
		return charset_to_utf8(out, charset, p->body);
	buf_reset(scratch);
	bool all = mime_content(p, scratch) == OK;
	return charset_to_utf8(out, charset, buf_str(scratch)) && all;
}

bool mime_is_attachment(const struct mime_part *p)
{
	return str_equal_nocase(content_type_token(p->disposition), STR("attachment"));
}

/* --- file names (RFC 2231) --- */

struct segments {
	struct {
		str value;
		bool encoded;
	} list[SEGMENTS_MAX];
	bool whole; /* "filename": nothing is to be put together */
};

/* "*", "*3" or "*3*" behind a parameter's name. */
static void add_segment(struct segments *s, str mark, str value)
{
	bool encoded = str_ends(mark, STR("*"));
	uint64_t number = 0;

	if (mark.n > 1 && !str_to_u64(str_take(str_drop(mark, 1), mark.n - 1 - encoded), SEGMENTS_MAX - 1, &number))
		return;
	if (mark.n == 0)
		s->whole = true;
	if (s->list[number].value.n == 0 || encoded) {
		s->list[number].value = value;
		s->list[number].encoded = encoded;
	}
}

static bool find_segments(str params, str name, struct arena *a, struct segments *s)
{
	str found, value;

	params = str_take(params, PARAMS_MAX);
	while (content_type_next(&params, a, &found, &value))
		if (str_starts_nocase(found, name) && (found.n == name.n || found.p[name.n] == '*') && value.n > 0)
			add_segment(s, str_drop(found, name.n), value);
	return s->list[0].value.n > 0;
}

/* RFC 2231 4; a percent sign without two digits behind it stands for itself. */
static void undo_percent(struct buf *out, str in)
{
	while (in.n > 0) {
		int octet = in.p[0] == '%' ? hex_octet(str_drop(in, 1)) : -1;

		buf_putc(out, (char)(octet < 0 ? in.p[0] : octet));
		in = str_drop(in, octet < 0 ? 1 : 3);
	}
}

/* charset'language'text */
static str take_charset(str *value)
{
	str charset, language, text;

	if (!str_cut(*value, '\'', &charset, &text) || !str_cut(text, '\'', &language, &text))
		return STR_NONE;
	*value = text;
	return charset;
}

static void join_segments(struct segments *s, struct buf *out)
{
	BUF(octets, PARAMS_MAX);
	str charset = STR_NONE;

	if (s->list[0].encoded)
		charset = take_charset(&s->list[0].value);
	for (size_t i = 0; i < SEGMENTS_MAX && s->list[i].value.n > 0; i++)
		if (s->list[i].encoded)
			undo_percent(&octets, s->list[i].value);
		else
			buf_put(&octets, s->list[i].value);
	(void)charset_to_utf8(out, charset, buf_str(&octets));
}

str mime_file_name(const struct mime_part *p, struct arena *a)
{
	struct segments s = {0};
	BUF(joined, NAME_MAX_OCTETS);
	BUF(name, NAME_MAX_OCTETS);

	if (!find_segments(p->disposition, STR("filename"), a, &s) && !find_segments(p->params, STR("name"), a, &s))
		return STR_NONE;
	if (s.list[0].encoded || !s.whole) {
		join_segments(&s, &joined);
		encoded_words_decode(&name, buf_str(&joined));
	} else {
		encoded_words_decode(&name, s.list[0].value);
	}
	return arena_str(a, buf_str(&name));
}
