/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim_tags.h"

#include "base/cursor.h"

static bool is_space(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 6376 3.2: ALPHA *ALNUMPUNC */
static bool is_name_octet(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_value_octet(unsigned char c)
{
	return c != ';' && (is_space(c) || (c > ' ' && c != 0x7f));
}

static err malformed(const char *what)
{
	return err_note(E_SYNTAX, "the list of tags is malformed: %s", what);
}

static err parse_tag(struct cursor *c, struct dkim_tag *out)
{
	cursor_take_while(c, is_space);
	out->name = cursor_take_while(c, is_name_octet);
	cursor_take_while(c, is_space);
	if (out->name.n == 0 || (out->name.p[0] >= '0' && out->name.p[0] <= '9') || out->name.p[0] == '_')
		return malformed("a tag without a name");
	if (!cursor_accept(c, '='))
		return err_note(E_SYNTAX, "the list of tags is malformed: no \"=\" behind \"" STR_FMT "\"",
		                STR_ARG(str_take(out->name, 40)));
	out->whole = cursor_take_while(c, is_value_octet);
	out->value = str_trim(out->whole);
	if (!cursor_end(c) && cursor_peek(c) != ';')
		return malformed("a control character");
	return OK;
}

/* At most DKIM_TAGS_MAX names are compared with each other. */
static err add(struct dkim_tags *t, const struct dkim_tag *tag)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_equal(t->items[i].name, tag->name))
			return err_note(E_SYNTAX, "the tag " STR_FMT "= is there twice",
			                STR_ARG(str_take(tag->name, 40)));
	if (t->n == DKIM_TAGS_MAX)
		return err_note(E_LIMIT, "more than %d tags", DKIM_TAGS_MAX);
	t->items[t->n++] = *tag;
	return OK;
}

err dkim_tags_parse(str text, struct dkim_tags *out)
{
	struct cursor c = cursor_of(text);
	struct dkim_tag tag;
	err e = OK;

	out->n = 0;
	do {
		e = parse_tag(&c, &tag);
		if (e == OK)
			e = add(out, &tag);
		if (e == OK && cursor_accept(&c, ';'))
			cursor_take_while(&c, is_space);
	} while (e == OK && !cursor_end(&c));
	return e;
}

static const struct dkim_tag *find(const struct dkim_tags *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_equal(t->items[i].name, str_from(name)))
			return &t->items[i];
	return NULL;
}

bool dkim_tags_find(const struct dkim_tags *t, const char *name, str *value)
{
	const struct dkim_tag *tag = find(t, name);

	*value = tag == NULL ? STR_NONE : tag->value;
	return tag != NULL;
}

str dkim_tags_get(const struct dkim_tags *t, const char *name)
{
	const struct dkim_tag *tag = find(t, name);

	return tag == NULL ? STR_NONE : tag->value;
}

str dkim_tags_whole(const struct dkim_tags *t, const char *name)
{
	const struct dkim_tag *tag = find(t, name);

	return tag == NULL ? STR_NONE : tag->whole;
}

bool dkim_tags_item(str *rest, char sep, str *item)
{
	if (rest->p == NULL)
		return false;
	if (!str_cut(*rest, sep, item, rest))
		*rest = STR_NONE;
	*item = str_trim(*item);
	return true;
}

void dkim_tags_squeeze(struct buf *out, str value)
{
	struct cursor c = cursor_of(value);

	while (!cursor_end(&c)) {
		const char *begin = c.p;
		while (!cursor_end(&c) && !is_space((unsigned char)*c.p))
			c.p++;
		buf_put(out, str_make(begin, (size_t)(c.p - begin)));
		cursor_take_while(&c, is_space);
	}
}
