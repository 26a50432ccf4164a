/* SPDX-License-Identifier: ISC */
#include "store/rate.h"

#include <stdlib.h>

#define HOUR (3600 * NSEC_PER_SEC)

struct hour {
	nsec end;
	uint64_t sent;
	bool refused;
};

void rate_init(struct rate *r)
{
	map_init(&r->by_name);
}

void rate_free(struct rate *r)
{
	void *hour;
	size_t at = 0;
	str key;

	while (map_next(&r->by_name, &at, &key, &hour))
		free(hour);
	map_free(&r->by_name);
}

static struct hour *hour_of(struct rate *r, str who)
{
	struct hour *h = map_get(&r->by_name, who);

	if (h != NULL)
		return h;
	h = calloc(1, sizeof(*h));
	if (h != NULL && map_put(&r->by_name, who, h) == OK)
		return h;
	free(h);
	return NULL;
}

err rate_take(struct rate *r, str who, uint64_t n, uint64_t limit, nsec now, bool *first)
{
	*first = false;
	if (limit == 0)
		return OK;
	struct hour *h = hour_of(r, who);
	if (h == NULL)
		return err_set(E_TEMP, 451, "4.3.0", "There is not enough memory for this message; try again later");
	if (now >= h->end)
		*h = (struct hour){.end = now + HOUR};
	if (n <= limit && h->sent <= limit - n) {
		h->sent += n;
		return OK;
	}
	*first = !h->refused;
	h->refused = true;
	return err_set(E_LIMIT, 450, "4.7.1", "You may send to %llu recipients an hour; try again later",
	               (unsigned long long)limit);
}

void rate_give_back(struct rate *r, str who, uint64_t n)
{
	struct hour *h = map_get(&r->by_name, who);

	if (h != NULL)
		h->sent -= n < h->sent ? n : h->sent;
}
