/* SPDX-License-Identifier: ISC */
/* Asks by itself, with the configured resolver or that of this machine, so that it works before the first start: the keys of the domains are made then. */
#include "cli/dns_zone.h"

#include <stdio.h>

#include "cli/dns_records.h"
#include "cli/output.h"
#include "cli/system_resolver.h"
#include "dns/ask.h"
#include "dns/text.h"
#include "role/certificates.h"
#include "role/domain_keys.h"
#include "role/keys_folder.h"
#include "rt/certificate.h"
#include "rt/rt.h"

#define MEMORY_MAX  ((size_t)4 << 20)
#define LOOKUP_TIME (10 * NSEC_PER_SEC)

enum { ZONE_LINE_MAX = 8 << 10 };

struct zone {
	const struct invocation *inv;
	const struct config *config;
	const char *only;
	struct system_resolver system;
	struct domain_keys keys;
	char tlsa[8 + CERTIFICATE_FINGERPRINT];
	const char *why; /* of the line before */
	bool begun;
	int status;
};

/* --- asking --- */

static err find_text(struct zone *z, const struct dns_wanted *w, struct arena *a, str **found, size_t *n)
{
	struct dns_answer answer;

	return dns_txt(&z->system.resolver, w->name, a, rt_after(LOOKUP_TIME), &answer, found, n);
}

static err find_data(struct zone *z, const struct dns_wanted *w, struct arena *a, str **found, size_t *n)
{
	struct dns_answer answer;
	struct resolve_reply r;
	err e = dns_ask(&z->system.resolver, w->name, w->type, a, rt_after(LOOKUP_TIME), &answer, &r);

	if (e != OK)
		return e;
	*found = arena_array(a, r.records_n, sizeof(**found));
	for (size_t i = 0; i < r.records_n && *found != NULL; i++) {
		BUF(text, ZONE_LINE_MAX);
		dns_data_put(&text, w->type, r.records[i].data);
		(*found)[(*n)++] = arena_str(a, buf_str(&text));
	}
	return OK;
}

static enum dns_state state_of(struct zone *z, const struct dns_wanted *w, struct arena *a, str *other)
{
	str *found = NULL;
	size_t n = 0;
	err e = w->type == DNS_TXT ? find_text(z, w, a, &found, &n) : find_data(z, w, a, &found, &n);

	*other = STR("");
	if (e == E_NOT_FOUND)
		return DNS_STATE_MISSING;
	if (e == OK)
		return dns_records_compare(w, found, n, other);
	*other = arena_str(a, str_from(err_info()->text));
	return DNS_STATE_UNKNOWN;
}

/* --- printing --- */

static void print_json(const struct config_domain *d, const struct dns_wanted *w, enum dns_state state, str other)
{
	struct output out = {.file = stdout, .json = true};
	BUF(type, 20);

	dns_type_put(&type, w->type);
	struct cell cells[] = {{.name = STR("domain"), .text = d->name},
	                       {.name = STR("name"), .text = w->name},
	                       {.name = STR("type"), .text = buf_str(&type)},
	                       {.name = STR("data"), .text = w->data},
	                       {.name = STR("state"), .text = str_from(dns_state_name(state))},
	                       {.name = STR("found"), .text = other},
	                       {.name = STR("optional"), .number = w->optional, .is_number = 1},
	                       {.name = STR("why"), .text = str_from(w->why)}};
	output_rows(&out, &(struct row){cells, ARRAY_LEN(cells)}, 1);
}

/* What needs more than a record stands there as a comment, so that nobody publishes it with the rest. */
static void print_line(struct zone *z, const struct dns_wanted *w, enum dns_state state, str other)
{
	BUF(line, ZONE_LINE_MAX);
	BUF(shown, ZONE_LINE_MAX);

	dns_records_print(&line, w);
	output_cell(&shown, &(struct cell){.text = other});
	if (z->why == NULL || strcmp(z->why, w->why) != 0)
		printf("; %s\n", w->why);
	z->why = w->why;
	printf("%s" STR_FMT " ; %s" STR_FMT STR_FMT "\n", w->any && state != DNS_STATE_THERE ? "; " : "",
	       STR_ARG(buf_str(&line)), dns_state_name(state), STR_ARG(other.n > 0 ? STR(": ") : STR("")),
	       STR_ARG(buf_str(&shown)));
}

static void print_policy(const struct zone *z, str domain)
{
	printf("; The policy of MTA-STS, for https://mta-sts." STR_FMT "/.well-known/mta-sts.txt:\n"
	       ";   version: STSv1\n;   mode: testing\n;   mx: " STR_FMT "\n;   max_age: 604800\n"
	       "; autoconfig: programs that ask https://autoconfig." STR_FMT
	       "/ need a web server; others find the SRV records.\n",
	       STR_ARG(domain), STR_ARG(z->config->hostname), STR_ARG(domain));
}

static void print_heading(struct zone *z, const struct config_domain *d)
{
	printf("%s; " STR_FMT "\n", z->begun ? "\n" : "", STR_ARG(d->name));
	z->begun = true;
}

/* --- this server itself --- */

struct host_answer {
	struct net_address *addresses;
	size_t n;
	err e;
};

static struct host_answer addresses_of(struct zone *z, int family, struct arena *a)
{
	struct dns_answer answer;
	struct host_answer h = {0};

	h.e = dns_addresses(&z->system.resolver, z->config->hostname, family, 25, a, rt_after(LOOKUP_TIME), &answer,
	                    &h.addresses, &h.n);
	return h;
}

/* Others want the name of a client's address to lead back to it. */
static enum dns_state name_of(struct zone *z, const struct net_address *address, struct arena *a, str *other)
{
	struct dns_answer answer;
	str *names;
	size_t n;
	err e = dns_ptr(&z->system.resolver, address, a, rt_after(LOOKUP_TIME), &answer, &names, &n);

	*other = STR("");
	if (e != OK)
		return e == E_NOT_FOUND ? DNS_STATE_MISSING : DNS_STATE_UNKNOWN;
	for (size_t i = 0; i < n; i++)
		if (str_equal(names[i], z->config->hostname))
			return DNS_STATE_THERE;
	*other = names[0];
	return DNS_STATE_DIFFERS;
}

static void print_host_fact(struct zone *z, const char *type, str data, enum dns_state state, str found)
{
	struct output out = {.file = stdout, .json = true};
	struct cell cells[] = {{.name = STR("name"), .text = z->config->hostname},
	                       {.name = STR("type"), .text = str_from(type)},
	                       {.name = STR("data"), .text = data},
	                       {.name = STR("state"), .text = str_from(dns_state_name(state))},
	                       {.name = STR("found"), .text = found}};

	if (z->inv->json)
		output_rows(&out, &(struct row){cells, ARRAY_LEN(cells)}, 1);
	else
		printf("; " STR_FMT " %s " STR_FMT " ; %s" STR_FMT STR_FMT "\n", STR_ARG(z->config->hostname), type,
		       STR_ARG(data), dns_state_name(state), STR_ARG(found.n > 0 ? STR(": ") : STR("")),
		       STR_ARG(found));
}

static void print_addresses(struct zone *z, const char *type, const struct host_answer *h, struct arena *a)
{
	if (h->e != OK)
		print_host_fact(z, type, STR("?"), h->e == E_NOT_FOUND ? DNS_STATE_MISSING : DNS_STATE_UNKNOWN,
		                STR(""));
	for (size_t i = 0; h->e == OK && i < h->n; i++) {
		BUF(host, 64);
		str other;

		net_address_host(&host, &h->addresses[i]);
		print_host_fact(z, type, buf_str(&host), DNS_STATE_THERE, STR(""));
		enum dns_state state = name_of(z, &h->addresses[i], a, &other);
		print_host_fact(z, "PTR of", buf_str(&host), state, other);
	}
}

/* IPv6 need not be there. */
static void print_host(struct zone *z)
{
	ARENA(a, MEMORY_MAX);
	struct host_answer h = addresses_of(z, AF_INET, &a);

	if (!z->inv->json)
		printf("; The server: its name has an address, and the name of that address (PTR, set by who gave it "
		       "to you) leads back.\n");
	print_addresses(z, "A", &h, &a);
	h = addresses_of(z, AF_INET6, &a);
	if (h.e == OK)
		print_addresses(z, "AAAA", &h, &a);
	z->begun = true;
}

/* --- one domain --- */

static err print_domain(struct zone *z, const struct config_domain *d)
{
	ARENA(a, MEMORY_MAX);
	struct dns_wanted_list *list = arena_alloc(&a, sizeof(*list));
	err e = list == NULL ? err_note(E_MEMORY, "no memory for the records")
	                     : dns_records_of(z->config, d, z->keys.items, z->keys.n, str_from(z->tlsa), &a, list);

	if (e == OK && !z->inv->json)
		print_heading(z, d);
	for (size_t i = 0; e == OK && i < list->n; i++) {
		str other;
		enum dns_state state = state_of(z, &list->items[i], &a, &other);
		if (z->inv->json)
			print_json(d, &list->items[i], state, other);
		else
			print_line(z, &list->items[i], state, other);
	}
	if (e == OK && !z->inv->json)
		print_policy(z, d->name);
	return e;
}

static err print_all(struct zone *z)
{
	err e = OK;
	size_t n = 0;

	print_host(z);
	for (size_t i = 0; i < z->config->domains_n && e == OK; i++) {
		const struct config_domain *d = &z->config->domains[i];

		if (z->only != NULL && !str_equal_nocase(d->name, str_from(z->only)))
			continue;
		e = print_domain(z, d);
		n++;
	}
	return e == OK && n == 0 ? err_note(E_NOT_FOUND, "%s is none of the configuration's domains", z->only) : e;
}

/* What the certificate that this server shows would have a TLSA record say. */
static err read_certificate(struct zone *z)
{
	struct certificates c;
	struct certificate_facts facts;
	err e = certificates_load(z->config, &c);

	if (e != OK)
		return e;
	e = certificate_look(c.items[0].chain, z->config->hostname, &facts);
	if (e == OK)
		snprintf(z->tlsa, sizeof(z->tlsa), "3 1 1 %s", facts.key);
	certificates_free(&c);
	return e;
}

static err load_keys(struct zone *z)
{
	str only = z->only == NULL ? STR_NONE : str_from(z->only);
	err e = domain_keys_load(z->config, only, &z->keys);

	return e == OK ? domain_keys_make_first(&z->keys, z->config, only, rt_wall(), SIZE_MAX) : e;
}

static void zone_run(void *arg)
{
	struct zone *z = arg;
	ARENA(a, 4096);
	BUF(server, 128);

	if (z->config->resolvers_n > 0)
		net_address_print(&server, &z->config->resolvers[0]);
	err e = system_resolver_init(&z->system, server.n > 0 ? arena_z(&a, buf_str(&server)) : NULL);

	if (e == OK)
		e = load_keys(z);
	if (e == OK)
		e = read_certificate(z);
	if (e == OK)
		e = print_all(z);
	domain_keys_free(&z->keys);
	if (e != OK)
		z->status = command_fail_err(z->inv, e);
}

int dns_zone_print(const struct invocation *inv, const struct config *config, const char *domain)
{
	struct zone z = {.inv = inv, .config = config, .only = domain};
	struct folder_owner owner;
	err e = folder_owner(config, &owner);

	if (e == OK)
		e = folder_prepare(config, &owner);
	if (e == OK)
		e = keys_folder_give(config, &owner);
	if (e != OK)
		return command_fail_err(inv, e);
	if (rt_run(zone_run, &z) != OK)
		return command_fail_err(inv, E_MEMORY);
	return z.status;
}
