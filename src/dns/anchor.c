/* SPDX-License-Identifier: ISC */
#include "dns/anchor.h"

#include "base/buf.h"

#define RECORD_MAX ((size_t)8192)

/* https://data.iana.org/root-anchors/root-anchors.xml */
static const char *const root[] = {
	". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
	". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
};

static err use_root(err (*use)(void *ctx, const char *record), void *ctx)
{
	err e = OK;

	for (size_t i = 0; i < ARRAY_LEN(root) && e == OK; i++)
		e = use(ctx, root[i]);
	return e;
}

/* Appends a line without its comment; returns how many parentheses are open then. */
static int put_line(struct buf *record, str line, int open)
{
	line = str_take(line, str_find(line, ';'));
	for (size_t i = 0; i < line.n; i++) {
		open += line.p[i] == '(' ? 1 : line.p[i] == ')' ? -1 : 0;
		buf_putc(record, line.p[i] == '(' || line.p[i] == ')' || line.p[i] == '\r' ? ' ' : line.p[i]);
	}
	buf_putc(record, ' ');
	return open;
}

/* Owner, and a type that can be believed in. */
static bool is_anchor(str record)
{
	str rest = record, word = str_word(&rest);

	for (size_t i = 0; i < 3 && rest.n > 0; i++) { /* TTL and class may stand in front */
		word = str_word(&rest);
		if (str_equal_nocase(word, STR("DS")) || str_equal_nocase(word, STR("DNSKEY")))
			return str_trim(rest).n > 0;
	}
	return false;
}

static err use_record(struct buf *record, size_t *n, err (*use)(void *ctx, const char *record), void *ctx)
{
	str text = str_trim(buf_str(record));

	if (text.n == 0)
		return OK;
	if (record->full || memchr(text.p, 0, text.n) != NULL || !is_anchor(text))
		return err_note(E_SYNTAX, "trust anchor: no DS or DNSKEY record: " STR_FMT,
		                STR_ARG(str_take(text, 60)));
	buf_putc(record, '\0');
	++*n;
	return use(ctx, record->p);
}

err anchor_each(str text, err (*use)(void *ctx, const char *record), void *ctx)
{
	BUF(record, RECORD_MAX);
	size_t n = 0;
	str line;
	err e = OK;
	int open = 0;

	if (text.n == 0)
		return use_root(use, ctx);
	while (text.n > 0 && e == OK) {
		str_cut(text, '\n', &line, &text);
		open = put_line(&record, line, open);
		if (open > 0 && text.n > 0)
			continue;
		e = use_record(&record, &n, use, ctx);
		buf_reset(&record);
		open = 0;
	}
	return e == OK && n == 0 ? err_note(E_SYNTAX, "trust anchor: there is no record in it") : e;
}
