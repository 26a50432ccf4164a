/* SPDX-License-Identifier: ISC */
/* admin - what the verbs of the command line share: words in, rows out, a page at a time. */
#ifndef STORE_ADMIN_H
#define STORE_ADMIN_H

#include "store/state.h"

struct admin {
	struct store *store;
	const struct admin_request *request;
	struct admin_reply *reply;
	struct arena *arena;
	size_t octets; /* of the reply so far */
	void *state;   /* the verb's own */
};

/* Word `i`, "" when there are fewer. */
str admin_word(const struct admin *x, size_t i);
MUST_USE err admin_usage(const char *usage); /* E_SYNTAX with how it is to be said */

/* An address as accounts and aliases are looked up. E_SYNTAX: no address, or one that would need quotes. admin_our_address: E_PERM when its domain is not
 * ours. */
struct admin_address {
	str local, domain, text;
};
MUST_USE err admin_address(struct admin *x, str text, struct admin_address *out);
MUST_USE err admin_our_address(struct admin *x, str text, struct admin_address *out);

/* Rows. admin_row begins one (NULL when the page is full or there is no memory), the others add a cell to it (none when NULL). */
struct row *admin_row(struct admin *x);
void admin_str(struct admin *x, struct row *row, const char *name, str value);
void admin_num(struct admin *x, struct row *row, const char *name, uint64_t value);
void admin_time(struct admin *x, struct row *row, const char *name, uint64_t usec); /* RFC 3339 */
void admin_id(struct admin *x, struct row *row, const char *name, uint64_t id);
bool admin_full(const struct admin *x);       /* no room for another row: set reply->more and return */
uint64_t admin_resume(const struct admin *x); /* the number that `more` was, 0 at first */
void admin_more(struct admin *x, uint64_t mark);

/* Runs fn in a worker thread with a connection that sees one state. Its result. */
MUST_USE err admin_read(struct admin *x, err (*fn)(struct admin *x, struct db *db));
/* Runs fn as a change of its own in the writer. */
MUST_USE err admin_change(struct admin *x, err (*fn)(struct db *db, void *arg), void *arg);

/* The verbs. */
MUST_USE err account_add(struct admin *x);
MUST_USE err account_list(struct admin *x);
MUST_USE err account_show(struct admin *x);
MUST_USE err account_passwd(struct admin *x);
MUST_USE err account_disable(struct admin *x);
MUST_USE err account_enable(struct admin *x);
MUST_USE err account_quota(struct admin *x);
MUST_USE err account_remove(struct admin *x);
MUST_USE err account_salt(struct admin *x);
MUST_USE err account_app_password(struct admin *x);
MUST_USE err account_certificate(struct admin *x);
MUST_USE err account_identity(struct admin *x);
MUST_USE err forward_list(struct admin *x);
MUST_USE err forward_set(struct admin *x);
MUST_USE err alias_add(struct admin *x);
MUST_USE err alias_list(struct admin *x);
MUST_USE err alias_replace(struct admin *x);
MUST_USE err alias_remove(struct admin *x);
MUST_USE err queue_list(struct admin *x);
MUST_USE err queue_show(struct admin *x);
MUST_USE err queue_retry(struct admin *x);
MUST_USE err queue_flush(struct admin *x);
MUST_USE err queue_hold(struct admin *x);
MUST_USE err queue_release(struct admin *x);
MUST_USE err queue_fail(struct admin *x);
MUST_USE err queue_drop(struct admin *x);
MUST_USE err quarantine_list(struct admin *x);
MUST_USE err quarantine_show(struct admin *x);
MUST_USE err quarantine_release(struct admin *x);
MUST_USE err quarantine_drop(struct admin *x);
MUST_USE err mailbox_list(struct admin *x);
MUST_USE err mailbox_show(struct admin *x);
MUST_USE err mailbox_move(struct admin *x);
MUST_USE err spam_learn(struct admin *x);
MUST_USE err spam_words(struct admin *x);
MUST_USE err spam_known(struct admin *x);
MUST_USE err spam_status(struct admin *x);
MUST_USE err admin_explain(struct admin *x);
MUST_USE err admin_reports(struct admin *x);
MUST_USE err admin_trace(struct admin *x);
MUST_USE err admin_balance(struct admin *x);
MUST_USE err admin_verify(struct admin *x);
MUST_USE err admin_compact(struct admin *x);
MUST_USE err admin_stats(struct admin *x);

#endif
