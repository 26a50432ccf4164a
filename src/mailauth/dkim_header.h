/* SPDX-License-Identifier: ISC */
/* dkim_header - the fields of a header by their names, from the last one up, as signatures name them (RFC 6376 5.4.2). Read once. */
#ifndef MAILAUTH_DKIM_HEADER_H
#define MAILAUTH_DKIM_HEADER_H

#include "base/err.h"
#include "mail/header.h"

enum { DKIM_HEADER_FIELDS_MAX = 4096, DKIM_HEADER_MAX = 1 << 20 }; /* octets */

struct dkim_header {
	struct header_field *fields; /* in order */
	size_t n;
	bool too_large;   /* it is larger than these two: what is beyond the fields is not in it */
	uint16_t *sorted; /* indices by name, then in order */
	uint16_t *taken;  /* parallel to `sorted`, of the last of each name: how many of that name were taken */
};
MUST_USE err dkim_header_read(str header, struct arena *a, struct dkim_header *out); /* E_LIMIT: the arena is full */
size_t dkim_header_count(const struct dkim_header *h, str name);
size_t dkim_header_taken(const struct dkim_header *h, str name); /* how many of them */
void dkim_header_rewind(struct dkim_header *h);                  /* none is taken */
/* The last field of that name that was not taken; NULL when there is none. */
const struct header_field *dkim_header_take(struct dkim_header *h, str name);

#endif
