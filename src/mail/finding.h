/* SPDX-License-Identifier: ISC */
/* finding - what was found out about a message, as lines of text: kept beside it, and shown by `pombo explain`. Pure. */
#ifndef MAIL_FINDING_H
#define MAIL_FINDING_H

#include "base/arena.h"
#include "base/buf.h"

/* CHECK: a fact ("spf" "pass"); RULE: a fact that counts, with points; SCANNER: what another program said; DECISION: what follows, and what would have to be
 * different for another one. */
enum finding_kind { FINDING_CHECK, FINDING_RULE, FINDING_SCANNER, FINDING_DECISION, FINDING_KIND_COUNT };
struct finding {
	enum finding_kind kind;
	str name;      /* "spf", "dkim", "helo-no-address": a word of lower case letters, digits and - */
	str result;    /* "pass", "listed", "junk": one word, "" none */
	int64_t points; /* thousandths; spam is positive */
	str evidence;  /* a sentence, or the record that says so; one line */
};
enum { FINDINGS_MAX = 16 << 10, FINDING_EVIDENCE_MAX = 400 }; /* octets of all lines of a message; of one sentence: more is cut */

const char *finding_kind_name(enum finding_kind kind);
/* Appends a line. Whatever could end a line, or steer a terminal, becomes '?'; a full buffer leaves the line out whole. */
void finding_print(struct buf *out, const struct finding *f);
/* Takes the first line off *text; malformed ones are passed over. False: there is no more. Views into *text. */
bool finding_next(str *text, struct finding *out);
void finding_points_print(struct buf *out, int64_t points); /* "1.5", "-0.25", "0" */

#endif
