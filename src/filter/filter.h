/* SPDX-License-Identifier: ISC */
/* filter - a message's way through the filter: a look (mail/inspect.h), then, of mail from others, who sent it (SPF, DKIM, DMARC, ARC, iprev, all at once), what
 * earlier mail shows, the judge, the programs beside us, and the decision; of our users' mail, its signatures.
 *
 *	filter.c    the order of things
 *	checks.c    authentication, side by side
 *	decide.c    policy: what becomes of it, for each recipient, and the sentence that says why
 *	outward.c   what leaves: signatures
 *	keyring.c   which key of a domain signs: the newest whose record the DNS has
 *	lessons.c   words learned from what people say is spam
 *	models.c    the tables of words, kept up to date
 *	reports.c   reports of others that a message brings
 */
#ifndef FILTER_FILTER_H
#define FILTER_FILTER_H

#include "conf/config.h"
#include "dns/dns.h"
#include "link/link.h"

struct filter;
struct filter_options {
	struct config *config; /* held */
	struct link *store, *keys;
	struct link *monitor; /* who connects to Unix sockets of scanners; NULL: they are where we can go */
	struct resolver resolver;
};
MUST_USE err filter_new(const struct filter_options *o, struct filter **out);
MUST_USE err filter_start(struct filter *f); /* its own work: lessons, models */
void filter_configure(struct filter *f, struct config *config);
MUST_USE err filter_certify(struct filter *f, const struct certify_request *q);
void filter_stop(struct filter *f);
void filter_free(struct filter *f);

/* The call. Its return value is for faults of our own; the verdict is in the reply. */
MUST_USE err filter_inspect(struct filter *f, const struct inspect_request *q, struct inspect_reply *r,
                            struct arena *a);

#endif
