/* SPDX-License-Identifier: ISC */
/* arf - complaints about single messages, in the Abuse Reporting Format (RFC 5965; 6591 for failures of authentication). Pure. */
#ifndef MAILAUTH_ARF_H
#define MAILAUTH_ARF_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { ARF_DOMAINS_MAX = 8 };
/* Texts are one line without control characters, "" not said. */
struct arf {
	str type;                 /* "abuse" "fraud" "virus" "not-spam" "auth-failure" ..., lower case */
	str user_agent, reporter; /* reporter: name of its server */
	str source;               /* the address that the message came from */
	str mail_from, rcpt_to;   /* of its envelope, without <> */
	str envelope_id;
	str auth_failure, delivery_result; /* RFC 6591 3.2.2 */
	int64_t arrived;                   /* microseconds, 0 not known */
	uint64_t incidents;                /* 1 or more */
	/* of the message itself */
	str message_id, subject, from; /* from: address, when there is exactly one */
	/* whom it may be about, lower case: domains as reported, of mail_from, of from, of who signed it (RFC 6591) */
	str domains[ARF_DOMAINS_MAX];
	size_t domains_n;
};
/* A whole message. E_NOT_FOUND: it is no such report; E_SYNTAX: it says not what kind it is; E_LIMIT: `a` is full. */
MUST_USE err arf_parse(str message, struct arena *a, struct arf *out);
void arf_json(struct buf *out, const struct arf *f); /* one line */

#endif
