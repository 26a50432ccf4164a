/* SPDX-License-Identifier: ISC */
/* tls_reporting - what connections to other servers show of their TLS is counted by the day (UTC) and by the domain that the mail was for; when the day is over, domains
 * that ask for it are told (RFC 8460). It is in memory alone: what was counted since midnight is lost when the process ends.
 *
 *	tls_reporting.c     counting, and the day's end
 *	tls_report_send.c   one domain's report: its record, the report, where it goes
 */
#ifndef RELAY_TLS_REPORTING_H
#define RELAY_TLS_REPORTING_H

#include "mailauth/tls_tally.h"
#include "rt/net.h"
#include "rt/tls_client.h"

struct relay;
struct tls_reporting; /* of a relay */

MUST_USE err tls_reporting_new(struct relay *r, struct tls_reporting **out);
void tls_reporting_free(struct tls_reporting *t); /* NULL allowed */
MUST_USE err tls_reporting_start(struct tls_reporting *t);
void tls_reporting_cancel(struct tls_reporting *t);
void tls_reporting_stop(struct tls_reporting *t); /* returns when it has ended; what was counted is lost */

/* Counts, unless `session` is of no domain, or the configuration wants no reports. */
void tls_reporting_note(struct tls_reporting *t, const struct tls_session *session);
/* One connection, or one attempt at it: with `to`, over `fd` (-1 unknown), had this result. */
void tls_reporting_connection(struct tls_reporting *t, const struct tls_session *session, const struct net_address *to,
                              int fd, enum tls_result result, str reason);
/* What a handshake's end means. TLS_RESULT_COUNT: nothing that is reported (RFC 8460 4.3.4). */
enum tls_result tls_reporting_result(err e, const struct tls_proof *proof);

/* --- tls_report_send.c --- */

struct tls_report_due {
	struct relay *relay;
	const struct tls_tally *tally;
	str domain;
	int64_t from, until; /* microseconds */
};
/* OK: it was handed over, or nobody wants it. E_TEMP: it may work later. E_CANCELLED. */
MUST_USE err tls_report_send(const struct tls_report_due *due);

#endif
