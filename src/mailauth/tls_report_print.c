/* SPDX-License-Identifier: ISC */
/* A report as JSON (RFC 8460 4.4), and the mail that it travels in (5.3). */
#include "base/date.h"
#include "base/encode.h"
#include "mail/transfer.h"
#include "mailauth/tls_report.h"

/* --- JSON --- */

static void put_key(struct buf *out, bool first, const char *key)
{
	buf_printf(out, "%s\"%s\":", first ? "" : ",", key);
}

static void put_text(struct buf *out, bool first, const char *key, str value)
{
	put_key(out, first, key);
	json_quote(out, value);
}

/* What is not known is left out. */
static void put_known(struct buf *out, const char *key, str value)
{
	if (value.n > 0)
		put_text(out, false, key, value);
}

static void put_number(struct buf *out, bool first, const char *key, uint64_t value)
{
	put_key(out, first, key);
	buf_u64(out, value);
}

static void put_texts(struct buf *out, const char *key, const str *values, size_t n)
{
	put_key(out, false, key);
	buf_putc(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_putc(out, ',');
		json_quote(out, values[i]);
	}
	buf_putc(out, ']');
}

/* Whole seconds: there are readers that know nothing finer. */
static void put_time(struct buf *out, bool first, const char *key, int64_t at)
{
	BUF(text, 40);

	date_rfc3339(&text, at);
	str whole = str_take(buf_str(&text), str_find(buf_str(&text), '.'));
	put_key(out, first, key);
	buf_printf(out, "\"" STR_FMT "%s\"", STR_ARG(whole), str_ends(whole, STR("Z")) ? "" : "Z");
}

static void put_policy(struct buf *out, const struct tls_report_policy *p)
{
	put_key(out, true, "policy");
	buf_putc(out, '{');
	put_text(out, true, "policy-type", p->type);
	if (p->strings_n > 0)
		put_texts(out, "policy-string", p->strings, p->strings_n);
	put_text(out, false, "policy-domain", p->domain);
	if (p->hosts_n > 0)
		put_texts(out, "mx-host", p->hosts, p->hosts_n);
	buf_putc(out, '}');
}

static void put_summary(struct buf *out, const struct tls_report_policy *p)
{
	put_key(out, false, "summary");
	buf_putc(out, '{');
	put_number(out, true, "total-successful-session-count", p->successes);
	put_number(out, false, "total-failure-session-count", p->failures);
	buf_putc(out, '}');
}

static void put_failure(struct buf *out, const struct tls_report_failure *f)
{
	buf_putc(out, '{');
	put_text(out, true, "result-type", f->result);
	put_known(out, "sending-mta-ip", f->sending_ip);
	put_known(out, "receiving-mx-hostname", f->receiving_host);
	put_known(out, "receiving-mx-helo", f->receiving_helo);
	put_known(out, "receiving-ip", f->receiving_ip);
	put_number(out, false, "failed-session-count", f->sessions);
	put_known(out, "additional-information", f->information);
	put_known(out, "failure-reason-code", f->reason);
	buf_putc(out, '}');
}

static void put_failures(struct buf *out, const struct tls_report_policy *p)
{
	put_key(out, false, "failure-details");
	buf_putc(out, '[');
	for (size_t i = 0; i < p->details_n; i++) {
		if (i > 0)
			buf_putc(out, ',');
		put_failure(out, &p->details[i]);
	}
	buf_putc(out, ']');
}

static void put_range(struct buf *out, const struct tls_report *r)
{
	put_key(out, false, "date-range");
	buf_putc(out, '{');
	put_time(out, true, "start-datetime", r->from);
	put_time(out, false, "end-datetime", r->until);
	buf_putc(out, '}');
}

void tls_report_print(struct buf *out, const struct tls_report *r)
{
	buf_putc(out, '{');
	put_text(out, true, "organization-name", r->organization);
	put_range(out, r);
	put_text(out, false, "contact-info", r->contact);
	put_text(out, false, "report-id", r->id);
	put_key(out, false, "policies");
	for (size_t i = 0; i < r->policies_n; i++) {
		buf_puts(out, i == 0 ? "[{" : ",{");
		put_policy(out, &r->policies[i]);
		put_summary(out, &r->policies[i]);
		if (r->policies[i].details_n > 0)
			put_failures(out, &r->policies[i]);
		buf_putc(out, '}');
	}
	buf_puts(out, r->policies_n == 0 ? "[]}" : "]}");
}

/* --- its file --- */

str tls_report_submitter(const struct tls_report *r)
{
	return str_drop(r->contact, str_find_last(r->contact, '@') + 1);
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* RFC 8460 5.1: unique-id is letters and digits. */
static void put_unique(struct buf *out, str id)
{
	str left = str_take(id, str_find(id, '@'));

	for (size_t i = 0; i < left.n; i++)
		if (is_alphanumeric(left.p[i]))
			buf_putc(out, left.p[i]);
}

void tls_report_file_name(struct buf *out, const struct tls_report *r, str domain)
{
	buf_printf(out, STR_FMT "!" STR_FMT "!%lld!%lld!", STR_ARG(tls_report_submitter(r)), STR_ARG(domain),
	           (long long)(r->from / USEC_PER_SEC), (long long)(r->until / USEC_PER_SEC));
	put_unique(out, r->id);
	buf_puts(out, ".json.gz");
}

/* --- its mail --- */

/* RFC 8460 5.3: the fields, and the subject's form. RFC 8689 5: whether TLS works is what it is about, it must not hang on it. RFC 3834 5: nobody is to answer. */
static void put_header(struct buf *out, const struct tls_report_mail *m)
{
	const struct tls_report *r = m->report;
	str submitter = tls_report_submitter(r);

	buf_puts(out, "Date: ");
	date_rfc5322(out, m->at);
	buf_printf(out, "\r\nFrom: <" STR_FMT ">\r\nTo: <" STR_FMT ">\r\n", STR_ARG(r->contact), STR_ARG(m->to));
	buf_printf(out,
	           "Subject: Report Domain: " STR_FMT "\r\n\tSubmitter: " STR_FMT "\r\n\tReport-ID: <" STR_FMT ">\r\n",
	           STR_ARG(m->domain), STR_ARG(submitter), STR_ARG(r->id));
	buf_printf(out,
	           "Message-ID: " STR_FMT "\r\nTLS-Report-Domain: " STR_FMT "\r\nTLS-Report-Submitter: " STR_FMT "\r\n",
	           STR_ARG(m->message_id), STR_ARG(m->domain), STR_ARG(submitter));
	buf_puts(out, "TLS-Required: No\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
}

static void put_words(struct buf *out, const struct tls_report_mail *m)
{
	const struct tls_report *r = m->report;
	uint64_t good = 0, bad = 0;

	for (size_t i = 0; i < r->policies_n; i++) {
		good += r->policies[i].successes;
		bad += r->policies[i].failures;
	}
	buf_puts(out, "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n");
	buf_printf(out,
	           "This is an aggregate report about TLS (RFC 8460), from\r\n" STR_FMT
	           "\r\nabout connections to the mail servers of\r\n" STR_FMT "\r\n\r\n",
	           STR_ARG(tls_report_submitter(r)), STR_ARG(m->domain));
	buf_printf(out, "%llu succeeded, %llu failed.\r\n", (unsigned long long)good, (unsigned long long)bad);
}

/* Not to be found in base64, nor at the beginning of a line of put_words. */
static void put_boundary(struct buf *out, const struct tls_report_mail *m)
{
	buf_puts(out, "=_tlsrpt_");
	put_unique(out, str_take(m->report->id, 40));
}

void tls_report_mail_print(struct buf *out, const struct tls_report_mail *m)
{
	BUF(name, 1000);
	BUF(boundary, 80);

	tls_report_file_name(&name, m->report, m->domain);
	put_boundary(&boundary, m);
	put_header(out, m);
	buf_printf(out,
	           "Content-Type: multipart/report; report-type=tlsrpt;\r\n\tboundary=\"" STR_FMT "\"\r\n\r\n--" STR_FMT
	           "\r\n",
	           STR_ARG(buf_str(&boundary)), STR_ARG(buf_str(&boundary)));
	put_words(out, m);
	buf_printf(out,
	           "\r\n--" STR_FMT "\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n"
	           "Content-Disposition: attachment;\r\n\tfilename=\"" STR_FMT "\"\r\n\r\n",
	           STR_ARG(buf_str(&boundary)), STR_ARG(buf_str(&name)));
	transfer_base64(out, m->packed);
	buf_printf(out, "\r\n--" STR_FMT "--\r\n", STR_ARG(buf_str(&boundary)));
	if (name.full || boundary.full)
		out->full = true;
}
