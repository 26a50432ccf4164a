/* SPDX-License-Identifier: ISC */
/* Questions to the DNS. What its answers mean for a term stands in RFC 7208 5: none is no match, no answer is a temperror. */
#include <netinet/in.h>

#include "dns/ask.h"
#include "mailauth/spf_state.h"
#include "mailauth/spf_term.h"

enum auth_result spf_failure(struct spf_check *c, err e)
{
	if (e == E_TEMP || e == E_DENIED)
		return spf_why(c, AUTH_TEMPERROR, "%s", err_info()->text);
	if (e == E_SYNTAX)
		return spf_why(c, AUTH_PERMERROR, "%s", err_info()->text);
	c->fault = e;
	return AUTH_TEMPERROR;
}

enum auth_result spf_count_lookup(struct spf_check *c)
{
	if (++c->out->lookups > SPF_LOOKUPS_MAX)
		return spf_why(c, AUTH_PERMERROR, "the record has more than %d terms that ask the DNS",
		               SPF_LOOKUPS_MAX);
	return AUTH_NONE;
}

/* RFC 7208 4.6.4: a term that asks for what is not there. */
static enum auth_result count_void(struct spf_check *c)
{
	if (++c->voids > SPF_VOIDS_MAX)
		return spf_why(c, AUTH_PERMERROR, "more than %d terms ask for what is not in the DNS", SPF_VOIDS_MAX);
	return AUTH_NONE;
}

/* Of the question that a term is about. */
static enum auth_result answered(struct spf_check *c, err e)
{
	return e == OK ? AUTH_PASS : e == E_NOT_FOUND ? count_void(c) : spf_failure(c, e);
}

/* --- addresses --- */

static bool is_within(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

static bool is_client_within(const struct spf_check *c, const struct net_address *address, unsigned bits)
{
	unsigned char octets[16];

	if (c->four)
		memcpy(octets, &((const struct sockaddr_in *)&address->sa)->sin_addr, 4);
	else
		memcpy(octets, &((const struct sockaddr_in6 *)&address->sa)->sin6_addr, 16);
	return is_within(c->octets, octets, bits);
}

/* Is one of the addresses of `name` in the network of the client? E_NOT_FOUND: it has none. */
static err match_addresses(struct spf_check *c, str name, unsigned bits, bool *match)
{
	ARENA(a, SPF_ANSWER_MEMORY);
	BUF(text, SPF_NAME_MAX);
	struct dns_answer answer;
	struct net_address *list;
	size_t n;

	*match = false;
	spf_name_escape(&text, name);
	err e = dns_addresses(c->q->resolver, buf_str(&text), c->four ? AF_INET : AF_INET6, 0, &a, c->q->deadline,
	                      &answer, &list, &n);
	for (size_t i = 0; e == OK && i < n; i++)
		*match = *match || is_client_within(c, &list[i], bits);
	return e;
}

static unsigned bits_of(const struct spf_check *c, const struct spf_term *t)
{
	return c->four ? t->four : t->six;
}

static enum auth_result match_a(struct spf_check *c, const struct spf_term *t, str name)
{
	bool match;
	enum auth_result r = answered(c, match_addresses(c, name, bits_of(c, t), &match));

	return r == AUTH_PASS && !match ? AUTH_NONE : r;
}

static enum auth_result match_network(const struct spf_check *c, const struct spf_term *t)
{
	return c->four == (t->kind == SPF_IP4) && is_within(c->octets, t->network, bits_of(c, t)) ? AUTH_PASS
	                                                                                          : AUTH_NONE;
}

/* RFC 7208 5.7: any address of IPv4, whatever the client has. */
static enum auth_result match_exists(struct spf_check *c, str name)
{
	ARENA(a, SPF_ANSWER_MEMORY);
	BUF(text, SPF_NAME_MAX);
	struct dns_answer answer;
	struct net_address *list;
	size_t n;

	spf_name_escape(&text, name);
	return answered(
		c, dns_addresses(c->q->resolver, buf_str(&text), AF_INET, 0, &a, c->q->deadline, &answer, &list, &n));
}

/* --- mx (5.4) --- */

/* Hosts may have any octets here, and order does not matter: not dns_mx. */
static bool read_mx(str data, void *item, struct arena *a)
{
	struct cursor c = cursor_of(data);
	BUF(name, SPF_NAME_MAX);
	unsigned n;

	(void)dns_u16(&c);
	while ((n = cursor_u8(&c)) > 0) {
		if (name.n > 0)
			buf_putc(&name, '.');
		buf_put(&name, cursor_bytes(&c, n));
	}
	*(str *)item = arena_lower(a, buf_str(&name));
	return !c.failed && !name.full;
}

static enum auth_result match_hosts(struct spf_check *c, const struct spf_term *t, const str *hosts, size_t n)
{
	bool match = false, empty = false;

	if (n > SPF_NAMES_MAX)
		return spf_why(c, AUTH_PERMERROR, "a domain has more than %d MX records", SPF_NAMES_MAX);
	for (size_t i = 0; i < n && !match; i++) {
		err e = hosts[i].n == 0 ? OK
		                        : match_addresses(c, hosts[i], bits_of(c, t), &match); /* RFC 7505: no host */
		if (e != OK && e != E_NOT_FOUND && e != E_SYNTAX)
			return spf_failure(c, e);
		empty = empty || e == E_NOT_FOUND;
	}
	return match ? AUTH_PASS : empty ? count_void(c) : AUTH_NONE;
}

static enum auth_result match_mx(struct spf_check *c, const struct spf_term *t, str name)
{
	ARENA(a, SPF_ANSWER_MEMORY);
	BUF(text, SPF_NAME_MAX);
	struct dns_answer answer;
	void *hosts;
	size_t n;

	spf_name_escape(&text, name);
	enum auth_result r = answered(c, dns_ask_each(c->q->resolver, buf_str(&text), DNS_MX, &a, c->q->deadline,
	                                              &answer, read_mx, sizeof(str), &hosts, &n));
	return r == AUTH_PASS ? match_hosts(c, t, hosts, n) : r;
}

/* --- ptr (5.5), and %{p} --- */

/* Those of the first names that lead back to the client's address. Faults of the DNS are passed over. */
static void keep_validated(struct spf_check *c, const str *names, size_t n)
{
	bool match;

	for (size_t i = 0; i < n && i < SPF_NAMES_MAX && c->fault == OK; i++) {
		err e = match_addresses(c, names[i], c->four ? SPF_FOUR_BITS : SPF_SIX_BITS, &match);
		if (e == E_CANCELLED)
			c->fault = e;
		if (match)
			c->names[c->names_n++] = arena_str(c->a, names[i]);
	}
}

/* Once a check. */
static err find_names(struct spf_check *c)
{
	ARENA(a, SPF_ANSWER_MEMORY);
	struct dns_answer answer;
	str *names;
	size_t n;
	err e;

	if (c->names_known)
		return OK;
	c->names_known = true;
	e = dns_ptr(c->q->resolver, c->q->client, &a, c->q->deadline, &answer, &names, &n);
	if (e == E_CANCELLED)
		c->fault = e;
	if (e == OK)
		keep_validated(c, names, n);
	return e;
}

static enum auth_result match_ptr(struct spf_check *c, str name)
{
	err e = find_names(c);

	if (c->fault != OK)
		return AUTH_TEMPERROR;
	for (size_t i = 0; i < c->names_n; i++)
		if (spf_name_is_below(c->names[i], name))
			return AUTH_PASS;
	return e == E_NOT_FOUND ? count_void(c) : AUTH_NONE;
}

str spf_client_name(struct spf_check *c, str domain)
{
	str best = STR("unknown");
	int points = 0;

	(void)!find_names(c);
	for (size_t i = 0; i < c->names_n; i++) {
		int now = str_equal_nocase(c->names[i], domain) ? 3 : spf_name_is_below(c->names[i], domain) ? 2 : 1;

		if (now > points)
			best = c->names[i];
		points = now > points ? now : points;
	}
	return best;
}

/* --- all of them --- */

static enum auth_result match_named(struct spf_check *c, const struct spf_term *t, str domain)
{
	BUF(name, SPF_NAME_MAX);
	enum auth_result r = spf_count_lookup(c);

	if (r != AUTH_NONE)
		return r;
	bool possible = spf_name_of(c, t->domain, domain, &name);
	if (c->fault != OK)
		return AUTH_TEMPERROR;
	if (!possible) /* RFC 7208 4.8 leaves it to us: a name that cannot be is not there */
		return AUTH_NONE;
	switch (t->kind) {
	case SPF_A:
		return match_a(c, t, buf_str(&name));
	case SPF_MX:
		return match_mx(c, t, buf_str(&name));
	case SPF_PTR:
		return match_ptr(c, buf_str(&name));
	default:
		return match_exists(c, buf_str(&name));
	}
}

enum auth_result spf_match(struct spf_check *c, const struct spf_term *t, str domain)
{
	switch (t->kind) {
	case SPF_ALL:
		return AUTH_PASS;
	case SPF_IP4:
	case SPF_IP6:
		return match_network(c, t);
	default:
		return match_named(c, t, domain);
	}
}
