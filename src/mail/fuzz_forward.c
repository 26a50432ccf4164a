/* SPDX-License-Identifier: ISC */
#include "mail/forward.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const struct forward *f)
{
	BUF(text, 1 << 20);
	struct forward again;
	ARENA(a, 4 << 20);

	forward_print(&text, f);
	struct cursor c = cursor_of(buf_str(&text));
	if (forward_parse(&c, &a, &again) != OK || !cursor_end(&c) || again.targets_n != f->targets_n ||
	    again.refusals_n != f->refusals_n || !str_equal(again.fault, f->fault))
		abort();
	for (size_t i = 0; i < f->targets_n; i++)
		if (!str_equal(f->targets[i], again.targets[i]))
			abort();
}

/* Whatever a file says, and whatever lines are taken, comes through the lines as it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	str text = str_make((const char *)data, n);
	struct forward f;
	ARENA(a, 8 << 20);

	if (forward_read(text, STR("example.org"), &a, &f) == OK)
		check(&f);
	struct cursor c = cursor_of(text);
	if (forward_parse(&c, &a, &f) == OK)
		check(&f);
	return 0;
}
