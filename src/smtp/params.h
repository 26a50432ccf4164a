/* SPDX-License-Identifier: ISC */
/* Parameters behind the path of MAIL and RCPT: SIZE (RFC 1870), BODY (6152, 3030), SMTPUTF8 (6531), RET ENVID NOTIFY
 * ORCPT (3461), AUTH (4954). Pure. */
#ifndef SMTP_PARAMS_H
#define SMTP_PARAMS_H

#include "base/arena.h"
#include "base/err.h"
#include "link/messages.h"

enum body_kind { BODY_7BIT, BODY_8BIT, BODY_BINARY };

struct mail_params {
	uint64_t size; /* octets, 0 not given; UINT64_MAX: more than can be counted */
	enum body_kind body;
	bool utf8;
	enum dsn_ret ret;
	str envid; /* decoded */
	bool auth; /* AUTH was given; whom it names is not kept: it is the login that counts (RFC 4954 5) */
};
struct rcpt_params {
	uint64_t notify; /* bits of enum dsn_notify, 0 not given */
	str orcpt;       /* "type;address" decoded, "" not given */
};

/* `text` is all behind the path, "" none. Strings are copied into the arena. E_SYNTAX: 501 5.5.4, or 555 5.5.4 for a
 * parameter that we do not know (RFC 5321 4.1.1.11); E_LIMIT: no memory, 452 4.3.1. */
MUST_USE err mail_params_parse(str text, struct arena *a, struct mail_params *out);
/* `utf8`: SMTPUTF8 was given with MAIL, addresses of ORCPT may be UTF-8 as they are (RFC 6533 3). */
MUST_USE err rcpt_params_parse(str text, bool utf8, struct arena *a, struct rcpt_params *out);

#endif
