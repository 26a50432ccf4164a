/* SPDX-License-Identifier: ISC */
/* dmarc_reporting - when a day (UTC) is over, domains that ask for it are told who sent mail in their name (RFC 9990). What was counted is in the store until it says that a
 * domain is done, so nothing is lost when this process, the store or the DNS is away: it is told later, up to four days.
 *
 *	dmarc_reporting.c      the day's end, domain by domain
 *	dmarc_report_send.c    one domain's report
 *	dmarc_report_places.c  who gets it: the domain's record, and whether others agree (RFC 9990 4)
 */
#ifndef RELAY_DMARC_REPORTING_H
#define RELAY_DMARC_REPORTING_H

#include "link/messages.h"
#include "mailauth/dmarc.h"

struct relay;
struct dmarc_reporting; /* of a relay */

MUST_USE err dmarc_reporting_new(struct relay *r, struct dmarc_reporting **out);
void dmarc_reporting_free(struct dmarc_reporting *d); /* NULL allowed */
MUST_USE err dmarc_reporting_start(struct dmarc_reporting *d);
void dmarc_reporting_cancel(struct dmarc_reporting *d);
void dmarc_reporting_stop(struct dmarc_reporting *d); /* returns when it has ended */

/* --- dmarc_report_send.c --- */

struct dmarc_report_due {
	struct relay *relay;
	str domain;          /* of the record */
	int64_t from, until; /* microseconds, both in the range */
	const struct tally_row *rows;
	size_t rows_n;
};
/* OK: it was handed over, or nobody wants it, or it will never be. E_TEMP: it may work later. E_CANCELLED. */
MUST_USE err dmarc_report_send(const struct dmarc_report_due *due);

/* --- dmarc_report_places.c --- */

enum { DMARC_PLACES_MAX = 4 }; /* more are left out: a record is no reason to write to everybody */
struct dmarc_place {
	str to;       /* an address in ASCII */
	uint64_t max; /* octets, packed; 0 any */
};
/* `counted`: the record as it was when mail was counted, for when the DNS does not answer now. E_NOT_FOUND: nobody wants reports; E_TEMP: it is not known now; E_CANCELLED. */
MUST_USE err dmarc_report_places(const struct relay *r, str domain, str counted, struct arena *a,
                                 struct dmarc_place out[DMARC_PLACES_MAX], size_t *n);

#endif
