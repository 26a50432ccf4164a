/* SPDX-License-Identifier: ISC */
/* Addresses of the envelope: the grammar of RFC 5321 4.1.2 with RFC 6531's UTF-8. Pure functions. */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"

struct address {
	str local;  /* as written, with its quotes; "" together with domain: the null path */
	str domain; /* as written; "[...]" an address literal; "" only for <> and <postmaster> */
	bool literal;
	bool utf8; /* a byte >= 0x80 somewhere */
};

/* "<" [source route ":"] mailbox ">" or "<>" at the cursor; a source route is checked and dropped (RFC 5321 appendix
 * C). Blanks before "<" and a missing pair of brackets are tolerated as many clients send them. Limits: local part
 * 64 (but for SRS0= and SRS1=, which forwarding servers make of others' addresses), domain 255, path 256 octets. On failure the cursor fails and err_set says 501 5.1.3 / 5.1.7 / 553 5.6.7 ... */
MUST_USE err address_parse_path(struct cursor *c, bool utf8_allowed, struct address *out);
/* local@domain without brackets, all of `text`. */
MUST_USE err address_parse(str text, bool utf8_allowed, struct address *out);

void address_print(struct buf *out, const struct address *a); /* local@domain */
/* A local part without its quotes; and with quotes where it needs them, from any text without control characters. */
str address_unquote(struct arena *a, str local);
str address_quote(struct arena *a, str text);
/* Does an unquoted local part need no quotes (RFC 5321 4.1.2, Dot-string)? */
bool address_is_plain(str local);
/* The form by which addresses are looked up: local part unquoted and in lower case (RFC 5321 leaves that to us: here
 * alice is Alice), domain in lower case with U-labels as A-labels (libidn2). E_SYNTAX when the domain is none;
 * E_LIMIT. */
MUST_USE err address_key(struct arena *a, const struct address *in, str *local, str *domain);

#endif
