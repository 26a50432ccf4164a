/* SPDX-License-Identifier: ISC */
#include "spam/judge.h"

#include <stdarg.h>
#include <stdio.h>

#include "conf/points.h"
#include "mailauth/public_suffix.h"
#include "spam/judging.h"

enum { REASONS = 3, REASONS_SIZE = 200 };

/* --- what rules say --- */

static void print(struct judging *j, enum rule rule, str result, int64_t points, const char *fmt, va_list ap)
{
	char evidence[FINDING_EVIDENCE_MAX + 1];
	int n = vsnprintf(evidence, sizeof evidence, fmt, ap);

	finding_print(j->out->findings, &(struct finding){.kind = FINDING_RULE,
	                                                  .name = rules[rule].name,
	                                                  .result = result,
	                                                  .points = points,
	                                                  .evidence = n < 0 ? STR_NONE : str_from(evidence)});
}

static void hit(struct judging *j, enum rule rule, int64_t points, const char *fmt, va_list ap)
{
	print(j, rule, STR_NONE, points, fmt, ap);
	j->out->points += points;
	if (j->hits_n < JUDGING_HITS_MAX)
		j->hits[j->hits_n++] = (struct hit){rule, points};
}

void judging_hit(struct judging *j, enum rule rule, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	hit(j, rule, rules_points(j->in->config, rule), fmt, ap);
	va_end(ap);
}

void judging_hit_points(struct judging *j, enum rule rule, int64_t points, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	hit(j, rule, points, fmt, ap);
	va_end(ap);
}

void judging_unknown(struct judging *j, enum rule rule, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print(j, rule, STR("unknown"), 0, fmt, ap);
	va_end(ap);
}

/* --- the header, once --- */

static void read_fields(struct judging *j)
{
	struct judging_fields *f = &j->fields;
	const struct {
		str name;
		str *value;
	} wanted[] = {
		{STR("Date"), &f->date},
		{STR("From"), &f->from},
		{STR("To"), &f->to},
		{STR("Cc"), &f->cc},
		{STR("Reply-To"), &f->reply_to},
		{STR("Subject"), &f->subject},
		{STR("Message-ID"), &f->message_id},
		{STR("Received"), &f->received},
		{STR("List-Id"), &f->list_id},
		{STR("List-Unsubscribe"), &f->list_unsubscribe},
		{STR("Precedence"), &f->precedence},
	};
	struct header_field field;
	size_t n = 0;

	for (size_t at = 0; n < JUDGING_FIELDS_MAX && header_next(j->content.header, &at, &field); n++)
		for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
			if (wanted[i].value->p == NULL && str_equal_nocase(field.name, wanted[i].name))
				*wanted[i].value = str_trim(field.value);
}

/* --- all of it --- */

str judging_registered(str domain)
{
	str registered = public_suffix_registered(domain);

	return registered.n > 0 ? registered : domain;
}

/* The weightiest, the first of equals. */
static size_t heaviest(const struct judging *j, const bool *named)
{
	size_t best = j->hits_n;

	for (size_t i = 0; i < j->hits_n; i++)
		if (!named[i] && j->hits[i].points > 0 &&
		    (best == j->hits_n || j->hits[i].points > j->hits[best].points))
			best = i;
	return best;
}

static void name_reasons(struct judging *j)
{
	bool named[JUDGING_HITS_MAX] = {0};
	BUF(out, REASONS_SIZE);

	for (size_t i = 0; i < REASONS; i++) {
		size_t best = heaviest(j, named);
		if (best == j->hits_n)
			break;
		named[best] = true;
		buf_puts(&out, i == 0 ? "" : ", ");
		buf_put(&out, rules[j->hits[best].rule].name);
		buf_puts(&out, " ");
		points_print(&out, j->hits[best].points);
	}
	j->out->reasons = arena_str(j->arena, buf_str(&out));
}

static err run(struct judging *j)
{
	err e = content_read(j->in->message->body.bytes, &j->content);

	if (e == OK)
		e = judging_keys(j->in, &j->own, &j->keys);
	if (e != OK)
		return e;
	read_fields(j);
	judge_identity(j);
	judge_client(j);
	judge_history(j);
	judge_header(j);
	judge_content(j);
	judge_files(j);
	e = judge_words(j);
	if (e == OK)
		e = judge_lists(j);
	if (e == OK)
		e = judge_greylist(j);
	if (e == OK)
		e = judge_notes(j);
	name_reasons(j);
	return e == OK && (j->arena->full || j->own.full) ? err_note(E_LIMIT, "no memory to judge a message") : e;
}

err judge_message(const struct judge_input *in, struct arena *a, struct judge_result *out)
{
	struct judging *j = arena_alloc(a, sizeof *j);
	struct buf *findings = out->findings;

	if (j == NULL)
		return err_note(E_LIMIT, "no memory to judge a message");
	*out = (struct judge_result){.findings = findings};
	*j = (struct judging){.in = in, .out = out, .arena = a, .own = ARENA_INIT(JUDGING_MEMORY)};
	err e = run(j);
	content_free(&j->content);
	arena_free(&j->own);
	return e;
}
