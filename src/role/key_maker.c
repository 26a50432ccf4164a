/* SPDX-License-Identifier: ISC */
#include "role/key_maker.h"

#include "base/log.h"

#define LOOK_EVERY (600 * NSEC_PER_SEC) /* is one too old by now? And what failed is tried again */
#define TELL_EVERY (5 * NSEC_PER_SEC)
#define LOG_EVERY  (30 * NSEC_PER_SEC)

/* --- telling --- */

/* The key with this number. The set changes in no other coroutine while `exclusive` is held. */
static const struct domain_key *find(const struct domain_keys *all, uint64_t number)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->items[i].key == number)
			return &all->items[i];
	return NULL;
}

static err tell_made(struct key_maker *m)
{
	struct domain_key keys[CHILDREN_MORE_MAX];
	size_t n = 0;

	if (m->removed)
		return children_certify(m->children);
	for (size_t i = 0; i < m->made_n; i++) {
		const struct domain_key *key = find(&m->credentials->domain_keys, m->made[i]);
		if (key != NULL)
			keys[n++] = *key;
	}
	return children_certify_more(m->children, keys, n);
}

static void tell(struct key_maker *m)
{
	if (m->made_n == 0)
		return;
	err e = tell_made(m);
	if (e != OK) /* whoever is started anew is told all of them */
		LOG(ERROR, "dkim.reload", LOG_Z("error", err_info()->text));
	m->made_n = 0;
	m->removed = false;
	m->told = rt_now();
}

/* The first ones at once. */
static bool is_time_to_tell(const struct key_maker *m)
{
	return m->made_n == ARRAY_LEN(m->made) || m->told == 0 || m->told + TELL_EVERY <= rt_now();
}

/* --- making --- */

struct making {
	struct config *config;
	int64_t now;
	struct key_due due;
	err result;
};

static void make_work(void *arg)
{
	struct making *w = arg;

	w->result = domain_keys_make(w->config, w->now, &w->due);
}

static err take(struct key_maker *m, struct making *w)
{
	err e = semaphore_take(&m->children->changes, RT_NEVER);

	if (e != OK)
		return e;
	e = domain_keys_take(&m->credentials->domain_keys, w->config, &w->due);
	semaphore_give(&m->children->changes);
	if (e == OK) {
		m->made[m->made_n++] = w->due.key;
		m->removed |= w->due.removed;
	}
	return e;
}

static void log_left(struct key_maker *m, const struct config *config, size_t at)
{
	struct key_due due;
	size_t left = 0;

	if (m->logged != 0 && m->logged + LOG_EVERY > rt_now())
		return;
	while (domain_keys_due(&m->credentials->domain_keys, config, rt_wall(), &at, &due))
		left++;
	if (left > 0)
		LOG(INFO, "dkim.keys-left", LOG_NUM("keys", left));
	m->logged = rt_now();
}

/* Others may hold `exclusive` while the key is made, and in the pause after it. E_CANCELLED: it is not held any more. */
static err make(struct key_maker *m, struct making *w)
{
	nsec begun = rt_now();

	semaphore_give(m->exclusive);
	rt_work(make_work, w);
	nsec took = rt_now() - begun;
	err e = semaphore_take(m->exclusive, RT_NEVER);
	if (e != OK)
		return e; /* it is found at the next start */
	if (w->result == OK)
		w->result = take(m, w);
	if (w->result != OK)
		LOG(ERROR, "dkim.key-unmade", LOG_STR("domain", w->due.domain), LOG_Z("error", err_info()->text));
	semaphore_give(m->exclusive);
	e = rt_sleep_until(rt_after(took));
	return e == OK ? semaphore_take(m->exclusive, RT_NEVER) : e;
}

/* All that is due by this configuration; `exclusive` is held, but not after an error. */
static err make_all(struct key_maker *m, struct config *config)
{
	struct making w = {.config = config, .now = rt_wall()};
	size_t at = 0;

	while (domain_keys_due(&m->credentials->domain_keys, config, w.now, &at, &w.due)) {
		err e = make(m, &w);
		if (e != OK)
			return e;
		if (is_time_to_tell(m))
			tell(m);
		log_left(m, config, at);
		if (m->look_again)
			break;
	}
	tell(m);
	return OK;
}

static err look(struct key_maker *m)
{
	err e = semaphore_take(m->exclusive, RT_NEVER);

	if (e != OK)
		return e;
	m->look_again = false;
	struct config *config = config_hold(m->children->config);
	e = make_all(m, config);
	config_release(config);
	if (e == OK)
		semaphore_give(m->exclusive);
	return e;
}

void key_maker_run(void *arg)
{
	struct key_maker *m = arg;

	while (look(m) == OK && !rt_cancelled()) {
		m->sleeper = rt_self();
		if (!m->look_again)
			(void)!rt_park(rt_after(LOOK_EVERY));
		m->sleeper = NULL;
	}
}

void key_maker_look_now(struct key_maker *m)
{
	m->look_again = true;
	if (m->sleeper != NULL)
		rt_wake(m->sleeper);
}
