/* SPDX-License-Identifier: ISC */
/* Any message: what is converted holds what it promises, and a second conversion finds nothing to do. The first octet says what the server takes. */
#include "mail/convert.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	str all = str_make((const char *)data, n), message = str_drop(all, 1);
	unsigned how = n > 0 ? data[0] : 0;
	struct convert_options o = {.eight_bit = (how & 1) != 0, .binary = (how & 2) != 0};
	BUF(out, convert_room(message.n));
	BUF(again, convert_room(convert_room(message.n)));

	if (convert_message(message, &o, &out) != OK)
		return 0;
	str got = buf_str(&out);
	check(o.eight_bit || str_is_ascii(got));
	check(str_find(got, '\0') == got.n);
	for (size_t i = 0; i < got.n; i++) {
		check(got.p[i] != '\n' || (i > 0 && got.p[i - 1] == '\r'));
		check(got.p[i] != '\r' || (i + 1 < got.n && got.p[i + 1] == '\n'));
	}
	o.binary = false;
	check(convert_message(got, &o, &again) == OK && str_equal(buf_str(&again), got));
	return 0;
}
