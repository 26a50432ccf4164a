/* SPDX-License-Identifier: ISC */
#include "pop3/body.h"

/* Octets up to and with the next line end that a dot follows; all when there is none. A bare LF counts as a line end: clients
 * that read it as one must not see the end of the response in it. */
static size_t until_dot(str s)
{
	for (size_t n = 0; n < s.n;) {
		n += str_find(str_drop(s, n), '\n') + 1;
		if (n < s.n && s.p[n] == '.')
			return n;
	}
	return s.n;
}

static void remember_last(struct stuffing *d, str bytes)
{
	d->last[0] = bytes.n > 1 ? bytes.p[bytes.n - 2] : d->last[1];
	d->last[1] = bytes.p[bytes.n - 1];
}

void stuffing_put(struct stuffing *d, str bytes)
{
	if (bytes.n == 0)
		return;
	if (d->last[1] == '\n' && bytes.p[0] == '.')
		stream_put(d->to, STR("."));
	for (str rest = bytes; rest.n > 0;) {
		size_t n = until_dot(rest);
		stream_put(d->to, str_take(rest, n));
		rest = str_drop(rest, n);
		if (rest.n > 0)
			stream_put(d->to, STR("."));
	}
	remember_last(d, bytes);
}

void stuffing_end(struct stuffing *d)
{
	if (d->last[0] != '\r' || d->last[1] != '\n')
		stream_put(d->to, STR("\r\n"));
	stream_put(d->to, STR(".\r\n"));
}

static void line_ended(struct excerpt *x)
{
	bool blank = x->length == 0 || (x->length == 1 && x->first == '\r');

	if (x->in_body)
		x->lines--;
	else
		x->in_body = blank;
	x->done = x->in_body && x->lines == 0;
	x->length = 0;
}

/* `piece` is a line, or a part of one. */
static void line_piece(struct excerpt *x, str piece)
{
	bool ends = str_ends(piece, STR("\n"));

	if (x->length == 0)
		x->first = piece.p[0];
	x->length += piece.n - ends;
	if (ends)
		line_ended(x);
}

str excerpt_take(struct excerpt *x, str bytes)
{
	str rest = bytes;

	while (rest.n > 0 && !x->done) {
		size_t n = str_take(rest, str_find(rest, '\n') + 1).n;
		line_piece(x, str_take(rest, n));
		rest = str_drop(rest, n);
	}
	return str_take(bytes, bytes.n - rest.n);
}
