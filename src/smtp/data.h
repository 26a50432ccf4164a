/* SPDX-License-Identifier: ISC */
/* The content of a message as it arrives, octet by octet as RFC 5321 has it, in runs that are copied whole. Pure.
 *
 * Only CRLF "." CRLF ends data (4.1.1.4), only CRLF ends a line (2.3.8), dots are undone behind CRLF only (4.5.2). A
 * CR or an LF that stands alone is noted, or made CRLF when told so; it is never a line end for the dot behind it.
 */
#ifndef SMTP_DATA_H
#define SMTP_DATA_H

#include "base/str.h"

enum data_state { DATA_LINE_START, DATA_TEXT, DATA_CR, DATA_DOT, DATA_DOT_CR, DATA_END };

struct data_scan {
	enum data_state state;
	bool chunked;                     /* BDAT: no dots, the end is not in the content */
	bool normalise;                   /* bare CR and bare LF become CRLF */
	bool bare;                        /* seen */
	bool nul;                         /* seen */
	void (*emit)(void *ctx, str run); /* content; never an empty run */
	void *ctx;
};

/* Takes `in`, gives content to `emit`; returns the octets taken, fewer than in.n only when data ended (state
 * DATA_END). */
size_t data_feed(struct data_scan *d, str in);
/* After the last chunk: what is held back of the content. */
void data_finish(struct data_scan *d);

#endif
