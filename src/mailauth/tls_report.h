/* SPDX-License-Identifier: ISC */
/* tls_report - aggregate reports about TLS between mail servers (RFC 8460): where a domain wants them, what they say, how they are written, how those of others are
 * read. Pure. What is counted for them is in tls_tally.h.
 */
#ifndef MAILAUTH_TLS_REPORT_H
#define MAILAUTH_TLS_REPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* --- the record at _smtp._tls.DOMAIN (RFC 8460 3) --- */

enum { TLS_REPORT_URIS_MAX = 4 }; /* more are left out: a record is no reason to write to everybody */
struct tls_report_uri {
	bool mail;
	str to;   /* the address, decoded (RFC 6068); else an https URL as it stands */
	str host; /* of the URL: a name, lower case */
	uint16_t port;
};
struct tls_report_record {
	struct tls_report_uri uris[TLS_REPORT_URIS_MAX]; /* of schemes that we know, in order */
	size_t n;
};
/* Each of `txt` is a record, its strings joined. E_NOT_FOUND: none, or several; E_SYNTAX: nowhere that we could report to; E_LIMIT: no memory. */
MUST_USE err tls_report_record(const str *txt, size_t n, struct arena *a, struct tls_report_record *out);

/* --- a report (RFC 8460 4.4) --- */

struct tls_report_failure {
	str result; /* "certificate-expired"; those of others may be any word */
	str sending_ip, receiving_host, receiving_helo, receiving_ip; /* "" not known */
	str information, reason;                                      /* an URI; a code or a sentence; "" none */
	uint64_t sessions;
};
struct tls_report_policy {
	str type;                   /* "sts" "tlsa" "no-policy-found" */
	str domain;                 /* A-labels */
	const str *strings, *hosts; /* of the policy: its lines or records; patterns of its hosts (sts) */
	size_t strings_n, hosts_n;
	uint64_t successes, failures; /* sessions */
	const struct tls_report_failure *details;
	size_t details_n;
};
struct tls_report {
	str organization;
	str contact;         /* an address */
	str id;              /* "left@right" */
	int64_t from, until; /* microseconds, both in the range; 0: not known */
	const struct tls_report_policy *policies;
	size_t policies_n;
};

/* --- writing --- */

void tls_report_print(struct buf *out, const struct tls_report *r); /* as JSON */

struct tls_report_mail {
	const struct tls_report *report;
	str domain;     /* that it is about */
	str to;         /* an address in ASCII */
	str message_id; /* with <> */
	str packed;     /* tls_report_print's text, by gzip_pack */
	int64_t at;
};
/* Appends the whole message (RFC 8460 5.3), from the report's contact. Lines end with CRLF; ASCII alone, as long as the report's contact and domains are. */
void tls_report_mail_print(struct buf *out, const struct tls_report_mail *m);
str tls_report_submitter(const struct tls_report *r); /* the domain of its contact */
/* Appends the name of its file (RFC 8460 5.1), packed. */
void tls_report_file_name(struct buf *out, const struct tls_report *r, str domain);

/* --- reading those of others --- */

enum { TLS_REPORT_SIZE_MAX = 16 << 20 }; /* octets, unpacked */
/* JSON, packed by gzip or not. Lenient: what is missing or of another type is "" or 0, what is not known is passed over. Texts are one line without control characters.
 * E_SYNTAX: no report that can be read; E_LIMIT: too large, too deep, too many parts, or `a` is full. */
MUST_USE err tls_report_parse(str octets, struct arena *a, struct tls_report *out);
/* What is kept of it, one line: who, when, how many sessions, and the failures, as many as have room. */
void tls_report_json(struct buf *out, const struct tls_report *r);

#endif
