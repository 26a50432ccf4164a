/* SPDX-License-Identifier: ISC */
/* mta_sts - SMTP MTA Strict Transport Security (RFC 8461): the record, the policy, and which hosts it lets through. Pure. */
#ifndef MAILAUTH_MTA_STS_H
#define MAILAUTH_MTA_STS_H

#include "base/arena.h"
#include "base/err.h"

enum mta_sts_mode { MTA_STS_NONE, MTA_STS_TESTING, MTA_STS_ENFORCE };
enum { MTA_STS_POLICY_MAX = 64 << 10, MTA_STS_MX_MAX = 100, MTA_STS_AGE_MAX = 31557600 };
struct mta_sts_policy {
	enum mta_sts_mode mode;
	uint64_t max_age; /* seconds, at most MTA_STS_AGE_MAX: more is taken for that */
	str *mx;          /* patterns, lower case */
	size_t mx_n;
};
/* The TXT records at _mta-sts.DOMAIN. E_NOT_FOUND: none, or several that begin with v=STSv1; E_SYNTAX. `id`: a view into the record. */
MUST_USE err mta_sts_record(const str *txt, size_t n, str *id);
/* E_SYNTAX, also when it is longer than MTA_STS_POLICY_MAX or has more than MTA_STS_MX_MAX patterns; E_LIMIT: no memory. */
MUST_USE err mta_sts_policy_parse(str text, struct arena *a, struct mta_sts_policy *out);
bool mta_sts_allows(const struct mta_sts_policy *p, str host); /* RFC 8461 4.1: *.example.com is one label */

#endif
