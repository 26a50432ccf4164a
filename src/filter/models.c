/* SPDX-License-Identifier: ISC */
#include "filter/models.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"

#define EVERY (60 * NSEC_PER_SEC)

enum { ACCOUNTS_MAX = 256, REPLY_MAX = 4 << 20 };

/* Either a memory file of the store's, or a copy of what came within a frame. */
struct model_hold {
	struct model model;
	struct body body;
	char *copy;
	unsigned references;
};

/* What is known of an account. */
struct entry {
	uint64_t account, version;
	struct model_hold *hold; /* NULL: it has none */
	nsec asked;
	bool asking; /* by somebody else: what is there serves */
};

struct models {
	struct link *store;
	struct map entries;
};

/* --- tables --- */

void models_release(struct model_hold *h)
{
	if (h == NULL || --h->references > 0)
		return;
	body_release(&h->body);
	free(h->copy);
	free(h);
}

const struct model *models_table(const struct model_hold *h)
{
	return h == NULL ? NULL : &h->model;
}

static bool hold_body(struct model_hold *h, struct body *body)
{
	str memory = body->bytes;

	h->body = *body;
	*body = BODY_OF(STR_NONE);
	if (h->body.fd < 0) { /* it lies in the call's arena */
		h->body = BODY_OF(STR_NONE);
		h->copy = malloc(memory.n);
		if (h->copy == NULL)
			return false;
		memcpy(h->copy, memory.p, memory.n);
		memory.p = h->copy;
	}
	return model_open(memory, &h->model) == OK;
}

static struct model_hold *hold_new(struct body *body)
{
	struct model_hold *h = body->bytes.n == 0 ? NULL : calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->references = 1;
	if (hold_body(h, body))
		return h;
	LOG(WARN, "filter.model", LOG_Z("error", err_info()->text));
	models_release(h);
	return NULL;
}

/* --- who has which --- */

static struct entry *entry_of(struct models *m, uint64_t account)
{
	struct entry *e = map_get(&m->entries, MAP_U64_KEY(account));

	if (e != NULL)
		return e;
	e = calloc(1, sizeof(*e));
	if (e == NULL || map_put(&m->entries, MAP_U64_KEY(account), e) != OK) {
		free(e);
		return NULL;
	}
	e->account = account;
	e->asked = -EVERY;
	return e;
}

/* Nobody keeps count of who was used last: when there are many, those that are not being asked for all go. */
static void make_room(struct models *m)
{
	uint64_t gone[ACCOUNTS_MAX];
	size_t at = 0, n = 0;
	str key;
	void *value;

	if (m->entries.count < ACCOUNTS_MAX)
		return;
	while (n < ACCOUNTS_MAX && map_next(&m->entries, &at, &key, &value)) {
		const struct entry *e = value;
		if (e->account != 0 && !e->asking)
			gone[n++] = e->account;
	}
	for (size_t i = 0; i < n; i++) {
		struct entry *e = map_remove(&m->entries, MAP_U64_KEY(gone[i]));
		models_release(e->hold);
		free(e);
	}
}

static void ask(struct models *m, struct entry *e, nsec deadline)
{
	const struct model_request q = {.account = e->account, .version = e->version};
	struct model_reply r = {.table = BODY_OF(STR_NONE)};
	ARENA(a, REPLY_MAX);

	e->asking = true;
	if (call_model(m->store, &q, &r, &a, deadline) == OK && r.version != e->version) {
		struct model_hold *fresh = hold_new(&r.table);
		models_release(e->hold);
		e->hold = fresh;
		e->version = r.version;
	}
	body_release(&r.table);
	e->asking = false;
	e->asked = rt_now();
}

struct model_hold *models_take(struct models *m, uint64_t account, nsec deadline)
{
	make_room(m);
	struct entry *e = entry_of(m, account);

	if (e == NULL)
		return NULL;
	if (!e->asking && rt_now() - e->asked >= EVERY)
		ask(m, e, deadline);
	if (e->hold != NULL)
		e->hold->references++;
	return e->hold;
}

err models_new(struct link *store, struct models **out)
{
	struct models *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return err_note(E_MEMORY, "no memory for models");
	m->store = store;
	map_init(&m->entries);
	*out = m;
	return OK;
}

void models_free(struct models *m)
{
	size_t at = 0;
	str key;
	void *value;

	if (m == NULL)
		return;
	while (map_next(&m->entries, &at, &key, &value)) {
		models_release(((struct entry *)value)->hold);
		free(value);
	}
	map_free(&m->entries);
	free(m);
}
