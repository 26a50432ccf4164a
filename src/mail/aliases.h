/* SPDX-License-Identifier: ISC */
/* aliases - the file of aliases(5), and the values of a user's .forward, as the Unix world writes them. Pure.
 *
 *	name: value, value ...      a line that begins with a blank goes on with the one before; # begins a comment line
 *	"quoted name": "quoted, value"
 */
#ifndef MAIL_ALIASES_H
#define MAIL_ALIASES_H

#include "base/arena.h"
#include "base/err.h"

enum aliases_kind {
	ALIASES_ADDRESS, /* with or without a domain */
	ALIASES_LOCAL,   /* \user: that mailbox, whatever aliases it has */
	ALIASES_INCLUDE, /* :include:/path */
	ALIASES_FILE,    /* /path */
	ALIASES_COMMAND  /* |command */
};
struct aliases_value {
	enum aliases_kind kind;
	str text; /* without the mark of its kind, and without quotes */
	size_t line; /* from 1 */
};
struct aliases_entry {
	str name;
	size_t line; /* from 1 */
	struct aliases_value *values;
	size_t n;
};
enum { ALIASES_MAX = 100000, ALIASES_VALUES_MAX = 1000 };

/* E_SYNTAX, E_LIMIT: err_info names the line. */
MUST_USE err aliases_parse(str text, struct arena *a, struct aliases_entry **out, size_t *n);
/* Values alone, separated by commas or line ends: a .forward, a file of :include:. */
MUST_USE err aliases_values(str text, struct arena *a, struct aliases_value **out, size_t *n);

#endif
