/* SPDX-License-Identifier: ISC */
#include "sasl/known.h"

#include <stdlib.h>

#include "base/encode.h"

#define DAY       (86400LL * NSEC_PER_SEC)
#define KNOWN_FOR (30 * DAY)

enum { NETWORKS_MAX = 16, ACCOUNTS_MAX = 100000, V4_ADDRESS = 4, V4_NETWORK = 3 };

struct network {
	nsec until; /* 0: none */
	nsec due;   /* to be noted in the store again */
	size_t n;
	char octets[8];
};

struct places {
	uint64_t account;
	struct network networks[NETWORKS_MAX];
};

void known_init(struct known *k)
{
	map_init(&k->accounts);
}

static struct places *any(const struct known *k)
{
	size_t at = 0;
	void *value = NULL;
	str key;

	return map_next(&k->accounts, &at, &key, &value) ? value : NULL;
}

static void forget(struct known *k, struct places *p)
{
	(void)map_remove(&k->accounts, MAP_U64_KEY(p->account));
	free(p);
}

void known_free(struct known *k)
{
	size_t at = 0;
	void *places;
	str key;

	while (map_next(&k->accounts, &at, &key, &places))
		free(places);
	map_free(&k->accounts);
}

static struct places *places_of(struct known *k, uint64_t account)
{
	struct places *p = map_get(&k->accounts, MAP_U64_KEY(account));

	if (p != NULL)
		return p;
	if (k->accounts.count >= ACCOUNTS_MAX)
		forget(k, any(k));
	p = calloc(1, sizeof(*p));
	if (p == NULL || map_put(&k->accounts, MAP_U64_KEY(account), p) != OK) {
		free(p);
		return NULL;
	}
	p->account = account;
	return p;
}

static str network_of(str client)
{
	return str_take(client, client.n == V4_ADDRESS ? V4_NETWORK : sizeof(((struct network *)0)->octets));
}

static bool is_network(const struct network *x, str network)
{
	return x->until > rt_now() && str_equal(str_make(x->octets, x->n), network);
}

/* The one that it is, or that is over first. */
static struct network *room_for(struct places *p, str network)
{
	struct network *room = &p->networks[0];

	for (size_t i = 0; i < NETWORKS_MAX; i++) {
		if (is_network(&p->networks[i], network))
			return &p->networks[i];
		if (p->networks[i].until < room->until)
			room = &p->networks[i];
	}
	return room;
}

/* There was a login. */
static void put(struct known *k, uint64_t account, str network, nsec at)
{
	struct places *p = places_of(k, account);

	if (p == NULL)
		return;
	struct network *x = room_for(p, network);
	if (!is_network(x, network)) {
		*x = (struct network){.due = at, .n = network.n};
		memcpy(x->octets, network.p, network.n);
	}
	if (x->until < at + KNOWN_FOR)
		x->until = at + KNOWN_FOR;
	if (x->due <= at)
		x->due = at + DAY;
}

void known_note(struct known *k, uint64_t account, str client)
{
	if (client.n > 0)
		put(k, account, network_of(client), rt_now());
}

void known_learn(struct known *k, uint64_t account, str network, uint64_t at)
{
	BUF(octets, sizeof(((struct network *)0)->octets));
	int64_t ago = rt_wall() - (int64_t)at;

	for (str s = network; hex_octet(s) >= 0; s = str_drop(s, 2))
		buf_putc(&octets, (char)hex_octet(s));
	if (ago >= 0 && ago < KNOWN_FOR / 1000 && octets.n > 0 && !octets.full)
		put(k, account, buf_str(&octets), rt_now() - ago * 1000);
}

static const struct network *find(const struct known *k, uint64_t account, str client)
{
	const struct places *p = client.n == 0 ? NULL : map_get(&k->accounts, MAP_U64_KEY(account));

	for (size_t i = 0; p != NULL && i < NETWORKS_MAX; i++)
		if (is_network(&p->networks[i], network_of(client)))
			return &p->networks[i];
	return NULL;
}

str known_due(const struct known *k, uint64_t account, str client, struct arena *a)
{
	const struct network *x = find(k, account, client);
	BUF(hex, 2 * sizeof(x->octets));

	if (client.n > 0 && (x == NULL || x->due <= rt_now()))
		hex_encode(&hex, network_of(client));
	return arena_str(a, buf_str(&hex));
}

bool known_is(const struct known *k, uint64_t account, str client)
{
	return find(k, account, client) != NULL;
}
