/* SPDX-License-Identifier: ISC */
#include "relay/web.h"

err web_addresses(const struct resolver *r, str host, uint16_t port, struct arena *a, nsec deadline,
                  struct net_address **out, size_t *n)
{
	struct dns_answer answer;
	struct net_address *v4 = NULL, *v6 = NULL;
	size_t n4 = 0, n6 = 0;
	err e = dns_addresses(r, host, AF_INET, port, a, deadline, &answer, &v4, &n4);

	if (e != E_CANCELLED)
		e = dns_addresses(r, host, AF_INET6, port, a, deadline, &answer, &v6, &n6);
	if (e == E_CANCELLED)
		return e;
	*out = arena_array(a, n4 + n6, sizeof(**out));
	*n = 0;
	for (size_t i = 0; i < n6 && *out != NULL; i++)
		(*out)[(*n)++] = v6[i];
	for (size_t i = 0; i < n4 && *out != NULL; i++)
		(*out)[(*n)++] = v4[i];
	return *n > 0 ? OK : err_note(E_NOT_FOUND, STR_FMT " has no address", STR_ARG(host));
}
