/* SPDX-License-Identifier: ISC */
/* What is kept of a report of others: one line of JSON. */
#include "base/date.h"
#include "base/encode.h"
#include "mailauth/tls_report.h"

enum { FAILURES_MAX = 200, ENDING_ROOM = 64 };

static void put_text(struct buf *out, const char *name, str text)
{
	buf_printf(out, "\"%s\":", name);
	json_quote(out, text);
	buf_putc(out, ',');
}

static void put_time(struct buf *out, const char *name, int64_t at)
{
	BUF(text, 40);

	if (at > 0)
		date_rfc3339(&text, at);
	put_text(out, name, buf_str(&text));
}

static void put_failure(struct buf *out, const struct tls_report_policy *p, const struct tls_report_failure *f)
{
	buf_putc(out, '{');
	put_text(out, "result", f->result);
	put_text(out, "policy", p->type);
	put_text(out, "host", f->receiving_host);
	put_text(out, "address", f->receiving_ip);
	put_text(out, "source", f->sending_ip);
	put_text(out, "reason", f->reason);
	buf_puts(out, "\"count\":");
	buf_u64(out, f->sessions);
	buf_putc(out, '}');
}

/* False: there is no room for more. */
static bool put_failures(struct buf *out, const struct tls_report_policy *p, size_t *n)
{
	for (size_t i = 0; i < p->details_n; i++) {
		BUF(one, 16 << 10);
		put_failure(&one, p, &p->details[i]);
		if (*n == FAILURES_MAX || one.full || out->n + one.n + ENDING_ROOM > out->cap)
			return false;
		buf_puts(out, *n > 0 ? "," : "");
		buf_put(out, buf_str(&one));
		(*n)++;
	}
	return true;
}

void tls_report_json(struct buf *out, const struct tls_report *r)
{
	uint64_t good = 0, bad = 0;
	size_t n = 0;

	for (size_t i = 0; i < r->policies_n; i++) {
		good += r->policies[i].successes;
		bad += r->policies[i].failures;
	}
	buf_putc(out, '{');
	put_text(out, "organization", r->organization);
	put_text(out, "contact", r->contact);
	put_time(out, "from", r->from);
	put_time(out, "until", r->until);
	buf_puts(out, "\"sessions\":");
	buf_u64(out, good + bad);
	buf_puts(out, ",\"failed\":");
	buf_u64(out, bad);
	buf_puts(out, ",\"failures\":[");
	for (size_t i = 0; i < r->policies_n && put_failures(out, &r->policies[i], &n); i++)
		;
	buf_puts(out, "]}");
}
