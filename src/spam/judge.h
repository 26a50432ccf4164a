/* SPDX-License-Identifier: ISC */
/* judge - a sum of named rules, each with points and a reason. Parks: lists in the DNS are asked at the same time.
 *
 *	rules.c      the table of rules: name, points, what it looks for, one sentence each for the manual
 *	blocklist.c  DNSBL and URIBL
 *	bayes.c      words
 *	greylist.c   the suspicious come back later
 */
#ifndef SPAM_JUDGE_H
#define SPAM_JUDGE_H

#include "conf/config.h"
#include "mail/finding.h"
#include "mailauth/auth_results.h"
#include "spam/model.h"

struct judge_input {
	const struct config *config;
	const struct resolver *resolver;
	const struct inspect_request *message;
	const struct net_address *client; /* NULL: not from the network */
	const struct auth_results *auth;
	const struct dmarc_author *author; /* NULL: not exactly one */
	const struct model *all, *own;     /* NULL: none */
	const struct history_reply *history; /* of the keys that judge_keys named, NULL: the store was away */
	int64_t now;
	nsec deadline;
};
/* What the history is to be asked for. */
MUST_USE err judge_keys(const struct judge_input *in, struct arena *a, struct word **keys, size_t *n);

struct judge_result {
	int64_t points;
	struct buf *findings; /* RULE lines are appended here; the caller's */
	struct note *notes;   /* to be kept with the message: reputations, greylisted ones */
	size_t notes_n;
	bool greylisted; /* to be refused for now: 451 4.7.1 */
	str reasons;     /* the weightiest rules in a few words, for the reply and the header field */
};
/* A rule that cannot be asked (DNS) counts nothing and says so. E_CANCELLED, E_MEMORY, E_LIMIT. */
MUST_USE err judge_message(const struct judge_input *in, struct arena *a, struct judge_result *out);
/* What the notes are once it is known what becomes of the message. `bad`: refused or junk. */
void judge_conclude(struct judge_result *r, bool bad);

void judge_manual(struct buf *out); /* the table of rules in mdoc, for pombo-spam(7) */

#endif
