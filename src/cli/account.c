/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "cli/account_certificate.h"
#include "cli/admin.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/password_read.h"
#include "conf/value.h"
#include "sasl/credential.h"
#include "sasl/password.h"

struct verb {
	const char *name;
	size_t least, most; /* words, with its own */
	bool password;
};

static const struct verb verbs[] = {
	{"add", 2, 2, true},           {"list", 1, 1, false},     {"show", 2, 2, false},  {"passwd", 2, 2, true},
	{"disable", 2, 2, false},      {"enable", 2, 2, false},   {"quota", 3, 3, false}, {"remove", 2, 3, false},
	{"app-password", 2, 4, false}, {"identity", 3, 4, false}, {"certificate", 2, 4, false},
};

static const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* --- passwords: they are hashed here, with the account's salt, and what the store gets does not tell them --- */

struct typed {
	str password;
	bool chosen, sha1;
};

static err make_secret(void *ctx, str salt, struct buf *out)
{
	const struct typed *t = ctx;

	return credential_compute(t->password, salt, t->chosen, t->sha1, out);
}

static void wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->size);
}

static int ask_with_password(const struct invocation *inv, struct config *config)
{
	BUF(password, PASSWORD_MAX);
	err e = password_read(&password);
	struct typed typed = {.password = buf_str(&password), .chosen = true, .sha1 = config->scram_sha1};
	struct admin_secret secret = {str_from(inv->words[1]), make_secret, &typed};
	int status = e == OK ? admin_print(inv, config, &secret) : command_fail_err(inv, e);

	wipe(&password);
	return status;
}

static int with_password(const struct invocation *inv)
{
	struct config *config = command_config(inv); /* before anybody has typed a password in vain */
	int status = config == NULL ? EX_CONFIG : ask_with_password(inv, config);

	config_release(config);
	return status;
}

/* --- app passwords --- */

struct invented {
	struct output *out;
	str password;
};

/* What the store says, and the password: the only time that anybody sees it. */
static err print_invented(void *ctx, const struct row *rows, size_t n)
{
	const struct invented *i = ctx;
	struct cell cells[8] = {{.name = STR("password"), .text = i->password}};
	struct row row = {.cells = cells, .cells_n = 1};

	for (size_t k = 0; n == 1 && k < rows[0].cells_n && row.cells_n < ARRAY_LEN(cells); k++)
		cells[row.cells_n++] = rows[0].cells[k];
	output_rows(i->out, &row, 1);
	return OK;
}

static int add_invented(const struct invocation *inv, struct config *config, const char *seconds)
{
	struct output out = {.file = stdout, .json = inv->json};
	str words[] = {STR("account"),          STR("app-password"),     STR("add"),
	               str_from(inv->words[2]), str_from(inv->words[3]), str_from(seconds)};
	BUF(password, PASSWORD_MAX);

	credential_invent(&password);
	struct typed typed = {.password = buf_str(&password), .sha1 = config->scram_sha1};
	struct admin_secret secret = {str_from(inv->words[2]), make_secret, &typed};
	struct invented i = {&out, buf_str(&password)};
	size_t n = ARRAY_LEN(words) - (seconds == NULL ? 1 : 0);
	int status = admin_ask(inv, config, words, n, &secret, print_invented, &i);
	wipe(&password);
	return status;
}

static int app_password_add(const struct invocation *inv)
{
	char seconds[24];
	uint64_t t = 0;

	if (inv->expires != NULL && !value_time.scan(str_from(inv->expires), &t))
		return command_usage(inv, "\"%s\" is not %s", inv->expires, value_time.example);
	snprintf(seconds, sizeof(seconds), "%llu", (unsigned long long)(t / NSEC_PER_SEC));
	struct config *config = command_config(inv);
	int status = config == NULL ? EX_CONFIG : add_invented(inv, config, inv->expires == NULL ? NULL : seconds);
	config_release(config);
	return status;
}

static int app_password(const struct invocation *inv)
{
	const char *verb = inv->words[1];
	bool add = strcmp(verb, "add") == 0, list = strcmp(verb, "list") == 0;

	if (!add && !list && strcmp(verb, "remove") != 0)
		return command_usage(inv, "there is no \"app-password %s\"", verb);
	if (inv->words_n != (list ? 3 : 4))
		return command_usage(inv, "too %s words for app-password %s", inv->words_n < 4 ? "few" : "many", verb);
	if (inv->expires != NULL && !add)
		return command_usage(inv, "--expires is for add");
	return add ? app_password_add(inv) : admin_command(inv);
}

static int identity(const struct invocation *inv)
{
	const char *verb = inv->words[1];
	bool list = strcmp(verb, "list") == 0;

	if (!list && strcmp(verb, "add") != 0 && strcmp(verb, "remove") != 0)
		return command_usage(inv, "there is no \"identity %s\"", verb);
	if (inv->words_n != (list ? 3 : 4))
		return command_usage(inv, "too %s words for identity %s", list ? "many" : "few", verb);
	return admin_command(inv);
}

/* The store takes octets. */
static int quota(const struct invocation *inv)
{
	struct invocation octets = *inv;
	char number[24];
	uint64_t v = 0;

	if (strcmp(inv->words[2], "default") != 0 && !value_size.scan(str_from(inv->words[2]), &v))
		return command_usage(inv, "\"%s\" is not %s, nor default", inv->words[2], value_size.example);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)v);
	octets.words = (char *[]){inv->words[0], inv->words[1], number};
	return admin_command(&octets);
}

int command_account(const struct invocation *inv)
{
	const struct verb *v = verb_find(inv->words[0]);

	if (v == NULL)
		return command_usage(inv, "there is no \"%s\"", inv->words[0]);
	if (inv->words_n < v->least || inv->words_n > v->most)
		return command_usage(inv, "too %s words for %s", inv->words_n < v->least ? "few" : "many", v->name);
	if (strcmp(v->name, "app-password") == 0)
		return app_password(inv);
	if (strcmp(v->name, "certificate") == 0)
		return command_account_certificate(inv);
	if (inv->expires != NULL)
		return command_usage(inv, "--expires is for app-password add");
	if (strcmp(v->name, "quota") == 0)
		return quota(inv);
	if (strcmp(v->name, "identity") == 0)
		return identity(inv);
	return v->password ? with_password(inv) : admin_command(inv);
}
