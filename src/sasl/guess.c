/* SPDX-License-Identifier: ISC */
#include "sasl/guess.h"

#define DELAY_STEP (NSEC_PER_SEC / 2)
#define DELAY_MAX  (5 * NSEC_PER_SEC)

/* A failure is held against somebody for a while; those of five times as long are five. */
static const struct rule {
	nsec weight;
	int64_t free, max; /* failures before one waits, before one is refused */
} of_client = {12 * NSEC_PER_SEC, 5, 20}, of_account = {60 * NSEC_PER_SEC, 10, 60};

enum {
	CLIENTS_MAX = 10000, /* whose failures are remembered */
	ACCOUNTS_MAX = 100000,
	DELAYED_MAX = 1000, /* attempts that are being slowed down */
	DELAYED_SHARE = 20
};

/* One that waits, on its coroutine's stack. */
struct sleeper {
	struct crowd_member member;
	struct semaphore woken;
};

static void wake(struct crowd_member *m)
{
	struct sleeper *s = m->of;

	semaphore_give(&s->woken);
}

void guess_init(struct guess *g)
{
	recent_init(&g->clients, CLIENTS_MAX);
	recent_init(&g->accounts, ACCOUNTS_MAX);
	recent_init(&g->pairs, CLIENTS_MAX);
	known_init(&g->known);
	crowd_init(&g->delayed, DELAYED_MAX, DELAYED_SHARE, CROWD_NEWEST, wake);
}

void guess_free(struct guess *g)
{
	recent_free(&g->clients);
	recent_free(&g->accounts);
	recent_free(&g->pairs);
	known_free(&g->known);
	crowd_free(&g->delayed);
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

struct guesser guess_of(const struct guess *g, str client, str name, uint64_t account, struct arena *a)
{
	struct guesser who = {.client = client, .name = name};

	who.known = account != 0 && known_is(&g->known, account, client);
	who.pair = arena_printf(a, STR_FMT "%c" STR_FMT, STR_ARG(name), '\0', STR_ARG(client));
	return who;
}

/* Failures that still count, a started one as a whole. */
static int64_t failures(const struct recent *r, str key, const struct rule *rule)
{
	nsec until = recent_until(r, key);

	return until <= rt_now() ? 0 : (until - rt_now() + rule->weight - 1) / rule->weight;
}

static int64_t add_failure(struct recent *r, str key, const struct rule *rule)
{
	nsec until = recent_until(r, key);

	recent_put(r, key, (until > rt_now() ? until : rt_now()) + rule->weight);
	return failures(r, key, rule);
}

bool guess_failed(struct guess *g, const struct guesser *who)
{
	if (who->client.n == 0)
		return false;
	if (who->known) {
		(void)add_failure(&g->pairs, who->pair, &of_client);
		return false;
	}
	(void)add_failure(&g->clients, who->client, &of_client);
	return who->name.n > 0 && add_failure(&g->accounts, who->name, &of_account) == of_account.max;
}

void guess_succeeded(struct guess *g, const struct guesser *who, uint64_t account)
{
	known_note(&g->known, account, who->client);
}

err guess_overloaded(void)
{
	return err_set(E_BUSY, 454, "4.7.0", "too many logins at once, try again later");
}

static err allow(int64_t n, const struct rule *rule, const char *where)
{
	return n < rule->max ? OK : err_set(E_BUSY, 454, "4.7.0", "too many failed logins %s, try again later", where);
}

err guess_check(const struct guess *g, const struct guesser *who)
{
	if (who->client.n == 0)
		return OK;
	if (who->known)
		return allow(failures(&g->pairs, who->pair, &of_client), &of_client, "from your address");
	err e = allow(failures(&g->clients, who->client, &of_client), &of_client, "from your address");
	return e == OK ? allow(failures(&g->accounts, who->name, &of_account), &of_account, "as this user") : e;
}

static nsec delay_of(const struct recent *r, str key, const struct rule *rule)
{
	nsec delay = (failures(r, key, rule) - rule->free + 1) * DELAY_STEP;

	return delay < 0 ? 0 : delay < DELAY_MAX ? delay : DELAY_MAX;
}

static nsec delay(const struct guess *g, const struct guesser *who)
{
	if (who->client.n == 0)
		return 0;
	if (who->known)
		return delay_of(&g->pairs, who->pair, &of_client);
	nsec client = delay_of(&g->clients, who->client, &of_client);
	nsec account = delay_of(&g->accounts, who->name, &of_account);
	return client > account ? client : account;
}

/* Until the instant, or until its place was wanted for another client's. */
static err sleep_until(struct guess *g, str client, nsec instant)
{
	struct sleeper s = {.member.of = &s};

	semaphore_init(&s.woken, 0);
	if (crowd_enter(&g->delayed, &s.member, client) != OK)
		return guess_overloaded();
	err e = semaphore_take(&s.woken, instant);
	crowd_leave(&g->delayed, &s.member);
	return e == OK ? guess_overloaded() : e == E_TIMEOUT ? OK : e;
}

err guess_wait(struct guess *g, const struct guesser *who)
{
	nsec wait = delay(g, who);
	err e = guess_check(g, who);

	if (e == OK && wait > 0)
		e = sleep_until(g, who->client, rt_after(wait));
	return e;
}
