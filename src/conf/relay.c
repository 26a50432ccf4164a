/* SPDX-License-Identifier: ISC */
#include "conf/relay.h"

#include "conf/hop.h"
#include "conf/network.h"

bool relay_client_allowed(const struct config *c, str client)
{
	struct net_address address = {.sa.ss_family = AF_UNIX};

	if (!str_equal(client, STR("unix")) && network_host(client, 0, &address) != OK)
		return false;
	for (size_t i = 0; i < c->relay_from_n; i++)
		if (network_contains(&c->relay_from[i], &address))
			return true;
	return false;
}

static bool domain_fits(str pattern, str domain)
{
	if (str_equal(pattern, STR("*")))
		return true;
	return str_starts(pattern, STR(".")) ? domain.n > pattern.n && str_ends(domain, pattern)
	                                     : str_equal(pattern, domain);
}

/* Local parts are compared without regard to case, as those of our own mailboxes are. */
static bool sender_fits(str pattern, str sender)
{
	size_t at = str_find_last(sender, '@');

	if (pattern.n == 0)
		return true;
	if (str_find_last(pattern, '@') < pattern.n)
		return str_equal_nocase(pattern, sender);
	return str_equal_nocase(pattern, str_drop(sender, at + 1));
}

static const struct config_route *route_find(const struct config *c, str domain, str sender)
{
	size_t i = 0;

	while (i + 1 < c->routes_n &&
	       !(domain_fits(c->routes[i].pattern, domain) && sender_fits(c->routes[i].sender, sender)))
		i++;
	return &c->routes[i];
}

struct relay_way relay_way(const struct config *c, str domain, str sender)
{
	const struct config_domain *inner = config_domain_find(c, domain);

	if (inner != NULL && inner->relay)
		return (struct relay_way){NULL, &inner->hop, inner->hop.host, inner};
	const struct config_route *route = route_find(c, domain, sender);
	return (struct relay_way){route, &route->hop, route->hop.kind == HOP_MX ? domain : route->hop.host, NULL};
}

/* One whose mail may share connections with that of any other plain one. */
static bool is_plain(const struct config_route *route)
{
	return route->hop.port == 25 && route->tls == HOP_TLS_AUTO && route->source4.n == 0 && route->source6.n == 0 &&
	       !route->loopback;
}

void relay_destination(struct buf *out, const struct config *c, const struct relay_way *way)
{
	const struct config_route *route = way->route;
	unsigned number = route == NULL ? 0 : (unsigned)(route - c->routes) + 1;

	if (route == NULL) {
		buf_printf(out, STR_FMT " ", STR_ARG(way->inner->name));
		hop_print(out, way->hop);
	} else if (route->hop.kind != HOP_MX) {
		buf_printf(out, "#%u ", number);
		hop_print(out, way->hop);
	} else {
		buf_put(out, way->name);
		if (!is_plain(route))
			buf_printf(out, " #%u", number);
	}
}
