/* SPDX-License-Identifier: ISC */
/* Parameters behind the path of MAIL and RCPT: SIZE (RFC 1870), BODY (6152, 3030), SMTPUTF8 (6531), RET ENVID NOTIFY
 * ORCPT (3461), AUTH (4954), HOLDFOR HOLDUNTIL (4865), BY (2852), MT-PRIORITY (6710), REQUIRETLS (8689). Pure. */
#ifndef SMTP_PARAMS_H
#define SMTP_PARAMS_H

#include "base/arena.h"
#include "base/err.h"
#include "link/messages.h"

enum body_kind { BODY_7BIT, BODY_8BIT, BODY_BINARY };

/* Bits: extensions that not every client is offered. A parameter of one that is not is not known. */
enum params_offer {
	PARAMS_SUBMISSION = 1, /* AUTH, FUTURERELEASE, MT-PRIORITY */
	PARAMS_DELIVERBY = 2,
	PARAMS_REQUIRETLS = 4
};
enum { HOLD_SECONDS_MAX = 30 * 86400 }; /* of FUTURERELEASE, as we offer it */

struct mail_params {
	uint64_t size; /* octets, 0 not given; UINT64_MAX: more than can be counted */
	enum body_kind body;
	bool utf8;
	enum dsn_ret ret;
	str envid;            /* decoded */
	bool auth;            /* AUTH was given; whom it names is not kept: it is the login that counts (RFC 4954 5) */
	uint64_t hold_for;    /* seconds, 0 not given */
	int64_t hold_until;   /* microseconds since 1970, 0 not given */
	enum by_mode by_mode; /* BY_NONE: BY was not given */
	int64_t by_time;      /* seconds, may be negative with BY_NOTIFY */
	uint64_t priority;    /* with 10 added, 1 to 19; 0 not given */
	bool require_tls;
};
struct rcpt_params {
	uint64_t notify; /* bits of enum dsn_notify, 0 not given */
	str orcpt;       /* "type;address" decoded, "" not given */
};

/* `text` is all behind the path, "" none. `offered`: bits of enum params_offer. Strings are copied into the arena. E_SYNTAX: 501 5.5.4 (5.5.2 of
 * MT-PRIORITY, RFC 6710 4), or 555 5.5.4 for a parameter that we do not know (RFC 5321 4.1.1.11); E_LIMIT: no memory, 452 4.3.1. */
MUST_USE err mail_params_parse(str text, unsigned offered, struct arena *a, struct mail_params *out);
/* The moments that are meant: RFC 4865, RFC 2852 4. 0 none. E_SYNTAX: HOLDFOR or HOLDUNTIL is too far off, or over; BY ends before. */
MUST_USE err mail_params_times(const struct mail_params *p, int64_t now, uint64_t *hold_until, uint64_t *deliver_by);
/* `utf8`: SMTPUTF8 was given with MAIL, addresses of ORCPT may be UTF-8 as they are (RFC 6533 3). */
MUST_USE err rcpt_params_parse(str text, bool utf8, struct arena *a, struct rcpt_params *out);

#endif
