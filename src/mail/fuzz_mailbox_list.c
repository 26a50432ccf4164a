/* SPDX-License-Identifier: ISC */
/* Every address that comes out is one, and a list of those reads the same. */
#include <stdlib.h>

#include "base/buf.h"
#include "mail/address.h"
#include "mail/mailbox_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA(arena, 1 << 20);
	BUF(text, 1 << 20);
	struct mailbox_list list, again;
	struct address address;

	if (mailbox_list_parse(str_make((const char *)data, size), &arena, &list) != OK)
		return 0;
	for (size_t i = 0; i < list.n; i++) {
		if (address_parse(list.addresses[i], true, &address) != OK)
			abort();
		buf_put(&text, list.addresses[i]);
		buf_putc(&text, ',');
	}
	if (mailbox_list_parse(buf_str(&text), &arena, &again) != OK || again.n != list.n)
		abort();
	for (size_t i = 0; i < list.n; i++)
		if (!str_equal(list.addresses[i], again.addresses[i]))
			abort();
	return 0;
}
