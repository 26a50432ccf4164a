/* SPDX-License-Identifier: ISC */
/* Who can log in, and with what. */
#include "store/credential.h"

#include "base/encode.h"
#include "base/log.h"
#include "mail/address.h"
#include "sasl/credential.h"
#include "store/login_network.h"
#include "store/state.h"

/* --- changes --- */

static err delete_where(struct db *db, const char *literal, uint64_t account, str name, size_t *deleted)
{
	struct query q = db_query(db, literal);

	query_put_num(&q, account);
	query_put_str(&q, name);
	err e = query_run(&q);
	if (e == OK)
		*deleted = db_changes(db);
	return e;
}

err credential_delete(struct db *db, uint64_t account, str name, size_t *deleted)
{
	return delete_where(db, "DELETE FROM credential WHERE account = ? AND name = ? AND kind <> 'certificate'",
	                    account, name, deleted);
}

err credential_delete_certificate(struct db *db, uint64_t account, str fingerprint, size_t *deleted)
{
	return delete_where(db, "DELETE FROM credential WHERE account = ? AND name = ? AND kind = 'certificate'",
	                    account, fingerprint, deleted);
}

static err insert(struct db *db, const struct credential_change *c, str kind, str secret)
{
	struct query q = db_query(
		db, "INSERT INTO credential (account, name, kind, secret, created, expires) VALUES (?, ?, ?, ?, ?, ?)");

	query_put_num(&q, c->account);
	query_put_str(&q, c->name);
	query_put_str(&q, kind);
	query_put_str(&q, secret);
	query_put_num(&q, c->now);
	query_put_num(&q, c->expires);
	return query_run(&q);
}

err credential_put(struct db *db, const struct credential_change *c)
{
	str lines = c->lines, kind, secret;
	size_t deleted, n = 0;
	err e = credential_delete(db, c->account, c->name, &deleted);

	while (e == OK && credential_next(&lines, &kind, &secret)) {
		if (!credential_is_kind(kind) || secret.n == 0)
			return err_note(E_SYNTAX, "malformed credential");
		e = insert(db, c, kind, secret);
		n++;
	}
	return e == OK && n == 0 ? err_note(E_SYNTAX, "a password is needed") : e;
}

err credential_put_certificate(struct db *db, const struct credential_change *c)
{
	return insert(db, c, STR(CREDENTIAL_CERTIFICATE), c->name);
}

err credential_new_secret(struct db *db)
{
	unsigned char random[32];
	struct credential_change c = {0};
	BUF(text, 100);

	rt_random(random, sizeof(random));
	hex_encode(&text, str_make((const char *)random, sizeof(random)));
	return insert(db, &c, STR("secret"), buf_str(&text));
}

/* --- who can log in --- */

/* A user who leaves out the domain means the first one of ours. */
static err parse_user(const struct store *s, str user, str *local, str *domain, struct arena *a)
{
	struct address address;

	if (str_find(user, '@') == user.n && s->config->domains_n > 0)
		user = arena_printf(a, STR_FMT "@" STR_FMT, STR_ARG(user), STR_ARG(s->config->domains[0].name));
	err e = address_parse(user, true, &address);
	return e == OK ? address_key(a, &address, local, domain) : e;
}

/* Passwords have up to three kinds. */
enum { CREDENTIALS_MAX = 3 * (CREDENTIALS_PER_ACCOUNT + 1) + CREDENTIALS_PER_ACCOUNT };

/* From the query's next columns; none is there when the account has none. */
static void take_credential(struct query *q, struct credential_reply *r, struct arena *a)
{
	str name = query_str(q), kind = query_str(q), hash = query_str(q);

	if (kind.n == 0 || r->credentials_n == CREDENTIALS_MAX)
		return;
	r->credentials[r->credentials_n++] = (struct credential){.name = arena_str(a, name),
	                                                         .kind = arena_str(a, kind),
	                                                         .hash = arena_str(a, hash),
	                                                         .used = query_num(q)};
}

/* What it has comes in the same query: this is asked at every login. */
static err read_account(struct store *s, str local, str domain, struct credential_reply *r, struct arena *a)
{
	struct query q = db_query(s->db, "SELECT a.id, a.disabled, c.name, c.kind, c.secret, c.used FROM account a"
	                                 " LEFT JOIN credential c ON c.account = a.id"
	                                 " AND (c.expires = 0 OR c.expires > ?)"
	                                 " WHERE a.domain = ? AND a.local = ? ORDER BY c.name, c.kind");

	r->address = arena_printf(a, STR_FMT "@" STR_FMT, STR_ARG(local), STR_ARG(domain));
	query_put_num(&q, (uint64_t)rt_wall());
	query_put_str(&q, domain);
	query_put_str(&q, local);
	while (query_row(&q)) {
		r->account = query_num(&q);
		r->disabled = query_num(&q);
		take_credential(&q, r, a);
	}
	return query_end(&q);
}

/* Two accounts may have the same certificate; then it does not tell who it is. */
static err read_account_of(struct store *s, str certificate, struct credential_reply *r, struct arena *a)
{
	struct query q = db_query(s->db, "SELECT a.id, a.disabled, a.local, a.domain FROM credential c JOIN account a"
	                                 " ON a.id = c.account WHERE c.secret = ? AND c.kind = 'certificate' LIMIT 2");

	query_put_str(&q, certificate);
	if (query_row(&q)) {
		r->account = query_num(&q);
		r->disabled = query_num(&q);
		str local = arena_str(a, query_str(&q)), domain = query_str(&q);
		r->address = arena_printf(a, STR_FMT "@" STR_FMT, STR_ARG(local), STR_ARG(domain));
	}
	if (query_row(&q)) {
		r->account = r->disabled = 0;
		r->address = STR_NONE;
	}
	return query_end(&q);
}

static err read_credentials(struct store *s, struct credential_reply *r, struct arena *a)
{
	struct query q = db_query(s->db, "SELECT name, kind, secret, used FROM credential WHERE account = ?"
	                                 " AND (expires = 0 OR expires > ?) ORDER BY name, kind");

	query_put_num(&q, r->account);
	query_put_num(&q, (uint64_t)rt_wall());
	while (query_row(&q))
		take_credential(&q, r, a);
	return query_end(&q);
}

static err read_all(struct store *s, const struct credential_request *q, struct credential_reply *r, struct arena *a)
{
	str local, domain;

	if (q->user.n > 0 || q->certificate.n == 0)
		return parse_user(s, q->user, &local, &domain, a) == OK ? read_account(s, local, domain, r, a) : OK;
	err e = read_account_of(s, q->certificate, r, a);
	return e == OK && r->account != 0 ? read_credentials(s, r, a) : e;
}

err store_credential(struct store *s, const struct credential_request *q, struct credential_reply *r, struct arena *a)
{
	r->secret = arena_str(a, s->secret);
	r->credentials = arena_array(a, CREDENTIALS_MAX, sizeof(*r->credentials));
	err e = r->credentials == NULL ? E_MEMORY : read_all(s, q, r, a);
	if (e == OK)
		e = login_network_list(s->db, r, a);
	if (e != OK || a->full)
		return err_set(E_TEMP, 451, "4.3.0", "The mail store has a temporary problem; try again later");
	return OK;
}

/* --- a session that was granted an account --- */

static err note_use(struct db *db, const struct grant_request *q, uint64_t now)
{
	struct query query = db_query(db, "UPDATE credential SET used = ? WHERE account = ? AND name = ?");

	query_put_num(&query, now);
	query_put_num(&query, q->account);
	query_put_str(&query, q->credential);
	return query_run(&query);
}

static err note(struct writer *w, struct job *job)
{
	const struct grant_request *q = job->data;
	uint64_t now = (uint64_t)rt_wall();
	err e = q->note_use != 0 ? note_use(writer_db(w), q, now) : OK;

	return e == OK && q->network.n > 0 ? login_network_note(writer_db(w), q->account, q->network, now) : e;
}

/* What keys has looked at is a minute old, or five: the account may have been disabled or removed since, the credential changed. */
static err check_valid(struct store *s, const struct grant_request *r)
{
	struct query q = db_query(s->db, "SELECT disabled FROM account WHERE id = ? AND (? = '' OR EXISTS (SELECT 1"
	                                 " FROM credential WHERE account = account.id AND name = ? AND secret = ?"
	                                 " AND (expires = 0 OR expires > ?)))");
	uint64_t disabled = 1;

	query_put_num(&q, r->account);
	query_put_str(&q, r->hash);
	query_put_str(&q, r->credential);
	query_put_str(&q, r->hash);
	query_put_num(&q, (uint64_t)rt_wall());
	err e = query_one(&q, &disabled, NULL);
	return e == OK && disabled != 0 ? err_note(E_DENIED, "this account may not log in") : e;
}

/* That it could not be written down is no reason to refuse a login. */
err store_grant(struct store *s, const struct grant_request *q)
{
	static const struct job_kind kind = {.apply = note};
	struct grant_request copy = *q;
	struct job job = {.kind = &kind, .data = &copy};
	err e = check_valid(s, q);

	if (e == OK)
		e = sessions_grant(&s->sessions, q->edge, q->session, q->account);
	if (e != OK || (q->note_use == 0 && q->network.n == 0) || store_enter(s) != OK)
		return e;
	if (writer_do(s->writer, &job) != OK)
		LOG(WARN, "store.use", LOG_NUM("account", q->account), LOG_Z("error", err_info()->text));
	store_leave(s);
	return OK;
}
