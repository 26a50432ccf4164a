/* SPDX-License-Identifier: ISC */
#include "dns/ask.h"

/* RFC 1035 3.3.14: one or more strings with their lengths. */
static bool read_txt(str data, void *item, struct arena *a)
{
	struct cursor c = cursor_of(data);
	BUF(text, data.n + 1);

	do {
		buf_put(&text, cursor_bytes(&c, cursor_u8(&c)));
	} while (!cursor_end(&c));
	*(str *)item = arena_str(a, buf_str(&text));
	return !c.failed && !text.full;
}

err dns_txt(const struct resolver *r, str name, struct arena *a, nsec deadline, struct dns_answer *answer, str **out,
            size_t *n)
{
	void *items;
	err e = dns_ask_each(r, name, DNS_TXT, a, deadline, answer, read_txt, sizeof(**out), &items, n);

	*out = items;
	return e;
}
