/* SPDX-License-Identifier: ISC */
/* spamd - SpamAssassin's daemon (spamd/PROTOCOL of its distribution): SYMBOLS gives the points and the names of the rules that matched. */
#include <math.h>
#include <stdlib.h>

#include "scan/program.h"

enum {
	LINE_OCTETS = 8192,
	HEADERS_MAX = 50,
	TRACE_MAX = 64 << 10,
	NUMBER_MAX = 30,
	EVIDENCE_MAX = 300,
	POINTS_MAX = 1000
};

struct answer {
	bool scored;
	double score, threshold;
};

static err send_message(const struct program *p, struct stream *s)
{
	str body = p->message->body.bytes;
	BUF(trace, TRACE_MAX);

	program_trace(p, &trace);
	stream_printf(s, "SYMBOLS SPAMC/1.5\r\nContent-length: %zu\r\n\r\n", trace.n + body.n);
	stream_put(s, buf_str(&trace));
	stream_put(s, body);
	return stream_flush(s);
}

static bool number(str text, double *out)
{
	char z[NUMBER_MAX + 1] = {0}, *end;

	text = str_trim(text);
	if (text.n == 0 || text.n > NUMBER_MAX)
		return false;
	memcpy(z, text.p, text.n);
	*out = strtod(z, &end);
	return end == z + text.n && isfinite(*out) && fabs(*out) <= POINTS_MAX;
}

/* "Spam: True ; 15.0 / 5.0" */
static void read_score(str value, struct answer *out)
{
	str flag, rest, score, threshold;

	str_cut(value, ';', &flag, &rest);
	str_cut(rest, '/', &score, &threshold);
	out->scored = number(score, &out->score) && number(threshold, &out->threshold) && out->threshold > 0;
}

static err read_headers(const struct program *p, struct stream *s, struct answer *out)
{
	str line, name, value;
	err e = stream_read_line(s, LINE_OCTETS, &line, p->deadline);

	if (e != OK)
		return e;
	if (!str_starts(line, STR("SPAMD/")) || !str_contains(line, STR(" 0 ")))
		return err_note(E_TEMP, "it answered \"" STR_FMT "\"", STR_ARG(program_words(p->arena, line, 100)));
	for (size_t i = 0; i < HEADERS_MAX; i++) {
		e = stream_read_line(s, LINE_OCTETS, &line, p->deadline);
		if (e != OK || str_trim(line).n == 0)
			return e;
		str_cut(line, ':', &name, &value);
		if (str_equal_nocase(name, STR("Spam")))
			read_score(value, out);
	}
	return err_note(E_LIMIT, "its answer has too many header lines");
}

/* On our scale: what it calls spam has the points of junk. */
static int64_t points_of(const struct answer *a)
{
	return (int64_t)llround(a->score / a->threshold * 5000);
}

static err read_answer(const struct program *p, struct stream *s, struct program_answer *out)
{
	struct answer a = {0};
	str rules;
	err e = read_headers(p, s, &a);

	if (e != OK)
		return e;
	if (!a.scored)
		return err_note(E_SYNTAX, "its answer has no points");
	out->points = points_of(&a);
	out->result = a.score >= a.threshold ? STR("spam") : STR("clean");
	out->evidence = STR("no rule matched");
	if (stream_read_line(s, LINE_OCTETS, &rules, p->deadline) != OK)
		rules = stream_buffered(s); /* its last line need not have an end */
	if (str_trim(rules).n > 0)
		out->evidence = program_words(p->arena, rules, EVIDENCE_MAX);
	return OK;
}

err program_spamd(const struct program *p, struct program_answer *out)
{
	struct stream *s;
	err e = program_connect(p, &s);

	if (e != OK)
		return e;
	e = send_message(p, s);
	if (e == OK)
		e = read_answer(p, s, out);
	stream_close(s);
	return e;
}
