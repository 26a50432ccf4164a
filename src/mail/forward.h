/* SPDX-License-Identifier: ISC */
/* forward - what a user's .forward says, and the lines by which the process that read it tells another one:
 *
 *	target bob@example.com
 *	refused 3 programs are not run for mail
 *	fault line 1: a quote is not closed
 *	end
 *
 * Whoever wrote the lines may be in the user's hand: they are checked as input is. Pure functions.
 */
#ifndef MAIL_FORWARD_H
#define MAIL_FORWARD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"

enum { FORWARD_TARGETS_MAX = 100, FORWARD_REFUSALS_MAX = 20, FORWARD_LINE_MAX = 400 };
#define FORWARD_TEXT_MAX ((size_t)64 << 10) /* octets of a .forward */

struct forward_refusal {
	uint64_t line; /* of the file, from 1 */
	str why;
};
struct forward {
	str *targets; /* local@domain, as they are looked up; as often as the file names them */
	size_t targets_n;
	struct forward_refusal *refusals; /* what is not used; the rest is */
	size_t refusals_n;
	str fault; /* why nothing of the file is used; "" none */
};

/* The text of a .forward; names without a domain are of `domain`. E_MEMORY. */
MUST_USE err forward_read(str text, str domain, struct arena *a, struct forward *out);
/* Nothing of the file is used. */
struct forward forward_fault(str why);
void forward_print(struct buf *out, const struct forward *f); /* through "end" */
/* Through "end". E_SYNTAX: these are not such lines, there are too many of them, or they are not at their end. E_MEMORY. */
MUST_USE err forward_parse(struct cursor *c, struct arena *a, struct forward *out);
/* The next line, without its end; the cursor fails when there is none, or it is too long, or it has a control character. */
str forward_line(struct cursor *c);

#endif
