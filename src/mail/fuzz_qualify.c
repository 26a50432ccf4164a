/* SPDX-License-Identifier: ISC */
#include "mail/qualify.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Nothing but @domain is added, and what is taken out again is what there was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	str value = str_make((const char *)data, n), added = STR("@\x01");
	BUF(out, 1 << 22);
	BUF(back, 1 << 22);

	if (str_find(value, '\x01') < value.n)
		return 0;
	qualify_addresses(&out, value, STR("\x01"));
	for (str rest = buf_str(&out); rest.n > 0;) {
		if (str_starts(rest, added)) {
			rest = str_drop(rest, added.n);
			continue;
		}
		buf_put(&back, str_take(rest, 1));
		rest = str_drop(rest, 1);
	}
	if (!out.full && !str_equal(buf_str(&back), value))
		abort();
	return 0;
}
