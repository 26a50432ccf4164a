/* SPDX-License-Identifier: ISC */
#include "dns/dns.h"

enum { LABEL_MAX = 63 };

static bool is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static void put_label(struct cursor *c, str label, struct buf *out)
{
	for (size_t i = 0; i < label.n; i++) {
		char ch = label.p[i];

		if (ch >= 'A' && ch <= 'Z')
			ch = (char)(ch | 0x20);
		if (!is_host_char(ch))
			cursor_fail(c);
		buf_putc(out, ch);
	}
}

void dns_name(struct cursor *c, struct buf *out)
{
	size_t before = out->n;
	unsigned n;

	while ((n = cursor_u8(c)) > 0 && !c->failed) {
		if (n > LABEL_MAX || out->n - before + n > DNS_NAME_MAX)
			cursor_fail(c);
		if (out->n > before)
			buf_putc(out, '.');
		put_label(c, cursor_bytes(c, n), out);
	}
	if (out->n - before > DNS_NAME_MAX || out->full)
		cursor_fail(c);
}
