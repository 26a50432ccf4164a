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

/* What is between quotes, its pairs undone; `a` NULL: it is only passed over. */
static str take_quoted(struct cursor *c, struct arena *a)
{
	char *p = a == NULL ? NULL : arena_alloc(a, cursor_left(c));
	size_t n = 0;

	cursor_expect(c, '"');
	while (!cursor_accept(c, '"') && !c->failed) {
		(void)cursor_accept(c, '\\');
		str byte = cursor_bytes(c, 1);
		if (p != NULL && byte.n > 0 && byte.p[0] != '\r' && byte.p[0] != '\n')
			p[n++] = byte.p[0];
	}
	skip_blanks(c);
	return p == NULL || c->failed ? STR_NONE : str_make(p, n);
}

/* Some put characters into a value without quotes that belong into them: what is up to the next semicolon or blank. */
static bool is_value(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != ';' && c != '"' && c != '(';
}

static str take_value(struct cursor *c, struct arena *a)
{
	skip_blanks(c);
	if (cursor_peek(c) == '"')
		return take_quoted(c, a);
	str value = cursor_take_while(c, is_value);
	skip_blanks(c);
	return a == NULL ? STR_NONE : arena_str(a, value);
}

str content_type_param(str params, str name, struct arena *a)
{
	struct cursor c = cursor_of(params);

	skip_blanks(&c);
	while (!cursor_end(&c)) {
		(void)cursor_take_until(&c, ';');
		cursor_expect(&c, ';');
		str found = take_token(&c);
		bool is_it = found.n > 0 && str_equal_nocase(found, name);
		if (!cursor_accept(&c, '='))
			continue;
		str value = take_value(&c, is_it ? a : NULL);
		if (is_it)
			return value;
	}
	return STR_NONE;
}
