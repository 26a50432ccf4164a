/* SPDX-License-Identifier: ISC */
#include "sasl/known.h"

#include <stdlib.h>

#define KNOWN_FOR (30LL * 86400 * NSEC_PER_SEC)

enum { NETWORKS_MAX = 16, ACCOUNTS_MAX = 100000, V4_ADDRESS = 4, V4_NETWORK = 3 };

struct network {
	nsec until; /* 0: none */
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

void known_note(struct known *k, uint64_t account, str client)
{
	struct places *p = client.n == 0 ? NULL : places_of(k, account);
	str network = network_of(client);

	if (p == NULL)
		return;
	struct network *x = room_for(p, network);
	x->until = rt_after(KNOWN_FOR);
	x->n = network.n;
	memcpy(x->octets, network.p, network.n);
}

bool known_is(const struct known *k, uint64_t account, str client)
{
	const struct places *p = client.n == 0 ? NULL : map_get(&k->accounts, MAP_U64_KEY(account));

	for (size_t i = 0; p != NULL && i < NETWORKS_MAX; i++)
		if (is_network(&p->networks[i], network_of(client)))
			return true;
	return false;
}
