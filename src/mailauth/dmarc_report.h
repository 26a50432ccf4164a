/* SPDX-License-Identifier: ISC */
/* dmarc_report - aggregate reports of DMARC (RFC 9990, RFC 7489 7.2): written as the schema wants them, those of others read as they come. Pure.
 *
 *	dmarc_report_print.c   XML, and the mail that brings it
 *	dmarc_report_parse.c   XML of others (expat), packed or not
 *	dmarc_report_json.c    what is kept of a report: the text that `pombo reports` shows
 */
#ifndef MAILAUTH_DMARC_REPORT_H
#define MAILAUTH_DMARC_REPORT_H

#include "mailauth/dmarc_row.h"

enum { DMARC_REPORT_SIZE_MAX = 16 << 20, DMARC_REPORT_RECORDS_MAX = 20000 }; /* octets unpacked; of one report */

struct dmarc_report_record {
	struct dmarc_row row; /* without record, record_domain */
	uint64_t count;
};
struct dmarc_report {
	str organization, contact, id;
	int64_t from, until; /* microseconds, both in the range */
	/* the policy as published */
	str domain, p, sp, np, adkim, aspf, fo; /* "" not said */
	bool testing;
	const struct dmarc_report_record *records;
	size_t records_n;
};

/* --- writing --- */

void dmarc_report_print(struct buf *out, const struct dmarc_report *r);
/* RFC 9990 3.1: "receiver!domain!begin!end!id.xml.gz", times in seconds. */
void dmarc_report_file_name(struct buf *out, const struct dmarc_report *r, str receiver);

struct dmarc_report_mail {
	const struct dmarc_report *report;
	str receiver;   /* our domain */
	str to;         /* an address in ASCII */
	str message_id; /* with <> */
	str packed;     /* dmarc_report_print's text, by gzip_pack */
	int64_t at;
};
/* The whole message, from the report's contact. */
void dmarc_report_mail_print(struct buf *out, const struct dmarc_report_mail *m);

/* --- reading --- */

/* XML, or that in a gzip or zip file. Lenient: elements in any order and namespace, unknown ones passed over, texts cut and cleaned; what stands before a fault counts when it has a
 * record. Entities are not expanded: a document that declares any is refused. E_SYNTAX: no report; E_LIMIT: too large, or `a` is full. */
MUST_USE err dmarc_report_parse(str octets, struct arena *a, struct dmarc_report *out);
/* One line: who, when, about which domain, how many passed, and the senders, those with most messages first, as many as have room. */
void dmarc_report_json(struct buf *out, const struct dmarc_report *r);

#endif
