/* SPDX-License-Identifier: ISC */
/* Any text as one with macros, any octets as what they stand for. */
#include <stdlib.h>

#include "mailauth/spf_macro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static err ask(void *ctx UNUSED, const struct resolve_request *q UNUSED, struct resolve_reply *r,
               struct arena *a UNUSED, nsec deadline UNUSED)
{
	*r = (struct resolve_reply){.rcode = 3};
	return OK;
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA(a, 1 << 20);
	BUF(out, 4 << 10);
	BUF(name, 4 << 10);
	const struct resolver resolver = {.ask = ask};
	struct net_address client = {0};
	struct spf_result result = {0};
	str text, value;

	(void)!str_cut(str_make((const char *)data, size), '\0', &text, &value);
	const struct spf_query q = {&resolver, &client, value, value, value, 1, RT_NEVER};
	struct spf_check c = {.q = &q, .a = &a, .out = &result, .sender = value, .local = value, .origin = value};
	check(!spf_macro_is_domain_spec(text) || spf_macro_is_valid(text));
	if (!spf_macro_is_valid(text))
		return 0;
	spf_macro_expand(&c, text, STR("example.com"), &out);
	if (spf_name_of(&c, text, STR("example.com"), &name))
		check(name.n > 0 && name.n <= DNS_NAME_MAX && str_is_ascii(buf_str(&name)));
	return 0;
}
