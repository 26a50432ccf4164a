/* SPDX-License-Identifier: ISC */
/* pombo alias import, newaliases: the file of aliases(5) replaces what was read from it before. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cli/admin.h"
#include "cli/command.h"
#include "cli/output.h"
#include "mail/address.h"
#include "mail/aliases.h"
#include "mail/qualify.h"
#include "rt/file.h"

#define ALIASES_FILE_DEFAULT "/etc/aliases"

enum { FILE_OCTETS_MAX = 16 << 20, IMPORT_MEMORY = 256 << 20, INCLUDES_MAX = 1000 };

struct import {
	const struct invocation *inv;
	const struct config *config;
	struct arena arena;
	str *words; /* address, target, address, target ... behind "alias" "import" */
	size_t n, size;
	size_t includes, skipped;
};

static err add_word(struct import *x, str word)
{
	if (x->n == x->size) {
		size_t size = x->size == 0 ? 256 : x->size * 2;
		str *p = arena_array(&x->arena, size, sizeof(*p));
		if (p == NULL)
			return err_note(E_LIMIT, "too many aliases");
		if (x->n > 0)
			memcpy(p, x->words, x->n * sizeof(*p));
		x->words = p;
		x->size = size;
	}
	x->words[x->n++] = word;
	return OK;
}

/* A name without a domain is one of our first domain. */
static str qualified(struct import *x, str name)
{
	BUF(out, 2000);

	if (str_find(name, '@') < name.n)
		return name;
	qualify_addresses(&out, name, x->config->domains[0].name);
	return arena_str(&x->arena, buf_str(&out));
}

static void skip(struct import *x, const struct aliases_entry *e, const char *why)
{
	x->skipped++;
	(void)command_fail(x->inv, EX_OK, "line %zu: " STR_FMT ": %s", e->line, STR_ARG(e->name), why);
}

/* A file that others may write would let them read and redirect mail. */
static err read_include(struct import *x, str path, struct buf *out)
{
	struct stat st;
	char *name = arena_z(&x->arena, path);

	if (name == NULL || name[0] != '/')
		return err_note(E_SYNTAX, ":include: names a file by its whole path");
	if (x->includes++ == INCLUDES_MAX)
		return err_note(E_LIMIT, "more than %d files are included", INCLUDES_MAX);
	if (stat(name, &st) == 0 && (st.st_mode & S_IWOTH) != 0)
		return err_note(E_DENIED, "%s can be written by anybody", name);
	return file_read_whole(name, out);
}

static bool is_address(str text)
{
	struct address address;

	return address_parse(text, true, &address) == OK;
}

/* Mail that nobody wants; the one file that mail can go to. */
static bool is_nowhere(str target)
{
	return str_equal(target, STR("/dev/null"));
}

/* What is no address, as the :fail: and error: of other mail systems, is no reason to lose all the others. */
static err add_pair(struct import *x, const struct aliases_entry *entry, str target)
{
	str address = qualified(x, entry->name), to = is_nowhere(target) ? target : qualified(x, target);

	if (!is_address(address) || !(is_nowhere(to) || is_address(to))) {
		(void)!err_note(E_SYNTAX, "\"" STR_FMT "\" is no address",
		                STR_ARG(is_address(address) ? target : entry->name));
		skip(x, entry, err_info()->text);
		return OK;
	}
	err e = add_word(x, address);
	return e == OK ? add_word(x, to) : e;
}

static err add_include(struct import *x, const struct aliases_entry *e, str path)
{
	struct aliases_value *values;
	size_t n;
	BUF(text, FILE_OCTETS_MAX);
	err result = read_include(x, path, &text);

	if (result == OK)
		result = aliases_values(buf_str(&text), &x->arena, &values, &n);
	if (result != OK) {
		skip(x, e, err_info()->text);
		return OK;
	}
	for (size_t i = 0; i < n && result == OK; i++) {
		if (values[i].kind == ALIASES_ADDRESS || values[i].kind == ALIASES_LOCAL)
			result = add_pair(x, e, values[i].text);
		else
			skip(x, e, "an included file may hold addresses alone");
	}
	return result;
}

static err add_entry(struct import *x, const struct aliases_entry *e)
{
	err result = OK;

	for (size_t i = 0; i < e->n && result == OK; i++) {
		const struct aliases_value *v = &e->values[i];

		if (v->kind == ALIASES_ADDRESS || v->kind == ALIASES_LOCAL || is_nowhere(v->text))
			result = add_pair(x, e, v->text);
		else if (v->kind == ALIASES_INCLUDE)
			result = add_include(x, e, v->text);
		else
			skip(x, e,
			     v->kind == ALIASES_FILE ? "mail is not written to files; it goes to accounts"
			                             : "programs are not run for mail");
	}
	return result;
}

static err read_aliases(struct import *x, const char *file)
{
	struct aliases_entry *entries;
	size_t n;
	BUF(text, FILE_OCTETS_MAX);
	err e = file_read_whole(file, &text);

	if (e != OK)
		return e; /* which names the file */
	e = aliases_parse(buf_str(&text), &x->arena, &entries, &n);
	if (e == OK)
		e = add_word(x, STR("alias"));
	if (e == OK)
		e = add_word(x, STR("import"));
	for (size_t i = 0; e == OK && i < n; i++)
		e = add_entry(x, &entries[i]);
	if (e == OK)
		return OK;
	struct err_info why = *err_info();
	return err_note(e, "%s: %s", file, why.text);
}

static err print_page(void *ctx, const struct row *rows, size_t n)
{
	output_rows(ctx, rows, n);
	return OK;
}

int alias_import_file(const struct invocation *inv)
{
	struct output out = {.file = stdout, .json = inv->json};
	struct import x = {.inv = inv, .arena = ARENA_INIT(IMPORT_MEMORY)};
	struct config *config = command_config(inv);
	int status = EX_CONFIG;

	x.config = config;
	if (config != NULL) {
		err e = read_aliases(&x, inv->words_n > 1 ? inv->words[1] : ALIASES_FILE_DEFAULT);

		status =
			e == OK ? admin_ask(inv, config, x.words, x.n, NULL, print_page, &out)
				: command_fail(inv, e == E_NOT_FOUND ? EX_NOINPUT : EX_DATAERR, "%s", err_info()->text);
	}
	config_release(config);
	arena_free(&x.arena);
	return status;
}
