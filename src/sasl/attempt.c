/* SPDX-License-Identifier: ISC */
#include "sasl/attempt.h"

#include <stdlib.h>

#define ATTEMPT_TIME (60 * NSEC_PER_SEC)

enum { ATTEMPTS_MAX = 1000, SHARE = 20, MEMORY_MAX = 64 << 10 };

static str key_of(struct arena *a, const char *edge, str session)
{
	return arena_printf(a, "%s%c" STR_FMT, edge, '\0', STR_ARG(session));
}

static void copy_bindings(struct attempt *t, const struct auth_request *q)
{
	struct auth_binding *copy = arena_array(&t->memory, q->bindings_n, sizeof(*copy));

	for (size_t i = 0; i < q->bindings_n && copy != NULL; i++) {
		copy[i].name = arena_str(&t->memory, q->bindings[i].name);
		copy[i].data = arena_str(&t->memory, q->bindings[i].data);
	}
	t->scram.bindings = copy;
	t->scram.bindings_n = q->bindings_n;
}

struct attempt *attempt_new(const char *edge, const struct auth_request *q)
{
	struct attempt *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->memory = ARENA_INIT(MEMORY_MAX);
	t->scram.memory = &t->memory;
	t->key = key_of(&t->memory, edge, q->session);
	t->deadline = rt_after(ATTEMPT_TIME);
	t->session = arena_str(&t->memory, q->session);
	t->client = arena_str(&t->memory, q->client);
	t->service = arena_str(&t->memory, q->service);
	t->mechanism = arena_str(&t->memory, q->mechanism);
	t->certificate = arena_str(&t->memory, q->certificate);
	t->client_key = guess_key(t->client, &t->address);
	t->who.client = t->client_key;
	copy_bindings(t, q);
	if (t->memory.full)
		attempt_free(&t);
	return t;
}

void attempt_free(struct attempt **t)
{
	if (*t == NULL)
		return;
	arena_wipe(&(*t)->memory);
	explicit_bzero(*t, sizeof(**t));
	free(*t);
	*t = NULL;
}

/* --- the table: all have the same time, so the oldest ends first --- */

static void unlink_attempt(struct attempts *t, struct attempt *x)
{
	crowd_leave(&t->clients, &x->member);
	(void)map_remove(&t->by_key, x->key);
	*(x->older != NULL ? &x->older->newer : &t->oldest) = x->newer;
	*(x->newer != NULL ? &x->newer->older : &t->newest) = x->older;
	x->older = x->newer = NULL;
}

static void drop(struct attempts *t, struct attempt *x)
{
	unlink_attempt(t, x);
	attempt_free(&x);
}

static void evict(struct crowd_member *m)
{
	struct attempt *x = m->of;

	drop(x->table, x);
}

void attempts_init(struct attempts *t)
{
	*t = (struct attempts){0};
	map_init(&t->by_key);
	crowd_init(&t->clients, ATTEMPTS_MAX, SHARE, CROWD_OLDEST, evict);
}

static void drop_expired(struct attempts *t)
{
	while (t->oldest != NULL && t->oldest->deadline <= rt_now())
		drop(t, t->oldest);
}

void attempts_free(struct attempts *t)
{
	while (t->oldest != NULL)
		drop(t, t->oldest);
	map_free(&t->by_key);
	crowd_free(&t->clients);
}

struct attempt *attempts_take(struct attempts *t, const char *edge, str session)
{
	ARENA(a, 4096);

	drop_expired(t);
	struct attempt *x = map_get(&t->by_key, key_of(&a, edge, session));
	if (x != NULL)
		unlink_attempt(t, x);
	return x;
}

/* Those that are put back after a step have an earlier end than some that came later. */
static void link_attempt(struct attempts *t, struct attempt *x)
{
	struct attempt *older = t->newest;

	while (older != NULL && older->deadline > x->deadline)
		older = older->older;
	x->older = older;
	x->newer = older != NULL ? older->newer : t->oldest;
	*(older != NULL ? &older->newer : &t->oldest) = x;
	*(x->newer != NULL ? &x->newer->older : &t->newest) = x;
}

err attempts_put(struct attempts *t, struct attempt *x)
{
	struct attempt *same = map_get(&t->by_key, x->key);

	if (same != NULL)
		drop(t, same);
	drop_expired(t);
	x->table = t;
	x->member.of = x;
	err e = crowd_enter(&t->clients, &x->member, x->client_key);
	if (e == OK && (e = map_put(&t->by_key, x->key, x)) != OK)
		crowd_leave(&t->clients, &x->member);
	if (e == OK)
		link_attempt(t, x);
	return e;
}

void attempts_process_gone(struct attempts *t, const char *edge)
{
	str name = str_make(edge, strlen(edge) + 1); /* with its NUL: "edge-1" is not "edge-10" */

	for (struct attempt *x = t->oldest, *next; x != NULL; x = next) {
		next = x->newer;
		if (str_starts(x->key, name))
			drop(t, x);
	}
}
