/* SPDX-License-Identifier: ISC */
/* Encodings: base64 (RFC 4648 4), hexadecimal, xtext (RFC 3461 4), message ids, checksums, escaping for people. */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

void base64_encode(struct buf *out, str in);
/* Strict: padding required, no other byte than the alphabet, no bits left over. E_SYNTAX, E_LIMIT (out is full). */
MUST_USE err base64_decode(struct buf *out, str in);
void hex_encode(struct buf *out, str in);
int hex_digit(char c); /* its value, in any case; -1: it is none */
int hex_octet(str s);  /* the value of the two digits that s begins with; -1: it does not */
/* RFC 3986 2.1. STR_NONE: malformed, or no memory. */
str percent_decode(struct arena *a, str in);

void xtext_encode(struct buf *out, str in);
/* E_SYNTAX when malformed, and when a decoded byte is a control character (so that no line break gets through). */
MUST_USE err xtext_decode(struct buf *out, str in);

/* A message id as people type it: Crockford's base 32, upper case, no leading zeros; 1 to 13 characters. */
#define ID_TEXT_MAX 14
str id_text(uint64_t id, char out[ID_TEXT_MAX]);
MUST_USE bool id_parse(str text, uint64_t *id); /* case does not matter; false when it is none */

uint32_t crc32c(uint32_t crc, str data);          /* start with 0; uses the CPU's instruction where it is there */
uint32_t crc32c_by_table(uint32_t crc, str data); /* the same without it, for CPUs that have none */

/* Text of a peer for logs and terminals: control characters, DEL, invalid UTF-8 and direction marks as \xNN; a backslash
 * too, so that the text can be told from the escape. */
void escape_text(struct buf *out, str in);
/* With the quotes; what escape_text escapes goes as \uNNNN, invalid UTF-8 as \ufffd. */
void json_quote(struct buf *out, str in);

#endif
