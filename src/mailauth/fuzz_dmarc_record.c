/* SPDX-License-Identifier: ISC */
/* Any record: what is read of it is bounded and clean. */
#include <stdlib.h>

#include "mail/address.h"
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
	struct dmarc_record r;
	struct address address;

	if (dmarc_record_parse(str_make((const char *)data, size), &a, &r) != OK)
		return 0;
	check(r.p <= DMARC_REJECT && r.sp <= DMARC_REJECT && r.np <= DMARC_REJECT && r.rua_n <= DMARC_URIS_MAX);
	check((r.psd == 'y' || r.psd == 'n' || r.psd == 'u') && !str_has_control(r.fo) && r.fo.n > 0);
	for (size_t i = 0; i < r.rua_n; i++)
		check(address_parse(r.rua[i], true, &address) == OK && !str_has_control(r.rua[i]));
	return 0;
}
