/* SPDX-License-Identifier: ISC */
#include "sasl/verify.h"

#include "rt/crypto.h"
#include "sasl/credential.h"
#include "sasl/password.h"
#include "sasl/scram.h"

#define VERIFIED_FOR (300 * NSEC_PER_SEC)
#define QUEUE_TIME   (30 * NSEC_PER_SEC) /* to wait for a turn at hashing */

enum {
	VERIFIED_MAX = 1024,
	HASHES_AT_ONCE = 2, /* a hash takes a core for 20 ms, and megabytes */
	QUEUE_MAX = 200,    /* attempts that wait for a hash */
	QUEUE_SHARE = 10    /* of one client */
};

void verify_init(struct verify *v, struct guess *guess)
{
	*v = (struct verify){.guess = guess};
	turns_init(&v->hashing, HASHES_AT_ONCE, QUEUE_MAX, QUEUE_SHARE);
	recent_init(&v->verified, VERIFIED_MAX);
	rt_random(v->key, sizeof(v->key));
}

void verify_free(struct verify *v)
{
	turns_free(&v->hashing);
	recent_free(&v->verified);
	explicit_bzero(v->key, sizeof(v->key));
}

void verify_forget(struct verify *v)
{
	recent_forget(&v->verified);
}

/* --- passwords that were right a moment ago --- */

/* The length keeps the parts apart. */
static err digest_of(const struct verify *v, str user, str password, struct crypto_digest *out)
{
	BUF(text, 4096);

	buf_le64(&text, user.n);
	buf_put(&text, user);
	buf_put(&text, password);
	str key = str_make((const char *)v->key, sizeof(v->key));
	err e = text.full ? E_LIMIT : crypto_hmac(CRYPTO_SHA256, key, buf_str(&text), out);
	if (text.p != NULL)
		explicit_bzero(text.p, text.size);
	return e;
}

bool verify_recall(const struct verify *v, str user, str password, struct credential_reply *account, struct arena *a)
{
	struct crypto_digest d;
	struct record_fds none = {0};

	if (digest_of(v, user, password, &d) != OK || recent_until(&v->verified, crypto_digest_str(&d)) <= rt_now())
		return false;
	struct cursor c = cursor_of(arena_str(a, recent_value(&v->verified, crypto_digest_str(&d))));
	return record_unpack(&record_credential_reply, &c, account, a, &none) == OK && account->credentials_n == 1;
}

/* That it is used is noted now, if it is time, and not again while this is remembered. */
static void remember(struct verify *v, const struct credential_reply *account, str user, str password,
                     const struct credential *right)
{
	struct credential by = {
		.name = right->name, .kind = right->kind, .hash = right->hash, .used = (uint64_t)rt_wall()};
	struct credential_reply one = {
		.account = account->account, .address = account->address, .credentials = &by, .credentials_n = 1};
	struct crypto_digest d;
	struct record_fds none = {0};
	BUF(packed, 4096);

	record_pack(&record_credential_reply, &one, &packed, &none);
	if (!packed.full && digest_of(v, user, password, &d) == OK)
		recent_put_value(&v->verified, crypto_digest_str(&d), rt_after(VERIFIED_FOR), buf_str(&packed));
}

/* --- a look --- */

struct look {
	const struct credential_reply *account;
	str user, password;
	const struct credential *right;
};

static const struct credential *chosen_password(const struct credential_reply *a)
{
	for (size_t i = 0; i < a->credentials_n; i++)
		if (str_equal(a->credentials[i].kind, STR(CREDENTIAL_PASSWORD)))
			return &a->credentials[i];
	return NULL;
}

static bool is_invented(const struct credential *c)
{
	return c->name.n > 0 && str_equal(c->kind, STR(CREDENTIAL_SHA256));
}

static bool same_salt(const struct scram_verifier *a, const struct scram_verifier *b)
{
	return a->rounds == b->rounds && str_equal(scram_verifier_salt(a), scram_verifier_salt(b));
}

/* All have one salt, so that this is one computation, and it is done for those too who have no such password. */
static const struct credential *find_invented(const struct credential_reply *a, str password)
{
	static const str no_salt = {"0123456789abcdef", SCRAM_SALT};
	const struct credential *found = NULL;
	struct scram_verifier computed, v;
	err e = OK;
	bool any = false;

	for (size_t i = 0; i < a->credentials_n && e == OK && found == NULL; i++) {
		const struct credential *c = &a->credentials[i];

		if (!is_invented(c) || scram_verifier_parse(c->hash, &v) != OK)
			continue;
		if (!any || !same_salt(&computed, &v))
			e = scram_verifier_make(CRYPTO_SHA256, password, scram_verifier_salt(&v), v.rounds, &computed);
		any = true;
		if (e == OK && crypto_equal(crypto_digest_str(&computed.stored_key), crypto_digest_str(&v.stored_key)))
			found = c;
	}
	if (!any)
		(void)!scram_verifier_make(CRYPTO_SHA256, password, no_salt, SCRAM_ROUNDS, &computed);
	return found;
}

static void look(void *arg)
{
	struct look *k = arg;
	const struct credential *chosen = chosen_password(k->account);

	k->right = password_verify(k->password, chosen != NULL ? chosen->hash : STR("")) ? chosen : NULL;
	if (k->right == NULL)
		k->right = find_invented(k->account, k->password);
}

static bool find_remembered(const struct verify *v, struct look *k)
{
	const struct credential_reply *a = k->account;
	struct credential_reply was = {0};
	ARENA(memory, 8192);

	k->right = NULL;
	if (a->disabled || !verify_recall(v, k->user, k->password, &was, &memory) || was.account != a->account)
		return false;
	for (size_t i = 0; i < a->credentials_n && k->right == NULL; i++)
		if (str_equal(a->credentials[i].name, was.credentials->name) &&
		    str_equal(a->credentials[i].hash, was.credentials->hash))
			k->right = &a->credentials[i];
	return k->right != NULL;
}

/* Those that came at the same time may have failed meanwhile: a client gets no more attempts by asking all at once. */
static err look_in_turn(struct verify *v, struct look *k, const struct guesser *who)
{
	err e = turns_take(&v->hashing, who->client, rt_after(QUEUE_TIME));

	if (e != OK)
		return e == E_CANCELLED ? e : guess_overloaded();
	e = guess_check(v->guess, who);
	if (e == OK && !find_remembered(v, k))
		rt_work(look, k);
	turns_give(&v->hashing);
	return e;
}

/* Whoever learns that a password is not one that is remembered has had a look. Strangers have theirs in turn, and it
 * is counted; the account's own clients need not wait, and what then has no turn is counted against them. */
err verify_password(struct verify *v, const struct credential_reply *account, str user, str password,
                    const struct guesser *who, const struct credential **right)
{
	struct look k = {.account = account, .user = user, .password = password};
	bool stranger = who->client.n > 0 && !who->known;

	*right = NULL;
	if (stranger || !find_remembered(v, &k)) {
		err e = look_in_turn(v, &k, who);

		if (e == E_BUSY && !stranger)
			(void)guess_failed(v->guess, who);
		if (e != OK)
			return e;
		if (k.right != NULL && !account->disabled)
			remember(v, account, user, password, k.right);
	}
	*right = k.right;
	return OK;
}
