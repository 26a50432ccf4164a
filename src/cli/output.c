/* SPDX-License-Identifier: ISC */
#include "cli/output.h"

#include "base/encode.h"

enum { LINE_OCTETS_MAX = 1 << 20 };

/* Characters, as most of them stand on a terminal. */
static size_t width(str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

void output_cell(struct buf *out, const struct cell *c)
{
	if (c->is_number != 0)
		buf_u64(out, c->number);
	else
		escape_text(out, c->text);
}

static size_t cell_width(const struct cell *c)
{
	BUF(text, LINE_OCTETS_MAX);

	output_cell(&text, c);
	return width(buf_str(&text));
}

static void pad(struct buf *line, size_t n)
{
	while (n-- > 0)
		buf_putc(line, ' ');
}

/* Numbers to the right, text to the left. */
static void put_padded(struct buf *line, str text, size_t columns, bool right, bool last)
{
	size_t n = width(text);
	size_t blanks = n < columns ? columns - n : 0;

	if (right)
		pad(line, blanks);
	buf_put(line, text);
	if (!right && !last)
		pad(line, blanks);
	if (!last)
		buf_puts(line, "  ");
}

static void print_line(struct output *o, struct buf *line)
{
	while (line->n > 0 && line->p[line->n - 1] == ' ')
		line->n--;
	buf_putc(line, '\n');
	fwrite(line->p, 1, line->n, o->file);
}

static size_t columns_of(const struct row *row)
{
	return row->cells_n < OUTPUT_COLUMNS_MAX ? row->cells_n : OUTPUT_COLUMNS_MAX;
}

static void measure(struct output *o, const struct row *rows, size_t n)
{
	for (size_t r = 0; r < n; r++)
		for (size_t c = 0; c < columns_of(&rows[r]); c++) {
			size_t heading = width(rows[r].cells[c].name), cell = cell_width(&rows[r].cells[c]);
			size_t most = heading > cell ? heading : cell;
			o->widths[c] = most > o->widths[c] ? most : o->widths[c];
		}
}

static void print_heading(struct output *o, const struct row *row)
{
	BUF(line, LINE_OCTETS_MAX);
	size_t n = columns_of(row);

	for (size_t i = 0; i < n; i++)
		put_padded(&line, row->cells[i].name, o->widths[i], row->cells[i].is_number != 0, i + 1 == n);
	print_line(o, &line);
}

static void print_row(struct output *o, const struct row *row)
{
	BUF(line, LINE_OCTETS_MAX);
	size_t n = columns_of(row);

	for (size_t i = 0; i < n; i++) {
		BUF(text, LINE_OCTETS_MAX);
		output_cell(&text, &row->cells[i]);
		put_padded(&line, buf_str(&text), o->widths[i], row->cells[i].is_number != 0, i + 1 == n);
	}
	print_line(o, &line);
}

static void print_json(struct output *o, const struct row *row)
{
	BUF(line, LINE_OCTETS_MAX);

	buf_putc(&line, '{');
	for (size_t i = 0; i < row->cells_n; i++) {
		if (i > 0)
			buf_putc(&line, ',');
		json_quote(&line, row->cells[i].name);
		buf_putc(&line, ':');
		if (row->cells[i].is_number != 0)
			buf_u64(&line, row->cells[i].number);
		else
			json_quote(&line, row->cells[i].text);
	}
	buf_putc(&line, '}');
	print_line(o, &line);
}

void output_rows(struct output *o, const struct row *rows, size_t n)
{
	if (!o->json && !o->begun && n > 0) {
		measure(o, rows, n);
		print_heading(o, &rows[0]);
		o->begun = true;
	}
	for (size_t i = 0; i < n; i++) {
		if (o->json)
			print_json(o, &rows[i]);
		else
			print_row(o, &rows[i]);
	}
}

void output_fields(struct output *o, const struct row *row)
{
	size_t most = 0;

	if (o->json) {
		print_json(o, row);
		return;
	}
	for (size_t i = 0; i < row->cells_n; i++)
		most = width(row->cells[i].name) > most ? width(row->cells[i].name) : most;
	for (size_t i = 0; i < row->cells_n; i++) {
		BUF(line, LINE_OCTETS_MAX);
		BUF(text, LINE_OCTETS_MAX);
		put_padded(&line, row->cells[i].name, most, false, false);
		output_cell(&text, &row->cells[i]);
		buf_put(&line, buf_str(&text));
		print_line(o, &line);
	}
}

const struct cell *row_cell(const struct row *row, const char *name)
{
	for (size_t i = 0; i < row->cells_n; i++)
		if (str_equal(row->cells[i].name, str_from(name)))
			return &row->cells[i];
	return NULL;
}
