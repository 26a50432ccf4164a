/* SPDX-License-Identifier: ISC */
#ifndef CLI_SPAM_H
#define CLI_SPAM_H

#include "cli/command.h"
#include "cli/messages.h"
#include "spam/tokens.h"

int spam_test(const struct invocation *inv, struct config *config, struct messages *m); /* pombo spam test */
/* Hashes as the store takes them: 8 octets each, little-endian. */
void spam_pack(struct buf *out, const struct token *tokens, size_t n);

#endif
