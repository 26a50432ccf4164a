/* SPDX-License-Identifier: ISC */
#include "dns/cache.h"

#include <stdlib.h>

#include "base/map.h"

enum { RCODE_NO_ERROR = 0, RCODE_NO_NAME = 3, KEY_MAX = 2 + 4 * DNS_NAME_MAX };

/* A reply in one piece of memory: `data` has the key, then canonical, why, and each record with its size in front. */
struct kept {
	struct kept *older, *newer; /* by use */
	nsec until;
	size_t refs;         /* the map, and those who wait */
	size_t size, data_n; /* of all; of data */
	size_t key_n, canonical_n, why_n, records_n;
	uint64_t rcode, security, ttl;
	char data[];
};

/* A question in the air. Who asks it is the first; the others wait. */
struct pending {
	size_t refs;
	struct semaphore answered;
	size_t waiting;
	nsec deadline;
	bool done;
	struct err_info error; /* code OK: `answer` */
	struct kept *answer;   /* NULL: no memory */
};

struct dns_cache {
	const struct resolver *behind;
	struct map kept, pending;
	struct kept *oldest, *newest;
	struct dns_cache_counts counts;
};

/* --- replies in one piece --- */

static size_t put(char *to, size_t at, str s)
{
	if (s.n > 0)
		memcpy(to + at, s.p, s.n);
	return at + s.n;
}

static size_t data_size(const struct resolve_reply *r)
{
	size_t n = r->canonical.n + r->why.n;

	for (size_t i = 0; i < r->records_n; i++)
		n += sizeof(size_t) + r->records[i].data.n;
	return n;
}

/* NULL: no memory. */
static struct kept *pack(str key, const struct resolve_reply *r)
{
	size_t n = key.n + data_size(r), at;
	struct kept *k = malloc(sizeof(*k) + n);

	if (k == NULL)
		return NULL;
	*k = (struct kept){.size = sizeof(*k) + n,
	                   .data_n = n,
	                   .refs = 1,
	                   .key_n = key.n,
	                   .canonical_n = r->canonical.n,
	                   .why_n = r->why.n,
	                   .records_n = r->records_n,
	                   .rcode = r->rcode,
	                   .security = r->security,
	                   .ttl = r->ttl};
	at = put(k->data, put(k->data, put(k->data, 0, key), r->canonical), r->why);
	for (size_t i = 0; i < r->records_n; i++) {
		at = put(k->data, at, str_make((const char *)&r->records[i].data.n, sizeof(size_t)));
		at = put(k->data, at, r->records[i].data);
	}
	return k;
}

static str key_of(const struct kept *k)
{
	return str_make(k->data, k->key_n);
}

/* Copies: what is kept may go while the caller waits for something else. */
static err unpack(const struct kept *k, struct resolve_reply *r, struct arena *a)
{
	str data = arena_str(a, str_drop(str_make(k->data, k->data_n), k->key_n));
	struct cursor c = cursor_of(data);

	*r = (struct resolve_reply){.rcode = k->rcode, .security = k->security, .ttl = k->ttl};
	r->records = arena_array(a, k->records_n, sizeof(*r->records));
	if (data.p == NULL || r->records == NULL)
		return err_set(E_LIMIT, 451, "4.4.3", "an answer of the DNS is too large");
	r->canonical = cursor_bytes(&c, k->canonical_n);
	r->why = cursor_bytes(&c, k->why_n);
	for (size_t i = 0; i < k->records_n; i++) {
		size_t n = 0;
		str size = cursor_bytes(&c, sizeof(n));

		if (size.n == sizeof(n))
			memcpy(&n, size.p, sizeof(n));
		r->records[r->records_n++].data = cursor_bytes(&c, n);
	}
	return OK;
}

static void release(struct kept *k)
{
	if (k != NULL && --k->refs == 0)
		free(k);
}

/* --- what is kept, by use --- */

static void unlink_kept(struct dns_cache *c, struct kept *k)
{
	*(k->older != NULL ? &k->older->newer : &c->oldest) = k->newer;
	*(k->newer != NULL ? &k->newer->older : &c->newest) = k->older;
}

static void link_newest(struct dns_cache *c, struct kept *k)
{
	k->older = c->newest;
	k->newer = NULL;
	*(c->newest != NULL ? &c->newest->newer : &c->oldest) = k;
	c->newest = k;
}

static void forget(struct dns_cache *c, struct kept *k)
{
	(void)map_remove(&c->kept, key_of(k));
	unlink_kept(c, k);
	c->counts.answers--;
	c->counts.octets -= k->size;
	release(k);
}

/* Seconds; 0: not at all. */
static uint64_t lifetime(const struct kept *k)
{
	bool denial = k->rcode == RCODE_NO_NAME || k->records_n == 0;
	uint64_t max = denial ? DNS_CACHE_DENIAL_TTL_MAX : DNS_CACHE_TTL_MAX;

	if ((k->rcode != RCODE_NO_ERROR && k->rcode != RCODE_NO_NAME) || k->security == DNS_BOGUS ||
	    k->size > DNS_CACHE_ANSWER_MAX)
		return 0;
	return k->ttl < max ? k->ttl : max;
}

static void keep(struct dns_cache *c, struct kept *k)
{
	uint64_t seconds = lifetime(k);

	struct kept *before = seconds == 0 ? NULL : map_get(&c->kept, key_of(k));

	if (before != NULL)
		forget(c, before);
	if (seconds == 0 || map_put(&c->kept, key_of(k), k) != OK)
		return;
	k->until = rt_after((nsec)seconds * NSEC_PER_SEC);
	k->refs++;
	link_newest(c, k);
	c->counts.answers++;
	c->counts.octets += k->size;
	while (c->counts.answers > DNS_CACHE_ANSWERS_MAX || c->counts.octets > DNS_CACHE_OCTETS_MAX)
		forget(c, c->oldest);
}

/* NULL: not there, or not any more. */
static struct kept *recall(struct dns_cache *c, str key)
{
	struct kept *k = map_get(&c->kept, key);

	if (k == NULL)
		return NULL;
	if (k->until <= rt_now()) {
		forget(c, k);
		return NULL;
	}
	unlink_kept(c, k);
	link_newest(c, k);
	return k;
}

/* --- questions --- */

static err ask_behind(const struct dns_cache *c, const struct resolve_request *q, struct resolve_reply *r,
                      struct arena *a, nsec deadline)
{
	const struct resolver *behind = c->behind;

	return behind->ask != NULL ? behind->ask(behind->ctx, q, r, a, deadline)
	                           : call_resolve(behind->link, q, r, a, deadline);
}

static void pending_release(struct pending *p)
{
	if (--p->refs > 0)
		return;
	release(p->answer);
	free(p);
}

/* `p` may be NULL: no memory to let others wait. */
static err ask_first(struct dns_cache *c, str key, struct pending *p, const struct resolve_request *q,
                     struct resolve_reply *r, struct arena *a, nsec deadline)
{
	c->counts.questions++;
	err e = ask_behind(c, q, r, a, deadline);
	struct err_info info = *err_info();
	struct kept *answer = e == OK ? pack(key, r) : NULL;

	if (answer != NULL)
		keep(c, answer);
	if (p == NULL) {
		release(answer);
		return e;
	}
	(void)map_remove(&c->pending, key);
	p->done = true;
	p->answer = answer;
	p->error = info.code == e ? info : (struct err_info){.code = e};
	p->error.code = e;
	for (size_t i = 0; i < p->waiting; i++)
		semaphore_give(&p->answered);
	return e;
}

/* Again: who asked had less time, or was cancelled. */
static bool is_to_be_asked_again(const struct pending *p, nsec deadline)
{
	return p->error.code == E_CANCELLED || (p->error.code == E_TIMEOUT && deadline > p->deadline) ||
	       (p->error.code == OK && p->answer == NULL);
}

static err wait_for(struct dns_cache *c, struct pending *p, nsec deadline, struct resolve_reply *r, struct arena *a,
                    bool *again)
{
	p->refs++;
	p->waiting++;
	err e = semaphore_take(&p->answered, deadline);
	if (!p->done)
		p->waiting--;
	*again = e == OK && is_to_be_asked_again(p, deadline);
	if (e == OK && !*again) {
		c->counts.joined++;
		e = p->error.code == OK ? unpack(p->answer, r, a)
		                        : err_set(p->error.code, p->error.reply, p->error.status, "%s", p->error.text);
	}
	pending_release(p);
	return e;
}

static struct pending *begin(struct dns_cache *c, str key, nsec deadline)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	*p = (struct pending){.refs = 1, .deadline = deadline};
	semaphore_init(&p->answered, 0);
	if (map_put(&c->pending, key, p) == OK)
		return p;
	free(p);
	return NULL;
}

/* Lower case, the type in front. False: a name that is too long for one. */
static bool make_key(const struct resolve_request *q, char out[KEY_MAX], str *key)
{
	if (q->name.n > KEY_MAX - 2 || q->type > UINT16_MAX)
		return false;
	out[0] = (char)(q->type >> 8);
	out[1] = (char)q->type;
	for (size_t i = 0; i < q->name.n; i++) {
		char ch = q->name.p[i];
		out[2 + i] = (char)(ch >= 'A' && ch <= 'Z' ? ch | 0x20 : ch);
	}
	*key = str_make(out, 2 + q->name.n);
	return true;
}

static err recalled(struct dns_cache *c, const struct kept *k, struct resolve_reply *r, struct arena *a)
{
	c->counts.hits++;
	err e = unpack(k, r, a);
	r->ttl = (uint64_t)((k->until - rt_now()) / NSEC_PER_SEC);
	return e;
}

static err cache_ask(void *ctx, const struct resolve_request *q, struct resolve_reply *r, struct arena *a,
                     nsec deadline)
{
	struct dns_cache *c = ctx;
	char text[KEY_MAX];
	bool again = true;
	err e = OK;
	str key;

	if (!make_key(q, text, &key))
		return ask_behind(c, q, r, a, deadline);
	while (again) {
		const struct kept *k = recall(c, key);
		struct pending *p = k == NULL ? map_get(&c->pending, key) : NULL;

		again = false;
		if (k != NULL)
			return recalled(c, k, r, a);
		if (p != NULL) {
			e = wait_for(c, p, deadline, r, a, &again);
			continue;
		}
		p = begin(c, key, deadline);
		e = ask_first(c, key, p, q, r, a, deadline);
		if (p != NULL)
			pending_release(p);
	}
	return e;
}

/* --- its life --- */

err dns_cache_new(const struct resolver *behind, struct dns_cache **out)
{
	struct dns_cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_note(E_MEMORY, "no memory to remember the DNS in");
	c->behind = behind;
	map_init(&c->kept);
	map_init(&c->pending);
	*out = c;
	return OK;
}

void dns_cache_clear(struct dns_cache *c)
{
	while (c->oldest != NULL)
		forget(c, c->oldest);
}

void dns_cache_free(struct dns_cache *c)
{
	if (c == NULL)
		return;
	dns_cache_clear(c);
	map_free(&c->kept);
	map_free(&c->pending);
	free(c);
}

struct resolver dns_cache_resolver(struct dns_cache *c)
{
	return (struct resolver){.ask = cache_ask, .ctx = c};
}

struct dns_cache_counts dns_cache_counts(const struct dns_cache *c)
{
	return c->counts;
}
