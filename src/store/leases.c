/* SPDX-License-Identifier: ISC */
#include "store/leases.h"

#include <stdlib.h>

void leases_init(struct leases *l, uint64_t first)
{
	*l = (struct leases){.next_id = first};
	map_init(&l->by_id);
	map_init(&l->by_message);
}

void leases_free(struct leases *l)
{
	size_t at = 0;
	str key;
	void *value;

	while (map_next(&l->by_id, &at, &key, &value))
		free(value);
	map_free(&l->by_id);
	map_free(&l->by_message);
}

struct lease *leases_add(struct leases *l, const struct lease *like)
{
	struct lease *lease = malloc(sizeof(*lease));

	if (lease == NULL)
		return NULL;
	*lease = *like;
	lease->id = l->next_id++;
	lease->next = map_get(&l->by_message, MAP_U64_KEY(lease->message));
	err e = map_put(&l->by_id, MAP_U64_KEY(lease->id), lease);
	if (e == OK && (e = map_put(&l->by_message, MAP_U64_KEY(lease->message), lease)) != OK)
		(void)map_remove(&l->by_id, MAP_U64_KEY(lease->id));
	if (e == OK)
		return lease;
	free(lease);
	return NULL;
}

struct lease *leases_find(const struct leases *l, uint64_t id)
{
	return map_get(&l->by_id, MAP_U64_KEY(id));
}

static void unchain(struct leases *l, struct lease *lease)
{
	struct lease *first = map_remove(&l->by_message, MAP_U64_KEY(lease->message));
	struct lease **at = &first;

	while (*at != lease)
		at = &(*at)->next;
	*at = lease->next;
	if (first != NULL) /* needs no memory: the place has just become free */
		(void)!map_put(&l->by_message, MAP_U64_KEY(lease->message), first);
}

void leases_remove(struct leases *l, struct lease *lease)
{
	l->octets -= lease->octets;
	unchain(l, lease);
	(void)map_remove(&l->by_id, MAP_U64_KEY(lease->id));
	free(lease);
}

bool leases_charge(struct leases *l, struct lease *lease, uint64_t octets, uint64_t most)
{
	uint64_t others = l->octets - lease->octets;

	if (others > 0 && (octets > most || others > most - octets))
		return false;
	l->octets = others + octets;
	lease->octets = octets;
	return true;
}

bool lease_has(const struct lease *lease, uint64_t rcpt)
{
	for (size_t i = 0; i < lease->n; i++)
		if (lease->rcpts[i] == rcpt)
			return true;
	return false;
}

bool leases_have(const struct leases *l, uint64_t message, uint64_t rcpt)
{
	const struct lease *lease = map_get(&l->by_message, MAP_U64_KEY(message));

	while (lease != NULL && !lease_has(lease, rcpt))
		lease = lease->next;
	return lease != NULL;
}

/* A map must not be changed on the walk. */
void leases_each(struct leases *l, void (*fn)(void *arg, struct lease *lease), void *arg)
{
	struct lease **all = calloc(l->by_id.count + 1, sizeof(struct lease *));
	size_t at = 0, n = 0;
	str key;
	void *value;

	if (all == NULL)
		return;
	while (map_next(&l->by_id, &at, &key, &value))
		all[n++] = value;
	for (size_t i = 0; i < n; i++)
		fn(arg, all[i]);
	free(all);
}
