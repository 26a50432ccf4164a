/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "cli/admin.h"
#include "cli/command.h"
#include "cli/password_read.h"
#include "conf/value.h"
#include "sasl/password.h"

struct verb {
	const char *name;
	size_t least, most; /* words, with its own */
	bool password;
};

static const struct verb verbs[] = {
	{"add", 2, 2, true},      {"list", 1, 1, false},   {"show", 2, 2, false},  {"passwd", 2, 2, true},
	{"disable", 2, 2, false}, {"enable", 2, 2, false}, {"quota", 3, 3, false}, {"remove", 2, 3, false},
};

static const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int ask_with_password(const struct invocation *inv, struct config *config)
{
	BUF(password, PASSWORD_MAX);
	BUF(hash, 1024);
	err e = password_read(&password);

	if (e == OK)
		e = password_hash(buf_str(&password), &hash);
	if (password.p != NULL)
		explicit_bzero(password.p, password.n);
	return e == OK ? admin_print(inv, config, buf_str(&hash)) : command_fail_err(inv, e);
}

static int with_password(const struct invocation *inv)
{
	struct config *config = command_config(inv); /* before anybody has typed a password in vain */
	int status = config == NULL ? EX_CONFIG : ask_with_password(inv, config);

	config_release(config);
	return status;
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
	if (strcmp(v->name, "quota") == 0)
		return quota(inv);
	return v->password ? with_password(inv) : admin_command(inv);
}
