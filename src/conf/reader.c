/* SPDX-License-Identifier: ISC */
#include "conf/reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "conf/suggest.h"
#include "rt/file.h"

/* --- faults --- */

PRINTF(4, 0)
static void fault_add(struct reader *r, const char *file, const struct token *at, const char *fmt, va_list ap)
{
	char text[600];

	if (r->faults->n > FAULTS_MAX)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	buf_printf(&r->faults->text, "%s:%u:%u: %s\n", file, at->line, at->column,
	           r->faults->n == FAULTS_MAX ? "too many faults, the rest is not shown" : text);
	r->faults->n++;
}

void reader_fault_in(struct reader *r, const char *file, const struct token *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fault_add(r, file, at, fmt, ap);
	va_end(ap);
}

void reader_fault(struct reader *r, const struct token *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fault_add(r, r->source->name, at, fmt, ap);
	va_end(ap);
}

void reader_fault_word(struct reader *r, const struct token *at, const char *what, const char *best)
{
	str word = str_take(at->text, 80);

	if (best != NULL)
		reader_fault(r, at, "%s \"" STR_FMT "\" (did you mean \"%s\"?)", what, STR_ARG(word), best);
	else
		reader_fault(r, at, "%s \"" STR_FMT "\"", what, STR_ARG(word));
}

bool reader_once(struct reader *r, const struct token *at, str key)
{
	const char *before = map_get(&r->seen, key);

	if (before != NULL) {
		reader_fault(r, at, STR_FMT " is there twice, first at %s", STR_ARG(key), before);
		return false;
	}
	str place = arena_printf(&r->config->arena, "%s:%u:%u", r->source->name, at->line, at->column);
	if (place.p != NULL && map_put(&r->seen, key, (void *)(uintptr_t)place.p) == OK)
		return true;
	reader_fault(r, at, "out of memory");
	return false;
}

void *reader_append(struct reader *r, void **items, size_t *n, size_t size)
{
	if ((*n & (*n - 1)) == 0) { /* full at every power of two */
		void *more = arena_array(&r->config->arena, *n == 0 ? 1 : *n * 2, size);
		if (more == NULL)
			return NULL;
		if (*n > 0)
			memcpy(more, *items, *n * size);
		*items = more;
	}
	return (char *)*items + (*n)++ * size;
}

/* --- tokens --- */

static const struct token *peek(const struct reader *r)
{
	return &r->source->next;
}

static struct token take(struct reader *r)
{
	struct token t = r->source->next;

	r->source->next = lexer_next(&r->source->lexer);
	if (r->source->next.kind == TOKEN_BAD)
		reader_fault(r, &r->source->next, STR_FMT, STR_ARG(r->source->next.text));
	return t;
}

/* A word, or something that was meant as one and reported already. */
static bool at_word(const struct reader *r)
{
	return peek(r)->kind == TOKEN_WORD || peek(r)->kind == TOKEN_BAD;
}

static bool at_statement_end(const struct reader *r)
{
	return peek(r)->kind == TOKEN_NEWLINE || peek(r)->kind == TOKEN_END;
}

/* Behind a {: goes behind its }. */
static void skip_block(struct reader *r)
{
	size_t depth = 1;

	while (depth > 0 && peek(r)->kind != TOKEN_END) {
		enum token_kind kind = take(r).kind;
		if (kind == TOKEN_OPEN)
			depth++;
		else if (kind == TOKEN_CLOSE)
			depth--;
	}
}

/* Behind a fault: goes to the statement's end, with the block it may have. */
static void skip_statement(struct reader *r)
{
	while (!at_statement_end(r))
		if (take(r).kind == TOKEN_OPEN)
			skip_block(r);
}

/* --- statements --- */

/* Of a statement that may be repeated each option stands there once. */
static bool option_once(struct reader *r, const struct setting *s, const struct setting *first, const struct token *at)
{
	uint64_t bit = UINT64_C(1) << (s - first);
	bool before = (r->options & bit) != 0;

	r->options |= bit;
	if (!before || s->option == NULL || (s->flags & SETTING_REPEATED) != 0)
		return true;
	reader_fault(r, at, "%s is there twice for this %s", s->option, s->name);
	return false;
}

static bool value_once(struct reader *r, const struct setting *s, const struct token *at)
{
	const struct setting *first = schema_find(str_from(s->name));
	BUF(key, 128);

	if (r->nth > 0)
		return true;
	if ((first->flags & SETTING_REPEATED) != 0)
		return option_once(r, s, first, at);
	buf_puts(&key, s->name);
	if (s->option != NULL)
		buf_printf(&key, " %s", s->option);
	return reader_once(r, at, buf_str(&key));
}

/* Behind a fault in an option: what follows may be its value, up to the next word that is an option. */
static void skip_option(struct reader *r, const struct setting *first)
{
	while (at_word(r) && schema_option(first, peek(r)->text) == NULL)
		(void)take(r);
}

static void read_word(struct reader *r, const struct setting *s, const struct value_type *type, bool wanted)
{
	const struct token *word = peek(r);

	if (word->kind == TOKEN_WORD) {
		struct token value = take(r);
		if (wanted)
			type->read(r, s, &value);
	} else if (word->kind == TOKEN_BAD) {
		(void)take(r);
	} else {
		reader_fault(r, word, "%s needs a value: %s", s->option != NULL ? s->option : s->name,
		             type->grammar != NULL ? type->grammar : s->choices[0]);
	}
}

static void read_value(struct reader *r, const struct setting *s, const struct token *name)
{
	bool first = value_once(r, s, name);
	const struct value_type *type = s->type;

	while (type != NULL) {
		r->then = NULL;
		read_word(r, s, type, first);
		type = r->then;
	}
	if (!first)
		skip_option(r, schema_find(str_from(s->name)));
}

/* All values of a setting, and of `statement` no option among them. */
static void read_values(struct reader *r, const struct setting *statement, const struct setting *s,
                        const struct token *name)
{
	r->nth = 0;
	read_value(r, s, name);
	while ((s->flags & SETTING_MANY) != 0 && at_word(r) && schema_option(statement, peek(r)->text) == NULL) {
		r->nth++;
		read_value(r, s, name);
	}
	r->nth = 0;
}

/* The values that follow the statement's name. */
static void read_arguments(struct reader *r, const struct setting *first, const struct token *name)
{
	for (const struct setting *s = first; s != NULL && s->option == NULL; s = schema_next(s))
		read_values(r, first, s, name);
}

static bool has_options(const struct setting *first)
{
	for (const struct setting *s = first; s != NULL; s = schema_next(s))
		if (s->option != NULL)
			return true;
	return false;
}

static void unknown_option(struct reader *r, const struct setting *first, const struct token *word)
{
	struct suggestion best = suggest_begin(word->text);
	char what[64];

	for (const struct setting *s = first; s != NULL; s = schema_next(s))
		if (s->option != NULL)
			suggest_offer(&best, s->option);
	snprintf(what, sizeof(what), has_options(first) ? "%s has no option" : "too much for %s:", first->name);
	reader_fault_word(r, word, what, best.best);
}

static void read_option(struct reader *r, const struct setting *first)
{
	struct token name = take(r);
	const struct setting *s = name.kind == TOKEN_WORD ? schema_option(first, name.text) : NULL;

	if (s == NULL) {
		if (name.kind == TOKEN_WORD)
			unknown_option(r, first, &name);
		skip_option(r, first);
	} else if ((s->flags & SETTING_FLAG) != 0) {
		if (value_once(r, s, &name))
			s->type->read(r, s, &name);
	} else {
		read_values(r, first, s, &name);
	}
}

/* { option value ... }, with or without line ends between the options. */
static void read_block(struct reader *r, const struct setting *first)
{
	struct token open = take(r);

	for (;;) {
		if (at_word(r)) {
			read_option(r, first);
			continue;
		}
		struct token t = take(r);
		if (t.kind == TOKEN_CLOSE)
			return;
		if (t.kind == TOKEN_END) {
			reader_fault(r, &open, "this { has no }");
			return;
		}
		if (t.kind == TOKEN_OPEN) {
			reader_fault(r, &t, "a { cannot stand inside a block");
			skip_block(r);
		}
	}
}

static void read_options(struct reader *r, const struct setting *first)
{
	if (first->option != NULL && !at_word(r) && peek(r)->kind != TOKEN_OPEN)
		reader_fault(r, peek(r), "%s needs an option, such as %s", first->name, first->option);
	while (at_word(r))
		read_option(r, first);
	if (peek(r)->kind == TOKEN_OPEN && has_options(first))
		read_block(r, first);
	if (at_statement_end(r))
		return;
	if (peek(r)->kind == TOKEN_OPEN)
		reader_fault(r, peek(r), "%s has no { } block", first->name);
	else
		reader_fault(r, peek(r), "a line end is missing here");
	skip_statement(r);
}

static void unknown_statement(struct reader *r, const struct token *name)
{
	struct suggestion best = suggest_begin(name->text);

	for (const struct setting *s = schema; s != NULL; s = schema_after(s))
		suggest_offer(&best, s->name);
	reader_fault_word(r, name, "unknown setting", best.best);
}

/* The version tells how all that follows is to be read. */
static void check_version_first(struct reader *r, const struct token *name)
{
	if (!r->versioned && !str_equal(name->text, STR("version")))
		reader_fault(r, name, "the first statement must be: version 1");
	r->versioned = true;
}

static void read_statement(struct reader *r, const struct token *name)
{
	const struct setting *s = schema_find(name->text);

	check_version_first(r, name);
	r->options = 0;
	if (s == NULL) {
		unknown_statement(r, name);
		skip_statement(r);
	} else {
		read_arguments(r, s, name);
		read_options(r, s);
	}
}

static void read_statements(struct reader *r)
{
	struct token t = take(r); /* the empty one from before the first look-ahead */

	while ((t = take(r)).kind != TOKEN_END) {
		if (t.kind == TOKEN_WORD)
			read_statement(r, &t);
		else if (t.kind == TOKEN_OPEN || t.kind == TOKEN_CLOSE)
			reader_fault(r, &t, "a statement cannot begin with %s", t.kind == TOKEN_OPEN ? "{" : "}");
		if (t.kind != TOKEN_WORD && t.kind != TOKEN_NEWLINE)
			skip_statement(r);
	}
}

/* --- files --- */

static void read_source(struct reader *r, struct source *s, str text)
{
	s->lexer = lexer_of(text, &r->config->arena);
	s->parent = r->source;
	r->source = s;
	read_statements(r);
	r->source = s->parent;
}

void reader_text(struct reader *r, const char *name, str text)
{
	struct source s = {.name = name};

	read_source(r, &s, text);
}

/* Reads `path` into `text` and tells which file it is; otherwise the reason. */
static const char *file_fetch(const char *path, struct buf *text, struct source *s)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	s->device = st.st_dev;
	s->inode = st.st_ino;
	return file_read_whole(path, text) == OK ? NULL : err_info()->text;
}

void reader_file(struct reader *r, const char *path)
{
	struct source s = {.name = path};
	BUF(text, FILE_OCTETS_MAX);
	const char *why = file_fetch(path, &text, &s);

	if (why == NULL)
		read_source(r, &s, buf_str(&text));
	else
		reader_fault_in(r, path, &(struct token){.line = 1, .column = 1}, "cannot be read: %s", why);
}

static bool is_being_read(const struct reader *r, const struct source *file)
{
	for (const struct source *s = r->source; s != NULL; s = s->parent)
		if (s->device == file->device && s->inode == file->inode)
			return true;
	return false;
}

void reader_include(struct reader *r, const struct token *file)
{
	str from = str_from(r->source->name);
	str folder = str_starts(file->text, STR("/")) ? STR_NONE : str_take(from, str_find_last(from, '/') + 1);
	bool bare = folder.n > 0 && folder.p[folder.n - 1] != '/'; /* the including file was named without a folder */
	str path = arena_printf(&r->config->arena, STR_FMT STR_FMT, STR_ARG(bare ? STR_NONE : folder),
	                        STR_ARG(file->text));
	struct source s = {.name = path.p, .depth = r->source->depth + 1};
	BUF(text, FILE_OCTETS_MAX);

	if (path.p == NULL) {
		reader_fault(r, file, "out of memory");
		return;
	}
	const char *why = file_fetch(path.p, &text, &s);
	if (why != NULL)
		reader_fault(r, file, "%s cannot be read: %s", path.p, why);
	else if (is_being_read(r, &s))
		reader_fault(r, file, "%s includes itself", path.p);
	else if (s.depth > INCLUDE_DEPTH_MAX)
		reader_fault(r, file, "includes are nested more than %d deep", INCLUDE_DEPTH_MAX);
	else
		read_source(r, &s, buf_str(&text));
}
