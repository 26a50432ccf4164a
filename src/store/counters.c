/* SPDX-License-Identifier: ISC */
#include "store/counters.h"

#include <stdlib.h>

enum { KEPT_MAX = 100000 }; /* mailboxes in memory */

void counters_init(struct counters *c)
{
	map_init(&c->mailboxes);
	map_init(&c->accounts);
	c->changed = NULL;
}

static void free_values(struct map *m)
{
	size_t at = 0;
	str key;
	void *value;

	while (map_next(m, &at, &key, &value))
		free(value);
	map_free(m);
}

void counters_free(struct counters *c)
{
	free_values(&c->mailboxes);
	free_values(&c->accounts);
}

void counters_forget(struct counters *c)
{
	counters_free(c);
	counters_init(c);
}

static err keep(struct map *m, uint64_t id, void *value)
{
	err e = map_put(m, MAP_U64_KEY(id), value);

	if (e != OK)
		free(value);
	return e;
}

static err load_account(struct counters *c, struct db *db, uint64_t id, struct account_state **out)
{
	struct query q =
		db_query(db, "SELECT quota, (SELECT coalesce(sum(octets), 0) FROM mailbox WHERE account = account.id)"
	                     " FROM account WHERE id = ?");
	struct account_state *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return err_note(E_MEMORY, "no memory for an account");
	query_put_num(&q, id);
	bool found = query_row(&q);
	if (found) {
		a->quota = query_num(&q);
		a->octets = query_num(&q);
	}
	err e = query_end(&q);
	if (e == OK && !found)
		e = err_note(E_NOT_FOUND, "there is no account %llu", (unsigned long long)id);
	if (e != OK) {
		free(a);
		return e;
	}
	a->id = id;
	a->committed = a->octets;
	*out = a;
	return keep(&c->accounts, id, a);
}

static struct mailbox_state *mailbox_new(uint64_t id, struct query *q, uint64_t *account)
{
	*account = query_num(q);
	uint64_t uidvalidity = query_num(q);
	struct mailbox_counts now = {.uidnext = query_num(q)};
	now.modseq = query_num(q);
	now.messages = query_num(q);
	now.octets = query_num(q);
	str name = query_str(q);
	struct mailbox_state *m = calloc(1, sizeof(*m) + name.n);
	if (m == NULL)
		return NULL;
	memcpy(m + 1, name.p, name.n);
	*m = (struct mailbox_state){.id = id,
	                            .uidvalidity = uidvalidity,
	                            .now = now,
	                            .committed = now,
	                            .name = str_make((const char *)(m + 1), name.n)};
	return m;
}

static err load_mailbox(struct counters *c, struct db *db, uint64_t id, struct mailbox_state **out)
{
	struct query q = db_query(
		db, "SELECT account, uidvalidity, uidnext, modseq, messages, octets, name FROM mailbox WHERE id = ?");
	uint64_t account = 0;
	struct mailbox_state *m = NULL;

	query_put_num(&q, id);
	bool found = query_row(&q);
	if (found)
		m = mailbox_new(id, &q, &account);
	err e = query_end(&q);
	if (e != OK || m == NULL) {
		free(m);
		return e != OK ? e
		               : err_note(found ? E_MEMORY : E_NOT_FOUND, "no mailbox %llu", (unsigned long long)id);
	}
	m->account = map_get(&c->accounts, MAP_U64_KEY(account));
	if (m->account == NULL && (e = load_account(c, db, account, &m->account)) != OK) {
		free(m);
		return e;
	}
	*out = m;
	return keep(&c->mailboxes, id, m);
}

err counters_mailbox(struct counters *c, struct db *db, uint64_t id, struct mailbox_state **out)
{
	*out = map_get(&c->mailboxes, MAP_U64_KEY(id));
	return *out != NULL ? OK : load_mailbox(c, db, id, out);
}

static void mark_changed(struct counters *c, struct mailbox_state *m)
{
	if (m->changed)
		return;
	m->changed = true;
	m->next_changed = c->changed;
	c->changed = m;
}

uint64_t counters_modseq(struct counters *c, struct mailbox_state *m)
{
	mark_changed(c, m);
	return ++m->now.modseq;
}

void counters_add(struct counters *c, struct mailbox_state *m, uint64_t octets)
{
	mark_changed(c, m);
	m->now.uidnext++;
	m->now.modseq++;
	m->now.messages++;
	m->now.octets += octets;
	m->account->octets += octets;
}

void counters_remove(struct counters *c, struct mailbox_state *m, uint64_t octets)
{
	mark_changed(c, m);
	m->now.messages--;
	m->now.octets -= octets;
	m->account->octets -= octets;
}

static err write_mailbox(struct db *db, const struct mailbox_state *m)
{
	struct query q =
		db_query(db, "UPDATE mailbox SET uidnext = ?, modseq = ?, messages = ?, octets = ? WHERE id = ?");

	query_put_num(&q, m->now.uidnext);
	query_put_num(&q, m->now.modseq);
	query_put_num(&q, m->now.messages);
	query_put_num(&q, m->now.octets);
	query_put_num(&q, m->id);
	return query_run(&q);
}

err counters_write(struct counters *c, struct db *db)
{
	err e = OK;

	for (struct mailbox_state *m = c->changed; m != NULL && e == OK; m = m->next_changed)
		e = write_mailbox(db, m);
	return e;
}

static void clear_changed(struct counters *c)
{
	for (struct mailbox_state *m = c->changed; m != NULL; m = m->next_changed)
		m->changed = false;
	c->changed = NULL;
}

void counters_commit(struct counters *c)
{
	for (struct mailbox_state *m = c->changed; m != NULL; m = m->next_changed) {
		m->committed = m->now;
		m->account->committed = m->account->octets;
	}
	clear_changed(c);
	if (c->mailboxes.count > KEPT_MAX)
		counters_forget(c);
}

void counters_restore(struct counters *c)
{
	for (struct mailbox_state *m = c->changed; m != NULL; m = m->next_changed) {
		m->now = m->committed;
		m->account->octets = m->account->committed;
	}
	clear_changed(c);
}
