/* SPDX-License-Identifier: ISC */
/* Any header: who is found is one, and clean; and stays the same one however often it is looked for. */
#include <stdlib.h>

#include "mailauth/dmarc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA(a, 1 << 20);
	struct dmarc_author author, again;

	if (dmarc_author_find(str_make((const char *)data, size), &a, &author) != OK)
		return 0;
	check(author.domain.n > 0 && str_is_ascii(author.domain) && !str_has_control(author.domain));
	check(str_ends(author.address, author.domain) && !str_has_control(author.address));
	check(str_is_utf8(author.name) && !str_has_control(author.name));
	check(dmarc_author_find(arena_printf(&a, "From: " STR_FMT "\r\n", STR_ARG(author.address)), &a, &again) == OK);
	check(str_equal(author.address, again.address));
	return 0;
}
