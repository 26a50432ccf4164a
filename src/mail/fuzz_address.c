/* SPDX-License-Identifier: ISC */
/* An address that is accepted must read the same when it is printed and parsed again, and have a key. */
#include <stdlib.h>

#include "mail/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void round_trip(const struct address *a)
{
	ARENA(arena, 1 << 16);
	BUF(text, 1 << 12);
	struct address again;
	str local, domain;

	address_print(&text, a);
	check(!text.full && !str_has_control(buf_str(&text)) && str_is_utf8(buf_str(&text)));
	check(text.n <= 254);
	if (a->domain.n == 0)
		return;
	check(address_parse(buf_str(&text), a->utf8, &again) == OK);
	check(str_equal(again.local, a->local) && str_equal(again.domain, a->domain) && again.literal == a->literal);
	check(address_key(&arena, a, &local, &domain) == OK && domain.n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str in = str_make((const char *)data, size);
	struct cursor c = cursor_of(in);
	struct address a;

	if (address_parse_path(&c, true, &a) == OK)
		round_trip(&a);
	if (address_parse(in, true, &a) == OK)
		round_trip(&a);
	if (address_parse(in, false, &a) == OK)
		check(str_is_ascii(in));
	return 0;
}
