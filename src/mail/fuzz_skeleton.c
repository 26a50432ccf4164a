/* SPDX-License-Identifier: ISC */
/* Any text: its skeleton is UTF-8 without controls, and has itself as skeleton. */
#include <stdlib.h>

#include "mail/skeleton.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA(a, 4 << 20);
	str text = str_make((const char *)data, size < 1000 ? size : 1000);
	str name = skeleton_name(&a, text), address = skeleton_address(&a, text);

	if (!str_is_utf8(name) || str_has_control(name) || !str_is_utf8(address) || str_has_control(address))
		abort();
	if (!str_equal(skeleton_name(&a, name), name))
		abort();
	return 0;
}
