/* SPDX-License-Identifier: ISC */
/* A command line of POP3 (RFC 1939 3): a keyword and its arguments. */
#ifndef POP3_COMMAND_H
#define POP3_COMMAND_H

#include "base/err.h"
#include "base/str.h"

enum pop3_verb {
	POP3_AUTH,
	POP3_CAPA,
	POP3_DELE,
	POP3_LANG,
	POP3_LIST,
	POP3_NOOP,
	POP3_PASS,
	POP3_QUIT,
	POP3_RETR,
	POP3_RSET,
	POP3_STAT,
	POP3_STLS,
	POP3_TOP,
	POP3_UIDL,
	POP3_USER,
	POP3_UTF8
};

struct pop3_command {
	enum pop3_verb verb;
	str argument; /* all that stands behind the first blank: what USER and PASS take */
	str words[2];
	size_t words_n;
};

/* `line` with its end; the parts of `out` are views of it. E_NOT_FOUND: no such command; E_SYNTAX: too few or too many arguments. */
MUST_USE err pop3_command_parse(str line, struct pop3_command *out);

/* The line without its end: CRLF, or LF alone. */
str pop3_line_text(str line);

#endif
