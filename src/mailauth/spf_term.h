/* SPDX-License-Identifier: ISC */
/* spf_term - the terms of an SPF record (RFC 7208 4.6.1, 5, 6, 12). Pure. */
#ifndef MAILAUTH_SPF_TERM_H
#define MAILAUTH_SPF_TERM_H

#include "base/cursor.h"
#include "mailauth/result.h"

enum spf_kind {
	SPF_ALL,
	SPF_INCLUDE,
	SPF_A,
	SPF_MX,
	SPF_PTR,
	SPF_IP4,
	SPF_IP6,
	SPF_EXISTS,
	SPF_REDIRECT, /* from here on modifiers */
	SPF_EXP,
	SPF_UNKNOWN
};
enum { SPF_FOUR_BITS = 32, SPF_SIX_BITS = 128 };

struct spf_term {
	enum spf_kind kind;
	str text;                  /* as it stands there */
	enum auth_result result;   /* of a mechanism that matches: its qualifier */
	str domain;                /* domain-spec, macros not expanded; "" none */
	unsigned char network[16]; /* of ip4 (4 octets) and ip6 */
	unsigned four, six;        /* bits of the prefix for each family */
};

/* Is this text of a TXT record one of SPF (4.5)? */
bool spf_is_record(str text);
/* At what is behind the version of a record. */
struct cursor spf_terms(str record);
/* The next term. False: there is none, or it is malformed: then the cursor has failed, and only out->text is set. */
bool spf_term_next(struct cursor *c, struct spf_term *out);

#endif
