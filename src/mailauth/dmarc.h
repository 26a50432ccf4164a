/* SPDX-License-Identifier: ISC */
/* dmarc - Domain-based Message Authentication, Reporting and Conformance (RFC 9989, 7489): may this message say that it is from this domain? Parks. */
#ifndef MAILAUTH_DMARC_H
#define MAILAUTH_DMARC_H

#include "mailauth/dkim.h"
#include "mailauth/spf.h"

/* --- who wrote it --- */

struct dmarc_author {
	str address; /* local@domain */
	str domain;  /* lower case, A-labels */
	str name;    /* display name, encoded words decoded (UTF-8), one line; "" none */
};
/* From of a message, strictly; `header` has also what stands below it, where a From may hide. OK: exactly one field with exactly one address. E_NOT_FOUND: there is no From; E_SYNTAX: several fields, several addresses or domains, a
 * group, something that is read differently by different programs ("From :" with a blank, an address in an encoded word): such mail never passes. `why` of
 * err_info says it. */
MUST_USE err dmarc_author_find(str header, struct arena *a, struct dmarc_author *out);

/* --- policy --- */

enum dmarc_policy { DMARC_NONE, DMARC_QUARANTINE, DMARC_REJECT };
enum { DMARC_URIS_MAX = 10 };
struct dmarc_record {
	str domain; /* where it was found */
	str text;   /* as published */
	enum dmarc_policy p, sp, np;
	bool strict_dkim, strict_spf; /* adkim=s aspf=s */
	bool testing;                 /* t=y (RFC 9989); without t, pct=0 of RFC 7489 */
	int psd;                      /* 'y' 'n' 'u' */
	str fo;
	str rua[DMARC_URIS_MAX]; /* addresses of mailto:, decoded */
	uint64_t rua_max[DMARC_URIS_MAX]; /* octets ("!10m"), 0 none */
	size_t rua_n;
};
/* RFC 9989 4.7. E_NOT_FOUND: it is no DMARC record; E_SYNTAX: it is one that nobody can go by. */
MUST_USE err dmarc_record_parse(str text, struct arena *a, struct dmarc_record *out);

struct dmarc_query {
	const struct resolver *resolver;
	str author; /* domain of From */
	const struct spf_result *spf;
	const struct dkim_result *dkim;
	size_t dkim_n;
	bool suffix_list; /* organizational domains by the public suffix list where the DNS tree says nothing (RFC 7489 3.2) */
	nsec deadline;
};
struct dmarc_result {
	enum auth_result result;    /* NONE: no record */
	/* That its domain asks for, of this From, t=y counted in; DMARC_NONE when it passes. Of a TEMPERROR too: what would be asked for if it failed. */
	enum dmarc_policy policy;
	bool spf_aligned, dkim_aligned; /* and passed */
	str organization;           /* the author's organizational domain */
	struct dmarc_record record; /* result NONE: domain "" */
	bool nonexistent;           /* the author's domain is not in the DNS: np */
	str why;
};
/* Lookups of the record (tree walk of at most 8, RFC 9989 4.10) can begin before SPF and DKIM are done: dmarc_find, then dmarc_judge, which may ask the DNS about
 * organizational domains of what passed. */
struct dmarc_found {
	enum auth_result result; /* PASS: found; NONE; TEMPERROR; PERMERROR */
	struct dmarc_record record;
	str organization;
	bool nonexistent;
	str why;
};
MUST_USE err dmarc_find(const struct resolver *r, str author, bool suffix_list, nsec deadline, struct arena *a,
                        struct dmarc_found *out);
MUST_USE err dmarc_judge(const struct dmarc_query *q, const struct dmarc_found *found, struct arena *a, struct dmarc_result *out);

#endif
