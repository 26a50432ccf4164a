/* SPDX-License-Identifier: ISC */
#include "dns/ask.h"

/* RFC 6698 2.1 */
static bool read_tlsa(str data, void *item, struct arena *a)
{
	struct cursor c = cursor_of(data);
	struct dns_tlsa *tlsa = item;

	tlsa->usage = cursor_u8(&c);
	tlsa->selector = cursor_u8(&c);
	tlsa->matching = cursor_u8(&c);
	tlsa->data = arena_str(a, cursor_rest(&c));
	return tlsa->data.n > 0;
}

err dns_tlsa(const struct resolver *r, str name, struct arena *a, nsec deadline, struct dns_answer *answer,
             struct dns_tlsa **out, size_t *n)
{
	void *items;
	err e = dns_ask_each(r, name, DNS_TLSA, a, deadline, answer, read_tlsa, sizeof(**out), &items, n);

	*out = items;
	return e;
}
