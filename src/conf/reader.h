/* SPDX-License-Identifier: ISC */
/* reader - one run over a configuration: statements by the schema table, faults gathered with their place. */
#ifndef CONF_READER_H
#define CONF_READER_H

#include "base/map.h"
#include "conf/lexer.h"
#include "conf/schema.h"

#define POINTS_UNSET INT64_MIN /* of a domain, until reader_finish */
enum { INCLUDE_DEPTH_MAX = 8, FAULTS_MAX = 100, FILE_OCTETS_MAX = 16 << 20 };

/* A file that is being read, and the one that included it. */
struct source {
	struct lexer lexer;
	struct token next; /* what peek shows */
	const char *name;
	uint64_t device, inode;
	struct source *parent;
	unsigned depth;
};

/* A catch-all, to be checked when all domains are known. */
struct catchall_use {
	str address, domain;
	const char *file;
	struct token token;
	struct catchall_use *next;
};

struct reader {
	struct config *config;
	struct config_faults *faults;
	struct source *source;
	struct map seen; /* "limit hops", "domain example.org": where it was set, a C string */
	struct catchall_use *catchalls;
	struct token unix_users; /* to be checked likewise */
	const char *unix_users_file;
	bool may_include;
	bool versioned;                /* the first statement was looked at */
	int service;                   /* of the listen statement that is being read; -1: a wrong one */
	const struct value_type *then; /* set by a type: it wants the next word too, as one of this type */
	size_t nth;                    /* of several words of one setting, from 0 */
	uint64_t options;              /* that this statement had, a bit for each row of the schema */
	struct config_hop *hop;        /* that is being read */
	struct config_hop nowhere;     /* for what is read behind a fault */
};

/* Reads one text or file with all it includes. reader_finish checks what concerns the whole, and fills in the defaults. */
void reader_text(struct reader *r, const char *name, str text);
void reader_file(struct reader *r, const char *path);
void reader_include(struct reader *r,
                    const struct token *file); /* relative to the folder of the file that is being read */
void reader_finish(struct reader *r);

/* A fault at a word of the file that is being read. */
void reader_fault(struct reader *r, const struct token *at, const char *fmt, ...) PRINTF(3, 4);
void reader_fault_in(struct reader *r, const char *file, const struct token *at, const char *fmt, ...) PRINTF(4, 5);
/* The same with the word itself and what was probably meant: `what "word" (did you mean "best"?)`. */
void reader_fault_word(struct reader *r, const struct token *at, const char *what, const char *best);
/* Notes that `key` was set here. False with a fault when it was before. */
bool reader_once(struct reader *r, const struct token *at, str key);

/* An item more at the end of a list in the configuration's arena; NULL (with a fault) when there is no memory. */
void *reader_append(struct reader *r, void **items, size_t *n, size_t size);

#endif
