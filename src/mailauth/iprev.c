/* SPDX-License-Identifier: ISC */
#include "mailauth/iprev.h"

#include <netinet/in.h>

enum { NAMES_MAX = 10, ANSWER_MEMORY = 512 << 10 };

/* The address as the DNS has it: one of IPv4 in one of IPv6 is one of IPv4. */
static struct net_address plain_address(const struct net_address *client)
{
	const struct in6_addr *six = &((const struct sockaddr_in6 *)&client->sa)->sin6_addr;
	struct net_address out = {.n = sizeof(struct sockaddr_in)};
	struct sockaddr_in *four = (struct sockaddr_in *)&out.sa;

	if (client->sa.ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(six))
		return *client;
	four->sin_family = AF_INET;
	memcpy(&four->sin_addr, &six->s6_addr[12], 4);
	return out;
}

/* Does `name` lead to the address? */
static err leads_to(const struct resolver *r, str name, const struct net_address *address, nsec deadline, bool *yes)
{
	ARENA(a, ANSWER_MEMORY);
	struct dns_answer answer;
	struct net_address *list;
	size_t n;

	*yes = false;
	err e = dns_addresses(r, name, address->sa.ss_family, 0, &a, deadline, &answer, &list, &n);
	for (size_t i = 0; e == OK && i < n; i++)
		*yes = *yes || net_address_equal_host(&list[i], address);
	return e;
}

/* The first of them that leads back. */
static err judge(const struct resolver *r, const str *names, size_t n, const struct net_address *address, nsec deadline,
                 struct iprev_result *out)
{
	bool yes;

	*out = (struct iprev_result){AUTH_FAIL, names[0]};
	for (size_t i = 0; i < n && i < NAMES_MAX; i++) {
		err e = leads_to(r, names[i], address, deadline, &yes);

		if (e == E_CANCELLED || e == E_MEMORY)
			return e;
		if (yes) {
			*out = (struct iprev_result){AUTH_PASS, names[i]};
			return OK;
		}
		if (e == E_TEMP || e == E_DENIED)
			out->result = AUTH_TEMPERROR;
	}
	return OK;
}

err iprev_check(const struct resolver *r, const struct net_address *client, nsec deadline, struct arena *a,
                struct iprev_result *out)
{
	ARENA(scratch, ANSWER_MEMORY);
	struct net_address address = plain_address(client);
	struct dns_answer answer;
	str *names;
	size_t n;

	*out = (struct iprev_result){.result = AUTH_PERMERROR};
	err e = dns_ptr(r, &address, &scratch, deadline, &answer, &names, &n);
	if (e == OK)
		e = judge(r, names, n, &address, deadline, out);
	else if (e == E_TEMP || e == E_DENIED)
		out->result = AUTH_TEMPERROR;
	else if (e == E_SYNTAX) /* there is one, and it is none that could lead back */
		out->result = AUTH_FAIL;
	out->name = arena_str(a, out->name);
	if (a->full)
		return err_note(E_LIMIT, "no memory for the name of a client");
	return e == E_CANCELLED || e == E_MEMORY ? e : OK;
}
