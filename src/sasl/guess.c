/* SPDX-License-Identifier: ISC */
#include "sasl/guess.h"

#define FAILURE_WEIGHT (12 * NSEC_PER_SEC) /* how long one failure is held against its address: 5 make a minute */
#define DELAY_STEP     (NSEC_PER_SEC / 2)
#define DELAY_MAX      (5 * NSEC_PER_SEC)

enum {
	FAILURES_FREE = 5,   /* before a client waits */
	FAILURES_MAX = 20,   /* before it is refused */
	CLIENTS_MAX = 10000, /* whose failures are remembered */
	DELAYED_MAX = 1000   /* attempts that are being slowed down */
};

void guess_init(struct guess *g)
{
	g->delayed = 0;
	recent_init(&g->failures, CLIENTS_MAX);
}

void guess_free(struct guess *g)
{
	recent_free(&g->failures);
}

str guess_key(str client, struct net_address *address)
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
static int64_t failures_of(const struct guess *g, str key)
{
	nsec until = key.n == 0 ? 0 : recent_until(&g->failures, key);

	return until <= rt_now() ? 0 : (until - rt_now() + FAILURE_WEIGHT - 1) / FAILURE_WEIGHT;
}

void guess_failed(struct guess *g, str key)
{
	nsec until = key.n == 0 ? 0 : recent_until(&g->failures, key);

	if (key.n > 0)
		recent_put(&g->failures, key, (until > rt_now() ? until : rt_now()) + FAILURE_WEIGHT);
}

err guess_overloaded(void)
{
	return err_set(E_BUSY, 454, "4.7.0", "too many logins at once, try again later");
}

err guess_check(const struct guess *g, str key)
{
	if (failures_of(g, key) >= FAILURES_MAX)
		return err_set(E_BUSY, 454, "4.7.0", "too many failed logins from your address, try again later");
	return OK;
}

err guess_wait(struct guess *g, str key)
{
	int64_t failures = failures_of(g, key);
	err e = guess_check(g, key);

	if (e != OK || failures < FAILURES_FREE)
		return e;
	if (g->delayed >= DELAYED_MAX)
		return guess_overloaded();
	nsec delay = (failures - FAILURES_FREE + 1) * DELAY_STEP;
	g->delayed++;
	e = rt_sleep_until(rt_after(delay < DELAY_MAX ? delay : DELAY_MAX));
	g->delayed--;
	return e;
}
