/* SPDX-License-Identifier: ISC */
/* encoded_word - encoded words of header fields read (RFC 2047, with the language of RFC 2231 5), leniently. Pure but for charset.h, linear. */
#ifndef MAIL_ENCODED_WORD_H
#define MAIL_ENCODED_WORD_H

#include "base/buf.h"

/* Appends `value` (may be folded) as UTF-8 in one line: encoded words decoded, blanks between them dropped, line ends dropped and other controls as blanks; what is
 * malformed as it stands. As much as `out` has room for. */
void encoded_words_decode(struct buf *out, str value);
/* Is there one in it? */
bool encoded_words_any(str value);

#endif
