/* SPDX-License-Identifier: ISC */
#include "dns/ask.h"

static bool read_srv(str data, void *item, struct arena *a)
{
	struct cursor c = cursor_of(data);
	struct dns_srv *srv = item;

	srv->priority = dns_u16(&c);
	srv->weight = dns_u16(&c);
	srv->port = dns_u16(&c);
	return dns_host(&c, &srv->host, a);
}

static void swap(struct dns_srv *a, struct dns_srv *b)
{
	struct dns_srv kept = *a;

	*a = *b;
	*b = kept;
}

/* RFC 2782: of those with the least priority one by chance, the more probably the more weight it has. One more is added to each weight: who has
 * none is chosen seldom, not never. */
static size_t choose(const struct dns_srv *srv, size_t n)
{
	uint64_t sum = 0, at;
	size_t same = 0;

	while (same < n && srv[same].priority == srv[0].priority)
		sum += srv[same++].weight + 1u;
	at = rt_random_u64() % sum;
	for (size_t i = 0; i + 1 < same; i++) {
		if (at <= srv[i].weight)
			return i;
		at -= srv[i].weight + 1u;
	}
	return same - 1;
}

static void order(struct dns_srv *srv, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && srv[k - 1].priority > srv[k].priority; k--)
			swap(&srv[k - 1], &srv[k]);
	for (size_t i = 0; i < n; i++)
		swap(&srv[i], &srv[i + choose(&srv[i], n - i)]);
}

err dns_srv(const struct resolver *r, str name, struct arena *a, nsec deadline, struct dns_answer *answer,
            struct dns_srv **out, size_t *n)
{
	void *items;
	err e = dns_ask_each(r, name, DNS_SRV, a, deadline, answer, read_srv, sizeof(**out), &items, n);

	*out = items;
	if (e == OK)
		order(*out, *n);
	return e;
}
