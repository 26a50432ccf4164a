/* SPDX-License-Identifier: ISC */
#include "relay/inside.h"

#include "conf/network.h"

static bool is_unspecified(const struct net_address *a)
{
	BUF(text, 64);

	net_address_host(&text, a);
	return str_equal(buf_str(&text), STR("0.0.0.0")) || str_equal(buf_str(&text), STR("::"));
}

bool inside_is_ours(const struct config *c, bool (*is_local)(const struct net_address *a), const struct net_address *a)
{
	if (net_address_is_loopback(a) || is_unspecified(a))
		return true;
	for (size_t i = 0; i < c->listens_n; i++)
		if (net_address_equal_host(&c->listens[i].address, a))
			return true;
	return is_local != NULL && is_local(a); /* we may listen on all addresses, and name none */
}

bool inside_is_private(const struct net_address *a)
{
	static const char *const networks[] = {
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3", "::/96", "fc00::/7", "fe80::/10",
		"fec0::/10", "ff00::/8",
		/* RFC 8215, and the first of the above by the well-known prefix of RFC 6052 2.1 */
		"64:ff9b:1::/48", "64:ff9b::/104", "64:ff9b::a00:0/104", "64:ff9b::6440:0/106", "64:ff9b::7f00:0/104",
		"64:ff9b::a9fe:0/112", "64:ff9b::ac10:0/108", "64:ff9b::c0a8:0/112"};

	for (size_t i = 0; i < ARRAY_LEN(networks); i++) {
		struct config_network n;

		if (network_parse(str_from(networks[i]), &n) == OK && network_contains(&n, a))
			return true;
	}
	return false;
}
