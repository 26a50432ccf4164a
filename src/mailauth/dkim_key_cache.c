/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim_key_cache.h"

#include <stdlib.h>

#include "base/map.h"

enum { RECORD_MEMORY = 16 << 10, TEXT_MAX = 4096 }; /* octets; longer records are not kept */

struct kept {
	struct dkim_public public;
	struct kept *older, *newer; /* by use */
	size_t refs;                /* the cache, and those who hold it */
	size_t text_n;              /* of data, behind it is `why` */
	char data[];
};

struct dkim_key_cache {
	struct map kept; /* by the record's text */
	struct kept *oldest, *newest;
	struct dkim_key_cache_counts counts;
};

/* --- a key --- */

/* `public->why` may point to err_info or to what is constant. */
static err read_record(str text, struct dkim_public *public)
{
	ARENA(a, RECORD_MEMORY);
	err e = dkim_record_parse(text, &a, &public->record);

	if (e == OK && public->record.octets.n == 0) {
		public->why = STR("the key has been revoked"); /* RFC 6376 6.1.2 */
		return OK;
	}
	if (e == OK)
		e = signature_public_read(public->record.ed25519, public->record.octets, &public->key);
	public->record.octets = STR_NONE;
	if (e != E_SYNTAX)
		return e == E_LIMIT ? err_note(E_MEMORY, "no memory for a key") : e;
	public->why = str_from(err_info()->text);
	return OK;
}

static err make(str text, struct kept **out)
{
	struct dkim_public public = {0};
	err e = read_record(text, &public);

	if (e != OK)
		return e;
	struct kept *k = malloc(sizeof(*k) + text.n + public.why.n);
	if (k == NULL) {
		signature_public_free(public.key);
		return err_note(E_MEMORY, "no memory for a key");
	}
	*k = (struct kept){.public = public, .refs = 1, .text_n = text.n};
	if (text.n > 0)
		memcpy(k->data, text.p, text.n);
	if (public.why.n > 0)
		memcpy(k->data + text.n, public.why.p, public.why.n);
	k->public.why = str_make(k->data + text.n, public.why.n);
	*out = k;
	return OK;
}

static void release(struct kept *k)
{
	if (--k->refs > 0)
		return;
	signature_public_free(k->public.key);
	free(k);
}

void dkim_public_release(const struct dkim_public *k)
{
	release((struct kept *)(uintptr_t)k); /* its first member */
}

/* --- what is kept, by use --- */

static void unlink_kept(struct dkim_key_cache *c, struct kept *k)
{
	*(k->older != NULL ? &k->older->newer : &c->oldest) = k->newer;
	*(k->newer != NULL ? &k->newer->older : &c->newest) = k->older;
}

static void link_newest(struct dkim_key_cache *c, struct kept *k)
{
	k->older = c->newest;
	k->newer = NULL;
	*(c->newest != NULL ? &c->newest->newer : &c->oldest) = k;
	c->newest = k;
}

static void forget(struct dkim_key_cache *c, struct kept *k)
{
	(void)map_remove(&c->kept, str_make(k->data, k->text_n));
	unlink_kept(c, k);
	c->counts.kept--;
	release(k);
}

static void keep(struct dkim_key_cache *c, struct kept *k)
{
	if (k->text_n > TEXT_MAX || map_put(&c->kept, str_make(k->data, k->text_n), k) != OK)
		return;
	k->refs++;
	link_newest(c, k);
	if (++c->counts.kept > DKIM_KEY_CACHE_MAX)
		forget(c, c->oldest);
}

err dkim_public_take(struct dkim_key_cache *c, str text, const struct dkim_public **out)
{
	struct kept *k = c == NULL ? NULL : map_get(&c->kept, text);

	if (k != NULL) {
		c->counts.hits++;
		unlink_kept(c, k);
		link_newest(c, k);
		k->refs++;
		*out = &k->public;
		return OK;
	}
	err e = make(text, &k);
	if (e != OK)
		return e;
	*out = &k->public;
	if (c != NULL) {
		c->counts.reads++;
		keep(c, k);
	}
	return OK;
}

/* --- its life --- */

err dkim_key_cache_new(struct dkim_key_cache **out)
{
	struct dkim_key_cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_note(E_MEMORY, "no memory to remember keys in");
	map_init(&c->kept);
	*out = c;
	return OK;
}

void dkim_key_cache_free(struct dkim_key_cache *c)
{
	if (c == NULL)
		return;
	while (c->oldest != NULL)
		forget(c, c->oldest);
	map_free(&c->kept);
	free(c);
}

struct dkim_key_cache_counts dkim_key_cache_counts(const struct dkim_key_cache *c)
{
	return c->counts;
}
