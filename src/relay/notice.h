/* SPDX-License-Identifier: ISC */
/* notice - who is told what became of a message: which reports are due (RFC 3461 4.1, 5.2), and the report. Pure. */
#ifndef RELAY_NOTICE_H
#define RELAY_NOTICE_H

#include "conf/config.h"
#include "mail/report.h"

struct notice {
	const struct config *config;
	const struct lease_reply *lease;
	struct outcome *
		outcomes; /* one for each recipient of the lease, in order; `warned` is set where the report tells of a delay */
	const bool *handed_on; /* the next server knows DSN, and tells of success itself */
	bool delivered;        /* the next server is the mailbox (LMTP) */
	int64_t now;
	struct arena *arena;
};

/* Is a report due for recipient `i`, and of what? */
MUST_USE bool notice_due(const struct notice *n, size_t i, enum report_action *action);
/* One report for all that are due, appended to `out`; false: none is, and `out` stays as it was. `out` may be full: try with a body of "" then. */
MUST_USE bool notice_print(const struct notice *n, str message, struct buf *out);

#endif
