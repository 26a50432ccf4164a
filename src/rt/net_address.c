/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "rt/net.h"

static const struct sockaddr_in *as_in(const struct net_address *a)
{
	return (const struct sockaddr_in *)&a->sa;
}

static const struct sockaddr_in6 *as_in6(const struct net_address *a)
{
	return (const struct sockaddr_in6 *)&a->sa;
}

static const struct sockaddr_un *as_un(const struct net_address *a)
{
	return (const struct sockaddr_un *)&a->sa;
}

static err address_bad(str text)
{
	return err_note(E_SYNTAX, "not an address: " STR_FMT, STR_ARG(text));
}

static err address_parse_unix(str path, struct net_address *out)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&out->sa;

	if (path.n == 0 || path.n >= sizeof(un->sun_path) || memchr(path.p, '\0', path.n))
		return err_note(E_SYNTAX, "path of a socket must have 1 to %zu bytes", sizeof(un->sun_path) - 1);
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path.p, path.n);
	out->n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + 1);
	return OK;
}

/* inet_pton takes neither leading zeros nor names, but wants a C string. */
static bool host_parse(int family, str host, void *out)
{
	char z[INET6_ADDRSTRLEN];

	if (host.n >= sizeof(z) || (host.n && memchr(host.p, '\0', host.n)))
		return false;
	if (host.n)
		memcpy(z, host.p, host.n);
	z[host.n] = '\0';
	return inet_pton(family, z, out) == 1;
}

static bool address_parse_v6(str host, uint16_t port, struct net_address *out)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->sa;

	if (!host_parse(AF_INET6, str_take(str_drop(host, 1), host.n - 2), &in6->sin6_addr))
		return false;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	out->n = sizeof(*in6);
	return true;
}

static bool address_parse_v4(str host, uint16_t port, struct net_address *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&out->sa;

	if (!host_parse(AF_INET, host, &in->sin_addr))
		return false;
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	out->n = sizeof(*in);
	return true;
}

err net_address_parse(str text, struct net_address *out)
{
	size_t colon = str_find_last(text, ':');
	str host = str_take(text, colon);
	uint64_t port;
	bool good;

	memset(out, 0, sizeof(*out));
	if (str_starts(text, STR("unix:")))
		return address_parse_unix(str_drop(text, 5), out);
	if (!str_to_u64(str_drop(text, colon + 1), UINT16_MAX, &port))
		return address_bad(text);
	if (str_starts(host, STR("[")) && str_ends(host, STR("]")) && host.n > 2)
		good = address_parse_v6(host, (uint16_t)port, out);
	else
		good = address_parse_v4(host, (uint16_t)port, out);
	return good ? OK : address_bad(text);
}

static str unix_path(const struct net_address *a)
{
	size_t skip = offsetof(struct sockaddr_un, sun_path);

	if (a->n <= skip)
		return STR_NONE; /* a client that did not bind */
	return str_make(as_un(a)->sun_path, strnlen(as_un(a)->sun_path, a->n - skip));
}

static bool is_mapped(const struct net_address *a)
{
	return a->n && a->sa.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&as_in6(a)->sin6_addr);
}

/* The IPv4 address in network order, also of ::ffff:192.0.2.1. */
static str host_v4(const struct net_address *a)
{
	if (is_mapped(a))
		return str_make((const char *)&as_in6(a)->sin6_addr.s6_addr[12], 4);
	return str_make((const char *)&as_in(a)->sin_addr, 4);
}

static bool is_v4(const struct net_address *a)
{
	return a->n && (a->sa.ss_family == AF_INET || is_mapped(a));
}

static bool is_v6(const struct net_address *a)
{
	return a->n && a->sa.ss_family == AF_INET6 && !is_mapped(a);
}

void net_address_host(struct buf *out, const struct net_address *a)
{
	char z[INET6_ADDRSTRLEN] = "unknown";

	if (a->n && a->sa.ss_family == AF_UNIX)
		buf_puts(out, "unix");
	else if (is_v4(a))
		buf_puts(out, inet_ntop(AF_INET, host_v4(a).p, z, sizeof(z)));
	else if (is_v6(a))
		buf_puts(out, inet_ntop(AF_INET6, &as_in6(a)->sin6_addr, z, sizeof(z)));
	else
		buf_puts(out, z);
}

void net_address_print(struct buf *out, const struct net_address *a)
{
	if (a->n && a->sa.ss_family == AF_UNIX) {
		buf_puts(out, "unix:");
		buf_put(out, unix_path(a));
		return;
	}
	if (is_v6(a))
		buf_putc(out, '[');
	net_address_host(out, a);
	if (is_v6(a))
		buf_putc(out, ']');
	if (is_v4(a) || is_v6(a)) {
		buf_putc(out, ':');
		buf_u64(out, ntohs(a->sa.ss_family == AF_INET ? as_in(a)->sin_port : as_in6(a)->sin6_port));
	}
}

bool net_address_is_loopback(const struct net_address *a)
{
	if (a->n && a->sa.ss_family == AF_UNIX)
		return true;
	if (is_v4(a))
		return host_v4(a).p[0] == 127;
	return is_v6(a) && IN6_IS_ADDR_LOOPBACK(&as_in6(a)->sin6_addr);
}

str net_address_key(const struct net_address *a)
{
	if (is_v4(a))
		return host_v4(a);
	if (is_v6(a))
		return str_make((const char *)&as_in6(a)->sin6_addr, 8);
	return a->n ? STR("unix:") : STR_NONE; /* no address has five bytes */
}

bool net_address_equal_host(const struct net_address *a, const struct net_address *b)
{
	if (is_v6(a) && is_v6(b))
		return memcmp(&as_in6(a)->sin6_addr, &as_in6(b)->sin6_addr, sizeof(struct in6_addr)) == 0;
	return is_v6(a) == is_v6(b) && str_equal(net_address_key(a), net_address_key(b));
}
