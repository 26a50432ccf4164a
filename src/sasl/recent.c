/* SPDX-License-Identifier: ISC */
#include "sasl/recent.h"

#include <stdlib.h>

struct recent_entry {
	struct recent_entry *older, *newer;
	nsec until;
	size_t n;
	char key[];
};

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

static void forget_oldest(struct recent *r)
{
	struct recent_entry *e = r->oldest;

	map_remove(&r->map, str_make(e->key, e->n));
	unlink_entry(r, e);
	free(e);
}

void recent_free(struct recent *r)
{
	while (r->oldest != NULL)
		forget_oldest(r);
	map_free(&r->map);
}

nsec recent_until(const struct recent *r, str key)
{
	const struct recent_entry *e = map_get(&r->map, key);

	return e == NULL ? 0 : e->until;
}

static struct recent_entry *add(struct recent *r, str key)
{
	struct recent_entry *e = malloc(sizeof(*e) + key.n);

	if (e == NULL || map_put(&r->map, key, e) != OK) {
		free(e);
		return NULL;
	}
	e->n = key.n;
	if (key.n > 0)
		memcpy(e->key, key.p, key.n);
	return e;
}

void recent_put(struct recent *r, str key, nsec until)
{
	struct recent_entry *e = map_get(&r->map, key);

	if (e != NULL)
		unlink_entry(r, e);
	else
		e = add(r, key);
	if (e == NULL)
		return;
	e->until = until;
	append_entry(r, e);
	if (r->map.count > r->max)
		forget_oldest(r);
}
