/* SPDX-License-Identifier: ISC */
/* Any sender that is rewritten comes back as he was, but for case; any other local part leads nowhere. */
#include <stdlib.h>

#include "mail/address.h"
#include "mail/srs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA(a, 1 << 16);
	const str secret = STR("secret");
	struct address address;
	str in = str_make((const char *)data, size), back;

	if (srs_reverse(secret, in, 0, &back, &a) == OK)
		check(address_parse(back, true, &address) == OK);
	str out = srs_forward(secret, in, STR("ours.example"), 0, &a);
	if (out.n == 0 || !str_ends(out, STR("@ours.example")) || str_equal(in, out))
		return 0;
	check(out.n <= 254 && !str_has_control(out) && address_parse(out, true, &address) == OK);
	check(srs_reverse(secret, address.local, 0, &back, &a) == OK && address_parse(back, true, &address) == OK);
	return 0;
}
