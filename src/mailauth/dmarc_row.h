/* SPDX-License-Identifier: ISC */
/* dmarc_row - what is counted of a message for the report to the domain that it says it is from (RFC 9990): one line of text, the same for messages that
 * are one record of the report. Pure. */
#ifndef MAILAUTH_DMARC_ROW_H
#define MAILAUTH_DMARC_ROW_H

#include "base/buf.h"
#include "mailauth/dmarc.h"

enum { DMARC_ROW_MAX = 2 << 10 };
struct dmarc_row {
	str source;      /* the client's address */
	str disposition; /* "none" "pass" "quarantine" "reject": what was done (RFC 9990) */
	str override, override_comment; /* why other than the policy asks: "local_policy" "trusted_forwarder" ..., "" none */
	str dkim, spf;   /* aligned: "pass" "fail" */
	str header_from, envelope_from, envelope_to;
	str spf_domain, spf_scope, spf_result;
	const struct dkim_result *dkim_results; /* of each signature: domain, selector, result */
	size_t dkim_n;
	str record;      /* the policy as published, and where: domain of the record */
	str record_domain;
};
void dmarc_row_print(struct buf *out, const struct dmarc_row *r);
MUST_USE err dmarc_row_parse(str row, struct arena *a, struct dmarc_row *out); /* E_SYNTAX: not what dmarc_row_print wrote */

#endif
