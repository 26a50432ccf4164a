/* SPDX-License-Identifier: ISC */
#include "mail/content_type.h"

#include "base/cursor.h"

/* RFC 2045 5.1: a token is printable ASCII without blanks and tspecials. */
static bool is_token(unsigned char c)
{
	static const str tspecials = {"()<>@,;:\\\"/[]?=", 15};

	return c > ' ' && c < 0x7f && str_find(tspecials, (char)c) == tspecials.n;
}

static void skip_pair(struct cursor *c)
{
	if (cursor_accept(c, '\\'))
		(void)cursor_bytes(c, 1);
}

/* RFC 5322 3.2.2: comments nest, to any depth: they are counted. */
static void skip_comment(struct cursor *c)
{
	size_t depth = 0;

	do {
		if (cursor_peek(c) == '\\') {
			skip_pair(c);
		} else if (cursor_accept(c, '(')) {
			depth++;
		} else if (cursor_accept(c, ')')) {
			depth--;
		} else {
			(void)cursor_bytes(c, 1);
		}
	} while (depth > 0 && !cursor_end(c));
}

static void skip_blanks(struct cursor *c)
{
	for (;;) {
		int next = cursor_peek(c);

		if (next == '(')
			skip_comment(c);
		else if (next == ' ' || next == '\t' || next == '\r' || next == '\n')
			(void)cursor_bytes(c, 1);
		else
			return;
	}
}

static str take_token(struct cursor *c)
{
	skip_blanks(c);
	str token = cursor_take_while(c, is_token);
	skip_blanks(c);
	return token;
}

bool content_type_parse(str value, struct content_type *out)
{
	struct cursor c = cursor_of(value);

	out->type = take_token(&c);
	cursor_expect(&c, '/');
	out->subtype = take_token(&c);
	out->params = cursor_rest(&c);
	return !c.failed && out->type.n > 0 && out->subtype.n > 0;
}

str content_type_token(str value)
{
	struct cursor c = cursor_of(value);

	return take_token(&c);
}

/* The pairs undone, the line ends of folds dropped. */
static str unquote(str raw, struct arena *a)
{
	char *p = arena_alloc(a, raw.n);
	size_t n = 0;

	for (size_t i = 0; p != NULL && i < raw.n; i++) {
		i += raw.p[i] == '\\' && i + 1 < raw.n;
		if (raw.p[i] != '\r' && raw.p[i] != '\n')
			p[n++] = raw.p[i];
	}
	return p == NULL ? STR_NONE : str_make(p, n);
}

/* What is between quotes; `a` NULL: as it stands. */
static str take_quoted(struct cursor *c, struct arena *a)
{
	bool plain = true;
	size_t n = 0;

	cursor_expect(c, '"');
	str raw = cursor_rest(c);
	while (!cursor_accept(c, '"') && !c->failed) {
		char byte = cursor_end(c) ? 0 : *c->p;
		plain = plain && byte != '\\' && byte != '\r' && byte != '\n';
		if (byte == '\\')
			skip_pair(c);
		else
			(void)cursor_bytes(c, 1);
		n = raw.n - cursor_left(c);
	}
	skip_blanks(c);
	if (c->failed)
		return STR_NONE;
	raw = str_take(raw, n);
	return plain || a == NULL ? raw : unquote(raw, a);
}

/* Some put characters into a value without quotes that belong into them: what is up to the next semicolon or blank. */
static bool is_value(unsigned char c)
{
	return c > ' ' && c != 0x7f && c != ';' && c != '"' && c != '(';
}

static str take_value(struct cursor *c, struct arena *a)
{
	skip_blanks(c);
	if (cursor_peek(c) == '"')
		return take_quoted(c, a);
	str value = cursor_take_while(c, is_value);
	skip_blanks(c);
	return value;
}

bool content_type_next(str *params, struct arena *a, str *name, str *value)
{
	struct cursor c = cursor_of(*params);

	skip_blanks(&c);
	(void)cursor_take_until(&c, ';');
	cursor_expect(&c, ';');
	*name = take_token(&c);
	*value = cursor_accept(&c, '=') ? take_value(&c, a) : STR_NONE;
	*params = cursor_rest(&c);
	return !c.failed;
}

str content_type_param(str params, str name, struct arena *a)
{
	str found, value;

	while (content_type_next(&params, NULL, &found, &value))
		if (found.n > 0 && str_equal_nocase(found, name)) {
			bool plain = str_find(value, '\\') == value.n && str_find(value, '\n') == value.n;
			return plain ? value : unquote(value, a);
		}
	return STR_NONE;
}
