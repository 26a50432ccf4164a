/* SPDX-License-Identifier: ISC */
/* admin - asks the store: the running server's, or one that is opened here when none runs. */
#ifndef CLI_ADMIN_H
#define CLI_ADMIN_H

#include "cli/command.h"
#include "link/messages.h"

enum { ADMIN_WORDS_MAX = 10002 };

/* Gets every page of the answer. An error ends the command: its text is printed. */
typedef err (*admin_page)(void *ctx, const struct row *rows, size_t n);

/* What is kept of a password: computed from the password and the account's salt, which is asked for first. `make` appends it, in a worker thread. */
struct admin_secret {
	str address; /* the account's */
	err (*make)(void *ctx, str salt, struct buf *out);
	void *ctx;
};

/* Asks for `words`, hands each page to `page`, and returns the exit status. `secret`: NULL for what needs none. Runs a loop of its own; once in a
 * process only, because without a server the store is opened here, confined to its folder. */
int admin_ask(const struct invocation *inv, struct config *config, const str *words, size_t n,
              const struct admin_secret *secret, admin_page page, void *ctx);
/* Many questions over one connection. `next` fills in words and secret of each, which stay its own until it is called again; E_END: there is no more. */
typedef err (*admin_next)(void *ctx, struct admin_request *q);
int admin_ask_series(const struct invocation *inv, struct config *config, admin_next next, admin_page page, void *ctx);
/* admin_ask with what was typed as the words, and the answer printed as a table or as JSON. */
int admin_print(const struct invocation *inv, struct config *config, const struct admin_secret *secret);
/* The same with the configuration of -c, and without a secret: all that most commands do. */
int admin_command(const struct invocation *inv);

#endif
