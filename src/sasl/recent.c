/* SPDX-License-Identifier: ISC */
#include "sasl/recent.h"

#include <stdlib.h>

struct recent_entry {
	struct recent_entry *older, *newer;
	nsec until;
	size_t key_n, value_n;
	char bytes[]; /* the key, the value */
};

static str key_of(const struct recent_entry *e)
{
	return str_make(e->bytes, e->key_n);
}

void recent_init(struct recent *r, size_t max)
{
	*r = (struct recent){.max = max};
	map_init(&r->map);
}

static void unlink_entry(struct recent *r, struct recent_entry *e)
{
	*(e->older != NULL ? &e->older->newer : &r->oldest) = e->newer;
	*(e->newer != NULL ? &e->newer->older : &r->newest) = e->older;
}

static void append_entry(struct recent *r, struct recent_entry *e)
{
	e->older = r->newest;
	e->newer = NULL;
	*(r->newest != NULL ? &r->newest->newer : &r->oldest) = e;
	r->newest = e;
}

static void forget(struct recent *r, struct recent_entry *e)
{
	map_remove(&r->map, key_of(e));
	unlink_entry(r, e);
	free(e);
}

void recent_forget(struct recent *r)
{
	while (r->oldest != NULL)
		forget(r, r->oldest);
}

void recent_free(struct recent *r)
{
	recent_forget(r);
	map_free(&r->map);
}

nsec recent_until(const struct recent *r, str key)
{
	const struct recent_entry *e = map_get(&r->map, key);

	return e == NULL ? 0 : e->until;
}

str recent_value(const struct recent *r, str key)
{
	const struct recent_entry *e = map_get(&r->map, key);

	return e == NULL ? STR_NONE : str_drop(str_make(e->bytes, e->key_n + e->value_n), e->key_n);
}

static struct recent_entry *make(str key, str value)
{
	struct recent_entry *e = malloc(sizeof(*e) + key.n + value.n);

	if (e == NULL)
		return NULL;
	e->key_n = key.n;
	e->value_n = value.n;
	if (key.n > 0)
		memcpy(e->bytes, key.p, key.n);
	if (value.n > 0)
		memcpy(&e->bytes[key.n], value.p, value.n);
	return e;
}

void recent_put_value(struct recent *r, str key, nsec until, str value)
{
	struct recent_entry *old = map_get(&r->map, key), *e = make(key, value);

	if (old != NULL)
		forget(r, old);
	if (e == NULL || map_put(&r->map, key, e) != OK) {
		free(e);
		return;
	}
	e->until = until;
	append_entry(r, e);
	if (r->map.count > r->max)
		forget(r, r->oldest);
}

void recent_put(struct recent *r, str key, nsec until)
{
	struct recent_entry *e = map_get(&r->map, key);

	if (e == NULL) {
		recent_put_value(r, key, until, STR_NONE);
		return;
	}
	unlink_entry(r, e);
	e->until = until;
	append_entry(r, e);
}
