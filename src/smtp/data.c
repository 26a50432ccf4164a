/* SPDX-License-Identifier: ISC */
#include "smtp/data.h"

/* One piece of input on its way through the states. Content from `run` up to `at` has been judged but not given
 * away. */
struct feed {
	struct data_scan *d;
	str in;
	size_t run, at;
	size_t cr; /* the first CR at or behind `at`, in.n when there is none; known while >= at */
};

static str between(str s, size_t from, size_t to)
{
	return str_take(str_drop(s, from), to - from);
}

static void emit(struct data_scan *d, str run)
{
	if (run.n > 0)
		d->emit(d->ctx, run);
}

/* Gives the run away up to `to` and begins a new one at `next`. */
static void cut(struct feed *f, size_t to, size_t next)
{
	emit(f->d, between(f->in, f->run, to));
	f->run = f->at = next;
}

/* `octet` ("\r" or "\n") stood alone and is not part of the run. */
static void bare(struct data_scan *d, str octet)
{
	d->bare = true;
	emit(d, d->normalise ? STR("\r\n") : octet);
}

static void at_line_start(struct feed *f)
{
	if (f->d->chunked || f->in.p[f->at] != '.') {
		f->d->state = DATA_TEXT;
		return;
	}
	cut(f, f->at, f->at + 1); /* RFC 5321 4.5.2: the first dot of a line is not content */
	f->d->state = DATA_DOT;
}

/* From here to the next line end that is one. The search for CR goes ahead of the one for LF and is remembered, so
 * that each octet is looked at twice at most, whatever the input. */
static void in_text(struct feed *f)
{
	if (f->cr < f->at)
		f->cr = f->at + str_find(str_drop(f->in, f->at), '\r');
	size_t lf = f->at + str_find(between(f->in, f->at, f->cr), '\n');
	if (lf < f->cr) {
		cut(f, lf, lf + 1);
		bare(f->d, STR("\n"));
	} else if (f->cr + 1 < f->in.n && f->in.p[f->cr + 1] == '\n') {
		f->at = f->cr + 2;
		f->d->state = DATA_LINE_START;
	} else if (f->cr + 1 < f->in.n) {
		cut(f, f->cr, f->cr + 1);
		bare(f->d, STR("\r"));
	} else if (f->cr < f->in.n) {
		cut(f, f->cr, f->in.n);
		f->d->state = DATA_CR;
	} else {
		f->at = f->in.n;
	}
}

/* The piece before ended with a CR that was held back. */
static void after_cr(struct feed *f)
{
	if (f->in.p[f->at] == '\n') {
		emit(f->d, STR("\r\n"));
		f->run = ++f->at;
		f->d->state = DATA_LINE_START;
	} else {
		bare(f->d, STR("\r"));
		f->d->state = DATA_TEXT;
	}
}

static void after_dot(struct feed *f)
{
	f->d->state = DATA_TEXT;
	if (f->in.p[f->at] == '\r') {
		f->run = ++f->at;
		f->d->state = DATA_DOT_CR;
	}
}

static void after_dot_cr(struct feed *f)
{
	if (f->in.p[f->at] == '\n') {
		f->run = ++f->at;
		f->d->state = DATA_END;
	} else {
		bare(f->d, STR("\r"));
		f->d->state = DATA_TEXT;
	}
}

static void step(struct feed *f)
{
	switch (f->d->state) {
	case DATA_LINE_START:
		at_line_start(f);
		break;
	case DATA_TEXT:
		in_text(f);
		break;
	case DATA_CR:
		after_cr(f);
		break;
	case DATA_DOT:
		after_dot(f);
		break;
	case DATA_DOT_CR:
		after_dot_cr(f);
		break;
	case DATA_END:
		break;
	}
}

size_t data_feed(struct data_scan *d, str in)
{
	struct feed f = {.d = d, .in = in};

	if (in.n > 0)
		f.cr = str_find(in, '\r');
	while (f.at < in.n && d->state != DATA_END)
		step(&f);
	emit(d, between(in, f.run, f.at));
	d->nul = d->nul || str_find(str_take(in, f.at), '\0') < f.at;
	return f.at;
}

void data_finish(struct data_scan *d)
{
	if (d->state == DATA_CR)
		bare(d, STR("\r"));
	d->state = DATA_END;
}
