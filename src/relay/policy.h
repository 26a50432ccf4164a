/* SPDX-License-Identifier: ISC */
/* policy - what a connection to a host must prove, and who asks for it: the route, DANE (RFC 7672), MTA-STS (RFC 8461), the message (RFC 8689). */
#ifndef RELAY_POLICY_H
#define RELAY_POLICY_H

#include "relay/hosts.h"
#include "relay/state.h"

/* Each asks for more than the one before. */
enum policy_level {
	POLICY_PLAIN,     /* no TLS */
	POLICY_MAY,       /* when it is offered, and any certificate */
	POLICY_ENCRYPTED, /* TLS, and any certificate */
	POLICY_NAME,      /* a certificate for `names` by a known authority */
	POLICY_DANE       /* one that fits `tlsa` */
};
struct relay_policy {
	enum policy_level level;
	const char *by;  /* who asks: "DANE" ... */
	bool testing;    /* MTA-STS, which is being tested: what would not hold is logged, and taken */
	bool implicit;   /* TLS from the first octet on */
	bool requiretls; /* the server has to know REQUIRETLS */
	str server_name;
	str names[2];
	size_t names_n;
	struct tls_tlsa *tlsa;
	size_t tlsa_n;
	struct tls_session
		session; /* what is counted of connections under it, in the question's arena; of no domain: nothing (tls_reporting.h) */
};

struct policy_question {
	struct relay *relay;
	const struct relay_way *way;
	const struct relay_hosts *hosts;
	uint64_t flags; /* of the message: enum message_flag */
	struct arena *arena;
	/* the domain's MTA-STS policy, looked up when a host first asks for it */
	bool sts_known, sts_there;
	struct mta_sts_policy sts;
};
/* E_TEMP, E_PERM: this host is not to be used for this message, err_info says why and with which status. */
MUST_USE err policy_of_host(struct policy_question *q, const struct relay_host *host, struct relay_policy *out);
/* What of a message's flags a connection is made by: one made for others cannot be used. */
#define POLICY_FLAGS(flags) ((flags) & (MESSAGE_REQUIRE_TLS | MESSAGE_TLS_OPTIONAL))

#endif
