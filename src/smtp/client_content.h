/* SPDX-License-Identifier: ISC */
/* client_content - what a message asks of the server that it is sent to. Pure. */
#ifndef SMTP_CLIENT_CONTENT_H
#define SMTP_CLIENT_CONTENT_H

#include "base/buf.h"
#include "base/err.h"

struct content {
	bool eight;        /* octets beyond ASCII */
	bool eight_header; /* and some of them in the header */
	bool nul,
		bare; /* a NUL; a CR or LF that is no part of a line end: what BINARYMIME alone carries (RFC 3030 3) */
	bool long_line; /* a line of more than 998 octets; not looked for unless asked */
	bool ended;     /* the last line has its end, or there is none */
};
struct content content_scan(str message, bool lines_too);

#endif
