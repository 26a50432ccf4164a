/* SPDX-License-Identifier: ISC */
#include "pop3/maildrop.h"

#include "pop3/session.h"

err maildrop_open(struct maildrop *m, uint64_t account, struct arena *memory)
{
	struct mailbox_open_request q = {
		.session = m->session, .account = account, .mailbox = STR("INBOX"), .exclusive = 1};
	struct mailbox_open_reply r;
	err e = call_mailbox_open(m->store, &q, &r, memory, rt_after(CALL_TIME));

	if (e != OK)
		return e;
	m->deleted = arena_array(memory, r.entries_n, sizeof(*m->deleted));
	if (m->deleted == NULL)
		return err_note(E_LIMIT, "no memory for a mailbox of %zu messages", r.entries_n);
	m->mailbox = r.mailbox;
	m->uidvalidity = r.uidvalidity;
	m->entries = r.entries;
	m->n = r.entries_n;
	m->open = true;
	return OK;
}

bool maildrop_find(const struct maildrop *m, str number, size_t *index)
{
	uint64_t n;

	if (!str_to_u64(number, m->n, &n) || n == 0 || m->deleted[n - 1])
		return false;
	*index = n - 1;
	return true;
}

struct maildrop_totals maildrop_totals(const struct maildrop *m)
{
	struct maildrop_totals t = {0, 0};

	for (size_t i = 0; i < m->n; i++) {
		if (m->deleted[i])
			continue;
		t.messages++;
		t.octets += m->entries[i].size;
	}
	return t;
}

size_t maildrop_marked(const struct maildrop *m)
{
	return m->n - maildrop_totals(m).messages;
}

void maildrop_reset(struct maildrop *m)
{
	for (size_t i = 0; i < m->n; i++)
		m->deleted[i] = false;
}

err maildrop_expunge(struct maildrop *m)
{
	size_t marked = maildrop_marked(m);
	ARENA(a, marked * sizeof(struct uid) + 4096);
	struct uid *uids = arena_array(&a, marked, sizeof(*uids));
	struct mailbox_expunge_request q = {.session = m->session, .mailbox = m->mailbox, .uids = uids};
	struct mailbox_expunge_reply r;

	if (marked == 0)
		return OK;
	if (uids == NULL)
		return err_note(E_MEMORY, "no memory to delete %zu messages", marked);
	for (size_t i = 0; i < m->n; i++)
		if (m->deleted[i])
			uids[q.uids_n++].uid = m->entries[i].uid;
	return call_mailbox_expunge(m->store, &q, &r, &a, rt_after(CALL_TIME));
}
