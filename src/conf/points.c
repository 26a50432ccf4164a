/* SPDX-License-Identifier: ISC */
#include "conf/points.h"

enum { DECIMALS = 3, SCALE = 1000 };

/* ".25" is 250. */
static bool decimals_parse(str text, uint64_t *thousandths)
{
	str digits = str_drop(text, 1);

	*thousandths = 0;
	if (text.n == 0)
		return true;
	if (digits.n == 0 || digits.n > DECIMALS || !str_to_u64(digits, SCALE - 1, thousandths))
		return false;
	for (size_t i = digits.n; i < DECIMALS; i++)
		*thousandths *= 10;
	return true;
}

bool points_parse(str word, int64_t *points)
{
	bool minus = str_starts(word, STR("-"));
	str number = str_drop(word, minus ? 1 : 0);
	size_t point = str_find(number, '.');
	uint64_t whole, part;

	if (!str_to_u64(str_take(number, point), POINTS_MAX / SCALE, &whole) ||
	    !decimals_parse(str_drop(number, point), &part) || whole * SCALE + part > POINTS_MAX)
		return false;
	*points = (int64_t)(whole * SCALE + part);
	if (minus)
		*points = -*points;
	return true;
}

void points_print(struct buf *out, int64_t points)
{
	uint64_t v = points < 0 ? -(uint64_t)points : (uint64_t)points;
	uint64_t part = v % SCALE;

	if (points < 0)
		buf_putc(out, '-');
	buf_u64(out, v / SCALE);
	if (part == 0)
		return;
	buf_putc(out, '.');
	for (uint64_t digit = SCALE / 10; part > 0; digit /= 10) {
		buf_putc(out, (char)('0' + part / digit));
		part %= digit;
	}
}
