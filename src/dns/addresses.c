/* SPDX-License-Identifier: ISC */
#include <netinet/in.h>

#include "dns/ask.h"

static bool read_a(str data, void *item, struct arena *a UNUSED)
{
	struct net_address *address = item;
	struct sockaddr_in *in = (struct sockaddr_in *)&address->sa;

	if (data.n != sizeof(in->sin_addr))
		return false;
	in->sin_family = AF_INET;
	memcpy(&in->sin_addr, data.p, data.n);
	address->n = sizeof(*in);
	return true;
}

static bool read_aaaa(str data, void *item, struct arena *a UNUSED)
{
	struct net_address *address = item;
	struct sockaddr_in6 *in = (struct sockaddr_in6 *)&address->sa;

	if (data.n != sizeof(in->sin6_addr))
		return false;
	in->sin6_family = AF_INET6;
	memcpy(&in->sin6_addr, data.p, data.n);
	address->n = sizeof(*in);
	return true;
}

static void set_port(struct net_address *address, uint16_t port)
{
	if (address->sa.ss_family == AF_INET)
		((struct sockaddr_in *)&address->sa)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)&address->sa)->sin6_port = htons(port);
}

err dns_addresses(const struct resolver *r, str name, int family, uint16_t port, struct arena *a, nsec deadline,
                  struct dns_answer *answer, struct net_address **out, size_t *n)
{
	bool four = family == AF_INET;
	void *items;
	err e = dns_ask_each(r, name, four ? DNS_A : DNS_AAAA, a, deadline, answer, four ? read_a : read_aaaa,
	                     sizeof(**out), &items, n);

	*out = items;
	for (size_t i = 0; i < *n; i++)
		set_port(&(*out)[i], port);
	return e;
}
