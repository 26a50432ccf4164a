/* SPDX-License-Identifier: ISC */
/* reports - what others report about domains of ours, in the mail that brings it: aggregate reports of DMARC (RFC 9990) and about TLS (RFC 8460), complaints
 * (RFC 5965). The work is bounded, one report of a message, 16 MiB of it when it is unpacked; a worker does it (rt_work), and the caller parks.
 */
#ifndef FILTER_REPORTS_H
#define FILTER_REPORTS_H

#include "conf/config.h"
#include "link/messages.h"

struct reports_input {
	const struct config *config;
	str message;
	str author;    /* domain of From; "" when nobody knows */
	bool verified; /* it has authenticated the message (DMARC pass) */
};
/* OK: `out` is what is kept of a report about a domain of ours. E_NOT_FOUND: the message is no report; E_DENIED: it is one about somebody else; E_SYNTAX, E_LIMIT: it looks
 * like one, and cannot be read. err_info says why. */
MUST_USE err reports_read(const struct reports_input *in, struct arena *a, struct report_read *out);

#endif
