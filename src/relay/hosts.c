/* SPDX-License-Identifier: ISC */
#include "relay/hosts.h"

#include "conf/network.h"
#include "relay/inside.h"

#define LOOKUP_TIME (30 * NSEC_PER_SEC)

/* --- what is wrong --- */

/* Of a question that could not be answered: err_info has the sentence and the status. */
static err dns_trouble(err e)
{
	struct err_info why = *err_info();

	if (e == E_CANCELLED)
		return e;
	return err_set(E_TEMP, 451, why.status[0] != '\0' ? why.status : "4.4.3", "%s", why.text);
}

err hosts_loop(str name)
{
	return err_set(E_PERM, 554, "5.4.6",
	               "The mail server of " STR_FMT " is this machine, which does not have its mail", STR_ARG(name));
}

static bool is_loopback_allowed(const struct hosts_question *q)
{
	return q->way->hop->kind != HOP_MX || (q->way->route != NULL && q->way->route->loopback);
}

static bool is_own(const struct hosts_question *q, const struct net_address *a)
{
	return inside_is_ours(q->config, q->is_local, a);
}

/* --- which hosts --- */

static void add(struct relay_hosts *out, str name, uint16_t preference)
{
	if (out->n < HOSTS_MAX)
		out->items[out->n++] = (struct relay_host){.name = name, .preference = preference, .canonical = name};
}

static err add_address(const struct hosts_question *q, struct relay_hosts *out, const struct net_address *address)
{
	struct relay_host *host = &out->items[0];
	struct net_address *copy = arena_alloc(q->arena, sizeof(*copy));
	BUF(text, 64);

	net_address_host(&text, address);
	*host = (struct relay_host){.name = arena_str(q->arena, buf_str(&text)),
	                            .nameless = true,
	                            .looked_up = true,
	                            .addresses = copy,
	                            .n = 1};
	out->n = 1;
	if (copy == NULL || host->name.p == NULL)
		return err_set(E_TEMP, 451, "4.3.0", "No memory for an address");
	*copy = *address;
	return OK;
}

static err configured(const struct hosts_question *q, struct relay_hosts *out)
{
	const struct config_hop *hop = q->way->hop;
	struct net_address address;

	out->secure = true;
	if (network_host(hop->host, (uint16_t)hop->port, &address) == OK)
		return add_address(q, out, &address);
	add(out, hop->host, 0);
	return OK;
}

/* RFC 5321 4.1.3. */
static err literal(const struct hosts_question *q, struct relay_hosts *out)
{
	str name = q->way->name, inside = str_drop(str_take(name, name.n - 1), 1);
	struct net_address address;

	if (str_starts_nocase(inside, STR("IPv6:")))
		inside = str_drop(inside, 5);
	if (!str_ends(name, STR("]")) || network_host(inside, (uint16_t)q->way->hop->port, &address) != OK)
		return err_set(E_PERM, 554, "5.1.2", STR_FMT " is not an address that mail can be sent to",
		               STR_ARG(name));
	if (!is_loopback_allowed(q) && is_own(q, &address))
		return hosts_loop(name);
	return add_address(q, out, &address);
}

/* RFC 5321 5.1: with what is preferred as much as we are, or less, mail would go in circles. */
static void cut_at(struct relay_hosts *hosts, uint16_t preference)
{
	size_t n = 0;

	while (n < hosts->n && hosts->items[n].preference < preference)
		n++;
	hosts->n = n;
}

static err cut_our_name(const struct hosts_question *q, struct relay_hosts *out)
{
	for (size_t i = 0; i < out->n && !is_loopback_allowed(q); i++)
		if (str_equal_nocase(out->items[i].name, q->config->hostname))
			cut_at(out, out->items[i].preference);
	return out->n == 0 ? hosts_loop(q->way->name) : OK;
}

static err by_mx(const struct hosts_question *q, struct relay_hosts *out)
{
	str domain = q->way->name;
	struct dns_answer answer = {0};
	struct dns_mx *mx;
	size_t n;
	err e = dns_mx(q->resolver, domain, q->arena, rt_after(LOOKUP_TIME), &answer, &mx, &n);

	if (e != OK && e != E_NOT_FOUND)
		return dns_trouble(e);
	out->secure = answer.security == DNS_SECURE;
	if (e == E_NOT_FOUND) /* RFC 5321 5.1: the domain itself, with preference 0 */
		add(out, domain, 0);
	else if (mx[0].host.n == 0) /* RFC 7505 */
		return err_set(E_PERM, 556, "5.1.10", STR_FMT " takes no mail (null MX)", STR_ARG(domain));
	for (size_t i = 0; e == OK && i < n; i++)
		add(out, mx[i].host, mx[i].preference);
	return cut_our_name(q, out);
}

err hosts_find(const struct hosts_question *q, struct relay_hosts *out)
{
	*out = (struct relay_hosts){.items = arena_array(q->arena, HOSTS_MAX, sizeof(*out->items))};
	if (out->items == NULL)
		return err_set(E_TEMP, 451, "4.3.0", "No memory for mail servers");
	if (q->way->hop->kind != HOP_MX)
		return configured(q, out);
	return str_starts(q->way->name, STR("[")) ? literal(q, out) : by_mx(q, out);
}

/* --- their addresses --- */

/* The addresses of one family. */
struct family {
	err e;
	struct err_info info;
	struct dns_answer answer;
	struct net_address *items;
	size_t n;
};

static void family_look_up(const struct hosts_question *q, const struct relay_host *host, int family,
                           struct family *out)
{
	*out = (struct family){0};
	out->e = dns_addresses(q->resolver, host->name, family, (uint16_t)q->way->hop->port, q->arena,
	                       rt_after(LOOKUP_TIME), &out->answer, &out->items, &out->n);
	if (out->e != OK) {
		out->info = *err_info();
		out->n = 0;
	}
}

static void why_none(const struct hosts_question *q, struct relay_host *host, const struct family *v6,
                     const struct family *v4)
{
	const struct family *worse = v6->e != OK && v6->e != E_NOT_FOUND ? v6 : v4;
	str name = host->name;

	if (worse->e != OK && worse->e != E_NOT_FOUND)
		(void)err_set(E_TEMP, 451, worse->info.status[0] != '\0' ? worse->info.status : "4.4.3", "%s",
		              worse->info.text);
	else if (q->way->hop->kind != HOP_MX)
		(void)err_set(E_TEMP, 451, "4.4.4", "The server " STR_FMT " has no address", STR_ARG(name));
	else if (str_equal(name, q->way->name))
		(void)err_set(E_PERM, 550, "5.1.2", "There is no domain " STR_FMT ", or it has no mail server",
		              STR_ARG(name));
	else
		(void)err_set(E_PERM, 550, "5.4.4", "The mail server " STR_FMT " has no address", STR_ARG(name));
	host->why = *err_info();
}

/* Both families in turns, IPv6 first (RFC 8305 4). */
static void merge(struct relay_hosts *hosts, struct relay_host *host, const struct family *v6, const struct family *v4)
{
	for (size_t i = 0; i < v6->n || i < v4->n; i++) {
		if (i < v6->n && hosts->addresses < HOST_ADDRESSES_MAX && ++hosts->addresses)
			host->addresses[host->n++] = v6->items[i];
		if (i < v4->n && hosts->addresses < HOST_ADDRESSES_MAX && ++hosts->addresses)
			host->addresses[host->n++] = v4->items[i];
	}
}

static bool is_secure(const struct family *f)
{
	return f->e != OK || f->answer.security == DNS_SECURE;
}

/* Many servers refuse who comes by IPv6 from an address without a name: without one, or without a way there, IPv4 alone is used. */
static bool is_ipv6_welcome(const struct hosts_question *q, const struct net_address *to)
{
	const struct config_route *route = q->way->route;
	struct net_address source;
	struct dns_answer answer;
	str *names;
	size_t n;

	if (q->source == NULL || net_address_is_loopback(to))
		return true;
	if (route != NULL && route->source6.n > 0)
		source = route->source6;
	else if (q->source(to, &source) != OK)
		return false;
	return dns_ptr(q->resolver, &source, q->arena, rt_after(LOOKUP_TIME), &answer, &names, &n) != E_NOT_FOUND;
}

static err look_up(const struct hosts_question *q, struct relay_hosts *hosts, struct relay_host *host)
{
	struct family v6, v4;

	if (host->looked_up)
		return OK;
	family_look_up(q, host, AF_INET6, &v6);
	family_look_up(q, host, AF_INET, &v4);
	if (v6.e == E_CANCELLED || v4.e == E_CANCELLED)
		return E_CANCELLED;
	host->looked_up = true;
	if (q->way->hop->kind == HOP_MX && v4.n > 0 && v6.n > 0 && !is_ipv6_welcome(q, &v6.items[0]))
		v6.n = 0;
	host->addresses = arena_array(q->arena, v6.n + v4.n, sizeof(*host->addresses));
	if (host->addresses != NULL)
		merge(hosts, host, &v6, &v4);
	host->secure = host->n > 0 && is_secure(&v6) && is_secure(&v4);
	host->canonical = v4.n > 0 ? v4.answer.canonical : v6.n > 0 ? v6.answer.canonical : host->name;
	if (host->n == 0)
		why_none(q, host, &v6, &v4);
	return OK;
}

static bool has_own(const struct hosts_question *q, const struct relay_host *host)
{
	for (size_t i = 0; i < host->n; i++)
		if (is_own(q, &host->addresses[i]))
			return true;
	return false;
}

err hosts_look_up(const struct hosts_question *q, struct relay_hosts *hosts, size_t i)
{
	uint16_t preference = hosts->items[i].preference;

	for (size_t at = i; at < hosts->n && hosts->items[at].preference == preference; at++) {
		err e = look_up(q, hosts, &hosts->items[at]);
		if (e != OK)
			return e;
		if (!is_loopback_allowed(q) && has_own(q, &hosts->items[at]))
			cut_at(hosts, preference);
	}
	return hosts->n == 0 ? hosts_loop(q->way->name) : OK;
}
