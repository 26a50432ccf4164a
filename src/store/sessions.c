/* SPDX-License-Identifier: ISC */
#include "store/sessions.h"

#include <stdlib.h>

enum { ACCOUNTS_MAX = 4, MAILBOXES_MAX = 16, NAME_MAX_OCTETS = 255, SESSIONS_MAX = 200000 };

struct open_mailbox {
	uint64_t mailbox, account;
};

struct session {
	uint64_t accounts[ACCOUNTS_MAX];
	size_t accounts_n;
	struct open_mailbox mailboxes[MAILBOXES_MAX];
	size_t mailboxes_n;
	struct session *next_gone;
	size_t name_n;
	char name[]; /* its key */
};

/* The key in the map: both names and what parts them. */
struct name {
	char text[2 * NAME_MAX_OCTETS + 1];
	size_t n;
};

static bool name_make(struct name *out, str process, str session)
{
	if (process.n == 0 || process.n > NAME_MAX_OCTETS || session.n > NAME_MAX_OCTETS ||
	    str_find(process, '\0') < process.n)
		return false;
	memcpy(out->text, process.p, process.n);
	out->text[process.n] = '\0';
	if (session.n > 0)
		memcpy(out->text + process.n + 1, session.p, session.n);
	out->n = process.n + 1 + session.n;
	return true;
}

static struct session *find(const struct sessions *s, str process, str session)
{
	struct name name;

	return name_make(&name, process, session) ? map_get(&s->by_name, str_make(name.text, name.n)) : NULL;
}

void sessions_init(struct sessions *s)
{
	map_init(&s->by_name);
	map_init(&s->locks);
}

void sessions_free(struct sessions *s)
{
	size_t at = 0;
	str key;
	void *value;

	while (map_next(&s->by_name, &at, &key, &value))
		free(value);
	map_free(&s->by_name);
	map_free(&s->locks);
}

/* --- grants --- */

static err denied(void)
{
	return err_set(E_DENIED, 451, "4.7.0", "You are no longer logged in; connect again and log in");
}

static bool has_account(const struct session *x, uint64_t account)
{
	for (size_t i = 0; i < x->accounts_n; i++)
		if (x->accounts[i] == account)
			return true;
	return false;
}

static err session_new(struct sessions *s, const struct name *name, struct session **out)
{
	if (s->by_name.count >= SESSIONS_MAX)
		return err_note(E_LIMIT, "too many sessions are logged in");
	*out = calloc(1, sizeof(**out) + name->n);
	if (*out == NULL)
		return err_note(E_MEMORY, "no memory for a session");
	memcpy((*out)->name, name->text, name->n);
	(*out)->name_n = name->n;
	err e = map_put(&s->by_name, str_make(name->text, name->n), *out);
	if (e != OK)
		free(*out);
	return e;
}

err sessions_grant(struct sessions *s, str process, str session, uint64_t account)
{
	struct name name;
	err e = OK;

	if (!name_make(&name, process, session))
		return err_note(E_SYNTAX, "a session's name is malformed");
	struct session *x = map_get(&s->by_name, str_make(name.text, name.n));
	if (x == NULL)
		e = session_new(s, &name, &x);
	if (e != OK || has_account(x, account))
		return e;
	if (x->accounts_n == ACCOUNTS_MAX)
		return err_note(E_LIMIT, "a session uses too many accounts");
	x->accounts[x->accounts_n++] = account;
	return OK;
}

err sessions_check_account(const struct sessions *s, str process, str session, uint64_t account)
{
	const struct session *x = find(s, process, session);

	return x != NULL && has_account(x, account) ? OK : denied();
}

/* --- mailboxes and locks --- */

static const struct open_mailbox *find_open(const struct session *x, uint64_t mailbox)
{
	for (size_t i = 0; i < x->mailboxes_n; i++)
		if (x->mailboxes[i].mailbox == mailbox)
			return &x->mailboxes[i];
	return NULL;
}

err sessions_check_mailbox(const struct sessions *s, str process, str session, uint64_t mailbox)
{
	const struct session *x = find(s, process, session);

	return x != NULL && find_open(x, mailbox) != NULL ? OK : denied();
}

err sessions_open(struct sessions *s, str process, str session, uint64_t account, uint64_t mailbox, bool exclusive)
{
	struct session *x = find(s, process, session);

	if (x == NULL || !has_account(x, account))
		return denied();
	struct session *holder = map_get(&s->locks, MAP_U64_KEY(mailbox));
	if (exclusive && holder != NULL && holder != x)
		return err_set(E_BUSY, 0, NULL, "another session has locked this mailbox");
	if (find_open(x, mailbox) == NULL && x->mailboxes_n == MAILBOXES_MAX)
		return err_note(E_LIMIT, "a session has too many mailboxes open");
	err e = exclusive ? map_put(&s->locks, MAP_U64_KEY(mailbox), x) : OK;
	if (e == OK && find_open(x, mailbox) == NULL)
		x->mailboxes[x->mailboxes_n++] = (struct open_mailbox){mailbox, account};
	return e;
}

static void close_mailbox(struct sessions *s, struct session *x, size_t i)
{
	uint64_t mailbox = x->mailboxes[i].mailbox;

	if (map_get(&s->locks, MAP_U64_KEY(mailbox)) == x)
		map_remove(&s->locks, MAP_U64_KEY(mailbox));
	x->mailboxes[i] = x->mailboxes[--x->mailboxes_n];
}

/* --- ends --- */

static void release(struct sessions *s, struct session *x)
{
	while (x->mailboxes_n > 0)
		close_mailbox(s, x, x->mailboxes_n - 1);
	free(x);
}

void sessions_end(struct sessions *s, str process, str session)
{
	struct name name;

	if (!name_make(&name, process, session))
		return;
	struct session *x = map_remove(&s->by_name, str_make(name.text, name.n));
	if (x != NULL)
		release(s, x);
}

static bool belongs_to(str key, str process)
{
	return key.n > process.n && str_starts(key, process) && key.p[process.n] == '\0';
}

/* A map must not be changed on the walk. */
void sessions_process_gone(struct sessions *s, str process)
{
	struct session *gone = NULL;
	size_t at = 0;
	str key;
	void *value;

	while (map_next(&s->by_name, &at, &key, &value)) {
		struct session *x = value;

		if (!belongs_to(key, process))
			continue;
		x->next_gone = gone;
		gone = x;
	}
	while (gone != NULL) {
		struct session *next = gone->next_gone;

		(void)map_remove(&s->by_name, str_make(gone->name, gone->name_n));
		release(s, gone);
		gone = next;
	}
}

static void revoke(struct sessions *s, struct session *x, uint64_t account)
{
	for (size_t i = x->accounts_n; i > 0; i--)
		if (x->accounts[i - 1] == account)
			x->accounts[i - 1] = x->accounts[--x->accounts_n];
	for (size_t i = x->mailboxes_n; i > 0; i--)
		if (x->mailboxes[i - 1].account == account)
			close_mailbox(s, x, i - 1);
}

void sessions_revoke(struct sessions *s, uint64_t account)
{
	size_t at = 0;
	str key;
	void *value;

	while (map_next(&s->by_name, &at, &key, &value))
		revoke(s, value, account);
}
