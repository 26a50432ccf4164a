/* SPDX-License-Identifier: ISC */
#include "oauth/keyset.h"

#include "base/log.h"

#define REFRESH_EVERY (3600 * NSEC_PER_SEC)
#define BELIEVED_FOR  (86400 * NSEC_PER_SEC)
#define PAUSE_WITHOUT (2 * NSEC_PER_SEC)  /* after a failure, when there are no keys */
#define PAUSE_WITH    (60 * NSEC_PER_SEC) /* when there are old ones */
#define UNKNOWN_EVERY (60 * NSEC_PER_SEC) /* for keys that are not known */

enum { UNKNOWN_AT_ONCE = 3 };

void keyset_init(struct keyset *k)
{
	*k = (struct keyset){0};
	semaphore_init(&k->fetching, 1);
}

void keyset_free(struct keyset *k)
{
	jwks_free(k->jwks);
	k->jwks = NULL;
}

void keyset_forget(struct keyset *k)
{
	keyset_free(k);
	k->retry = k->allowance = 0;
	k->version++;
}

static bool is_older_than(const struct keyset *k, nsec age)
{
	return k->jwks == NULL || rt_now() - k->fetched >= age;
}

/* What came for a set that was forgotten meanwhile is not taken. */
static void take(struct keyset *k, struct jwks *fresh, err e)
{
	k->version++;
	if (e != OK) {
		k->retry = rt_after(k->jwks == NULL ? PAUSE_WITHOUT : PAUSE_WITH);
		LOG(WARN, "oauth.keys-failed", LOG_Z("error", err_info()->text));
		return;
	}
	jwks_free(k->jwks);
	k->jwks = fresh;
	k->fetched = rt_now();
	LOG(INFO, "oauth.keys", LOG_NUM("keys", jwks_count(fresh)));
}

/* Who waited for somebody else's attempt has its result. */
static err refresh(struct keyset *k, const struct keyset_source *from)
{
	uint64_t version = k->version;
	struct jwks *fresh = NULL;
	err e = semaphore_take(&k->fetching, RT_NEVER);

	if (e != OK)
		return e;
	if (k->version == version) {
		e = from->fetch(from->ctx, &fresh);
		if (k->version != version)
			jwks_free(fresh);
		else if (e != E_CANCELLED)
			take(k, fresh, e);
	}
	semaphore_give(&k->fetching);
	return e == E_CANCELLED ? e : OK;
}

static bool may_ask_for_unknown(struct keyset *k)
{
	if (k->allowance < rt_now())
		k->allowance = rt_now();
	if (k->allowance - rt_now() > (UNKNOWN_AT_ONCE - 1) * UNKNOWN_EVERY)
		return false;
	k->allowance += UNKNOWN_EVERY;
	return true;
}

static err verify(const struct keyset *k, const struct jwt *t)
{
	if (is_older_than(k, BELIEVED_FOR))
		return err_set(E_TEMP, 454, "4.7.0", "the keys of the issuer cannot be fetched");
	return jwks_verify(k->jwks, t);
}

/* Where keys have no names, a new one shows as a wrong signature. */
static bool may_be_of_a_new_key(err e, const struct jwt *t)
{
	return e == E_NOT_FOUND || (e == E_DENIED && t->kid.n == 0);
}

err keyset_verify(struct keyset *k, const struct jwt *t, const struct keyset_source *from)
{
	err e = OK;

	if (is_older_than(k, REFRESH_EVERY) && rt_now() >= k->retry)
		e = refresh(k, from);
	if (e == OK)
		e = verify(k, t);
	if (may_be_of_a_new_key(e, t) && may_ask_for_unknown(k)) {
		e = refresh(k, from);
		if (e == OK)
			e = verify(k, t);
	}
	return e == E_NOT_FOUND ? E_DENIED : e;
}
