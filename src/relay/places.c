/* SPDX-License-Identifier: ISC */
#include "relay/places.h"

#include <netinet/in.h>
#include <stdlib.h>

enum { NETWORK = 8 }; /* octets */

struct place {
	size_t taken;
	size_t n; /* octets of the key */
	char key[NETWORK];
};

static void key_of(const struct net_address *a, struct place *out)
{
	const void *from = &((const struct sockaddr_in6 *)&a->sa)->sin6_addr;

	out->n = NETWORK;
	if (a->sa.ss_family == AF_INET) {
		from = &((const struct sockaddr_in *)&a->sa)->sin_addr;
		out->n = sizeof(struct in_addr);
	}
	memcpy(out->key, from, out->n);
}

err place_take(struct places *p, const struct net_address *host, size_t most, struct place **out)
{
	struct place like = {0}, *found;

	key_of(host, &like);
	found = map_get(&p->by_host, str_make(like.key, like.n));
	if (found != NULL && found->taken >= most)
		return err_note(E_BUSY, "enough connections to it are busy already");
	if (found == NULL) {
		found = malloc(sizeof(*found));
		if (found == NULL || map_put(&p->by_host, str_make(like.key, like.n), found) != OK) {
			free(found);
			return err_note(E_MEMORY, "no memory for a connection");
		}
		*found = like;
	}
	found->taken++;
	*out = found;
	return OK;
}

void place_give(struct places *p, struct place *place)
{
	if (place == NULL || --place->taken > 0)
		return;
	(void)map_remove(&p->by_host, str_make(place->key, place->n));
	free(place);
}

void places_init(struct places *p)
{
	map_init(&p->by_host);
}

void places_free(struct places *p)
{
	map_free(&p->by_host);
}
