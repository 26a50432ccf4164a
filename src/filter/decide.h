/* SPDX-License-Identifier: ISC */
/* decide - what becomes of a message from others, for each recipient. Pure.
 *
 * What DMARC asks for is done as the recipient's domain has it (obey, junk, ignore); points have the thresholds of the recipient's domain; scanners say it themselves. The strongest counts.
 * SMTP has one reply for all recipients: refused is what all of them would refuse, and for those that would while others do not it is junk.
 *
 * Several From fields are refused: programs show one or the other. One From that nobody can go by is junk, as DMARC cannot be asked. No From at all is for the judge.
 * RFC 9989 leaves to the receiver what happens when a policy is known and SPF or DKIM cannot be looked up at present: a policy of reject makes the client come
 * back; others do not, nor does a policy that cannot be looked up itself. Mail from our own front servers is refused by nobody, and DMARC, which cannot see SPF there, does nothing.
 */
#ifndef FILTER_DECIDE_H
#define FILTER_DECIDE_H

#include "filter/checks.h"
#include "mail/finding.h"
#include "scan/scan.h"

struct decide_input {
	const struct config *config;
	const struct rcpt *rcpts;
	size_t rcpts_n;
	bool front; /* from a server of ours in front of this one */
	const struct checks *checks;
	int64_t points; /* of all rules and scanners */
	bool greylisted;
	str reasons;                    /* the weightiest rules in a few words */
	const struct scan_result *scan; /* NULL: none was asked */
	uint64_t id;                    /* of the message, for people who ask */
};
enum decide_cause { CAUSE_NOTHING, CAUSE_POINTS, CAUSE_DMARC, CAUSE_AUTHOR, CAUSE_SCANNER, CAUSE_GREYLIST };
struct decision {
	err code; /* OK: accepted; E_PERM, E_TEMP: with these */
	uint64_t reply;
	str status, text;
	struct rcpt_verdict *verdicts; /* one for each recipient */
	enum disposition worst;
	enum decide_cause cause;   /* of the worst of it */
	enum dmarc_policy applied; /* what was done of what DMARC asks for: reject, quarantine (junk too), none */
	struct finding finding;    /* the DECISION line: what follows, and what would have to be different */
};
/* Texts live in `a`. E_MEMORY. */
MUST_USE err decide(const struct decide_input *in, struct arena *a, struct decision *out);

#endif
