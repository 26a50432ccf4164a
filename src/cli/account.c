/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "cli/admin.h"
#include "cli/command.h"
#include "cli/password_read.h"
#include "sasl/password.h"

struct verb {
	const char *name;
	size_t words; /* with its own */
	bool password;
};

static const struct verb verbs[] = {
	{"add", 2, true},      {"list", 1, false},   {"show", 2, false},   {"passwd", 2, true},
	{"disable", 2, false}, {"enable", 2, false}, {"remove", 2, false},
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

int command_account(const struct invocation *inv)
{
	const struct verb *v = verb_find(inv->words[0]);

	if (v == NULL)
		return command_usage(inv, "there is no \"%s\"", inv->words[0]);
	if (inv->words_n != v->words)
		return command_usage(inv, v->words == 1 ? "%s takes no address" : "%s takes an address", v->name);
	return v->password ? with_password(inv) : admin_command(inv);
}
