/* SPDX-License-Identifier: ISC */
/* messages - mail in files: a message, an mbox, a Maildir or any folder of messages, standard input ("-"). Gathered in a temporary file first, because without a running
 * server the store is opened by this process, which then sees nothing but that.
 */
#ifndef CLI_MESSAGES_H
#define CLI_MESSAGES_H

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

enum { MESSAGES_OCTETS_MAX = 64 << 20 }; /* of one message; more is left out */

struct messages {
	FILE *spool;
	size_t n;
};
MUST_USE err messages_open(struct messages *m);
/* Adds what `path` names. E_NOT_FOUND; E_IO; err_info says which file. */
MUST_USE err messages_add(struct messages *m, const char *path);
/* No more comes: back to the first. */
MUST_USE err messages_rewind(struct messages *m);
/* The next one and where it is from; E_END. */
MUST_USE err messages_next(struct messages *m, struct buf *name, struct buf *message);
void messages_close(struct messages *m);

/* Takes the next message off an mbox: up to a line "From sender date" behind an empty one. */
str mbox_next(str *rest);

#endif
