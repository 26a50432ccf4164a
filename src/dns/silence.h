/* SPDX-License-Identifier: ISC */
/* silence - is there a DNS at present? Where nothing has answered for a while, whatever was asked, a question waits for a short time only, so that mail does not stand still behind
 * each of them. Questions go out all the same: one domain that does not answer, asked for again and again, takes no answer from others, and the first answer ends it. One question at a
 * time waits as long as ever, for a DNS that is slow and not away. Pure.
 */
#ifndef DNS_SILENCE_H
#define DNS_SILENCE_H

#include "rt/rt.h"

#define SILENCE_AFTER    (10 * NSEC_PER_SEC) /* since the first question that had no answer; nothing else was answered */
#define SILENCE_PATIENCE (2 * NSEC_PER_SEC)  /* of a question, then */

enum { SILENCE_QUESTIONS = 4 }; /* without an answer, at least */

struct silence {    /* begins all zero */
	nsec since; /* when the first of them was asked */
	size_t unanswered;
	bool reigns;
	nsec patient_until; /* somebody waits as long as ever */
};

/* How long a question waits that is asked now, at most until `deadline`. */
nsec silence_deadline(struct silence *s, nsec now, nsec deadline);
/* A question that went out at `asked` had an answer, or none that says anything. True: it began or ended by that. */
bool silence_note(struct silence *s, bool answered, nsec asked, nsec now);

#endif
