/* SPDX-License-Identifier: ISC */
#include "store/word_table.h"

#include "store/state.h"
#include "store/words.h"

enum { SHARE = 20 };
#define TABLE_MAX (1ull << 30)

struct building {
	struct store *store;
	uint64_t account, version;
	struct buf bytes;
	err result;
};

static void build_in_thread(void *arg)
{
	struct building *x = arg;
	struct db *db;

	x->result = readers_take(x->store->readers, &db);
	if (x->result != OK)
		return;
	x->result = words_table(db, x->account, &x->version, &x->bytes);
	readers_give(x->store->readers, db);
}

void word_table_free(struct word_table *t)
{
	buf_free(&t->bytes);
}

static err build(struct building *x)
{
	rt_work(build_in_thread, x);
	if (x->result != OK)
		buf_free(&x->bytes);
	return x->result;
}

/* Brings the table of all up to date, unless that was done just now. */
static err refresh(struct store *s, uint64_t version)
{
	struct word_table *t = &s->table;
	struct building x = {.store = s, .bytes = BUF_INIT(TABLE_MAX)};
	nsec begin = rt_now();

	if (t->version == version || begin < t->next)
		return OK;
	t->next = RT_NEVER; /* one at a time */
	err e = build(&x);
	t->next = rt_after(SHARE * (rt_now() - begin));
	if (e != OK)
		return e;
	buf_free(&t->bytes);
	t->bytes = x.bytes;
	t->version = x.version;
	return OK;
}

static err give(const struct model_request *q, uint64_t version, str bytes, struct model_reply *r, struct arena *a)
{
	r->version = version;
	if (version == 0 || version == q->version)
		return OK;
	return body_make("table of words", bytes, a, &r->table);
}

static err give_own(struct store *s, const struct model_request *q, struct model_reply *r, struct arena *a)
{
	struct building x = {.store = s, .account = q->account, .bytes = BUF_INIT(TABLE_MAX)};
	err e = build(&x);

	if (e == OK)
		e = give(q, x.version, buf_str(&x.bytes), r, a);
	buf_free(&x.bytes);
	return e;
}

static err model_entered(struct store *s, const struct model_request *q, struct model_reply *r, struct arena *a)
{
	uint64_t version = 0;
	err e = words_version(s->db, q->account, &version);

	r->version = version;
	if (e != OK || version == 0 || version == q->version)
		return e;
	if (q->account != 0)
		return give_own(s, q, r, a);
	e = refresh(s, version);
	return e == OK ? give(q, s->table.version, buf_str(&s->table.bytes), r, a) : e;
}

err store_model(struct store *s, const struct model_request *q, struct model_reply *r, struct arena *a)
{
	err e = store_enter(s);

	if (e != OK)
		return e;
	r->table = BODY_OF(STR_NONE);
	e = model_entered(s, q, r, a);
	store_leave(s);
	return e;
}
