/* SPDX-License-Identifier: ISC */
/* Anything as a complaint: what is kept of it is one line, within its bounds. */
#include <stdlib.h>

#include "mailauth/arf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA(a, 4 << 20);
	BUF(json, 64 << 10);
	struct arf f;

	if (arf_parse(str_make((const char *)data, size), &a, &f) != OK)
		return 0;
	arf_json(&json, &f);
	if (json.full || str_find(buf_str(&json), '\n') != json.n || f.domains_n > ARF_DOMAINS_MAX || f.incidents == 0)
		abort();
	return 0;
}
