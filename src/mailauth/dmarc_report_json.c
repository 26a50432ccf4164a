/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/date.h"
#include "base/encode.h"
#include "mailauth/dmarc_report.h"

enum { SOURCES_MAX = 200, ENDING_ROOM = 64 };

static void put_key(struct buf *out, const char *name)
{
	buf_printf(out, "%s\"%s\":", out->n > 0 && out->p[out->n - 1] != '{' ? "," : "", name);
}

static void put_text(struct buf *out, const char *name, str text)
{
	put_key(out, name);
	json_quote(out, text);
}

static void put_time(struct buf *out, const char *name, int64_t at)
{
	BUF(text, 40);

	date_rfc3339(&text, at);
	put_text(out, name, buf_str(&text));
}

static void put_count(struct buf *out, const char *name, uint64_t n)
{
	put_key(out, name);
	buf_u64(out, n);
}

static bool passed(const struct dmarc_row *row)
{
	return str_equal(row->dkim, STR("pass")) || str_equal(row->spf, STR("pass"));
}

static void put_signers(struct buf *out, const struct dmarc_row *row)
{
	put_key(out, "signed");
	buf_putc(out, '[');
	for (size_t i = 0; i < row->dkim_n; i++) {
		BUF(one, 1024);
		buf_printf(&one, STR_FMT "=" STR_FMT, STR_ARG(str_take(row->dkim_results[i].domain, 255)),
		           STR_ARG(auth_result_name(row->dkim_results[i].result)));
		buf_puts(out, i > 0 ? "," : "");
		json_quote(out, buf_str(&one));
	}
	buf_putc(out, ']');
}

static void put_source(struct buf *out, const struct dmarc_report_record *r)
{
	const struct dmarc_row *row = &r->row;

	buf_putc(out, '{');
	put_text(out, "source", row->source);
	put_count(out, "count", r->count);
	put_text(out, "disposition", row->disposition);
	put_text(out, "dkim", row->dkim);
	put_text(out, "spf", row->spf);
	put_text(out, "from", row->header_from);
	put_text(out, "envelope-from", row->envelope_from.n > 0 ? row->envelope_from : row->spf_domain);
	put_signers(out, row);
	buf_putc(out, '}');
}

/* Failures first, then by number. */
static int worst_first(const void *x, const void *y)
{
	const struct dmarc_report_record *const *a = x, *const *b = y;

	if (passed(&(*a)->row) != passed(&(*b)->row))
		return passed(&(*a)->row) ? 1 : -1;
	return (*a)->count == (*b)->count ? 0 : (*a)->count > (*b)->count ? -1 : 1;
}

static void put_sources(struct buf *out, const struct dmarc_report *r)
{
	const struct dmarc_report_record **list = calloc(r->records_n + 1, sizeof(struct dmarc_report_record *));
	size_t n = 0;

	put_key(out, "sources");
	buf_putc(out, '[');
	for (size_t i = 0; i < r->records_n && list != NULL; i++)
		list[n++] = &r->records[i];
	qsort(list, n, sizeof(struct dmarc_report_record *), worst_first);
	for (size_t i = 0; i < n && i < SOURCES_MAX; i++) {
		BUF(one, 8 << 10);
		put_source(&one, list[i]);
		if (one.full || out->n + one.n + ENDING_ROOM > out->cap)
			break;
		buf_puts(out, i > 0 ? "," : "");
		buf_put(out, buf_str(&one));
	}
	buf_putc(out, ']');
	free(list);
}

void dmarc_report_json(struct buf *out, const struct dmarc_report *r)
{
	uint64_t all = 0, good = 0;

	for (size_t i = 0; i < r->records_n; i++) {
		all += r->records[i].count;
		good += passed(&r->records[i].row) ? r->records[i].count : 0;
	}
	buf_putc(out, '{');
	put_text(out, "organization", r->organization);
	put_text(out, "contact", r->contact);
	put_time(out, "from", r->from);
	put_time(out, "until", r->until);
	put_text(out, "domain", r->domain);
	put_text(out, "policy", r->p);
	put_count(out, "messages", all);
	put_count(out, "passed", good);
	put_sources(out, r);
	buf_putc(out, '}');
}
