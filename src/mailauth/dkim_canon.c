/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim_canon.h"

#define CRLF STR("\r\n")

void dkim_canon_begin(struct dkim_canon_out *o, uint64_t limit)
{
	digest_begin(&o->digest);
	o->limit = limit;
	o->total = 0;
	o->run = STR_NONE;
}

void dkim_canon_free(struct dkim_canon_out *o)
{
	digest_free(&o->digest);
}

static void flush(struct dkim_canon_out *o)
{
	uint64_t left = o->total < o->limit ? o->limit - o->total : 0;

	digest_add(&o->digest, o->run.n > left ? str_take(o->run, (size_t)left) : o->run);
	o->total += o->run.n;
	o->run = STR_NONE;
}

/* Pieces that lie side by side are hashed in one go: a message that is canonical already, at once. */
static void emit(struct dkim_canon_out *o, str piece)
{
	if (piece.n == 0)
		return;
	if (o->run.n > 0 && o->run.p + o->run.n == piece.p) {
		o->run.n += piece.n;
		return;
	}
	flush(o);
	o->run = piece;
}

err dkim_canon_end(struct dkim_canon_out *o, struct crypto_digest *out)
{
	flush(o);
	return digest_end(&o->digest, out);
}

void dkim_canon_copy(struct dkim_canon_out *to, struct dkim_canon_out *from)
{
	flush(from);
	digest_copy(&to->digest, &from->digest);
	to->limit = from->limit;
	to->total = from->total;
	to->run = STR_NONE;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t blanks_size(str s)
{
	size_t n = 0;

	while (n < s.n && is_blank(s.p[n]))
		n++;
	return n;
}

static size_t word_size(str s)
{
	size_t n = 0;

	while (n < s.n && !is_blank(s.p[n]))
		n++;
	return n;
}

/* Takes a line off `rest`: what is in it, and its end, "" when the last line has none. */
static str take_line(str *rest, str *end)
{
	size_t at = str_find(*rest, '\n'), n = at;

	if (at < rest->n && at > 0 && rest->p[at - 1] == '\r')
		n--;
	str line = str_take(*rest, n);
	*end = str_take(str_drop(*rest, n), at < rest->n ? at + 1 - n : 0);
	*rest = str_drop(*rest, at + 1);
	return line;
}

/* --- body --- */

/* Has it no white space but single blanks, none at the end? So have most lines: all of it is looked at without a branch, many octets at a time. */
static bool is_regular(str line)
{
	unsigned found = line.n > 0 && is_blank(line.p[line.n - 1]);

	for (size_t i = 1; i < line.n; i++)
		found |= (unsigned)(line.p[i - 1] == '\t') |
		         ((unsigned)(line.p[i - 1] == ' ') & (unsigned)(line.p[i] == ' '));
	return found == 0;
}

/* RFC 6376 3.4.4: white space within the line becomes one blank, that at the end goes. */
static void relaxed_line(struct dkim_canon_out *o, str line)
{
	if (is_regular(line)) {
		emit(o, line);
		return;
	}
	while (line.n > 0) {
		size_t blanks = blanks_size(line);
		if (blanks == line.n)
			return;
		if (blanks > 0)
			emit(o, line.p[blanks - 1] == ' ' ? str_take(str_drop(line, blanks - 1), 1) : STR(" "));
		line = str_drop(line, blanks);
		size_t word = word_size(line);
		emit(o, str_take(line, word));
		line = str_drop(line, word);
	}
}

typedef signed char block __attribute__((vector_size(16)));

static block load(const char *p)
{
	block b;

	memcpy(&b, p, sizeof b);
	return b;
}

/* Are these octets, with the one behind them, as they are in a canonical body? No tab, no blank before another or before the end of a line, no LF without CR. */
static bool is_canonical(const char *p)
{
	block a = load(p), b = load(&p[1]);
	block odd = (a == '\t') | ((a == ' ') & ((b == ' ') | (b == '\r') | (b == '\n'))) | ((b == '\n') & (a != '\r'));
	uint64_t halves[2];

	memcpy(halves, &odd, sizeof halves);
	return (halves[0] | halves[1]) == 0;
}

/* Takes lines off `rest` that need no change, in either canonicalization, up to one that is not empty: most of most bodies. Lines that follow each other are seen
 * at once. "" when it is not known whether the first one is such. */
static str take_canonical(str *rest)
{
	size_t n = 0;

	if (rest->n == 0 || rest->p[0] == '\r' || rest->p[0] == '\n')
		return STR_NONE;
	while (rest->n - n > sizeof(block) && is_canonical(&rest->p[n]))
		n += sizeof(block);
	size_t end = str_find_last(str_take(*rest, n), '\n');
	str lines = str_take(*rest, end < n ? end + 1 : 0);
	while (str_ends(lines, STR("\r\n\r\n")))
		lines.n -= 2;
	*rest = str_drop(*rest, lines.n);
	return lines;
}

static bool is_empty(enum dkim_canon canon, str line)
{
	return line.n == 0 || (canon == DKIM_RELAXED && blanks_size(line) == line.n);
}

static void emit_end(struct dkim_canon_out *o, str end)
{
	emit(o, end.n == 2 ? end : CRLF);
}

/* 3.4.3, 3.4.4: empty lines at the end are left out. */
void dkim_canon_body(struct dkim_canon_out *o, enum dkim_canon canon, str body)
{
	str end = STR_NONE, skipped = body; /* from the first of the empty lines that wait for one that is not */
	bool any = false;

	while (body.n > 0) {
		str before = body, lines = take_canonical(&body),
		    line = lines.n > 0 ? STR_NONE : take_line(&body, &end);
		if (lines.n == 0 && is_empty(canon, line))
			continue;
		str waiting = str_take(skipped, skipped.n - before.n);
		while (waiting.n > 0) {
			str empty_end;
			take_line(&waiting, &empty_end);
			emit_end(o, empty_end);
		}
		emit(o, lines);
		if (canon == DKIM_RELAXED)
			relaxed_line(o, line);
		else
			emit(o, line);
		if (lines.n == 0)
			emit_end(o, end);
		skipped = body;
		any = true;
	}
	if (!any && canon == DKIM_SIMPLE)
		emit(o, CRLF);
}

/* --- header --- */

/* 3.4.2: folds are undone, white space becomes one blank. `*blank`: there was some, and it counts if something follows; the value may come in pieces. */
static void relaxed_value(struct dkim_canon_out *o, str value, bool *blank, bool *any)
{
	while (value.n > 0) {
		str end, line = take_line(&value, &end);
		while (line.n > 0) {
			size_t blanks = blanks_size(line);
			*blank = *blank || blanks > 0;
			line = str_drop(line, blanks);
			size_t word = word_size(line);
			if (word > 0 && *blank && *any)
				emit(o, STR(" "));
			emit(o, str_take(line, word));
			*any = *any || word > 0;
			*blank = *blank && word == 0;
			line = str_drop(line, word);
		}
	}
}

static void relaxed_name(struct dkim_canon_out *o, str name)
{
	char lower[64];

	while (name.n > 0) {
		str part = str_take(name, sizeof(lower));
		for (size_t i = 0; i < part.n; i++)
			lower[i] = part.p[i] >= 'A' && part.p[i] <= 'Z' ? (char)(part.p[i] | 0x20) : part.p[i];
		emit(o, str_make(lower, part.n));
		flush(o); /* `lower` is used again */
		name = str_drop(name, part.n);
	}
	emit(o, STR(":"));
}

static void simple_text(struct dkim_canon_out *o, str text)
{
	while (text.n > 0) {
		str end, line = take_line(&text, &end);
		emit(o, line);
		if (end.n > 0)
			emit_end(o, end);
	}
}

/* All but the line end: `head` and `tail` are the value's two pieces. */
static void field(struct dkim_canon_out *o, enum dkim_canon canon, const struct header_field *f, str head, str tail)
{
	bool blank = false, any = false;

	if (canon == DKIM_RELAXED) {
		relaxed_name(o, f->name);
		relaxed_value(o, head, &blank, &any);
		relaxed_value(o, tail, &blank, &any);
		return;
	}
	emit(o, str_take(f->whole, (size_t)(f->value.p - f->whole.p)));
	simple_text(o, head);
	simple_text(o, tail);
}

void dkim_canon_field(struct dkim_canon_out *o, enum dkim_canon canon, const struct header_field *f)
{
	field(o, canon, f, f->value, STR_NONE);
	emit(o, CRLF);
}

void dkim_canon_signature(struct dkim_canon_out *o, enum dkim_canon canon, const struct header_field *f, str b)
{
	size_t at = b.p == NULL ? f->value.n : (size_t)(b.p - f->value.p);

	field(o, canon, f, str_take(f->value, at), str_drop(f->value, at + b.n));
}
