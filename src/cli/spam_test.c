/* SPDX-License-Identifier: ISC */
/* pombo spam test: what the judge says of messages in files. Who sent them and from where is not known, and nothing in the DNS is asked: rules about their header, content
 * and words. */
#include <stdlib.h>

#include "base/encode.h"
#include "cli/admin.h"
#include "cli/output.h"
#include "cli/spam.h"
#include "conf/points.h"
#include "rt/rt.h"
#include "spam/judge.h"
#include "spam/model.h"

enum { JUDGE_MEMORY = 16 << 20, COUNTS_MAX = 2 * TOKENS_MAX * sizeof(uint64_t), LINE_MAX_OCTETS = 64 << 10 };

struct testing {
	const struct config *config;
	struct messages *messages;
	bool json;
	struct word words[2];
	struct buf name, message, tokens;
};

static err next_message(void *ctx, struct admin_request *q)
{
	ARENA(a, TOKENS_MEMORY);
	struct testing *t = ctx;
	struct token *tokens;
	size_t n;
	err e = messages_next(t->messages, &t->name, &t->message);

	if (e == OK)
		e = tokens_of(buf_str(&t->message), &a, &tokens, &n);
	if (e != OK)
		return e;
	spam_pack(&t->tokens, tokens, n);
	t->words[0].text = STR("spam");
	t->words[1].text = STR("known");
	*q = (struct admin_request){.words = t->words, .words_n = ARRAY_LEN(t->words), .secret = buf_str(&t->tokens)};
	return OK;
}

/* --- the table of its words, made of what the store answers --- */

static uint64_t number(const struct row *row, const char *name)
{
	const struct cell *cell = row_cell(row, name);

	return cell == NULL ? 0 : cell->number;
}

static err add_words(const struct testing *t, struct model_builder *b, str counts)
{
	struct cursor hashes = cursor_of(buf_str(&t->tokens)), c = cursor_of(counts);
	err e = OK;

	while (e == OK && !cursor_end(&hashes)) {
		uint64_t hash = cursor_le64(&hashes);
		struct model_counts n = {.good = cursor_le32(&c)};
		n.bad = cursor_le32(&c);
		e = model_add(b, hash, n);
	}
	return c.failed ? err_note(E_SYNTAX, "the store did not answer for all words") : e;
}

/* The memory is the caller's to free. */
static err make_model(const struct testing *t, const struct row *row, struct model_builder *b, struct model *out)
{
	size_t words = t->tokens.n / sizeof(uint64_t);
	const struct cell *cell = row_cell(row, "counts");
	BUF(counts, COUNTS_MAX);

	b->size = model_size(words);
	b->memory = malloc(b->size);
	if (b->memory == NULL || cell == NULL)
		return b->memory == NULL ? err_note(E_MEMORY, "out of memory")
		                         : err_note(E_SYNTAX, "the store gave no counts");
	err e = base64_decode(&counts, cell->text);
	if (e == OK)
		e = model_begin(b, words,
		                (struct model_counts){(uint32_t)number(row, "wanted"), (uint32_t)number(row, "spam")});
	if (e == OK)
		e = add_words(t, b, buf_str(&counts));
	return e == OK ? model_open(str_make(b->memory, b->size), out) : e;
}

/* --- what is printed --- */

static void print_text(const struct testing *t, const struct judge_result *r)
{
	BUF(out, LINE_MAX_OCTETS);
	struct finding f;

	escape_text(&out, buf_str(&t->name));
	buf_puts(&out, ": ");
	points_print(&out, r->points);
	buf_puts(&out, " points\n");
	for (str rest = buf_str(r->findings); finding_next(&rest, &f);) {
		buf_puts(&out, "  ");
		points_print(&out, f.points);
		buf_puts(&out, "\t");
		buf_put(&out, f.name);
		buf_puts(&out, "\t");
		escape_text(&out, f.evidence);
		buf_puts(&out, "\n");
	}
	(void)fwrite(out.p, 1, out.n, stdout);
}

static void print_json(const struct testing *t, const struct judge_result *r)
{
	BUF(out, LINE_MAX_OCTETS);
	struct finding f;
	const char *comma = "";

	buf_puts(&out, "{\"file\":");
	json_quote(&out, buf_str(&t->name));
	buf_puts(&out, ",\"points\":");
	points_print(&out, r->points);
	buf_puts(&out, ",\"rules\":[");
	for (str rest = buf_str(r->findings); finding_next(&rest, &f); comma = ",") {
		buf_puts(&out, comma);
		buf_puts(&out, "{\"rule\":");
		json_quote(&out, f.name);
		buf_puts(&out, ",\"points\":");
		points_print(&out, f.points);
		buf_puts(&out, ",\"evidence\":");
		json_quote(&out, f.evidence);
		buf_puts(&out, "}");
	}
	buf_puts(&out, "]}\n");
	(void)fwrite(out.p, 1, out.n, stdout);
}

static err judge(const struct testing *t, const struct model *model)
{
	ARENA(a, JUDGE_MEMORY);
	BUF(findings, FINDINGS_MAX);
	struct dmarc_author author;
	const struct inspect_request message = {.body = BODY_OF(buf_str(&t->message))};
	struct judge_result r = {.findings = &findings};
	err e = dmarc_author_find(buf_str(&t->message), &a, &author);
	const struct judge_input in = {.config = t->config,
	                               .message = &message,
	                               .author = e == OK ? &author : NULL,
	                               .all = model,
	                               .now = rt_wall(),
	                               .deadline = RT_NEVER};

	e = judge_message(&in, &a, &r);
	if (e != OK)
		return e;
	if (t->json)
		print_json(t, &r);
	else
		print_text(t, &r);
	return OK;
}

static err judge_page(void *ctx, const struct row *rows, size_t n)
{
	struct testing *t = ctx;
	struct model_builder b = {0};
	struct model model;

	if (n != 1)
		return err_note(E_SYNTAX, "the store gave no counts");
	err e = make_model(t, rows, &b, &model);
	if (e == OK)
		e = judge(t, &model);
	free(b.memory);
	return e;
}

int spam_test(const struct invocation *inv, struct config *config, struct messages *m)
{
	struct testing t = {.config = config,
	                    .messages = m,
	                    .json = inv->json,
	                    .name = BUF_INIT(8 << 10),
	                    .message = BUF_INIT(MESSAGES_OCTETS_MAX),
	                    .tokens = BUF_INIT(TOKENS_MAX * sizeof(uint64_t))};
	int status = admin_ask_series(inv, config, next_message, judge_page, &t);

	buf_free(&t.name);
	buf_free(&t.message);
	buf_free(&t.tokens);
	return status;
}
