/* SPDX-License-Identifier: ISC */
/* checks - who sent this message? SPF, DKIM, ARC, the name of the client's address and the DMARC record of who it says wrote it, all at once; then what DMARC
 * concludes, and whether somebody who is trusted saw it authentic before. Parks.
 */
#ifndef FILTER_CHECKS_H
#define FILTER_CHECKS_H

#include "conf/config.h"
#include "mailauth/auth_results.h"

struct checks_input {
	const struct config *config;
	const struct resolver *resolver;
	const struct inspect_request *message;
	const struct net_address *client; /* NULL: it is not the sender's: neither SPF nor its name say anything */
	int64_t now;
	nsec deadline;               /* what is not known by then is a temporary error */
	struct dkim_key_cache *keys; /* NULL: keys are read anew for each message */
};
/* Who it says wrote it. SEVERAL: From fields. UNCLEAR: one From, of which DMARC says that nobody can go by it. */
enum checks_author { AUTHOR_ONE, AUTHOR_NONE, AUTHOR_SEVERAL, AUTHOR_UNCLEAR };
struct checks {
	bool done; /* false: `authenticate no`; then only the author is known */
	enum checks_author kind;
	struct dmarc_author author; /* ONE */
	str author_why;
	bool from_client;
	struct spf_result spf; /* from_client; so is iprev */
	struct iprev_result iprev;
	struct dkim_result *dkim;
	size_t dkim_n;
	struct arc_result arc;
	struct dmarc_found found; /* ONE; so is dmarc */
	struct dmarc_result dmarc;
	str sealer;                  /* who is trusted, and saw a message authentic that is none now; "" nobody */
	struct auth_results results; /* points into all this */
};
/* Everything lives in `a`, `out` included: it must not move. E_CANCELLED, E_MEMORY, E_LIMIT. */
MUST_USE err checks_run(const struct checks_input *in, struct arena *a, struct checks *out);

/* CHECK lines: each result with what it goes by. */
void checks_print(const struct checks *c, const struct checks_input *in, struct buf *findings);

#endif
