/* SPDX-License-Identifier: ISC */
/* The schema of RFC 9990: elements in its order, nothing that it does not know. */
#include "base/date.h"
#include "mail/transfer.h"
#include "mailauth/dmarc_report.h"

#define BOUNDARY "=_report_"

/* --- XML --- */

/* Characters that XML 1.0 cannot have (2.2), and octets that are no UTF-8, become '?': one of them, in an address that somebody made up, would spoil the whole report. */
static bool is_char(uint32_t code)
{
	return code >= ' ' && code != 0x7f && code != 0xfffe && code != 0xffff;
}

static void put_text(struct buf *out, str text)
{
	while (text.n > 0) {
		uint32_t code = 0;
		size_t n = str_utf8_char(text, &code);

		if (n == 0 || !is_char(code))
			buf_putc(out, '?');
		else if (code == '&')
			buf_puts(out, "&amp;");
		else if (code == '<')
			buf_puts(out, "&lt;");
		else if (code == '>')
			buf_puts(out, "&gt;");
		else
			buf_put(out, str_take(text, n));
		text = str_drop(text, n > 0 ? n : 1);
	}
}

static void put_element(struct buf *out, const char *name, str text)
{
	buf_printf(out, "<%s>", name);
	put_text(out, text);
	buf_printf(out, "</%s>\n", name);
}

static void put_optional(struct buf *out, const char *name, str text)
{
	if (text.n > 0)
		put_element(out, name, text);
}

static void put_number(struct buf *out, const char *name, int64_t n)
{
	buf_printf(out, "<%s>%lld</%s>\n", name, (long long)n, name);
}

static void put_metadata(struct buf *out, const struct dmarc_report *r)
{
	buf_puts(out, "<report_metadata>\n");
	put_element(out, "org_name", r->organization);
	put_element(out, "email", r->contact);
	put_element(out, "report_id", r->id);
	buf_puts(out, "<date_range>\n");
	put_number(out, "begin", r->from / USEC_PER_SEC);
	put_number(out, "end", r->until / USEC_PER_SEC);
	buf_puts(out, "</date_range>\n<generator>Pombo " POMBO_VERSION "</generator>\n</report_metadata>\n");
}

static void put_policy(struct buf *out, const struct dmarc_report *r)
{
	buf_puts(out, "<policy_published>\n");
	put_element(out, "domain", r->domain);
	put_element(out, "p", r->p);
	put_optional(out, "sp", r->sp);
	put_optional(out, "np", r->np);
	put_optional(out, "adkim", r->adkim);
	put_optional(out, "aspf", r->aspf);
	put_element(out, "discovery_method", STR("treewalk"));
	put_optional(out, "fo", r->fo);
	put_element(out, "testing", r->testing ? STR("y") : STR("n"));
	buf_puts(out, "</policy_published>\n");
}

static void put_row(struct buf *out, const struct dmarc_report_record *record)
{
	const struct dmarc_row *row = &record->row;

	buf_puts(out, "<row>\n");
	put_element(out, "source_ip", row->source);
	put_number(out, "count", (int64_t)record->count);
	buf_puts(out, "<policy_evaluated>\n");
	put_element(out, "disposition", row->disposition);
	put_element(out, "dkim", row->dkim);
	put_element(out, "spf", row->spf);
	if (row->override.n > 0) {
		buf_puts(out, "<reason>\n");
		put_element(out, "type", row->override);
		put_optional(out, "comment", row->override_comment);
		buf_puts(out, "</reason>\n");
	}
	buf_puts(out, "</policy_evaluated>\n</row>\n");
}

static void put_identifiers(struct buf *out, const struct dmarc_row *row)
{
	buf_puts(out, "<identifiers>\n");
	put_element(out, "header_from", row->header_from);
	put_optional(out, "envelope_from", row->envelope_from);
	put_optional(out, "envelope_to", row->envelope_to);
	buf_puts(out, "</identifiers>\n");
}

static void put_signature(struct buf *out, const struct dkim_result *s)
{
	enum auth_result result = s->result == AUTH_SOFTFAIL ? AUTH_FAIL : s->result; /* which no signature has */

	buf_puts(out, "<dkim>\n");
	put_element(out, "domain", s->domain);
	put_element(out, "selector", s->selector);
	put_element(out, "result", auth_result_name(result));
	buf_puts(out, "</dkim>\n");
}

static void put_results(struct buf *out, const struct dmarc_row *row)
{
	buf_puts(out, "<auth_results>\n");
	for (size_t i = 0; i < row->dkim_n; i++)
		put_signature(out, &row->dkim_results[i]);
	if (row->spf_result.n > 0 && row->spf_domain.n > 0) {
		buf_puts(out, "<spf>\n");
		put_element(out, "domain", row->spf_domain);
		if (str_equal(row->spf_scope, STR("mfrom")))
			put_element(out, "scope", row->spf_scope);
		put_element(out, "result", row->spf_result);
		buf_puts(out, "</spf>\n");
	}
	buf_puts(out, "</auth_results>\n");
}

void dmarc_report_print(struct buf *out, const struct dmarc_report *r)
{
	buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	              "<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n<version>1.0</version>\n");
	put_metadata(out, r);
	put_policy(out, r);
	for (size_t i = 0; i < r->records_n; i++) {
		buf_puts(out, "<record>\n");
		put_row(out, &r->records[i]);
		put_identifiers(out, &r->records[i].row);
		put_results(out, &r->records[i].row);
		buf_puts(out, "</record>\n");
	}
	buf_puts(out, "</feedback>\n");
}

/* --- the mail --- */

void dmarc_report_file_name(struct buf *out, const struct dmarc_report *r, str receiver)
{
	buf_printf(out, STR_FMT "!" STR_FMT "!%lld!%lld.xml.gz", STR_ARG(receiver), STR_ARG(r->domain),
	           (long long)(r->from / USEC_PER_SEC), (long long)(r->until / USEC_PER_SEC));
}

/* RFC 9990 3.1.2: the subject's form. RFC 3834 5: nobody is to answer. */
static void put_header(struct buf *out, const struct dmarc_report_mail *m)
{
	const struct dmarc_report *r = m->report;

	buf_puts(out, "Date: ");
	date_rfc5322(out, m->at);
	buf_printf(out, "\r\nFrom: <" STR_FMT ">\r\nTo: <" STR_FMT ">\r\n", STR_ARG(r->contact), STR_ARG(m->to));
	buf_printf(out,
	           "Subject: Report Domain: " STR_FMT "\r\n\tSubmitter: " STR_FMT "\r\n\tReport-ID: <" STR_FMT ">\r\n",
	           STR_ARG(r->domain), STR_ARG(m->receiver), STR_ARG(r->id));
	buf_printf(out, "Message-ID: " STR_FMT "\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n",
	           STR_ARG(m->message_id));
}

static void put_words(struct buf *out, const struct dmarc_report_mail *m)
{
	const struct dmarc_report *r = m->report;
	uint64_t all = 0;

	for (size_t i = 0; i < r->records_n; i++)
		all += r->records[i].count;
	buf_puts(out, "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n");
	buf_printf(out,
	           "This is an aggregate report of DMARC (RFC 9990), from\r\n" STR_FMT
	           "\r\nabout mail that says it is from\r\n" STR_FMT "\r\n\r\n%llu messages.\r\n",
	           STR_ARG(m->receiver), STR_ARG(r->domain), (unsigned long long)all);
}

void dmarc_report_mail_print(struct buf *out, const struct dmarc_report_mail *m)
{
	BUF(name, 1024);

	dmarc_report_file_name(&name, m->report, m->receiver);
	put_header(out, m);
	buf_puts(out, "Content-Type: multipart/mixed; boundary=\"" BOUNDARY "\"\r\n\r\n--" BOUNDARY "\r\n");
	put_words(out, m);
	buf_puts(out, "--" BOUNDARY "\r\nContent-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n");
	buf_printf(out, "Content-Disposition: attachment;\r\n\tfilename=\"" STR_FMT "\"\r\n\r\n",
	           STR_ARG(buf_str(&name)));
	transfer_base64(out, m->packed);
	buf_puts(out, "--" BOUNDARY "--\r\n");
}
