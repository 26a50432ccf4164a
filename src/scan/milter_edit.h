/* SPDX-License-Identifier: ISC */
/* milter_edit - what a milter wants changed of a message: noted as it comes, done when it has said its last word, so that one that dies on the way changes nothing.
 */
#ifndef SCAN_MILTER_EDIT_H
#define SCAN_MILTER_EDIT_H

#include "scan/milter_packet.h"
#include "scan/program.h"

enum { MILTER_EDITS_MAX = 1000, MILTER_EDITS_OCTETS_MAX = 1 << 20 /* of names and values */ };

struct milter_edit {
	char kind; /* enum milter_reply */
	uint32_t index;
	str name, value;
};
struct milter_edits {
	struct arena *arena;
	struct milter_edit items[MILTER_EDITS_MAX];
	size_t n, octets;
	struct buf body; /* MILTER_REPLACE_BODY: its cap is the largest message */
	bool new_body;
	bool leading_blanks; /* values come with the blank behind the colon */
};
void milter_edits_init(struct milter_edits *m, struct arena *a, size_t body_max);
void milter_edits_free(struct milter_edits *m);
/* One packet. E_NOT_FOUND: it is none that changes anything; E_SYNTAX: malformed; E_LIMIT. */
MUST_USE err milter_edits_add(struct milter_edits *m, const struct milter_packet *p);
/* Does all of it; fills `changed`, `now`, and action QUARANTINE of *out. */
MUST_USE err milter_edits_apply(const struct milter_edits *m, const struct scan_message *message, struct arena *a,
                                struct program_answer *out);

#endif
