/* SPDX-License-Identifier: ISC */
/* From where: the name of the client's address, and how it introduces itself. Whether that name is in the DNS, lists.c asks. */
#include "spam/judging.h"

/* --- PTR --- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* How many of the address's last numbers are in the name, in decimal: lines that are numbered by a program. */
static size_t numbers_in(str name)
{
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++)
		n += is_digit(name.p[i]) && (i == 0 || !is_digit(name.p[i - 1]));
	return n;
}

static bool has_word(str name, const char *const *words)
{
	for (; *words != NULL; words++)
		if (str_contains(name, str_from(*words)))
			return true;
	return false;
}

/* Four numbers, or two and a word that providers use. What names a server on purpose is believed. */
static bool is_dynamic(str name)
{
	static const char *const lines[] = {"dyn",   "dhcp",       "pool",      "dial",     "ppp",    "dsl",
	                                    "cable", "cpe",        "broadband", "customer", "client", "user",
	                                    "catv",  "wireless",   "mobile",    "res.",     "home.",  "ip-",
	                                    "host-", "unassigned", NULL};
	static const char *const servers[] = {"mail", "smtp", "mx", "static", "relay", "server", NULL};
	size_t numbers = numbers_in(name);

	if (has_word(name, servers))
		return false;
	return numbers >= 4 || (numbers >= 2 && has_word(name, lines));
}

static void look_at_name(struct judging *j, const struct iprev_result *r)
{
	if (r->result == AUTH_PERMERROR)
		judging_hit(j, RULE_PTR_NONE, "the client has none");
	else if (r->result == AUTH_FAIL)
		judging_hit(j, RULE_PTR_FORGED, STR_FMT, STR_ARG(r->name));
	if ((r->result == AUTH_FAIL || r->result == AUTH_PASS) && is_dynamic(arena_lower(&j->own, r->name)))
		judging_hit(j, RULE_PTR_DYNAMIC, STR_FMT, STR_ARG(r->name));
}

/* --- HELO --- */

/* RFC 5321 4.1.3: "[192.0.2.1]", "[IPv6:2001:db8::1]". Some say it without brackets. */
static bool is_address(str helo, str *address)
{
	struct net_address a;
	BUF(text, 64);

	*address = helo;
	if (str_starts(helo, STR("[")) && str_ends(helo, STR("]"))) {
		*address = str_take(str_drop(helo, 1), helo.n - 2);
		if (str_starts_nocase(*address, STR("IPv6:")))
			*address = str_drop(*address, 5);
	}
	buf_printf(&text, str_find(*address, ':') < address->n ? "[" STR_FMT "]:1" : STR_FMT ":1", STR_ARG(*address));
	return helo.n > 0 && !text.full && net_address_parse(buf_str(&text), &a) == OK;
}

static bool is_name(str helo)
{
	for (size_t i = 0; i < helo.n; i++) {
		char c = helo.p[i];
		if (!is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '.' && c != '-' &&
		    c != '_')
			return false;
	}
	return str_find(helo, '.') < helo.n && helo.p[0] != '.' && helo.p[helo.n - 1] != '.';
}

static bool is_ours(const struct config *c, str helo)
{
	return str_equal_nocase(helo, c->hostname) || config_domain_find(c, helo) != NULL;
}

static void look_at_helo(struct judging *j, str helo, str client)
{
	str address, lower = arena_lower(&j->own, helo);

	if (is_ours(j->in->config, lower))
		judging_hit(j, RULE_HELO_OURS, STR_FMT, STR_ARG(helo));
	else if (is_address(helo, &address))
		judging_hit(j, str_equal_nocase(address, client) ? RULE_HELO_LITERAL : RULE_HELO_OTHER_LITERAL, STR_FMT,
		            STR_ARG(helo));
	else if (!is_name(helo))
		judging_hit(j, RULE_HELO_NO_NAME, "\"" STR_FMT "\"", STR_ARG(helo));
	else
		j->helo = lower;
}

void judge_client(struct judging *j)
{
	const struct auth_results *r = j->in->auth;
	const struct origin *origin = j->in->message->origin;

	if (j->in->client == NULL)
		return;
	if (r != NULL && r->iprev != NULL)
		look_at_name(j, r->iprev);
	if (j->in->message->origin_n > 0)
		look_at_helo(j, origin->helo, origin->client);
}
