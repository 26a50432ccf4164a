/* SPDX-License-Identifier: ISC */
#include "conf/network.h"

#include <netinet/in.h>

static err parse_host(str host, uint16_t port, struct net_address *out)
{
	bool v6 = str_find(host, ':') < host.n;
	BUF(text, 80);

	buf_printf(&text, v6 ? "[" STR_FMT "]:%u" : STR_FMT ":%u", STR_ARG(host), port);
	/* Not what would be an address with something more. */
	if (text.full || str_starts(buf_str(&text), STR("unix:")) || str_find(host, ']') < host.n)
		return err_note(E_SYNTAX, "not an address");
	return net_address_parse(buf_str(&text), out);
}

/* Of an address that has two forms (::ffff:192.0.2.1) the shorter one is taken. */
err network_host(str host, uint16_t port, struct net_address *out)
{
	BUF(text, 80);
	err e = parse_host(host, port, out);

	if (e != OK)
		return e;
	net_address_host(&text, out);
	return parse_host(buf_str(&text), port, out);
}

static str octets(const struct net_address *a)
{
	if (a->sa.ss_family == AF_INET)
		return str_make((const char *)&((const struct sockaddr_in *)&a->sa)->sin_addr, 4);
	if (a->sa.ss_family == AF_INET6)
		return str_make((const char *)&((const struct sockaddr_in6 *)&a->sa)->sin6_addr, 16);
	return STR_NONE;
}

static unsigned bit(str s, unsigned i)
{
	return (unsigned)((unsigned char)s.p[i / 8] >> (7 - i % 8)) & 1;
}

static bool has_bits_behind(str address, unsigned bits)
{
	for (unsigned i = bits; i < address.n * 8; i++)
		if (bit(address, i) != 0)
			return true;
	return false;
}

err network_parse(str text, struct config_network *out)
{
	str host, prefix;
	bool given = str_cut(text, '/', &host, &prefix);
	uint64_t bits;

	*out = (struct config_network){0};
	if (str_equal(text, STR("unix"))) {
		out->address.sa.ss_family = AF_UNIX;
		out->address.n = sizeof(sa_family_t);
		return OK;
	}
	if (network_host(host, 0, &out->address) != OK)
		return err_note(E_SYNTAX, "an address was expected, such as 192.0.2.0/24 or 2001:db8::/32");
	bits = octets(&out->address).n * 8;
	if (given && !str_to_u64(prefix, bits, &bits))
		return err_note(E_SYNTAX, "behind the / stands how many bits count");
	if (bits == 0)
		return err_note(E_SYNTAX, "this is the whole Internet");
	out->bits = (unsigned)bits;
	if (has_bits_behind(octets(&out->address), out->bits))
		return err_note(E_SYNTAX, "bits are set behind the first %u", out->bits);
	return OK;
}

void network_print(struct buf *out, const struct config_network *n)
{
	net_address_host(out, &n->address);
	if (n->bits > 0)
		buf_printf(out, "/%u", n->bits);
}

bool network_contains(const struct config_network *n, const struct net_address *a)
{
	str ours = octets(&n->address), theirs = octets(a);

	if (n->address.sa.ss_family != a->sa.ss_family)
		return false;
	for (unsigned i = 0; i < n->bits; i++)
		if (bit(ours, i) != bit(theirs, i))
			return false;
	return true;
}
