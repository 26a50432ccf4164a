/* SPDX-License-Identifier: ISC */
#include "conf/config.h"

#include <stdlib.h>

#include "conf/reader.h"

enum { ARENA_OCTETS_MAX = 128 << 20 };

const char *service_name(enum service s)
{
	return s < SERVICE_COUNT ? service_names[s] : "unknown";
}

/* Every default goes the way of a value that was written. */
static void set_default(struct reader *r, const struct setting *row)
{
	str rest = str_from(row->fallback);

	for (str word = str_word(&rest); word.n > 0; word = str_word(&rest), r->nth++)
		row->type->read(r, row, &(struct token){.text = word, .line = 1, .column = 1});
	r->nth = 0;
}

static void set_defaults(struct reader *r)
{
	struct source s = {.name = "default"};

	r->source = &s;
	for (const struct setting *row = schema; row->name != NULL; row++)
		if (row->fallback != NULL)
			set_default(r, row);
	r->source = NULL;
}

static struct config *config_new(const char *file)
{
	struct config *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->references = 1;
	c->arena = ARENA_INIT(ARENA_OCTETS_MAX);
	c->file = arena_printf(&c->arena, "%s", file); /* with a NUL behind it */
	if (c->file.p != NULL)
		return c;
	config_release(c);
	return NULL;
}

/* `text` NULL: from the file. */
static struct config *config_read(const char *file, const str *text, struct config_faults *faults)
{
	struct reader r = {.config = config_new(file), .faults = faults, .may_include = text == NULL, .service = -1};
	size_t before = faults->n;

	if (r.config == NULL) {
		buf_printf(&faults->text, "%s:1:1: out of memory\n", file);
		faults->n++;
		return NULL;
	}
	map_init(&r.seen);
	set_defaults(&r);
	if (text != NULL)
		reader_text(&r, r.config->file.p, *text);
	else
		reader_file(&r, r.config->file.p);
	if (r.versioned || faults->n == before) /* not when the file could not even be opened */
		reader_finish(&r);
	map_free(&r.seen);
	if (faults->n == before)
		return r.config;
	config_release(r.config);
	return NULL;
}

struct config *config_load(const char *path, struct config_faults *faults)
{
	return config_read(path, NULL, faults);
}

struct config *config_parse(str text, const char *file, struct config_faults *faults)
{
	return config_read(file, &text, faults);
}

/* Atomic, because the store's threads hold it too. */
struct config *config_hold(struct config *c)
{
	__atomic_add_fetch(&c->references, 1, __ATOMIC_RELAXED);
	return c;
}

void config_release(struct config *c)
{
	if (c == NULL || __atomic_sub_fetch(&c->references, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	struct arena arena = c->arena;
	arena_free(&arena);
	free(c);
}

static int domain_compare(const void *key, const void *item)
{
	const struct config_domain *const *d = item;

	return str_compare(*(const str *)key, (*d)->name);
}

const struct config_domain *config_domain_find(const struct config *c, str name)
{
	const struct config_domain *const *found = c->domains_by_name == NULL
	                                                   ? NULL
	                                                   : bsearch(&name, c->domains_by_name, c->domains_n,
	                                                             sizeof(struct config_domain *), domain_compare);

	return found == NULL ? NULL : *found;
}
