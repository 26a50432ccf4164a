/* SPDX-License-Identifier: ISC */
/* dns_records - what a domain of ours has to say in the DNS so that its mail works and is believed. Pure. */
#ifndef CLI_DNS_RECORDS_H
#define CLI_DNS_RECORDS_H

#include "conf/config.h"
#include "dns/dns.h"
#include "link/messages.h"

struct dns_wanted {
	str name; /* without the final dot */
	enum dns_type type;
	str data;        /* as dns_data_put writes it; of TXT the text alone */
	str begins;      /* of TXT: what else begins like this is another one of the same kind, "v=spf1"; "" none */
	bool any;        /* whatever it says behind that is right */
	bool optional;   /* mail works without it */
	const char *why; /* what it is for: one sentence */
};
enum { DNS_WANTED_MAX = 64 };
struct dns_wanted_list {
	struct dns_wanted items[DNS_WANTED_MAX];
	size_t n;
};
/* `keys`: of all domains; `tlsa`: the certificate's "3 1 1 HEX", "" none. E_LIMIT: no memory, or too many. */
MUST_USE err dns_records_of(const struct config *config, const struct config_domain *domain,
                            const struct domain_key *keys, size_t keys_n, str tlsa, struct arena *a,
                            struct dns_wanted_list *out);
/* A line of a zone file (RFC 1035 5.1), without the line end; long texts are cut into strings. */
void dns_records_print(struct buf *out, const struct dns_wanted *w);

enum dns_state { DNS_STATE_THERE, DNS_STATE_DIFFERS, DNS_STATE_MISSING, DNS_STATE_UNKNOWN, DNS_STATE_COUNT };
const char *dns_state_name(enum dns_state s);
/* `found`: what the DNS has at that name, as `data` is written. *other: what is there instead, when it differs. */
enum dns_state dns_records_compare(const struct dns_wanted *w, const str *found, size_t n, str *other);

#endif
