/* SPDX-License-Identifier: ISC */
/* pombo account app-password and certificate, and what the command line must know before it hashes a password */
#include "base/encode.h"
#include "base/log.h"
#include "rt/certificate.h"
#include "sasl/credential.h"
#include "sasl/scram.h"
#include "store/admin.h"
#include "store/credential.h"

static const char usage[] = "account app-password add ADDRESS NAME [SECONDS], list ADDRESS, remove ADDRESS NAME";

static const char certificate_usage[] =
	"account certificate add ADDRESS FINGERPRINT [SECONDS], list ADDRESS, remove ADDRESS FINGERPRINT";

struct app_password {
	struct admin_address address;
	struct credential_change change;
	size_t removed;
};

static err find_account(struct db *db, const struct admin_address *address, uint64_t *account)
{
	struct query q = db_query(db, "SELECT id FROM account WHERE domain = ? AND local = ?");
	bool found = false;

	query_put_str(&q, address->domain);
	query_put_str(&q, address->local);
	err e = query_one(&q, account, &found);
	return e == OK && !found ? err_note(E_NOT_FOUND, "there is no account " STR_FMT, STR_ARG(address->text)) : e;
}

/* --- the salt --- */

static err read_salt(struct db *db, uint64_t account, struct buf *out)
{
	struct query q = db_query(db, "SELECT secret FROM credential WHERE account = ? AND kind = 'scram-sha-256'");
	struct scram_verifier v;

	query_put_num(&q, account);
	while (out->n == 0 && query_row(&q))
		if (scram_verifier_parse(query_str(&q), &v) == OK)
			base64_encode(out, scram_verifier_salt(&v));
	return query_end(&q);
}

static err salt_read(struct admin *x, struct db *db)
{
	struct admin_address address;
	unsigned char random[SCRAM_SALT];
	uint64_t account;
	BUF(salt, 200);
	err e = admin_address(x, admin_word(x, 2), &address);

	if (e == OK && find_account(db, &address, &account) == OK)
		e = read_salt(db, account, &salt);
	if (e != OK)
		return e;
	rt_random(random, sizeof(random));
	if (salt.n == 0)
		base64_encode(&salt, str_make((const char *)random, sizeof(random)));
	admin_str(x, admin_row(x), "salt", buf_str(&salt));
	return OK;
}

/* All credentials of an account have one salt; a new one when there is none yet. */
err account_salt(struct admin *x)
{
	return admin_read(x, salt_read);
}

/* --- app passwords --- */

/* "VERB ADDRESS NAME [SECONDS]" */
static err take_words(struct admin *x, struct app_password *p, const char *said)
{
	uint64_t seconds = 0, now = (uint64_t)rt_wall();

	*p = (struct app_password){.change = {.name = admin_word(x, 4), .lines = x->request->secret, .now = now}};
	if (x->request->words_n < 5 || x->request->words_n > 6)
		return admin_usage(said);
	if (x->request->words_n == 6 && (!str_to_u64(admin_word(x, 5), 100 * 366 * 86400ULL, &seconds) || seconds == 0))
		return admin_usage(said);
	p->change.expires = seconds == 0 ? 0 : now + seconds * 1000000;
	return admin_address(x, admin_word(x, 3), &p->address);
}

static err take_password(struct admin *x, struct app_password *p)
{
	str name = admin_word(x, 4);
	err e = take_words(x, p, usage);

	if (e == OK && (name.n == 0 || name.n > CREDENTIAL_NAME_MAX || !str_is_utf8(name) || str_has_control(name)))
		return err_note(E_SYNTAX, "a name has 1 to %d octets of text", CREDENTIAL_NAME_MAX);
	return e;
}

static err count(struct db *db, const char *literal, const struct app_password *p, uint64_t *n)
{
	struct query q = db_query(db, literal);

	query_put_num(&q, p->change.account);
	query_put_str(&q, p->change.name);
	return query_one(&q, n, NULL);
}

static err add_apply(struct db *db, void *arg)
{
	struct app_password *p = arg;
	uint64_t same = 0, others = 0;
	err e = find_account(db, &p->address, &p->change.account);

	if (e == OK)
		e = count(db,
		          "SELECT count(*) FROM credential WHERE account = ? AND name = ? AND kind <> 'certificate'", p,
		          &same);
	if (e == OK && same > 0)
		return err_note(E_EXISTS, STR_FMT " has an app password " STR_FMT " already", STR_ARG(p->address.text),
		                STR_ARG(p->change.name));
	if (e == OK)
		e = count(db,
		          "SELECT count(DISTINCT name) FROM credential WHERE account = ? AND name <> '' AND name <> ?"
		          " AND kind <> 'certificate'",
		          p, &others);
	if (e == OK && others >= CREDENTIALS_PER_ACCOUNT)
		return err_note(E_LIMIT, "an account has up to %d app passwords", CREDENTIALS_PER_ACCOUNT);
	return e == OK ? credential_put(db, &p->change) : e;
}

static err remove_apply(struct db *db, void *arg)
{
	struct app_password *p = arg;
	err e = find_account(db, &p->address, &p->change.account);

	if (e == OK)
		e = credential_delete(db, p->change.account, p->change.name, &p->removed);
	if (e == OK && p->removed == 0)
		return err_note(E_NOT_FOUND, STR_FMT " has no app password " STR_FMT, STR_ARG(p->address.text),
		                STR_ARG(p->change.name));
	return e;
}

static void time_or_never(struct admin *x, struct row *row, const char *name, uint64_t usec)
{
	if (usec == 0)
		admin_str(x, row, name, STR("never"));
	else
		admin_time(x, row, name, usec);
}

static err app_password_add(struct admin *x)
{
	struct app_password p;
	err e = take_password(x, &p);

	if (e == OK)
		e = admin_change(x, add_apply, &p);
	if (e != OK)
		return e;
	struct row *row = admin_row(x);
	admin_str(x, row, "address", p.address.text);
	admin_str(x, row, "name", p.change.name);
	time_or_never(x, row, "expires", p.change.expires);
	LOG(INFO, "account.app-password", LOG_STR("address", p.address.text), LOG_NUM("account", p.change.account),
	    LOG_Z("what", "add"), LOG_STR("name", p.change.name));
	return OK;
}

static err app_password_remove(struct admin *x)
{
	struct app_password p;
	err e = take_password(x, &p);

	if (e == OK)
		e = admin_change(x, remove_apply, &p);
	if (e != OK)
		return e;
	sessions_revoke(&x->store->sessions, p.change.account); /* which of them used it is not known */
	LOG(INFO, "account.app-password", LOG_STR("address", p.address.text), LOG_NUM("account", p.change.account),
	    LOG_Z("what", "remove"), LOG_STR("name", p.change.name));
	return OK;
}

static err list_some(struct admin *x, struct db *db, const char *literal)
{
	struct admin_address address;
	uint64_t account = 0;
	err e = admin_address(x, admin_word(x, 3), &address);

	if (e == OK)
		e = find_account(db, &address, &account);
	if (e != OK)
		return e;
	struct query q = db_query(db, literal);
	query_put_num(&q, account);
	while (query_row(&q)) {
		struct row *row = admin_row(x);

		admin_str(x, row, "name", query_str(&q));
		admin_time(x, row, "created", query_num(&q));
		time_or_never(x, row, "expires", query_num(&q));
		time_or_never(x, row, "used", query_num(&q));
	}
	return query_end(&q);
}

static err list_read(struct admin *x, struct db *db)
{
	return list_some(x, db,
	                 "SELECT name, min(created), min(expires), max(used) FROM credential"
	                 " WHERE account = ? AND name <> '' AND kind <> 'certificate' GROUP BY name ORDER BY name");
}

err account_app_password(struct admin *x)
{
	if (str_equal(admin_word(x, 2), STR("add")))
		return app_password_add(x);
	if (str_equal(admin_word(x, 2), STR("remove")))
		return app_password_remove(x);
	if (str_equal(admin_word(x, 2), STR("list")) && x->request->words_n == 4)
		return admin_read(x, list_read);
	return admin_usage(usage);
}

/* --- certificates: the name is the fingerprint --- */

static err take_certificate(struct admin *x, struct app_password *p)
{
	char fingerprint[CERTIFICATE_FINGERPRINT + 1];
	err e = take_words(x, p, certificate_usage);

	if (e == OK && !certificate_fingerprint_parse(p->change.name, fingerprint))
		return err_note(E_SYNTAX, "a fingerprint is a SHA-256 in %d hexadecimal digits",
		                CERTIFICATE_FINGERPRINT);
	if (e == OK)
		p->change.name = arena_str(x->arena, str_from(fingerprint));
	return e;
}

static err certificate_add_apply(struct db *db, void *arg)
{
	struct app_password *p = arg;
	uint64_t same = 0, others = 0;
	err e = find_account(db, &p->address, &p->change.account);

	if (e == OK)
		e = count(db, "SELECT count(*) FROM credential WHERE account = ? AND name = ? AND kind = 'certificate'",
		          p, &same);
	if (e == OK && same > 0)
		return err_note(E_EXISTS, STR_FMT " has this certificate already", STR_ARG(p->address.text));
	if (e == OK)
		e = count(db,
		          "SELECT count(*) FROM credential WHERE account = ? AND name <> ? AND kind = 'certificate'", p,
		          &others);
	if (e == OK && others >= CREDENTIALS_PER_ACCOUNT)
		return err_note(E_LIMIT, "an account has up to %d certificates", CREDENTIALS_PER_ACCOUNT);
	return e == OK ? credential_put_certificate(db, &p->change) : e;
}

static err certificate_remove_apply(struct db *db, void *arg)
{
	struct app_password *p = arg;
	err e = find_account(db, &p->address, &p->change.account);

	if (e == OK)
		e = credential_delete_certificate(db, p->change.account, p->change.name, &p->removed);
	if (e == OK && p->removed == 0)
		return err_note(E_NOT_FOUND, STR_FMT " has no such certificate", STR_ARG(p->address.text));
	return e;
}

static err certificate_change(struct admin *x, const char *what, err (*apply)(struct db *db, void *arg))
{
	struct app_password p;
	err e = take_certificate(x, &p);

	if (e == OK)
		e = admin_change(x, apply, &p);
	if (e != OK)
		return e;
	if (apply == certificate_remove_apply)
		sessions_revoke(&x->store->sessions, p.change.account);
	LOG(INFO, "account.certificate", LOG_STR("address", p.address.text), LOG_NUM("account", p.change.account),
	    LOG_Z("what", what), LOG_STR("fingerprint", p.change.name));
	return OK;
}

static err certificate_list_read(struct admin *x, struct db *db)
{
	return list_some(x, db,
	                 "SELECT name, created, expires, used FROM credential"
	                 " WHERE account = ? AND kind = 'certificate' ORDER BY created, name");
}

err account_certificate(struct admin *x)
{
	if (str_equal(admin_word(x, 2), STR("add")))
		return certificate_change(x, "add", certificate_add_apply);
	if (str_equal(admin_word(x, 2), STR("remove")))
		return certificate_change(x, "remove", certificate_remove_apply);
	if (str_equal(admin_word(x, 2), STR("list")) && x->request->words_n == 4)
		return admin_read(x, certificate_list_read);
	return admin_usage(certificate_usage);
}
