/* SPDX-License-Identifier: ISC */
#include "filter/fields.h"

#include "conf/points.h"

enum { LINE_MAX = 76 };

/* Words in lines of a length that every program takes; one that is longer stands alone. */
static void put_folded(struct buf *out, size_t column, str text)
{
	for (str word = str_word(&text); word.n > 0; word = str_word(&text)) {
		bool fits = column + 1 + word.n <= LINE_MAX;

		buf_puts(out, fits ? " " : "\r\n\t");
		buf_put(out, word);
		column = (fits ? column : 8) + 1 + word.n;
	}
}

void fields_junk(struct buf *out, int64_t points, str reasons)
{
	size_t begin;

	buf_puts(out, "X-Spam-Flag: YES\r\n");
	begin = out->n;
	buf_puts(out, "X-Spam-Status: Yes, score=");
	points_print(out, points);
	put_folded(out, out->n - begin, reasons);
	buf_puts(out, "\r\n");
}
