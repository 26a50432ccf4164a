/* SPDX-License-Identifier: ISC */
/* tls_tally - what is counted for reports about TLS (RFC 8460 4.2, 4.3): sessions by the domain that mail was for, by the policy that they were under, and of those that failed
 * why and with which host. Its size is bounded, whatever domains, policies and failures there are. Pure.
 */
#ifndef MAILAUTH_TLS_TALLY_H
#define MAILAUTH_TLS_TALLY_H

#include "base/map.h"
#include "mailauth/tls_report.h"

enum tls_policy_type { TLS_POLICY_NONE, TLS_POLICY_STS, TLS_POLICY_TLSA };
/* RFC 8460 4.3, and "validation-failure" for all that has no name there. */
enum tls_result {
	TLS_RESULT_SUCCESS,
	TLS_RESULT_NO_STARTTLS,
	TLS_RESULT_CERTIFICATE_NAME,
	TLS_RESULT_CERTIFICATE_EXPIRED,
	TLS_RESULT_CERTIFICATE_UNTRUSTED,
	TLS_RESULT_TLSA_INVALID,
	TLS_RESULT_DNSSEC_INVALID,
	TLS_RESULT_STS_FETCH,
	TLS_RESULT_STS_INVALID,
	TLS_RESULT_STS_WEBPKI,
	TLS_RESULT_OTHER,
	TLS_RESULT_COUNT
};

struct tls_session {
	str domain; /* that the mail was for */
	enum tls_policy_type type;
	str policy_domain; /* STS: the same; TLSA: the base domain of the records (RFC 7672 2.2.3) */
	const str *strings, *hosts;
	size_t strings_n, hosts_n;
	enum tls_result result;
	str sending_ip, receiving_host, receiving_ip, reason; /* of a failure; "" not known */
};

enum { TALLY_DOMAINS_MAX = 10000, TALLY_POLICIES_MAX = 16, TALLY_DETAILS_MAX = 64 }; /* of a domain, of a policy */
struct tls_tally {
	struct map domains;
	size_t octets; /* that they take */
	uint64_t lost; /* sessions that could not be counted: too many domains or policies, or no memory */
};
void tls_tally_init(struct tls_tally *t);
void tls_tally_free(struct tls_tally *t);
/* Everything is copied, texts are cut. When there are too many details of a policy, what differs in host, address and reason is counted together. */
void tls_tally_add(struct tls_tally *t, const struct tls_session *s);
/* The domains, in no order: *at begins with 0. */
bool tls_tally_next(const struct tls_tally *t, size_t *at, str *domain);
void tls_tally_remove(struct tls_tally *t, str domain);
/* The policies of a domain; views into the tally and the arena. E_NOT_FOUND; E_LIMIT: no memory. */
MUST_USE err tls_tally_policies(const struct tls_tally *t, str domain, struct arena *a, struct tls_report *out);

#endif
