/* SPDX-License-Identifier: ISC */
#include "sasl/login.h"

#include <stdlib.h>

#include "base/log.h"
#include "rt/crypto.h"
#include "rt/net.h"
#include "sasl/password.h"
#include "sasl/recent.h"

#define FAILURE_WEIGHT (12 * NSEC_PER_SEC) /* how long one failure is held against its address: 5 make a minute */
#define DELAY_STEP     (NSEC_PER_SEC / 2)
#define DELAY_MAX      (5 * NSEC_PER_SEC)
#define VERIFIED_FOR   (300 * NSEC_PER_SEC)
#define STORE_TIME     (30 * NSEC_PER_SEC) /* to answer one call */
#define QUEUE_TIME     (30 * NSEC_PER_SEC) /* to wait for a turn at hashing */

enum {
	FAILURES_FREE = 5,   /* before a client waits */
	FAILURES_MAX = 20,   /* before it is refused */
	CLIENTS_MAX = 10000, /* whose failures are remembered */
	VERIFIED_MAX = 1024,
	HASHES_AT_ONCE = 2, /* a hash takes a core for 20 ms, and megabytes */
	QUEUE_MAX = 200,    /* attempts that wait for a hash */
	DELAYED_MAX = 1000  /* attempts that are being slowed down */
};

struct login_service {
	struct link *store;
	struct semaphore hashing;
	size_t queued, delayed;
	struct recent failures; /* client -> until when its failures count, FAILURE_WEIGHT each */
	struct recent verified; /* digest of user, hash and password -> until when it needs no new look */
	unsigned char key[32];  /* of the digests; known to this process alone */
};

struct login_service *login_service_new(struct link *store)
{
	struct login_service *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->store = store;
	semaphore_init(&l->hashing, HASHES_AT_ONCE);
	recent_init(&l->failures, CLIENTS_MAX);
	recent_init(&l->verified, VERIFIED_MAX);
	rt_random(l->key, sizeof(l->key));
	return l;
}

void login_service_free(struct login_service *l)
{
	if (l == NULL)
		return;
	recent_free(&l->failures);
	recent_free(&l->verified);
	explicit_bzero(l, sizeof(*l));
	free(l);
}

/* --- guessing --- */

/* What failures are counted by; empty for those that are not counted. `address` holds the bytes. */
static str client_key(str client, struct net_address *address)
{
	BUF(text, 256);

	if (str_equal(client, STR("unix")))
		return STR_NONE;
	bool bare_v6 = str_find(client, ':') < client.n && !str_starts(client, STR("["));
	buf_puts(&text, bare_v6 ? "[" : "");
	buf_put(&text, client);
	buf_puts(&text, bare_v6 ? "]:0" : ":0");
	if (text.full || net_address_parse(buf_str(&text), address) != OK)
		return client;
	return net_address_is_loopback(address) ? STR_NONE : net_address_key(address);
}

/* Failures of this client that still count, a started one as a whole. */
static int64_t failures_of(const struct login_service *l, str client)
{
	nsec until = client.n == 0 ? 0 : recent_until(&l->failures, client);

	return until <= rt_now() ? 0 : (until - rt_now() + FAILURE_WEIGHT - 1) / FAILURE_WEIGHT;
}

static void failures_add(struct login_service *l, str client)
{
	nsec until = client.n == 0 ? 0 : recent_until(&l->failures, client);

	if (client.n > 0)
		recent_put(&l->failures, client, (until > rt_now() ? until : rt_now()) + FAILURE_WEIGHT);
}

static err too_many_failures(void)
{
	return err_set(E_BUSY, 454, "4.7.0", "too many failed logins from your address, try again later");
}

static err overloaded(void)
{
	return err_set(E_BUSY, 454, "4.7.0", "too many logins at once, try again later");
}

static err slow_down(struct login_service *l, str client)
{
	int64_t failures = failures_of(l, client);

	if (failures >= FAILURES_MAX)
		return too_many_failures();
	if (failures < FAILURES_FREE)
		return OK;
	if (l->delayed >= DELAYED_MAX)
		return overloaded();
	nsec delay = (failures - FAILURES_FREE + 1) * DELAY_STEP;
	l->delayed++;
	err e = rt_sleep_until(rt_after(delay < DELAY_MAX ? delay : DELAY_MAX));
	l->delayed--;
	return e;
}

/* --- passwords that were right a moment ago --- */

struct digest {
	unsigned char bytes[CRYPTO_SHA256_SIZE];
	bool known; /* false: could not be computed */
};

static str digest_key(const struct digest *d)
{
	return str_make((const char *)d->bytes, sizeof(d->bytes));
}

/* The lengths keep the parts apart. */
static struct digest digest_of(const struct login_service *l, str user, str hash, str password)
{
	struct digest d = {.known = false};
	BUF(text, 4096);

	buf_le64(&text, user.n);
	buf_put(&text, user);
	buf_le64(&text, hash.n);
	buf_put(&text, hash);
	buf_put(&text, password);
	str key = str_make((const char *)l->key, sizeof(l->key));
	d.known = !text.full && crypto_hmac_sha256(key, buf_str(&text), d.bytes) == OK;
	if (text.p != NULL)
		explicit_bzero(text.p, text.size);
	return d;
}

/* --- one attempt --- */

struct attempt {
	struct login_service *service;
	const struct login_request *request;
	str client;                         /* its key */
	struct credential_reply credential; /* zero for an unknown user */
	bool right;
};

static void verify(void *arg)
{
	struct attempt *t = arg;

	t->right = password_verify(t->request->password, t->credential.hash);
}

/* Those that came at the same time may have failed meanwhile: a client gets no more attempts by asking all at once. */
static err verify_in_turn(struct attempt *t)
{
	struct login_service *l = t->service;

	if (l->queued >= QUEUE_MAX)
		return overloaded();
	l->queued++;
	err e = semaphore_take(&l->hashing, rt_after(QUEUE_TIME));
	l->queued--;
	if (e != OK)
		return e == E_TIMEOUT ? overloaded() : e;
	if (failures_of(l, t->client) >= FAILURES_MAX)
		e = too_many_failures();
	else
		rt_work(verify, t);
	semaphore_give(&l->hashing);
	return e;
}

/* Sets `right`. */
static err check_password(struct attempt *t)
{
	struct login_service *l = t->service;
	const struct credential_reply *c = &t->credential;
	struct digest d = digest_of(l, t->request->user, c->hash, t->request->password);

	bool remember = d.known && !c->disabled;

	if (remember && recent_until(&l->verified, digest_key(&d)) > rt_now()) {
		t->right = true;
		return OK;
	}
	err e = verify_in_turn(t);
	if (e == OK && t->right && remember)
		recent_put(&l->verified, digest_key(&d), rt_after(VERIFIED_FOR));
	return e;
}

/* The store's own words are for the log. */
static err store_failed(const struct attempt *t, err e)
{
	LOG(ERROR, "login.error", LOG_STR("sid", t->request->session), LOG_Z("error", err_name(e)),
	    LOG_Z("text", err_info()->text));
	return err_set(E_TEMP, 454, "4.7.0", "cannot log in at present, try again later");
}

static err fetch_credential(struct attempt *t, struct arena *a)
{
	struct credential_request q = {.user = t->request->user};
	err e = call_credential(t->service->store, &q, &t->credential, a, rt_after(STORE_TIME));

	if (e == E_NOT_FOUND || e == E_SYNTAX) {
		t->credential = (struct credential_reply){0};
		e = OK;
	}
	return e == OK ? OK : store_failed(t, e);
}

static err grant(struct attempt *t, const char *edge, struct arena *a)
{
	struct grant_request q = {
		.edge = str_from(edge), .session = t->request->session, .account = t->credential.account};
	struct grant_reply r;
	err e = call_grant(t->service->store, &q, &r, a, rt_after(STORE_TIME));

	return e == OK ? OK : store_failed(t, e);
}

static err failed(struct attempt *t)
{
	const struct login_request *q = t->request;

	failures_add(t->service, t->client);
	LOG(WARN, "login.failed", LOG_STR("client", q->client), LOG_STR("service", q->service),
	    LOG_STR("sid", q->session), LOG_STR("user", q->user));
	return err_set(E_DENIED, 535, "5.7.8", "wrong user name or password");
}

static err attempt(struct attempt *t, const char *edge, struct arena *a)
{
	if (!str_equal_nocase(t->request->mechanism, STR("PLAIN")))
		return err_set(E_PERM, 504, "5.5.4", "unknown mechanism");
	err e = slow_down(t->service, t->client);
	if (e == OK)
		e = fetch_credential(t, a);
	if (e == OK)
		e = check_password(t);
	if (e != OK)
		return e;
	return t->right && !t->credential.disabled ? grant(t, edge, a) : failed(t);
}

err login_serve(struct login_service *l, const char *edge, const struct login_request *q, struct login_reply *r,
                struct arena *a)
{
	struct net_address address;
	struct attempt t = {.service = l, .request = q, .client = client_key(q->client, &address)};
	err e = attempt(&t, edge, a);

	if (e != OK)
		return e;
	r->account = t.credential.account;
	r->address = t.credential.address;
	LOG(INFO, "login.ok", LOG_STR("client", q->client), LOG_STR("service", q->service), LOG_STR("sid", q->session),
	    LOG_STR("user", r->address));
	return OK;
}
