/* SPDX-License-Identifier: ISC */
/* send_options - what `pombo send` is told: options, and the user's file of defaults (~/.config/pombo/send). */
#ifndef CLI_SEND_OPTIONS_H
#define CLI_SEND_OPTIONS_H

#include "base/arena.h"
#include "cli/submit.h"

enum { SEND_LIST_MAX = 1000 };

struct send_list {
	const char *items[SEND_LIST_MAX];
	size_t n;
};

struct send_options {
	struct submit_server server;
	const char *from, *subject, *body; /* body: a file; NULL: standard input */
	struct send_list to, cc, bcc, attachments, fields;
	bool message;  /* the body is a whole message, with its header */
	bool wait;
	nsec wait_time;
	bool quiet, json, require_tls, help;
	uint64_t notify;       /* bits of enum dsn_notify, 0 not said */
	uint64_t hold_seconds, by_seconds, by_mode, priority; /* as in struct smtp_send */
	const char *defaults; /* --defaults FILE */
};

extern const char send_options_help[];

/* Words and options; strings live in argv or in `a`. False after a message on standard error. */
MUST_USE bool send_options_parse(const struct invocation *inv, struct send_options *o, struct arena *a);

/* Lines "name value" for what was not said by an option: from, server, tls, user, password-command, authorities; # begins a comment. A file that was not named may be absent. Lasts as
 * long as `a`. E_SYNTAX: names the line. */
MUST_USE err send_defaults_parse(str text, struct send_options *o, struct arena *a);
MUST_USE err send_defaults_read(struct send_options *o, struct arena *a);

#endif
