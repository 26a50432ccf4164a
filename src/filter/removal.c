/* SPDX-License-Identifier: ISC */
#include "filter/removal.h"

#include <stdlib.h>

#include "mail/header.h"
#include "mailauth/auth_results.h"

enum { RANGES_MAX = 1000 };

static bool came_with_it(const struct removal *how, const struct header_field *field)
{
	struct header_field f;
	size_t at = 0;

	while (header_next(how->before, &at, &f))
		if (str_equal(f.whole, field->whole))
			return true;
	return how->before.n == 0;
}

static bool is_forged(const struct removal *how, const struct header_field *f)
{
	if (str_equal_nocase(f->name, STR("Authentication-Results")))
		return auth_results_is_ours(f->value, how->hostname) && came_with_it(how, f);
	if (str_equal_nocase(f->name, STR("Pombo-Sender")))
		return true;
	return how->spam_fields &&
	       (str_equal_nocase(f->name, STR("X-Spam-Flag")) || str_equal_nocase(f->name, STR("X-Spam-Status"))) &&
	       came_with_it(how, f);
}

/* Says it that it is ours behind a line that is no field, up to the first empty one? For us that is text, for readers who pass over such a line it is header. */
static bool hides_forged(const struct removal *how, str message)
{
	const struct removal ours = {.hostname = how->hostname, .before = how->before};
	struct header_field f;
	str line, rest;
	size_t at = 0;

	while (header_next(message, &at, &f))
		;
	rest = at > 0 ? str_drop(message, at) : STR_NONE; /* without any header it is all text, see mail/inspect.h */
	while (str_cut(rest, '\n', &line, &rest) && line.n > 0 && !str_equal(line, STR("\r"))) {
		at = 0;
		if (header_next(rest, &at, &f) && is_forged(&ours, &f))
			return true;
	}
	return false;
}

/* Those that touch the one before become part of it. */
static void join(struct range *ranges, size_t *n, struct range r)
{
	struct range *last = *n == 0 ? NULL : &ranges[*n - 1];
	uint64_t end = r.offset + r.length;

	if (last == NULL || r.offset > last->offset + last->length)
		ranges[(*n)++] = r;
	else if (end > last->offset + last->length)
		last->length = end - last->offset;
}

static int by_offset(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Those of others count too once there are more than any message has: each is read for names that stand for ours. */
static size_t count_forged(const struct removal *how, str message)
{
	struct header_field f;
	size_t at = 0, n = 0, results = 0;

	while (n <= RANGES_MAX && results <= RANGES_MAX && header_next(message, &at, &f)) {
		results += str_equal_nocase(f.name, STR("Authentication-Results"));
		n += is_forged(how, &f);
	}
	return results > RANGES_MAX ? results : n;
}

/* As header_next: what it walks over is the same each time. */
static size_t gather(const struct removal *how, str message, struct range *out)
{
	struct header_field f;
	size_t at = 0, n = 0;

	while (header_next(message, &at, &f))
		if (is_forged(how, &f))
			out[n++] = (struct range){at - f.whole.n, f.whole.n};
	return n;
}

err removal_add(const struct removal *how, str message, struct inspect_reply *reply, struct arena *a)
{
	size_t forged = count_forged(how, message), n = 0;
	struct range *all;

	if (hides_forged(how, message))
		return err_set(E_LIMIT, 554, "5.6.0",
		               "A field that only this server writes stands behind a line that is none");
	if (forged == 0)
		return OK;
	if (forged > RANGES_MAX)
		return err_set(E_LIMIT, 554, "5.6.0", "The header has too many fields that only a receiver writes");
	all = arena_array(a, forged + reply->drop_n, sizeof(*all));
	if (all == NULL)
		return err_set(E_MEMORY, 451, "4.3.1", "Out of memory for this message");
	forged = gather(how, message, all);
	if (reply->drop_n > 0)
		memcpy(all + forged, reply->drop, reply->drop_n * sizeof(*all));
	qsort(all, forged + reply->drop_n, sizeof(*all), by_offset);
	for (size_t i = 0; i < forged + reply->drop_n; i++)
		join(all, &n, all[i]);
	reply->drop = all;
	reply->drop_n = n;
	return OK;
}

/* A header that is a body's first lines has no empty line at its end. */
static size_t fields_size(str message)
{
	struct header_field f;
	size_t at = 0;

	while (header_next(message, &at, &f))
		;
	return at;
}

void removal_apply(str message, const struct range *drop, size_t n, struct buf *header)
{
	str fields = str_take(message, fields_size(message));
	size_t at = 0;

	for (size_t i = 0; i < n && drop[i].offset < fields.n; i++) {
		buf_put(header, str_take(str_drop(fields, at), drop[i].offset - at));
		at = drop[i].offset + drop[i].length;
	}
	buf_put(header, str_drop(fields, at));
}
