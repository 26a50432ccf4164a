/* SPDX-License-Identifier: ISC */
#include "sasl/crowd.h"

#include <stdlib.h>

struct crowd_client {
	struct crowd_client *before, *after; /* whose turn it is */
	struct crowd_member *oldest, *newest;
	size_t n;
	size_t key_n;
	char key[];
};

void crowd_init(struct crowd *c, size_t max, size_t share, enum crowd_leaves leaves,
                void (*evict)(struct crowd_member *m))
{
	*c = (struct crowd){.max = max, .share = share, .leaves = leaves, .evict = evict};
	map_init(&c->clients);
}

void crowd_free(struct crowd *c)
{
	map_free(&c->clients);
}

/* --- clients: those who have members --- */

static str key_of(const struct crowd_client *x)
{
	return str_make(x->key, x->key_n);
}

static void append_client(struct crowd *c, struct crowd_client *x)
{
	x->before = c->last;
	x->after = NULL;
	*(c->last != NULL ? &c->last->after : &c->first) = x;
	c->last = x;
}

static void unlink_client(struct crowd *c, struct crowd_client *x)
{
	*(x->before != NULL ? &x->before->after : &c->first) = x->after;
	*(x->after != NULL ? &x->after->before : &c->last) = x->before;
}

static struct crowd_client *client_of(struct crowd *c, str key)
{
	struct crowd_client *x = map_get(&c->clients, key);

	if (x != NULL)
		return x;
	x = calloc(1, sizeof(*x) + key.n);
	if (x == NULL || map_put(&c->clients, key, x) != OK) {
		free(x);
		return NULL;
	}
	x->key_n = key.n;
	if (key.n > 0)
		memcpy(x->key, key.p, key.n);
	append_client(c, x);
	return x;
}

static struct crowd_client *largest(const struct crowd *c)
{
	struct crowd_client *most = c->first;

	for (struct crowd_client *x = c->first; x != NULL; x = x->after)
		if (x->n > most->n)
			most = x;
	return most;
}

/* --- members --- */

static void append_member(struct crowd_client *x, struct crowd_member *m)
{
	m->client = x;
	m->older = x->newest;
	m->newer = NULL;
	*(x->newest != NULL ? &x->newest->newer : &x->oldest) = m;
	x->newest = m;
	x->n++;
}

void crowd_leave(struct crowd *c, struct crowd_member *m)
{
	struct crowd_client *x = m->client;

	if (x == NULL)
		return;
	*(m->older != NULL ? &m->older->newer : &x->oldest) = m->newer;
	*(m->newer != NULL ? &m->newer->older : &x->newest) = m->older;
	m->client = NULL;
	m->older = m->newer = NULL;
	x->n--;
	c->n--;
	if (x->n > 0)
		return;
	unlink_client(c, x);
	(void)map_remove(&c->clients, key_of(x));
	free(x);
}

/* Whose client has to give up a member; NULL: nobody's. */
static struct crowd_client *over(const struct crowd *c, struct crowd_client *x)
{
	if (x->key_n > 0 && x->n > c->share)
		return x;
	return c->n > c->max ? largest(c) : NULL;
}

err crowd_enter(struct crowd *c, struct crowd_member *m, str client)
{
	struct crowd_client *x = client_of(c, client);

	if (x == NULL)
		return err_note(E_MEMORY, "no memory for one more client");
	append_member(x, m);
	c->n++;
	x = over(c, x);
	if (x == NULL)
		return OK;
	struct crowd_member *victim = c->leaves == CROWD_OLDEST ? x->oldest : x->newest;
	crowd_leave(c, victim);
	if (victim == m)
		return err_note(E_BUSY, "no place for one more");
	c->evict(victim);
	return OK;
}

struct crowd_member *crowd_next(struct crowd *c)
{
	struct crowd_client *x = c->first;
	struct crowd_member *m = x == NULL ? NULL : x->oldest;

	if (m == NULL)
		return NULL;
	unlink_client(c, x);
	append_client(c, x);
	crowd_leave(c, m);
	return m;
}
