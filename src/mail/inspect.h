/* SPDX-License-Identifier: ISC */
/* What `filter` does with a message: looks, decides, writes headers. Pure: all it needs is in the request. */
#ifndef MAIL_INSPECT_H
#define MAIL_INSPECT_H

#include "base/err.h"
#include "link/messages.h"

struct inspect_options {
	uint64_t hops; /* Received fields allowed */
	str hostname;  /* ours; this and `at` go into fields that are added */
	int64_t at;    /* microseconds since 1970 */
};
/* Loops: more Received than `hops`, or a Delivered-To of ours for a recipient: 554 5.4.6 (RFC 5321 6.3). A line of
 * several words without a colon in the midst of a header: 554 5.6.0. Where there is no header, reply->headers ends with an empty line. Fills message_id and subject: one line each,
 * cut at 256 octets, no control characters; flags: MESSAGE_TLS_OPTIONAL when there is a TLS-Required: No (RFC 8689 3). With MESSAGE_SUBMISSION: what mail/submit.h says, too. The return value is for faults of our own; the verdict on the message is
 * reply->code. Views of reply point into request or arena. */
MUST_USE err inspect_message(const struct inspect_request *request, const struct inspect_options *options,
                             struct inspect_reply *reply, struct arena *a);

#endif
