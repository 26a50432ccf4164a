/* SPDX-License-Identifier: ISC */
#include "dns/ask.h"

static bool read_mx(str data, void *item, struct arena *a)
{
	struct cursor c = cursor_of(data);
	struct dns_mx *mx = item;

	mx->preference = dns_u16(&c);
	return dns_host(&c, &mx->host, a);
}

static void swap(struct dns_mx *a, struct dns_mx *b)
{
	struct dns_mx kept = *a;

	*a = *b;
	*b = kept;
}

/* RFC 5321 5.1: those of equal preference in random order, to spread the load. */
static void order(struct dns_mx *mx, size_t n)
{
	for (size_t i = n; i > 1; i--)
		swap(&mx[i - 1], &mx[rt_random_u64() % i]);
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && mx[k - 1].preference > mx[k].preference; k--)
			swap(&mx[k - 1], &mx[k]);
}

/* RFC 7505 3: "." says "no mail" when it is alone; beside others it says nothing. */
static size_t drop_null(struct dns_mx *mx, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (mx[i].host.n > 0)
			swap(&mx[kept++], &mx[i]);
	return kept > 0 ? kept : 1;
}

err dns_mx(const struct resolver *r, str name, struct arena *a, nsec deadline, struct dns_answer *answer,
           struct dns_mx **out, size_t *n)
{
	void *items;
	err e = dns_ask_each(r, name, DNS_MX, a, deadline, answer, read_mx, sizeof(**out), &items, n);

	*out = items;
	if (e != OK)
		return e;
	*n = drop_null(*out, *n);
	order(*out, *n);
	return OK;
}
