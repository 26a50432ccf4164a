/* SPDX-License-Identifier: ISC */
#include "relay/web.h"

#include "conf/relay.h"
#include "relay/inside.h"

struct found {
	struct net_address *items;
	size_t n;
	bool left_out; /* some were not taken */
};

static void take(struct found *out, const struct relay *r, bool anywhere, const struct net_address *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (anywhere || (!inside_is_private(&items[i]) && !inside_is_ours(r->config, r->is_local, &items[i])))
			out->items[out->n++] = items[i];
		else
			out->left_out = true;
}

static bool may_be_inside(const struct relay *r, str domain)
{
	const struct config_route *route = relay_way(r->config, domain, STR("")).route;

	return route != NULL && route->loopback;
}

err web_addresses(const struct relay *r, str domain, str host, uint16_t port, struct arena *a, nsec deadline,
                  struct net_address **out, size_t *n)
{
	struct dns_answer answer;
	struct net_address *v4 = NULL, *v6 = NULL;
	size_t n4 = 0, n6 = 0;
	err e = dns_addresses(&r->resolver, host, AF_INET, port, a, deadline, &answer, &v4, &n4);

	if (e != E_CANCELLED)
		e = dns_addresses(&r->resolver, host, AF_INET6, port, a, deadline, &answer, &v6, &n6);
	if (e == E_CANCELLED)
		return e;
	struct found found = {.items = arena_array(a, n4 + n6, sizeof(*found.items))};
	if (found.items != NULL) {
		take(&found, r, may_be_inside(r, domain), v6, n6);
		take(&found, r, may_be_inside(r, domain), v4, n4);
	}
	*out = found.items;
	*n = found.n;
	if (found.n > 0)
		return OK;
	return found.left_out
	               ? err_note(E_NOT_FOUND, "the addresses of " STR_FMT " are none of the Internet", STR_ARG(host))
	               : err_note(E_NOT_FOUND, STR_FMT " has no address", STR_ARG(host));
}
