/* SPDX-License-Identifier: ISC */
/* The text of any HTML is no longer than it, and its links lie within. */
#include <stdlib.h>

#include "mail/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	ARENA(a, 2 << 20);
	BUF(text, n + 1);
	struct html h;

	if (html_read(str_make((const char *)data, n), &a, &text, &h) != OK)
		return 0;
	if (text.full || h.links_n > HTML_LINKS_MAX)
		abort();
	for (size_t i = 0; i < h.links_n; i++)
		if (h.links[i].from + h.links[i].length > text.n || h.links[i].url.n > HTML_URL_MAX)
			abort();
	return 0;
}
