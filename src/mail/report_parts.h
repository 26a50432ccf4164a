/* SPDX-License-Identifier: ISC */
/* The parts of a report, for report.c alone. */
#ifndef MAIL_REPORT_PARTS_H
#define MAIL_REPORT_PARTS_H

#include "mail/report.h"

/* What others said, as one line of text: what steers terminals, ends lines or turns the direction of text round is gone, and so is what is no UTF-8; with
 * `ascii` anything but ASCII becomes '?'. At most `max` octets, cut between characters. */
str report_plain(struct arena *a, str s, size_t max, bool ascii);
/* Words in lines of at most 76 columns where blanks let them be broken, each line behind `indent`; ends with CRLF. */
void report_fold(struct buf *out, const char *first, const char *indent, str text);

/* For people: what happened, why, and what can be done. UTF-8. */
void report_text(struct buf *out, const struct report *r, struct arena *a);
/* For programs: the fields of RFC 3464 2, in ASCII, or in UTF-8 as RFC 6533 4.1 has it, where an address is not ASCII. */
bool report_status_is_global(const struct report *r);
void report_status(struct buf *out, const struct report *r, struct arena *a);
/* "5.1.1", or what stands for the action where there is none in form (RFC 3463 2). */
str report_status_code(const struct report_rcpt *rcpt);
str report_accepted_address(const struct report_rcpt *rcpt); /* which the sender has written to */

#endif
