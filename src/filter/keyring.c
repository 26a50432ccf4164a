/* SPDX-License-Identifier: ISC */
#include "filter/keyring.h"

#include <stdlib.h>

#include "base/log.h"
#include "conf/config.h"

#define SIGN_TIME   (20 * NSEC_PER_SEC)
#define LOOKUP_TIME (20 * NSEC_PER_SEC)
#define EVERY       (3600 * NSEC_PER_SEC) /* keys are looked up again */
#define EVERY_NEW   (60 * NSEC_PER_SEC)   /* while one is not there, or was not to be had */

enum { MEMORY_MAX = 256 << 20, ANSWER_MAX = 64 << 10 };

enum ring_state { RING_UNKNOWN, RING_ABSENT, RING_PUBLISHED }; /* of its record */
struct ring_key {
	struct domain_key key; /* without the secret */
	bool ed25519;
	bool told;  /* that it is absent */
	bool asked; /* at least once */
	nsec due;   /* when it is asked again */
	enum ring_state state;
};

/* What there was after one certify. Once it is in use only what is known of a key changes. */
struct ring {
	struct arena memory;
	struct ring_key *keys; /* by domain and number */
	size_t n, cap;
	unsigned references; /* by the keyring, and by who looks things up */
};

struct keyring {
	struct resolver resolver;
	struct link *link; /* to keys */
	struct ring *ring;
	struct ring *coming; /* the parts that are there of what replaces it; NULL none */
	struct co *watcher, *stopper;
	bool idle; /* the watcher waits for time to pass */
};

static void ring_release(struct ring *r)
{
	if (r == NULL || --r->references > 0)
		return;
	arena_free(&r->memory);
	free(r->keys);
	free(r);
}

/* --- what there is --- */

static int by_domain(const void *x, const void *y)
{
	const struct ring_key *a = x, *b = y;
	int d = str_compare(a->key.domain, b->key.domain);

	return d != 0 ? d : a->key.key < b->key.key ? -1 : a->key.key > b->key.key;
}

/* Those of the domain. */
static struct ring_key *of_domain(const struct ring *r, str domain, size_t *n)
{
	size_t low = 0, high = r == NULL ? 0 : r->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (str_compare(r->keys[middle].key.domain, domain) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (*n = 0; r != NULL && low + *n < r->n && str_equal(r->keys[low + *n].key.domain, domain);)
		++*n;
	return *n > 0 ? &r->keys[low] : NULL;
}

static bool grow(struct ring *r, size_t n)
{
	size_t cap = r->cap + n > 2 * r->cap ? r->cap + n : 2 * r->cap;

	if (r->n + n <= r->cap)
		return true;
	struct ring_key *keys = reallocarray(r->keys, cap, sizeof(*keys));
	if (keys == NULL)
		return false;
	r->keys = keys;
	r->cap = cap;
	return true;
}

static void copy_key(struct ring *r, const struct domain_key *from)
{
	struct ring_key *to = &r->keys[r->n++];

	*to = (struct ring_key){.key = {.domain = arena_lower(&r->memory, from->domain),
	                                .selector = arena_str(&r->memory, from->selector),
	                                .algorithm = arena_str(&r->memory, from->algorithm),
	                                .key = from->key,
	                                .created = from->created,
	                                .record = arena_str(&r->memory, from->record)},
	                        .ed25519 = str_equal(from->algorithm, STR("ed25519"))};
}

static bool same_key(const struct domain_key *a, const struct domain_key *b)
{
	return a->key == b->key && str_equal(a->domain, b->domain) && str_equal(a->selector, b->selector) &&
	       str_equal(a->record, b->record);
}

/* What is known already of a key need not be asked again. */
static void remember(struct ring *fresh, const struct ring *before)
{
	for (size_t i = 0; i < fresh->n; i++) {
		struct ring_key *to = &fresh->keys[i];
		size_t n;
		const struct ring_key *from = of_domain(before, to->key.domain, &n);

		for (size_t j = 0; j < n; j++)
			if (same_key(&to->key, &from[j].key))
				*to = (struct ring_key){to->key,       to->ed25519, from[j].told,
				                        from[j].asked, from[j].due, from[j].state};
	}
}

static err out_of_memory(void)
{
	return err_note(E_MEMORY, "no memory for the keys of domains");
}

static err ring_new(struct ring **out)
{
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return out_of_memory();
	**out = (struct ring){.memory = ARENA_INIT(MEMORY_MAX), .references = 1};
	return OK;
}

static err ring_add(struct ring *r, const struct domain_key *keys, size_t n)
{
	if (!grow(r, n))
		return out_of_memory();
	for (size_t i = 0; i < n; i++)
		copy_key(r, &keys[i]);
	return r->memory.full ? out_of_memory() : OK;
}

/* Those of `before` whose number none of `fresh` has. */
static err ring_keep(struct ring *fresh, const struct ring *before)
{
	size_t mine = fresh->n;
	err e = OK;

	for (size_t i = 0; before != NULL && i < before->n && e == OK; i++) {
		const struct domain_key *key = &before->keys[i].key;
		bool same = false;

		for (size_t j = 0; j < mine && !same; j++)
			same = fresh->keys[j].key.key == key->key;
		if (!same)
			e = ring_add(fresh, key, 1);
	}
	return e;
}

/* The ring that the call adds its keys to. */
static err ring_for(struct keyring *k, const struct certify_request *q)
{
	if (q->from == 0 && k->coming != NULL) {
		ring_release(k->coming); /* of a call that did not come to its end */
		k->coming = NULL;
	}
	if (q->from != (k->coming == NULL ? 0 : k->coming->n))
		return err_note(E_SYNTAX, "a part of the keys of domains is missing");
	return k->coming == NULL ? ring_new(&k->coming) : OK;
}

static void ring_use(struct keyring *k)
{
	if (k->coming->n > 0)
		qsort(k->coming->keys, k->coming->n, sizeof(*k->coming->keys), by_domain);
	remember(k->coming, k->ring);
	ring_release(k->ring);
	k->ring = k->coming;
	k->coming = NULL;
	if (k->idle)
		rt_wake(k->watcher);
}

err keyring_replace(struct keyring *k, const struct certify_request *q)
{
	err e = ring_for(k, q);

	if (e == OK)
		e = ring_add(k->coming, q->domain_keys, q->domain_keys_n);
	if (e == OK && q->part == CERTIFY_MORE)
		e = ring_keep(k->coming, k->ring);
	if (e != OK) {
		ring_release(k->coming);
		k->coming = NULL;
	} else if (q->part != CERTIFY_PART) {
		ring_use(k);
	}
	return e;
}

/* --- what the DNS has --- */

/* The value of p= without its blanks (RFC 6376 3.6.1). */
static str public_part(str record, struct arena *a)
{
	str tag, rest = record, name, value;

	while (rest.n > 0) {
		(void)!str_cut(rest, ';', &tag, &rest);
		if (!str_cut(tag, '=', &name, &value) || !str_equal(str_trim(name), STR("p")))
			continue;
		char *p = arena_alloc(a, value.n);
		size_t n = 0;
		for (size_t i = 0; i < value.n && p != NULL; i++)
			if (value.p[i] > ' ')
				p[n++] = value.p[i];
		return str_make(p, n);
	}
	return STR_NONE;
}

static bool is_same_record(str ours, str theirs, struct arena *a)
{
	str p = public_part(ours, a);

	return p.n > 0 && str_equal(p, public_part(theirs, a));
}

/* When nobody knows it stays as it was. */
static void look_up(const struct keyring *k, struct ring_key *key)
{
	ARENA(a, ANSWER_MAX);
	str name =
		arena_printf(&a, STR_FMT "._domainkey." STR_FMT, STR_ARG(key->key.selector), STR_ARG(key->key.domain));
	struct dns_answer answer;
	str *records = NULL;
	size_t n = 0;
	err e = dns_txt(&k->resolver, name, &a, rt_after(LOOKUP_TIME), &answer, &records, &n);

	if (e != OK && e != E_NOT_FOUND)
		return;
	key->state = RING_ABSENT;
	for (size_t i = 0; i < n && e == OK; i++)
		if (is_same_record(key->key.record, records[i], &a))
			key->state = RING_PUBLISHED;
}

/* Those whose time has come. Returns when the next one's comes. */
static nsec look_up_all(const struct keyring *k, struct ring *r)
{
	nsec next = rt_after(EVERY);

	for (size_t i = 0; i < r->n && k->ring == r && !rt_cancelled(); i++) {
		struct ring_key *key = &r->keys[i];

		if (!key->asked || key->due <= rt_now()) {
			look_up(k, key);
			key->asked = true;
			key->due = rt_after(key->state == RING_PUBLISHED ? EVERY : EVERY_NEW);
		}
		next = key->due < next ? key->due : next;
	}
	return next;
}

/* Is none of the domain's, which begin here, there? Then those are marked as told of. */
static bool is_absent(struct ring_key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (keys[i].state != RING_ABSENT)
			return false;
	for (size_t i = 0; i < n; i++)
		keys[i].told = true;
	return true;
}

static void tell_absent(struct ring *r)
{
	size_t n;

	for (size_t i = 0; i < r->n; i += n) {
		str domain = r->keys[i].key.domain;
		struct ring_key *keys = of_domain(r, domain, &n);
		bool told = true;

		for (size_t j = 0; j < n; j++)
			told &= keys[j].told;
		if (!told && is_absent(keys, n))
			LOG(WARN, "dkim.unpublished", LOG_STR("domain", domain),
			    LOG_Z("text", "no record of its keys is in the DNS: pombo dns prints them"));
	}
}

static void watch_run(void *arg)
{
	struct keyring *k = arg;

	while (!rt_cancelled()) {
		struct ring *r = k->ring;
		nsec next = RT_NEVER;

		if (r != NULL) {
			r->references++;
			next = look_up_all(k, r);
			if (k->ring == r && !rt_cancelled())
				tell_absent(r);
			ring_release(r);
		}
		k->idle = k->ring == r;
		if (k->idle)
			(void)!rt_park(next);
		k->idle = false;
	}
	k->watcher = NULL;
	if (k->stopper != NULL)
		rt_wake(k->stopper);
}

/* --- signing --- */

struct signer {
	const struct keyring *keyring;
	uint64_t key;
};

static err sign(void *ctx, str digest, struct buf *out)
{
	const struct signer *s = ctx;
	const struct sign_request q = {.key = s->key, .kind = SIGN_DIGEST, .input = digest};
	struct sign_reply r = {0};
	ARENA(a, 16 << 10);
	err e = call_sign(s->keyring->link, &q, &r, &a, rt_after(SIGN_TIME));

	if (e == OK)
		buf_put(out, r.signature);
	return e;
}

/* Is `a` to be preferred? Among those that are published the newest, among others the oldest. */
static bool is_better(const struct ring_key *a, const struct ring_key *b)
{
	bool published = a->state == RING_PUBLISHED;

	if (b == NULL || published != (b->state == RING_PUBLISHED))
		return b == NULL || published;
	return published ? a->key.created > b->key.created : a->key.created < b->key.created;
}

static const struct ring_key *best(const struct ring *r, str domain, bool ed25519)
{
	size_t n;
	const struct ring_key *keys = of_domain(r, domain, &n), *found = NULL;

	for (size_t i = 0; i < n; i++)
		if (keys[i].ed25519 == ed25519 && is_better(&keys[i], found))
			found = &keys[i];
	return found;
}

static bool add(const struct keyring *k, const struct ring_key *key, struct arena *a, struct dkim_key *out)
{
	struct signer *s = key == NULL ? NULL : arena_alloc(a, sizeof(*s));

	if (s == NULL)
		return false;
	*s = (struct signer){k, key->key.key};
	*out = (struct dkim_key){.domain = arena_str(a, key->key.domain),
	                         .selector = arena_str(a, key->key.selector),
	                         .ed25519 = key->ed25519,
	                         .sign = sign,
	                         .ctx = s};
	return !a->full;
}

/* RSA first: programs that look at one signature know it. */
size_t keyring_pick(const struct keyring *k, str domain, unsigned algorithms, struct arena *a,
                    struct dkim_key out[KEYRING_KEYS_MAX])
{
	size_t n = 0;

	if ((algorithms & DKIM_RSA) != 0)
		n += add(k, best(k->ring, domain, false), a, &out[n]);
	if ((algorithms & DKIM_ED25519) != 0)
		n += add(k, best(k->ring, domain, true), a, &out[n]);
	return n;
}

/* --- the whole --- */

err keyring_new(const struct resolver *resolver, struct link *keys, struct keyring **out)
{
	struct keyring *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return err_note(E_MEMORY, "no memory for the keys of domains");
	*k = (struct keyring){.resolver = *resolver, .link = keys};
	*out = k;
	return OK;
}

err keyring_start(struct keyring *k)
{
	k->watcher = rt_spawn(watch_run, k, "keyring");
	return k->watcher != NULL ? OK : err_note(E_MEMORY, "no memory for a coroutine");
}

void keyring_stop(struct keyring *k)
{
	k->stopper = rt_self();
	if (k->watcher != NULL)
		rt_cancel(k->watcher);
	while (k->watcher != NULL)
		if (rt_park(RT_NEVER) == E_CANCELLED)
			rt_yield();
	k->stopper = NULL;
}

void keyring_free(struct keyring *k)
{
	if (k == NULL)
		return;
	ring_release(k->ring);
	ring_release(k->coming);
	free(k);
}
