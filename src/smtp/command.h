/* SPDX-License-Identifier: ISC */
/* Commands of the client, one line each. Pure. */
#ifndef SMTP_COMMAND_H
#define SMTP_COMMAND_H

#include "base/err.h"
#include "base/str.h"

enum verb {
	SMTP_HELO,
	SMTP_EHLO,
	SMTP_LHLO,
	SMTP_MAIL,
	SMTP_RCPT,
	SMTP_DATA,
	SMTP_BDAT,
	SMTP_RSET,
	SMTP_NOOP,
	SMTP_VRFY,
	SMTP_EXPN,
	SMTP_HELP,
	SMTP_QUIT,
	SMTP_STARTTLS,
	SMTP_AUTH,
	SMTP_XFATE,       /* ours: what became of a message */
	SMTP_UNAVAILABLE, /* known to the world, not to us: ETRN, TURN ... */
	SMTP_HTTP, /* a browser was made to talk to us: the session must end before its body is taken for commands */
	SMTP_UNKNOWN,
};

/* RFC 5321 4.5.3.1.4: 512 octets and what extensions add: DSN 600 (RFC 3461 5), SIZE, BODY, SMTPUTF8 under 100. */
#define COMMAND_LINE_MAX 2048
/* RFC 4954 4: AUTH with an initial response, and its line end. */
#define AUTH_LINE_MAX (12288 + 2)

struct command {
	enum verb verb;
	str args; /* without blanks at both ends; a view into the line */
};

/* `line` with its line end. E_SYNTAX: not ended by CRLF, control characters, bytes that are not UTF-8; the reply is
 * in err_info. */
MUST_USE err command_parse(str line, struct command *out);

/* Is the next whole line in `input` a RCPT command? (Of a batch all are asked together.) */
bool command_rcpt_follows(str input);

/* "FROM:" or "TO:" in front of a path, as `keyword`: what is behind it in *path. E_SYNTAX with 501 5.5.4 (RFC 5321 4.2.4). */
MUST_USE err command_path_argument(str args, str keyword, str *path);

/* BDAT's argument: chunk-size [SP "LAST"] (RFC 3030 2). E_SYNTAX with 501: nobody knows how many octets follow. */
MUST_USE err command_chunk(str args, uint64_t *size, bool *last);

#endif
