/* SPDX-License-Identifier: ISC */
#include "mail/aliases.h"

#include "base/buf.h"
#include "base/cursor.h"

enum { WORD_MAX = 1000 };

struct reader {
	struct cursor c;
	struct arena *arena;
	size_t line;
};

/* --- words --- */

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static void take_quoted(struct reader *r, struct buf *word)
{
	while (!cursor_end(&r->c) && cursor_peek(&r->c) != '"' && cursor_peek(&r->c) != '\n') {
		(void)!cursor_accept(&r->c, '\\');
		buf_put(word, cursor_bytes(&r->c, 1));
	}
	cursor_expect(&r->c, '"');
}

/* Up to `stop`, a comma or a line's end: quoted and other text, joined. Blanks at both ends are not part of it. */
static str take_word(struct reader *r, char stop)
{
	BUF(word, WORD_MAX);
	size_t quoted = 0; /* octets up to the last quoted one, which are not trimmed */

	cursor_take_while(&r->c, is_blank);
	for (int c = cursor_peek(&r->c); c >= 0 && c != '\n' && c != ',' && c != stop; c = cursor_peek(&r->c)) {
		if (cursor_accept(&r->c, '"')) {
			take_quoted(r, &word);
			quoted = word.n;
		} else {
			buf_put(&word, cursor_bytes(&r->c, 1));
		}
	}
	while (word.n > quoted && (is_blank((unsigned char)word.p[word.n - 1]) || word.p[word.n - 1] == '\r'))
		word.n--;
	if (word.full || str_has_control(buf_str(&word)))
		cursor_fail(&r->c);
	return arena_str(r->arena, buf_str(&word));
}

static struct aliases_value value_of(str word, size_t line)
{
	static const str include = STR(":include:");

	if (str_starts_nocase(word, include))
		return (struct aliases_value){ALIASES_INCLUDE, str_trim(str_drop(word, include.n)), line};
	if (word.p[0] == '|')
		return (struct aliases_value){ALIASES_COMMAND, str_drop(word, 1), line};
	if (word.p[0] == '/')
		return (struct aliases_value){ALIASES_FILE, word, line};
	if (word.p[0] == '\\')
		return (struct aliases_value){ALIASES_LOCAL, str_drop(word, 1), line};
	return (struct aliases_value){ALIASES_ADDRESS, word, line};
}

/* --- lists --- */

struct list {
	void *items;
	size_t n, size;
};

static void *list_add(struct reader *r, struct list *l, size_t item, size_t most)
{
	if (l->n == most)
		return NULL;
	if (l->n == l->size) {
		size_t size = l->size == 0 ? 4 : l->size * 2;
		void *p = arena_array(r->arena, size, item);
		if (p == NULL)
			return NULL;
		if (l->n > 0)
			memcpy(p, l->items, l->n * item);
		l->items = p;
		l->size = size;
	}
	return (char *)l->items + l->n++ * item;
}

/* At the end of a line: goes over empty and comment lines. */
static void skip_lines(struct reader *r)
{
	for (;;) {
		struct cursor ahead = r->c;

		cursor_take_while(&ahead, is_blank);
		(void)!cursor_accept(&ahead, '\r');
		if (cursor_peek(&ahead) == '#')
			(void)!cursor_take_until(&ahead, '\n').n;
		if (!cursor_accept(&ahead, '\n')) {
			if (cursor_end(&ahead))
				r->c = ahead;
			return;
		}
		r->c = ahead;
		r->line++;
	}
}

/* True: the list goes on, behind a comma or on a line that begins with a blank. */
static bool goes_on(struct reader *r, bool free_form)
{
	bool comma = cursor_accept(&r->c, ',');

	skip_lines(r);
	if (cursor_end(&r->c))
		return false;
	return comma || free_form || is_blank((unsigned char)cursor_peek(&r->c));
}

static err take_values(struct reader *r, bool free_form, struct aliases_value **out, size_t *n)
{
	struct list l = {0};

	do {
		str word = take_word(r, ',');

		if (word.n == 0)
			continue;
		struct aliases_value *v = list_add(r, &l, sizeof(*v), ALIASES_VALUES_MAX);
		if (v == NULL)
			return err_note(E_LIMIT, "line %zu: too many values", r->line);
		*v = value_of(word, r->line);
	} while (goes_on(r, free_form));
	*out = l.items;
	*n = l.n;
	return r->c.failed ? err_note(E_SYNTAX, "line %zu: a quote is not closed, or there is a control character", r->line)
	                   : OK;
}

err aliases_values(str text, struct arena *a, struct aliases_value **out, size_t *n)
{
	struct reader r = {cursor_of(text), a, 1};

	skip_lines(&r);
	return take_values(&r, true, out, n);
}

static err take_entry(struct reader *r, struct aliases_entry *e)
{
	e->line = r->line;
	if (is_blank((unsigned char)cursor_peek(&r->c)))
		return err_note(E_SYNTAX, "line %zu: it goes on with nothing", r->line);
	e->name = take_word(r, ':');
	if (e->name.n == 0 || !cursor_accept(&r->c, ':'))
		return err_note(E_SYNTAX, "line %zu: \"name: value\" is wanted", r->line);
	err result = take_values(r, false, &e->values, &e->n);
	if (result == OK && e->n == 0)
		return err_note(E_SYNTAX, "line %zu: " STR_FMT " stands for nothing", e->line, STR_ARG(str_take(e->name, 64)));
	return result;
}

err aliases_parse(str text, struct arena *a, struct aliases_entry **out, size_t *n)
{
	struct reader r = {cursor_of(text), a, 1};
	struct list l = {0};
	err e = OK;

	for (skip_lines(&r); e == OK && !cursor_end(&r.c); skip_lines(&r)) {
		struct aliases_entry *entry = list_add(&r, &l, sizeof(*entry), ALIASES_MAX);

		e = entry == NULL ? err_note(E_LIMIT, "line %zu: too many aliases", r.line) : take_entry(&r, entry);
	}
	*out = l.items;
	*n = l.n;
	return e;
}
