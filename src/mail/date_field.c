/* SPDX-License-Identifier: ISC */
#include "mail/date_field.h"

#include "base/cursor.h"

enum { VALUE_MAX = 200 };

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Comments nest. */
static void skip(struct cursor *c)
{
	size_t depth = 0;

	while (!cursor_end(c)) {
		if (cursor_accept(c, '('))
			depth++;
		else if (depth > 0 && cursor_accept(c, ')'))
			depth--;
		else if (depth > 0 || is_blank((unsigned char)cursor_peek(c)))
			(void)cursor_bytes(c, 1);
		else
			return;
	}
	if (depth > 0)
		cursor_fail(c);
}

static uint64_t number(struct cursor *c, uint64_t max)
{
	skip(c);
	uint64_t v = cursor_number(c, max);
	skip(c);
	return v;
}

static unsigned month(struct cursor *c)
{
	static const str names = STR("janfebmaraprmayjunjulaugsepoctnovdec");
	str word = cursor_take_while(c, is_letter);

	for (unsigned i = 0; i < 12; i++)
		if (word.n >= 3 && str_equal_nocase(str_take(word, 3), str_take(str_drop(names, 3 * (size_t)i), 3)))
			return i + 1;
	cursor_fail(c);
	return 0;
}

/* RFC 5322 4.3: two digits are of 2000 to 2049 or of the century before, three are years since 1900. */
static uint64_t year(struct cursor *c)
{
	size_t before = cursor_left(c);
	uint64_t v = cursor_number(c, 9999);
	size_t digits = before - cursor_left(c);

	if (digits == 2)
		return v < 50 ? v + 2000 : v + 1900;
	return digits == 3 ? v + 1900 : v;
}

/* "+0100" as hours and minutes; the names of RFC 822 that say more than UTC. */
static void zone(struct cursor *c, char *sign, uint64_t *at)
{
	static const struct {
		const char *name;
		uint64_t west;
	} names[] = {{"EDT", 400}, {"EST", 500}, {"CDT", 500}, {"CST", 600},
	             {"MDT", 600}, {"MST", 700}, {"PDT", 700}, {"PST", 800}};

	*sign = '+';
	*at = 0;
	skip(c);
	if (cursor_accept(c, '-')) {
		*sign = '-';
		*at = cursor_number(c, 9999);
	} else if (cursor_accept(c, '+')) {
		*at = cursor_number(c, 9999);
	} else {
		str word = cursor_take_while(c, is_letter);
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (str_equal_nocase(word, str_from(names[i].name))) {
				*sign = '-';
				*at = names[i].west;
			}
	}
}

bool date_field_parse(str value, int64_t *usec)
{
	struct cursor c = cursor_of(str_take(value, VALUE_MAX));
	BUF(text, 64);
	uint64_t y, h, minute, second = 0, offset;
	unsigned m, d;
	char sign;

	skip(&c);
	if (cursor_take_while(&c, is_letter).n > 0) {
		skip(&c);
		(void)cursor_accept(&c, ',');
	}
	d = (unsigned)number(&c, 31);
	m = month(&c);
	skip(&c);
	y = year(&c);
	h = number(&c, 23);
	cursor_expect(&c, ':');
	minute = number(&c, 59);
	if (cursor_accept(&c, ':'))
		second = number(&c, 60);
	zone(&c, &sign, &offset);
	skip(&c);
	if (c.failed || !cursor_end(&c))
		return false;
	buf_printf(&text, "%04u-%02u-%02uT%02u:%02u:%02u%c%02u:%02u", (unsigned)y, m, d, (unsigned)h, (unsigned)minute,
	           (unsigned)(second == 60 ? 59 : second), sign, (unsigned)(offset / 100), (unsigned)(offset % 100));
	return date_parse_rfc3339(buf_str(&text), usec);
}
