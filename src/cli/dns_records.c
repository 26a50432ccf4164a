/* SPDX-License-Identifier: ISC */
#include "cli/dns_records.h"

#include "dns/text.h"

enum { STRING_MAX = 255 };

struct listing {
	const struct config *config;
	const struct config_domain *domain;
	struct arena *arena;
	struct dns_wanted_list *list;
	bool full;
};

static void add(struct listing *l, const struct dns_wanted *w)
{
	if (l->list->n == DNS_WANTED_MAX)
		l->full = true;
	else
		l->list->items[l->list->n++] = *w;
}

static str below(struct listing *l, const char *label)
{
	return arena_printf(l->arena, "%s." STR_FMT, label, STR_ARG(l->domain->name));
}

static bool listens(const struct config *c, enum service s)
{
	for (size_t i = 0; i < c->listens_n; i++)
		if (c->listens[i].service == s)
			return true;
	return false;
}

/* --- mail comes in, and goes out --- */

static void add_flow(struct listing *l)
{
	str host = l->config->hostname;

	add(l, &(struct dns_wanted){.name = l->domain->name,
	                            .type = DNS_MX,
	                            .data = arena_printf(l->arena, "10 " STR_FMT, STR_ARG(host)),
	                            .why = "MX: mail for this domain comes to this server."});
	add(l,
	    &(struct dns_wanted){.name = l->domain->name,
	                         .type = DNS_TXT,
	                         .data = STR("v=spf1 mx -all"),
	                         .begins = STR("v=spf1"),
	                         .why = "SPF: the servers of the MX records send for this domain, nobody else does."});
	if (config_domain_find(l->config, host) != NULL) /* it has the record of a domain */
		return;
	add(l, &(struct dns_wanted){
		       .name = host,
		       .type = DNS_TXT,
		       .data = STR("v=spf1 a -all"),
		       .begins = STR("v=spf1"),
		       .why = "SPF: the name that this server says when it greets; it counts for mail without "
			      "a sender, such as reports."});
}

/* --- who wrote it --- */

static void add_keys(struct listing *l, const struct domain_key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct domain_key *k = &keys[i];

		if (!str_equal(k->domain, l->domain->name))
			continue;
		add(l, &(struct dns_wanted){.name = arena_printf(l->arena, STR_FMT "._domainkey." STR_FMT,
		                                                 STR_ARG(k->selector), STR_ARG(k->domain)),
		                            .type = DNS_TXT,
		                            .data = k->record,
		                            .begins = STR("v=DKIM1"),
		                            .why = "DKIM: the key by which others see that this domain has signed. A "
		                                   "new one signs as soon "
		                                   "as it is published."});
	}
}

static void add_policies(struct listing *l)
{
	add(l,
	    &(struct dns_wanted){
		    .name = below(l, "_dmarc"),
		    .type = DNS_TXT,
		    .data = arena_printf(l->arena, "v=DMARC1; p=quarantine; rua=mailto:postmaster@" STR_FMT,
	                                 STR_ARG(l->domain->name)),
		    .begins = STR("v=DMARC1"),
		    .why = "DMARC: what becomes of mail that says it is from this domain and is not; reports come to "
			   "postmaster and are read (pombo reports). Begin with p=none if others send for you."});
	add(l, &(struct dns_wanted){.name = below(l, "_smtp._tls"),
	                            .type = DNS_TXT,
	                            .data = arena_printf(l->arena, "v=TLSRPTv1; rua=mailto:postmaster@" STR_FMT,
	                                                 STR_ARG(l->domain->name)),
	                            .begins = STR("v=TLSRPTv1"),
	                            .optional = true,
	                            .why = "TLS-RPT: others report when they could not reach this server securely."});
}

/* --- how it travels --- */

static void add_transport(struct listing *l, str tlsa)
{
	if (tlsa.n > 0)
		add(l, &(struct dns_wanted){
			       .name = arena_printf(l->arena, "_25._tcp." STR_FMT, STR_ARG(l->config->hostname)),
			       .type = DNS_TLSA,
			       .data = tlsa,
			       .optional = true,
			       .why = "DANE: the key of this server's certificate, for those who check. Only in a zone "
		                      "that is "
				      "signed (DNSSEC); change it before the key changes."});
	add(l,
	    &(struct dns_wanted){
		    .name = below(l, "_mta-sts"),
		    .type = DNS_TXT,
		    .data = STR("v=STSv1; id=1"),
		    .begins = STR("v=STSv1"),
		    .any = true,
		    .optional = true,
		    .why = "MTA-STS: others insist on TLS. Needs a web server of yours at https://mta-sts.DOMAIN/ that "
			   "has the policy (below) as /.well-known/mta-sts.txt; a new id with each change."});
}

/* --- how programs find their settings (RFC 6186, RFC 8314) --- */

static void add_service(struct listing *l, const char *label, enum service s, uint16_t port)
{
	bool here = listens(l->config, s);

	add(l, &(struct dns_wanted){
		       .name = below(l, label),
		       .type = DNS_SRV,
		       .data = here ? arena_printf(l->arena, "0 1 %u " STR_FMT, port, STR_ARG(l->config->hostname))
	                            : STR("0 0 0 ."),
		       .optional = true,
		       .why = here ? "SRV: mail programs find this service by the address alone."
	                           : "SRV: this service is not offered, and programs need not look for it."});
}

static void add_services(struct listing *l)
{
	add_service(l, "_submissions._tcp", SERVICE_SUBMISSIONS, 465);
	add_service(l, "_submission._tcp", SERVICE_SUBMISSION, 587);
	add_service(l, "_pop3s._tcp", SERVICE_POP3S, 995);
}

err dns_records_of(const struct config *config, const struct config_domain *domain, const struct domain_key *keys,
                   size_t keys_n, str tlsa, struct arena *a, struct dns_wanted_list *out)
{
	struct listing l = {.config = config, .domain = domain, .arena = a, .list = out};

	out->n = 0;
	add_flow(&l);
	add_keys(&l, keys, keys_n);
	add_policies(&l);
	add_transport(&l, tlsa);
	add_services(&l);
	return l.full || a->full ? err_note(E_LIMIT, "too many records") : OK;
}

/* --- as a zone file has it --- */

static void print_text(struct buf *out, str text)
{
	do {
		str part = str_take(text, STRING_MAX);

		buf_puts(out, "\"");
		for (size_t i = 0; i < part.n; i++) {
			if (part.p[i] == '"' || part.p[i] == '\\')
				buf_putc(out, '\\');
			buf_putc(out, part.p[i]);
		}
		text = str_drop(text, part.n);
		buf_puts(out, text.n > 0 ? "\" " : "\"");
	} while (text.n > 0);
}

void dns_records_print(struct buf *out, const struct dns_wanted *w)
{
	BUF(type, 20);
	bool ends_with_name = w->type == DNS_MX || w->type == DNS_SRV || w->type == DNS_CNAME;

	dns_type_put(&type, w->type);
	buf_printf(out, STR_FMT ". IN " STR_FMT " ", STR_ARG(w->name), STR_ARG(buf_str(&type)));
	if (w->type == DNS_TXT)
		print_text(out, w->data);
	else
		buf_put(out, w->data);
	if (ends_with_name && !str_ends(w->data, STR(".")))
		buf_putc(out, '.');
}

/* --- what is there --- */

const char *dns_state_name(enum dns_state s)
{
	static const char *const names[DNS_STATE_COUNT] = {"there", "differs", "missing", "unknown"};

	return s < DNS_STATE_COUNT ? names[s] : "unknown";
}

enum dns_state dns_records_compare(const struct dns_wanted *w, const str *found, size_t n, str *other)
{
	bool differs = false;

	for (size_t i = 0; i < n; i++) {
		bool same_kind = w->begins.n == 0 || str_starts_nocase(found[i], w->begins);

		if (str_equal_nocase(found[i], w->data) || (w->any && same_kind))
			return DNS_STATE_THERE;
		if (!same_kind)
			continue;
		if (!differs)
			*other = found[i];
		differs = true;
	}
	return differs ? DNS_STATE_DIFFERS : DNS_STATE_MISSING;
}
