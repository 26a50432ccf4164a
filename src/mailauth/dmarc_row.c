/* SPDX-License-Identifier: ISC */
/* Columns separated by tabs: those of `columns` in order, then three for each signature. */
#include "mailauth/dmarc_row.h"

enum { VALUE_MAX = 256, SIGNATURE_COLUMNS = 3 };

static const size_t columns[] = {
	offsetof(struct dmarc_row, source),      offsetof(struct dmarc_row, disposition),
	offsetof(struct dmarc_row, override),    offsetof(struct dmarc_row, override_comment),
	offsetof(struct dmarc_row, dkim),        offsetof(struct dmarc_row, spf),
	offsetof(struct dmarc_row, header_from), offsetof(struct dmarc_row, envelope_from),
	offsetof(struct dmarc_row, envelope_to), offsetof(struct dmarc_row, spf_domain),
	offsetof(struct dmarc_row, spf_scope),   offsetof(struct dmarc_row, spf_result),
	offsetof(struct dmarc_row, record),      offsetof(struct dmarc_row, record_domain),
};

static str *column(struct dmarc_row *r, size_t i)
{
	return (str *)(void *)((char *)r + columns[i]);
}

/* --- writing --- */

/* What others wrote must not make columns of its own. */
static void put(struct buf *out, str value, size_t max)
{
	value = str_take(value, max);
	for (size_t i = 0; i < value.n; i++)
		buf_putc(out, (unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f ? '?' : value.p[i]);
}

/* RFC 9990 3.1: domain and selector are required, and one that was not looked at has no result. */
static bool is_told(const struct dkim_result *r)
{
	return !r->skipped && r->domain.n > 0 && r->selector.n > 0;
}

void dmarc_row_print(struct buf *out, const struct dmarc_row *r)
{
	struct dmarc_row copy = *r;
	size_t before = out->n;

	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		buf_puts(out, i > 0 ? "\t" : "");
		put(out, *column(&copy, i),
		    columns[i] == offsetof(struct dmarc_row, record) ? DMARC_ROW_MAX / 2 : VALUE_MAX);
	}
	for (size_t i = 0; i < r->dkim_n && out->n - before < DMARC_ROW_MAX - 4 * VALUE_MAX; i++) {
		if (!is_told(&r->dkim_results[i]))
			continue;
		buf_putc(out, '\t');
		put(out, r->dkim_results[i].domain, VALUE_MAX);
		buf_putc(out, '\t');
		put(out, r->dkim_results[i].selector, VALUE_MAX);
		buf_putc(out, '\t');
		put(out, auth_result_name(r->dkim_results[i].result), VALUE_MAX);
	}
}

/* --- reading --- */

static size_t count_columns(str row)
{
	size_t n = 1;

	for (size_t i = 0; i < row.n; i++)
		n += row.p[i] == '\t';
	return n;
}

static err parse_signatures(str rest, size_t n, struct arena *a, struct dmarc_row *out)
{
	struct dkim_result *results = arena_array(a, n, sizeof(*results));

	if (n > 0 && results == NULL)
		return err_note(E_LIMIT, "no memory for a row");
	for (size_t i = 0; i < n; i++) {
		str name;
		str_cut(rest, '\t', &results[i].domain, &rest);
		str_cut(rest, '\t', &results[i].selector, &rest);
		str_cut(rest, '\t', &name, &rest);
		if (!auth_result_find(name, &results[i].result))
			results[i].result = AUTH_NONE;
	}
	out->dkim_results = results;
	out->dkim_n = n;
	return OK;
}

err dmarc_row_parse(str row, struct arena *a, struct dmarc_row *out)
{
	size_t n = count_columns(row);

	*out = (struct dmarc_row){0};
	if (n < ARRAY_LEN(columns) || (n - ARRAY_LEN(columns)) % SIGNATURE_COLUMNS != 0)
		return err_note(E_SYNTAX, "a row of a report has %zu columns", n);
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		str_cut(row, '\t', column(out, i), &row);
	return parse_signatures(row, (n - ARRAY_LEN(columns)) / SIGNATURE_COLUMNS, a, out);
}
