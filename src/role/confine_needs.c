/* SPDX-License-Identifier: ISC */
#include "role/confine_needs.h"

#include <string.h>

struct confined confined;

static const struct {
	const char *role;
	unsigned needs;
} roles[] = {
	{"edge", NEED_BASICS | NEED_CLIENTS},
	{"filter", NEED_BASICS | NEED_SERVERS}, /* scanners; those behind Unix sockets are dialled for it */
	{"keys", NEED_BASICS},
	{"oauth", NEED_BASICS | NEED_SERVERS},
	{"resolve", NEED_BASICS | NEED_SERVERS | NEED_QUESTIONS},
	{"send", NEED_BASICS | NEED_SERVERS | NEED_QUESTIONS},             /* which address is ours */
	{"store", NEED_BASICS | NEED_FILES | NEED_CLIENTS | NEED_THREADS}, /* its clients are commands */
};

bool confine_needs(const char *role, unsigned *needs)
{
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		if (strcmp(roles[i].role, role) == 0) {
			*needs = roles[i].needs;
			return true;
		}
	return false;
}

void confine_missing(struct buf *missing, const char *what)
{
	buf_puts(missing, missing->n > 0 ? ", " : "");
	buf_puts(missing, what);
}
