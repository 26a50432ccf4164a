/* SPDX-License-Identifier: ISC */
/* For tests and fuzzing: a store and keys that answer a POP3 session from memory, over a link. */
#ifndef POP3_FAKE_H
#define POP3_FAKE_H

#include "base/str.h"
#include "pop3/server.h"
#include "sasl/plain.h"

enum { FAKE_MESSAGES_MAX = 8 };

struct fake {
	/* how they behave */
	struct fake_message {
		uint64_t uid;
		str text;
	} messages[FAKE_MESSAGES_MAX];
	size_t messages_n;
	err login, open, expunge; /* what these calls return */
	uint64_t unreadable_from; /* reads at or behind this offset fail with `read`; if not OK */
	err read;
	/* what they saw */
	size_t logins, cancels, reads, ends;
	bool locked;
	uint64_t expunged[FAKE_MESSAGES_MAX];
	size_t expunged_n;
	str password; /* the right one */
	/* the link */
	struct link_service service;
	struct link *server, *client;
	struct peers peers;
};

static err fake_answer(err e)
{
	return e == OK ? OK : err_note(e, "as the test wants it");
}

/* PLAIN in one or two steps; LOGIN asks once, and once more. */
static err fake_auth(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	struct fake *f = ctx;
	const struct auth_request *q = request;
	struct auth_reply *r = reply;
	struct plain p;

	(void)from, (void)arena;
	f->cancels += q->step == AUTH_CANCEL;
	r->state = AUTH_CONTINUE;
	r->challenge = q->has_response ? STR("more") : STR("");
	if (q->step == AUTH_CANCEL || (q->step == AUTH_BEGIN && !q->has_response))
		return OK;
	if (!str_equal_nocase(q->mechanism, STR("PLAIN")))
		return str_equal(q->mechanism, STR("LOGIN")) ? OK : err_set(E_PERM, 504, "5.5.4", "unknown mechanism");
	if (plain_parse(q->response, &p) != OK)
		return err_set(E_SYNTAX, 501, "5.5.2", "malformed response");
	f->logins++;
	if (f->login == OK && (!str_equal(p.user, STR("mrose")) || !str_equal(p.password, f->password)))
		return fake_answer(E_DENIED);
	r->state = AUTH_DONE;
	r->account = 7;
	r->address = STR("mrose@example.org");
	return fake_answer(f->login);
}

static err fake_open(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	struct fake *f = ctx;
	const struct mailbox_open_request *q = request;
	struct mailbox_open_reply *r = reply;

	(void)from;
	if (f->open != OK || q->account != 7 || !q->exclusive || f->locked)
		return fake_answer(f->locked ? E_BUSY : f->open != OK ? f->open : E_PERM);
	r->entries = arena_array(arena, f->messages_n, sizeof(*r->entries));
	if (r->entries == NULL)
		return fake_answer(E_MEMORY);
	for (; r->entries_n < f->messages_n; r->entries_n++)
		r->entries[r->entries_n] = (struct mailbox_entry){.uid = f->messages[r->entries_n].uid,
		                                                  .size = f->messages[r->entries_n].text.n};
	r->mailbox = 3;
	r->uidvalidity = 99;
	f->locked = true;
	return OK;
}

static err fake_read(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	struct fake *f = ctx;
	const struct mailbox_read_request *q = request;
	struct mailbox_read_reply *r = reply;

	(void)from, (void)arena;
	f->reads++;
	if (f->read != OK && q->offset >= f->unreadable_from)
		return fake_answer(f->read);
	for (size_t i = 0; i < f->messages_n; i++) {
		if (f->messages[i].uid != q->uid)
			continue;
		r->size = f->messages[i].text.n;
		r->bytes = str_take(str_drop(f->messages[i].text, q->offset), q->length);
		return OK;
	}
	return fake_answer(E_NOT_FOUND);
}

static err fake_expunge(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	struct fake *f = ctx;
	const struct mailbox_expunge_request *q = request;

	(void)from, (void)reply, (void)arena;
	for (size_t i = 0; f->expunge == OK && i < q->uids_n && f->expunged_n < FAKE_MESSAGES_MAX; i++)
		f->expunged[f->expunged_n++] = q->uids[i].uid;
	return fake_answer(f->expunge);
}

static err fake_end(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	struct fake *f = ctx;

	(void)from, (void)request, (void)reply, (void)arena;
	f->ends++;
	f->locked = false;
	return OK;
}

/* In a running loop. False: no memory. */
static bool fake_start(struct fake *f)
{
	struct stream *ours, *theirs;

	f->service = (struct link_service){.ctx = f,
	                                   .handlers = {[CALL_auth] = fake_auth,
	                                                [CALL_mailbox_open] = fake_open,
	                                                [CALL_mailbox_read] = fake_read,
	                                                [CALL_mailbox_expunge] = fake_expunge,
	                                                [CALL_session_end] = fake_end}};
	f->server = link_new("edge-0", &f->service);
	f->client = link_new("services", NULL);
	f->peers = (struct peers){.store = f->client, .keys = f->client};
	if (f->server == NULL || f->client == NULL || !stream_pair(&ours, &theirs, 1 << 20, false))
		return false;
	return link_attach_stream(f->server, theirs) == OK && link_attach_stream(f->client, ours) == OK;
}

static void fake_stop(struct fake *f)
{
	link_free(f->client);
	link_free(f->server);
}

#endif
