/* SPDX-License-Identifier: ISC */
/* send_letter - what `pombo send` sends: text, attachments or a whole message, and to whom. */
#ifndef CLI_SEND_LETTER_H
#define CLI_SEND_LETTER_H

#include "cli/send_options.h"

struct send_letter {
	str sender;               /* address */
	struct buf message;       /* CRLF */
	struct smtp_send_rcpt *rcpts; /* each address once */
	size_t rcpts_n;
};
/* Reads files and standard input. E_SYNTAX: an address, a header field, or text that is no UTF-8; E_NOT_FOUND: a file, or no recipient; E_LIMIT; E_IO. */
MUST_USE err send_letter_read(const struct send_options *o, struct send_letter *out, struct arena *a);

#endif
