/* SPDX-License-Identifier: ISC */
/* A line is "kind name result points evidence", with "-" for no result. */
#include "mail/finding.h"

#include "conf/points.h"

enum { LINE_MAX = FINDING_EVIDENCE_MAX + 256, WORD_MAX = 64 };

static const char *const kinds[FINDING_KIND_COUNT] = {"check", "rule", "scanner", "decision"};

const char *finding_kind_name(enum finding_kind kind)
{
	return kind < FINDING_KIND_COUNT ? kinds[kind] : "unknown";
}

void finding_points_print(struct buf *out, int64_t points)
{
	points_print(out, points);
}

/* --- writing --- */

static void print_word(struct buf *out, str word)
{
	if (word.n == 0)
		buf_putc(out, '-');
	for (size_t i = 0; i < word.n && i < WORD_MAX; i++)
		buf_putc(out, word.p[i] > ' ' && word.p[i] < 0x7f ? word.p[i] : '?');
}

/* Ends a line, turns it round, or is a command to a terminal. */
static bool is_harmful(uint32_t c)
{
	bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
	bool line_or_direction =
		(c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);

	return control || line_or_direction || c == 0x061c || c == 0xfeff;
}

static size_t plain_size(str text)
{
	size_t n = 0;

	while (n < text.n && text.p[n] >= ' ' && text.p[n] <= '~')
		n++;
	return n;
}

static void print_text(struct buf *out, str text)
{
	size_t end = out->n + FINDING_EVIDENCE_MAX;

	while (text.n > 0) {
		uint32_t code = 0;
		str plain = str_take(str_take(text, plain_size(text)), end - out->n);
		buf_put(out, plain);
		text = str_drop(text, plain.n);
		if (text.n == 0)
			return;
		size_t n = str_utf8_char(text, &code);
		bool good = n > 0 && !is_harmful(code);

		if (out->n + (good ? n : 1) > end)
			return;
		buf_put(out, good ? str_take(text, n) : STR("?"));
		text = str_drop(text, n > 0 ? n : 1);
	}
}

static int64_t bounded(int64_t points)
{
	if (points > POINTS_MAX)
		return POINTS_MAX;
	return points < -POINTS_MAX ? -POINTS_MAX : points;
}

void finding_print(struct buf *out, const struct finding *f)
{
	BUF(line, LINE_MAX);

	buf_puts(&line, finding_kind_name(f->kind));
	buf_putc(&line, ' ');
	print_word(&line, f->name);
	buf_putc(&line, ' ');
	print_word(&line, f->result);
	buf_putc(&line, ' ');
	finding_points_print(&line, bounded(f->points));
	buf_putc(&line, ' ');
	print_text(&line, f->evidence);
	buf_putc(&line, '\n');
	if (!line.full)
		buf_put(out, buf_str(&line));
}

/* --- reading --- */

static bool parse_kind(str word, enum finding_kind *kind)
{
	for (unsigned i = 0; i < FINDING_KIND_COUNT; i++)
		if (str_equal(word, str_from(kinds[i]))) {
			*kind = (enum finding_kind)i;
			return true;
		}
	return false;
}

static bool parse_line(str line, struct finding *out)
{
	str kind, points, rest;

	*out = (struct finding){0};
	if (!str_cut(line, ' ', &kind, &rest) || !str_cut(rest, ' ', &out->name, &rest) ||
	    !str_cut(rest, ' ', &out->result, &rest) || !str_cut(rest, ' ', &points, &out->evidence))
		return false;
	if (str_equal(out->result, STR("-")))
		out->result = STR_NONE;
	return out->name.n > 0 && parse_kind(kind, &out->kind) && points_parse(points, &out->points);
}

bool finding_next(str *text, struct finding *out)
{
	while (text->n > 0) {
		str line = str_take(*text, str_find(*text, '\n'));

		*text = str_drop(*text, line.n + 1);
		if (parse_line(line, out))
			return true;
	}
	return false;
}
