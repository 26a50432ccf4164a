/* SPDX-License-Identifier: ISC */
/* schema - every setting of the configuration, once: its words, its type, default and bounds, one sentence, and where it lands.
 * The table is the parser (reader.c), the checker, the defaults, the effective dump (dump.c) and the manual (manual.c).
 */
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include "conf/config.h"
#include "conf/lexer.h"

struct reader;
struct setting;

/* What a value may be. */
struct value_type {
	const char *grammar; /* as the manual writes it: "SIZE"; NULL: the setting's choices, or no value at all */
	const char *more;    /* words behind it, for the manual, as it marks them up; NULL none */
	/* Takes one word; reports a fault by itself. */
	void (*read)(struct reader *r, const struct setting *s, const struct token *word);
	/* Appends the value as a word that `read` takes; NULL: another setting prints this one with its own. */
	void (*print)(struct buf *out, const struct setting *s, const struct config *c);
	/* A number of this type, for the bounds; NULL for other types. */
	bool (*scan)(str word, uint64_t *v);
	void (*format)(struct buf *out, uint64_t v);
	const char *example; /* for faults: "a size such as 50M" */
};

enum setting_flag {
	SETTING_REQUIRED = 1, /* the file must have it */
	SETTING_REPEATED = 2, /* the statement may stand there again; of an option: in the same statement */
	SETTING_MANY = 4,     /* one or more words */
	SETTING_FLAG = 8,     /* an option without a value */
	SETTING_LINES = 16    /* print writes whole statements */
};

struct setting {
	const char *name;   /* the statement's first word */
	const char *option; /* the word before the value; NULL: the value follows `name`, before all options */
	const struct value_type *type;
	size_t at;            /* offset in struct config (or of the domain), for types that land there by offset */
	const char *fallback; /* the default as it would be written; NULL: none */
	const char *none;     /* the word for 0 or nothing; NULL: there is none */
	uint64_t min, max;
	const char *const *choices; /* ends with NULL; the value is the index */
	unsigned flags;
	const char *text; /* one sentence; NULL: told by the row before */
};

/* Rows of one statement follow each other. Ends with name NULL. */
extern const struct setting schema[];

const struct setting *schema_find(str name);                                  /* first row of a statement */
const struct setting *schema_next(const struct setting *s);                   /* next row of the same statement; NULL */
const struct setting *schema_option(const struct setting *first, str option); /* NULL */
const struct setting *schema_after(const struct setting *first); /* first row of the next statement; NULL */

/* What stands in place of `listen` when the file has none. */
#define SCHEMA_LISTEN_LOCAL "listen local unix:/run/pombo/submit\n" /* too, for root */
#define SCHEMA_LISTENS                                                                      \
	"listen smtp 0.0.0.0:25 [::]:25\n"                                                  \
	"listen submission 0.0.0.0:587 [::]:587\nlisten submissions 0.0.0.0:465 [::]:465\n" \
	"listen pop3 127.0.0.1:110 [::1]:110\nlisten pop3s 0.0.0.0:995 [::]:995\n"

extern const char *const service_names[]; /* those that exist, by enum service */
extern const char *const service_names_later[];

#endif
