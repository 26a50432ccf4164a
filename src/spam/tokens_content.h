/* SPDX-License-Identifier: ISC */
#ifndef SPAM_TOKENS_CONTENT_H
#define SPAM_TOKENS_CONTENT_H

#include "spam/content.h"
#include "spam/tokens.h"

/* tokens_of of a message that was taken apart already. */
MUST_USE err tokens_of_content(const struct content *c, struct arena *a, struct token **out, size_t *n);

#endif
