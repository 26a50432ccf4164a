/* SPDX-License-Identifier: ISC */
/* spf_state - what one check of SPF knows on its way; the files spf*.c share it.
 *
 *	spf.c         identities, records, the result, the explanation
 *	spf_term.c    the grammar of records
 *	spf_macro.c   macros
 *	spf_match.c   which mechanisms match: questions to the DNS
 *	spf_name.c    names that are asked for
 */
#ifndef MAILAUTH_SPF_STATE_H
#define MAILAUTH_SPF_STATE_H

#include "mailauth/spf.h"

enum {
	SPF_ANSWER_MEMORY = 512 << 10, /* for one answer of the DNS */
	SPF_NAME_MAX = 4 << 10,        /* expanded, before it is cut to what the DNS can have */
	SPF_WHY_MAX = 300
};

struct spf_check {
	const struct spf_query *q;
	struct arena *a; /* of the result */
	struct spf_result *out;
	bool four;                 /* the client has an IPv4 address */
	unsigned char octets[16];  /* its address, 4 or 16 octets */
	str sender, local, origin; /* %{s} %{l} %{o} */
	unsigned voids;
	bool names_known;
	str names[SPF_NAMES_MAX]; /* of the client, that lead back to its address */
	size_t names_n;
	err fault; /* why there is no result at all */
};

/* Notes why. Returns `result`. */
enum auth_result spf_why(struct spf_check *c, enum auth_result result, const char *fmt, ...) PRINTF(3, 4);
/* The result that an error of the DNS is. */
enum auth_result spf_failure(struct spf_check *c, err e);

struct spf_term;
/* Does the client match? AUTH_PASS: it does; AUTH_NONE: it does not; AUTH_TEMPERROR, AUTH_PERMERROR. Not for include, nor for modifiers. */
enum auth_result spf_match(struct spf_check *c, const struct spf_term *t, str domain);
/* RFC 7208 4.6.4: one term more that asks the DNS; AUTH_NONE or AUTH_PERMERROR. */
enum auth_result spf_count_lookup(struct spf_check *c);
/* The client's name, for %{p}: `domain`, else one below it, else any, else "unknown". */
str spf_client_name(struct spf_check *c, str domain);

/* The name that a term is about, macros expanded, appended to `out` in lower case as it is, without escapes. False: there can be none of that name. */
bool spf_name_of(struct spf_check *c, str spec, str domain, struct buf *out);
/* The form in which the DNS is asked: what is no letter, digit, "-" or "_" as \DDD. */
void spf_name_escape(struct buf *out, str name);
bool spf_name_is_below(str name, str domain); /* or `domain` itself */

#endif
