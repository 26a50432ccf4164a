/* SPDX-License-Identifier: ISC */
#include "conf/url.h"

#include "conf/network.h"

enum { HOST_MAX = 253, PORT_TLS = 443, PORT_PLAIN = 80 };

/* RFC 3986 2: printing ASCII, of which some never stand for themselves; and here no fragment. */
static bool is_text(str s)
{
	bool good = s.n > 0 && s.n <= URL_MAX;

	for (size_t i = 0; i < s.n; i++)
		good = good && s.p[i] > ' ' && s.p[i] < 0x7f && strchr("\"<>\\^`{|}#", s.p[i]) == NULL;
	return good;
}

static bool is_name(str host)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	bool good = host.n > 0 && host.n <= HOST_MAX;

	for (size_t i = 0; i < host.n; i++)
		good = good && memchr(allowed, host.p[i], sizeof(allowed) - 1) != NULL;
	return good;
}

/* The port behind the host, "" none. */
static bool take_port(str text, uint16_t *out)
{
	uint64_t port;

	if (text.n == 0)
		return true;
	if (!str_starts(text, STR(":")) || !str_to_u64(str_drop(text, 1), UINT16_MAX, &port) || port == 0)
		return false;
	*out = (uint16_t)port;
	return true;
}

/* RFC 3986 3.2.2: an address of IPv6 stands in brackets. */
static bool take_host(str authority, struct url *out)
{
	struct net_address address;
	bool bracket = str_starts(authority, STR("["));
	size_t end = bracket ? str_find(authority, ']') : str_find(authority, ':');

	if (bracket && end == authority.n)
		return false;
	out->host = bracket ? str_drop(str_take(authority, end), 1) : str_take(authority, end);
	bool is_address = network_host(out->host, 0, &address) == OK;
	bool v6 = is_address && address.sa.ss_family == AF_INET6;
	out->loopback = is_address ? net_address_is_loopback(&address) : str_equal_nocase(out->host, STR("localhost"));
	return v6 == bracket && (is_address || is_name(out->host)) &&
	       take_port(str_drop(authority, bracket ? end + 1 : end), &out->port);
}

err url_parse(str text, struct url *out)
{
	str rest = STR_NONE;

	*out = (struct url){.plain = str_starts_nocase(text, STR("http://"))};
	if (out->plain)
		rest = str_drop(text, sizeof("http://") - 1);
	else if (str_starts_nocase(text, STR("https://")))
		rest = str_drop(text, sizeof("https://") - 1);
	out->port = out->plain ? PORT_PLAIN : PORT_TLS;
	size_t path = str_find(rest, '/'), query = str_find(rest, '?');
	if (!is_text(text) || !take_host(str_take(rest, path < query ? path : query), out))
		return err_note(E_SYNTAX, "not a URL such as https://login.example.org/keys");
	if (out->plain && !out->loopback)
		return err_note(E_SYNTAX, "only https:// goes to another machine");
	return OK;
}
