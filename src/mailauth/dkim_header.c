/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim_header.h"

#include <stdlib.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* By length first: most names differ in that. */
static int compare_names(str a, str b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return lower(a.p[i]) < lower(b.p[i]) ? -1 : 1;
	return 0;
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct header_field *fields = ctx;
	uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;
	int order = compare_names(fields[x].name, fields[y].name);

	return order != 0 ? order : (int)x - (int)y;
}

static size_t count_fields(str header, bool *more)
{
	struct header_field f;
	size_t at = 0, n = 0;

	while (n < DKIM_HEADER_FIELDS_MAX && header_next(header, &at, &f))
		n++;
	*more = header_next(header, &at, &f);
	return n;
}

err dkim_header_read(str header, struct arena *a, struct dkim_header *out)
{
	size_t at = 0;

	bool more;

	*out = (struct dkim_header){.n = count_fields(header, &more)};
	out->too_large = more || header.n > DKIM_HEADER_MAX;
	out->fields = arena_array(a, out->n, sizeof(*out->fields));
	out->sorted = arena_array(a, out->n, sizeof(*out->sorted));
	out->taken = arena_array(a, out->n, sizeof(*out->taken));
	if (out->fields == NULL || out->sorted == NULL || out->taken == NULL)
		return err_note(E_LIMIT, "no memory for a header");
	for (size_t i = 0; i < out->n; i++) {
		if (!header_next(header, &at, &out->fields[i]))
			break;
		out->sorted[i] = (uint16_t)i;
	}
	qsort_r(out->sorted, out->n, sizeof(*out->sorted), compare, out->fields);
	return OK;
}

/* Where the fields of this name end in `sorted`: behind the last one. *first: where they begin. */
static size_t find(const struct dkim_header *h, str name, size_t *first)
{
	size_t low = 0, high = h->n;

	while (low < high) { /* the first that is larger */
		size_t middle = (low + high) / 2;
		if (compare_names(h->fields[h->sorted[middle]].name, name) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	size_t end = low;
	low = 0;
	while (low < high) { /* the first that is not smaller */
		size_t middle = (low + high) / 2;
		if (compare_names(h->fields[h->sorted[middle]].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*first = low;
	return end;
}

size_t dkim_header_count(const struct dkim_header *h, str name)
{
	size_t first, end = find(h, name, &first);

	return end - first;
}

size_t dkim_header_taken(const struct dkim_header *h, str name)
{
	size_t first, end = find(h, name, &first);

	return end == first ? 0 : h->taken[end - 1];
}

void dkim_header_rewind(struct dkim_header *h)
{
	if (h->n > 0)
		memset(h->taken, 0, h->n * sizeof(*h->taken));
}

const struct header_field *dkim_header_take(struct dkim_header *h, str name)
{
	size_t first, end = find(h, name, &first);

	if (end - first == 0 || h->taken[end - 1] == end - first)
		return NULL;
	return &h->fields[h->sorted[end - 1 - h->taken[end - 1]++]];
}
