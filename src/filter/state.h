/* SPDX-License-Identifier: ISC */
/* What the files of this room share: the filter, and one message on its way through it. */
#ifndef FILTER_STATE_H
#define FILTER_STATE_H

#include "dns/cache.h"
#include "filter/filter.h"
#include "filter/keyring.h"
#include "filter/models.h"
#include "mail/finding.h"
#include "mailauth/dkim_key_cache.h"
#include "scan/scan.h"

struct filter {
	struct config *config;
	struct resolver behind; /* not remembered here */
	struct dns_cache *dns;
	struct resolver resolver; /* who asks it first */
	struct link *store, *monitor;
	struct dkim_key_cache *keys; /* of others; keyring: which of ours signs */
	struct keyring *keyring;
	struct models *models;
	struct co *learner, *stopper;
};

/* Whose mail it is. OTHERS: of anybody on the network. FRONT: a server of ours in front of this one hands it on, LMTP or relay-from: it is trusted, and where it had the mail from is not known.
 * OURS: of who is logged in, of a program here, and of a client in relay-from to other servers alone. */
enum source { SOURCE_OTHERS, SOURCE_FRONT, SOURCE_OURS };

struct pass {
	struct filter *filter;
	struct config *config; /* held */
	enum source source;
	const struct inspect_request *request;
	struct inspect_reply *reply;
	struct arena *arena; /* of the call */
	struct buf findings;
	str client_name;         /* of the client's address, confirmed; "" none is known */
	struct scan_result scan; /* all zero: nobody was asked */
	int64_t now;             /* microseconds since 1970 */
	nsec deadline;           /* for what the DNS and the store are asked */
};

/* --- pass.c --- */
enum source pass_source(const struct config *c, const struct inspect_request *q, struct net_address *client);
/* The look of mail/inspect.h at the message as it is now: that of the request, or what a milter has made of it. */
MUST_USE err pass_look(struct pass *p);
str pass_message(const struct pass *p);
/* As it came, when scanners have changed it; else empty. */
str pass_before(const struct pass *p);
const struct rcpt *pass_rcpts(const struct pass *p, size_t *n);
/* Asks the scanners, if there are any for such mail; what they changed is in the reply. */
MUST_USE err pass_scan(struct pass *p);
MUST_USE err pass_put_headers(struct pass *p, str fields); /* in front of those that the reply has */
void pass_refuse(struct pass *p, err code, uint64_t reply, str status, str text);
/* The judgement with all findings so far; NULL: no memory. To be called once, last. */
struct judgement *pass_judgement(struct pass *p);

/* --- inward.c, outward.c: what is done with the mail of others, and with ours. Errors are faults of our own. --- */
MUST_USE err inward(struct pass *p, const struct net_address *client);
MUST_USE err outward(struct pass *p);
/* Puts an ARC set of ours in front of a message from others. */
struct checks;
MUST_USE err outward_seal(struct pass *p, const struct checks *checks);

#endif
