/* SPDX-License-Identifier: ISC */
#include <netinet/in.h>

#include "dns/ask.h"

static bool read_ptr(str data, void *item, struct arena *a)
{
	struct cursor c = cursor_of(data);
	str *host = item;

	return dns_host(&c, host, a) && host->n > 0;
}

/* RFC 1035 3.5 */
static void reverse_four(struct buf *out, const unsigned char *octets)
{
	for (size_t i = 4; i > 0; i--)
		buf_printf(out, "%u.", octets[i - 1]);
	buf_puts(out, "in-addr.arpa");
}

/* RFC 3596 2.5 */
static void reverse_six(struct buf *out, const unsigned char *octets)
{
	for (size_t i = 16; i > 0; i--)
		buf_printf(out, "%x.%x.", octets[i - 1] & 15u, octets[i - 1] >> 4);
	buf_puts(out, "ip6.arpa");
}

static void reverse(struct buf *out, const struct net_address *address)
{
	const struct in6_addr *six = &((const struct sockaddr_in6 *)&address->sa)->sin6_addr;
	unsigned char octets[sizeof(*six)];

	if (address->sa.ss_family == AF_INET) {
		memcpy(octets, &((const struct sockaddr_in *)&address->sa)->sin_addr, 4);
		return reverse_four(out, octets);
	}
	if (address->sa.ss_family != AF_INET6)
		return;
	memcpy(octets, six, sizeof(octets));
	if (IN6_IS_ADDR_V4MAPPED(six))
		reverse_four(out, &octets[12]);
	else
		reverse_six(out, octets);
}

err dns_ptr(const struct resolver *r, const struct net_address *address, struct arena *a, nsec deadline,
            struct dns_answer *answer, str **out, size_t *n)
{
	BUF(name, 100);
	void *items;

	reverse(&name, address);
	if (name.n == 0) {
		*n = 0;
		return err_set(E_NOT_FOUND, 550, "5.1.2", "a Unix socket has no name in the DNS");
	}
	err e = dns_ask_each(r, buf_str(&name), DNS_PTR, a, deadline, answer, read_ptr, sizeof(**out), &items, n);
	*out = items;
	return e;
}
