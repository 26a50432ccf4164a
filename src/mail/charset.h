/* SPDX-License-Identifier: ISC */
/* charset - text in whatever charset, as UTF-8 (iconv). Linear. One thread alone uses it: converters are kept. */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include "base/buf.h"

/* Opens the converters of the charsets that mail is written in, which iconv has in files: for a process that is about to lose sight of them. */
void charset_prepare(void);

/* Appends `text` as well-formed UTF-8, as much as `out` has room for, by whole characters. What is malformed becomes U+FFFD. `charset`: its name in MIME, "" US-ASCII;
 * text of US-ASCII, UTF-8 and of charsets that are not known is taken for UTF-8 where it is, else for windows-1252. False: `out` is full. */
bool charset_to_utf8(struct buf *out, str charset, str text);

#endif
