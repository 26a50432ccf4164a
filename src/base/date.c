/* SPDX-License-Identifier: ISC */
#include "base/date.h"

#include "base/cursor.h"

enum { SEC_PER_DAY = 86400 };

#define SEC_LAST  253402300799LL   /* 9999-12-31T23:59:59Z, the last that RFC 3339 can write */
#define SEC_FIRST (-62167219200LL) /* 0000-01-01T00:00:00Z */

struct civil {
	int64_t year;
	unsigned month, day; /* from 1 */
	unsigned hour, minute, second, usec;
	unsigned weekday; /* 0: Sunday */
};

/* The calendar is counted in eras of 400 years (146097 days) whose years begin in March, so that the leap day comes last;
 * day 0 of era 0 is 0000-03-01, 719468 days before 1970. */
static void civil_date(struct civil *c, int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t month = (5 * doy + 2) / 153;

	c->day = (unsigned)(doy - (153 * month + 2) / 5 + 1);
	c->month = (unsigned)(month < 10 ? month + 3 : month - 9);
	c->year = yoe + era * 400 + (c->month <= 2);
	c->weekday = (unsigned)(((days + 4) % 7 + 7) % 7);
}

static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (int64_t)day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static struct civil civil_of(int64_t usec)
{
	int64_t sec = usec / USEC_PER_SEC - (usec % USEC_PER_SEC < 0);
	int64_t fraction = usec - sec * USEC_PER_SEC;

	if (sec < SEC_FIRST)
		sec = SEC_FIRST;
	if (sec > SEC_LAST)
		sec = SEC_LAST;
	int64_t days = sec / SEC_PER_DAY - (sec % SEC_PER_DAY < 0);
	int64_t rest = sec - days * SEC_PER_DAY;
	struct civil c = {.hour = (unsigned)(rest / 3600),
	                  .minute = (unsigned)(rest / 60 % 60),
	                  .second = (unsigned)(rest % 60),
	                  .usec = (unsigned)fraction};
	civil_date(&c, days);
	return c;
}

static char *put_digits(char *p, unsigned v, int width)
{
	for (int i = width - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + width;
}

static char *put_text(char *p, const char *z)
{
	size_t n = strlen(z);

	memcpy(p, z, n);
	return p + n;
}

static char *put_time(char *p, const struct civil *c)
{
	p = put_digits(p, c->hour, 2);
	*p++ = ':';
	p = put_digits(p, c->minute, 2);
	*p++ = ':';
	return put_digits(p, c->second, 2);
}

void date_rfc3339(struct buf *out, int64_t usec)
{
	struct civil c = civil_of(usec);
	char text[24];
	char *p = put_digits(text, (unsigned)c.year, 4);

	*p++ = '-';
	p = put_digits(p, c.month, 2);
	*p++ = '-';
	p = put_digits(p, c.day, 2);
	*p++ = 'T';
	p = put_time(p, &c);
	*p++ = '.';
	p = put_digits(p, c.usec / 1000, 3);
	*p++ = 'Z';
	buf_put(out, str_make(text, (size_t)(p - text)));
}

void date_rfc5322(struct buf *out, int64_t usec)
{
	static const char weekdays[][6] = {"Sun, ", "Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, "};
	static const char months[][6] = {" Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ",
	                                 " Jul ", " Aug ", " Sep ", " Oct ", " Nov ", " Dec "};
	struct civil c = civil_of(usec);
	char text[32];
	char *p = put_text(text, weekdays[c.weekday]);

	p = put_digits(p, c.day, c.day < 10 ? 1 : 2);
	p = put_text(p, months[c.month - 1]);
	p = put_digits(p, (unsigned)c.year, 4);
	*p++ = ' ';
	p = put_time(p, &c);
	p = put_text(p, " +0000");
	buf_put(out, str_make(text, (size_t)(p - text)));
}

/* Exactly `width` digits. */
static unsigned take_digits(struct cursor *c, size_t width, unsigned max)
{
	struct cursor digits = cursor_of(cursor_bytes(c, width));
	unsigned v = (unsigned)cursor_number(&digits, max);

	if (digits.failed || !cursor_end(&digits))
		cursor_fail(c);
	return v;
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

static int64_t take_date(struct cursor *c)
{
	unsigned year = take_digits(c, 4, 9999);
	cursor_expect(c, '-');
	unsigned month = take_digits(c, 2, 12);
	cursor_expect(c, '-');
	unsigned day = take_digits(c, 2, 31);

	if (c->failed || month == 0 || day == 0 || day > month_days(year, month)) {
		cursor_fail(c);
		return 0;
	}
	return days_of(year, month, day) * SEC_PER_DAY * USEC_PER_SEC;
}

static int64_t take_fraction(struct cursor *c)
{
	int64_t usec = 0, unit = USEC_PER_SEC;
	size_t digits = 0;

	if (!cursor_accept(c, '.'))
		return 0;
	for (int ch; (ch = cursor_peek(c)) >= '0' && ch <= '9'; digits++) {
		unit /= 10;
		usec += (ch - '0') * unit;
		c->p++;
	}
	if (digits == 0)
		cursor_fail(c);
	return usec;
}

static int64_t take_time(struct cursor *c)
{
	int64_t sec = 3600LL * take_digits(c, 2, 23);
	cursor_expect(c, ':');
	sec += 60LL * take_digits(c, 2, 59);
	cursor_expect(c, ':');
	sec += take_digits(c, 2, 60); /* RFC 3339 5.6: 60 in a leap second */
	return sec * USEC_PER_SEC + take_fraction(c);
}

static int64_t take_offset(struct cursor *c)
{
	if (cursor_accept_nocase(c, STR("z")))
		return 0;
	int64_t sign = cursor_accept(c, '-') ? -1 : 1;
	if (sign == 1)
		cursor_expect(c, '+');
	int64_t minutes = 60LL * take_digits(c, 2, 23);
	cursor_expect(c, ':');
	minutes += take_digits(c, 2, 59);
	return sign * minutes * 60 * USEC_PER_SEC;
}

bool date_parse_rfc3339(str s, int64_t *usec)
{
	struct cursor c = cursor_of(s);
	int64_t t = take_date(&c);

	if (!cursor_end(&c)) {
		/* RFC 3339 5.6: a blank may stand for the T, for the sake of readability. */
		if (!cursor_accept_nocase(&c, STR("t")))
			cursor_expect(&c, ' ');
		t += take_time(&c);
		t -= take_offset(&c);
	}
	if (c.failed || c.p != c.end)
		return false;
	*usec = t;
	return true;
}
