/* SPDX-License-Identifier: ISC */
/* pombo spam: words are learned from files, and messages judged without being delivered. The store knows lessons of messages that it has, and counts words. */
#include "cli/spam.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/encode.h"
#include "cli/admin.h"
#include "cli/output.h"
#include "mail/charset.h"
#include "rt/crypto.h"

struct learning {
	struct messages *messages;
	str who, kind;
	struct word words[5];
	struct buf name, message, tokens, digest;
	size_t learned;
};

void spam_pack(struct buf *out, const struct token *tokens, size_t n)
{
	buf_reset(out);
	for (size_t i = 0; i < n; i++)
		buf_le64(out, tokens[i].hash);
}

/* --- learn --- */

static err count_words(struct learning *l)
{
	ARENA(a, TOKENS_MEMORY);
	struct crypto_digest digest;
	struct token *tokens;
	size_t n = 0;
	err e = tokens_of(buf_str(&l->message), &a, &tokens, &n);

	if (e != OK)
		return e;
	spam_pack(&l->tokens, tokens, n);
	buf_reset(&l->digest);
	e = crypto_hash(CRYPTO_SHA256, buf_str(&l->message), &digest);
	if (e == OK)
		hex_encode(&l->digest, str_make((const char *)digest.bytes, digest.n));
	return e;
}

static err next_lesson(void *ctx, struct admin_request *q)
{
	struct learning *l = ctx;
	err e = messages_next(l->messages, &l->name, &l->message);

	if (e == OK)
		e = count_words(l);
	if (e != OK)
		return e;
	const str words[] = {STR("spam"), STR("words"), l->who, l->kind, buf_str(&l->digest)};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		l->words[i].text = words[i];
	*q = (struct admin_request){.words = l->words, .words_n = ARRAY_LEN(words), .secret = buf_str(&l->tokens)};
	l->learned++;
	return OK;
}

static err ignore_rows(void *ctx UNUSED, const struct row *rows UNUSED, size_t n UNUSED)
{
	return OK;
}

static int learn_files(const struct invocation *inv, struct config *config, struct learning *l)
{
	struct output out = {.file = stdout, .json = inv->json};

	l->name = BUF_INIT(8 << 10);
	l->message = BUF_INIT(MESSAGES_OCTETS_MAX);
	l->tokens = BUF_INIT(TOKENS_MAX * sizeof(uint64_t));
	l->digest = BUF_INIT(200);
	int status = admin_ask_series(inv, config, next_lesson, ignore_rows, l);
	if (status == EX_OK) {
		struct cell cell = {.name = STR("lessons"), .number = l->learned, .is_number = 1};
		output_rows(&out, &(struct row){.cells = &cell, .cells_n = 1}, 1);
	}
	buf_free(&l->name);
	buf_free(&l->message);
	buf_free(&l->tokens);
	buf_free(&l->digest);
	return status;
}

/* --- what is named --- */

static bool is_file(const char *word)
{
	return strcmp(word, "-") == 0 || access(word, F_OK) == 0;
}

static err gather(struct messages *m, char **words, size_t n)
{
	err e = messages_open(m);

	for (size_t i = 0; i < n && e == OK; i++)
		e = messages_add(m, words[i]);
	if (e == OK && n == 0)
		e = messages_add(m, "-");
	return e == OK ? messages_rewind(m) : e;
}

static bool is_kind(const char *word)
{
	return strcmp(word, "spam") == 0 || strcmp(word, "wanted") == 0;
}

/* Messages that the store has are named by their id; files are read here. */
static int learn(const struct invocation *inv, struct config *config)
{
	size_t at = inv->words_n > 1 && is_kind(inv->words[1]) ? 1 : 2;
	struct messages m = {0};
	size_t files = 0;

	if (inv->words_n <= at || !is_kind(inv->words[at]))
		return command_usage(inv, "learn what: spam, or wanted?");
	struct learning l = {.messages = &m,
	                     .who = at == 1 ? STR("all") : str_from(inv->words[1]),
	                     .kind = str_from(inv->words[at])};
	for (size_t i = at + 1; i < inv->words_n; i++)
		files += is_file(inv->words[i]);
	if (files == 0 && inv->words_n > at + 1)
		return admin_print(inv, config, NULL);
	if (files + at + 1 != inv->words_n)
		return command_fail(inv, EX_USAGE, "files, or ids of messages that are here, but not both at once");
	err e = gather(&m, inv->words + at + 1, files);
	int status = e == OK ? learn_files(inv, config, &l) : command_fail_err(inv, e);
	messages_close(&m);
	return status;
}

static int test(const struct invocation *inv, struct config *config)
{
	struct messages m = {0};
	err e = gather(&m, inv->words + 1, inv->words_n - 1);
	int status = e == OK ? spam_test(inv, config, &m) : command_fail_err(inv, e);

	messages_close(&m);
	return status;
}

static err print_rows(void *ctx, const struct row *rows, size_t n)
{
	output_rows(ctx, rows, n);
	return OK;
}

static int stats(const struct invocation *inv, struct config *config)
{
	static const str words[] = {STR("spam"), STR("status")};
	struct output out = {.file = stdout, .json = inv->json};

	return admin_ask(inv, config, words, ARRAY_LEN(words), NULL, print_rows, &out);
}

int command_spam(const struct invocation *inv)
{
	struct config *config = command_config(inv);
	int status = EX_CONFIG;

	if (config == NULL)
		return status;
	charset_prepare();
	if (strcmp(inv->words[0], "learn") == 0)
		status = learn(inv, config);
	else if (strcmp(inv->words[0], "test") == 0)
		status = test(inv, config);
	else if (strcmp(inv->words[0], "stats") == 0 && inv->words_n == 1)
		status = stats(inv, config);
	else
		status = command_usage(inv, "learn, test or stats?");
	config_release(config);
	return status;
}
