/* SPDX-License-Identifier: ISC */
#include "mailauth/spf_macro.h"

enum { LABEL_MAX = 63 };

/* RFC 7208 7.3: what is too long loses labels at its left. */
static str cut_to_fit(str name)
{
	while (name.n > DNS_NAME_MAX)
		(void)!str_cut(name, '.', &(str){0}, &name);
	return name;
}

static bool is_possible(str name)
{
	str label, rest = name;

	while (rest.n > 0) {
		(void)!str_cut(rest, '.', &label, &rest);
		if (label.n == 0 || label.n > LABEL_MAX)
			return false;
	}
	/* RFC 8616 4: nothing is matched by names with other octets than ASCII. */
	return name.n > 0 && !str_ends(name, STR(".")) && str_is_ascii(name);
}

static void put_lower(struct buf *out, str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		buf_putc(out, (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c));
	}
}

bool spf_name_of(struct spf_check *c, str spec, str domain, struct buf *out)
{
	BUF(expanded, SPF_NAME_MAX);

	if (spec.n > 0)
		spf_macro_expand(c, spec, domain, &expanded);
	else
		buf_put(&expanded, domain);
	str name = buf_str(&expanded);
	if (str_ends(name, STR(".")))
		name.n--;
	name = cut_to_fit(name);
	put_lower(out, name);
	return !expanded.full && !out->full && is_possible(name);
}

void spf_name_escape(struct buf *out, str name)
{
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';

		if (plain)
			buf_putc(out, (char)c);
		else
			buf_printf(out, "\\%03u", c);
	}
}

bool spf_name_is_below(str name, str domain)
{
	str head = str_take(name, name.n - (domain.n < name.n ? domain.n : name.n));

	return str_ends_nocase(name, domain) && (head.n == 0 || str_ends(head, STR(".")));
}
