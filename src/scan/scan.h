/* SPDX-License-Identifier: ISC */
/* scan - programs beside us that look at mail: rspamd (HTTP), spamd (SPAMC), clamd (INSTREAM), milters (protocol 6). One file each; all are hostile until proven otherwise:
 * bounded answers, bounded time, nothing half done. Parks.
 */
#ifndef SCAN_SCAN_H
#define SCAN_SCAN_H

#include "conf/config.h"
#include "link/messages.h"
#include "mail/finding.h"
#include "rt/rt.h"

enum scan_action {
	SCAN_NOTHING,
	SCAN_JUNK,
	SCAN_QUARANTINE,
	SCAN_DISCARD,
	SCAN_LATER,
	SCAN_REJECT
}; /* stronger ones last */
struct scan_result {
	enum scan_action action; /* the strongest of all */
	int reply;               /* REJECT, LATER: for the client; a valid one whatever the program said */
	str status, text;
	int64_t points;   /* of rspamd and spamd, on our scale: added to the judge's */
	unsigned changed; /* enum message_change */
	str new_sender;
	struct rcpt *new_rcpts;
	size_t new_rcpts_n;
	struct body
		new_body; /* whole message; in `a`, or a memory file when larger than BODY_INLINE_MAX: body_release */
};
struct scan_input {
	const struct config *config;
	const struct inspect_request *message;
	bool ours;       /* of somebody who is logged in, or a program of this machine */
	str client_name; /* of the client's address, when it has one that has this address; "" else */
	nsec deadline;
	/* A connection to `scanner`, whose socket may be where this process cannot go; NULL: connect by itself. */
	err (*dial)(void *ctx, const struct config_scanner *scanner, nsec deadline, int *fd);
	void *ctx;
};
/* Asks all that are configured for such mail, in the file's order, the next one sees what a milter changed. Each says a SCANNER finding. One that fails counts as the
 * configuration says: nothing, or LATER for all. E_CANCELLED, E_MEMORY, E_LIMIT. */
MUST_USE err scan_message(const struct scan_input *in, struct buf *findings, struct arena *a, struct scan_result *out);

#endif
