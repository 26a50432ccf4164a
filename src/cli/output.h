/* SPDX-License-Identifier: ISC */
/* output - rows as an aligned table, as "name value" lines, or as JSON, one object a line. Text of peers is escaped. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdio.h>

#include "link/messages.h"

enum { OUTPUT_COLUMNS_MAX = 32 };

struct output {
	FILE *file;
	bool json;
	bool begun; /* the heading was printed */
	size_t widths[OUTPUT_COLUMNS_MAX];
};

/* A page of rows. A table's columns are as wide as the first page needs; later pages keep them. */
void output_rows(struct output *o, const struct row *rows, size_t n);
/* One row, a line for each of its cells; as JSON the object. */
void output_fields(struct output *o, const struct row *row);
void output_cell(struct buf *out, const struct cell *c); /* its text, escaped for a terminal */
/* A cell by its name; NULL. */
const struct cell *row_cell(const struct row *row, const char *name);

#endif
