/* SPDX-License-Identifier: ISC */
/* sendmail - the interface by which programs of a Unix machine send mail: sendmail(8), mailq(1) and newaliases(1), with Postfix's flags. */
#ifndef CLI_SENDMAIL_H
#define CLI_SENDMAIL_H

#include "cli/submit.h"

enum sendmail_mode { SENDMAIL_DELIVER, SENDMAIL_SMTP, SENDMAIL_QUEUE_LIST, SENDMAIL_ALIASES, SENDMAIL_VERIFY, SENDMAIL_DAEMON, SENDMAIL_QUEUE_RUN };

struct sendmail_options {
	enum sendmail_mode mode;
	const char *sender; /* -f; NULL: who runs it; "": the null sender */
	const char *name;   /* -F, $NAME */
	const char *config; /* -C */
	const char *envid;
	const char *queue_id, *queue_site; /* -qI, -qR */
	bool of_header;     /* -t */
	bool dots;          /* -i: a line with a dot alone is text */
	bool report;        /* -v: tell what became of it; in `notify`, unless -N says more */
	bool utf8, require_tls;
	uint64_t notify, ret;
	char **recipients;
	size_t recipients_n;
};

/* The program was called as sendmail, mailq or newaliases (or by a path that ends so). */
bool sendmail_is_name(const char *program);
int sendmail_main(int argc, char **argv);

/* False after a message on standard error. `argv` lives on. */
MUST_USE bool sendmail_options_parse(int argc, char **argv, struct sendmail_options *o);

/* The message as it is handed over: CRLF, From with a domain or added, addresses with domains; the recipients of -t. */
struct sendmail_message {
	struct buf text;
	struct smtp_send_rcpt *rcpts;
	size_t rcpts_n, rcpts_size;
};
/* `input`: what was read. E_SYNTAX, E_NOT_FOUND (no recipient), E_LIMIT. Pure but for who runs it. */
MUST_USE err sendmail_message_make(const struct sendmail_options *o, str input, struct sendmail_message *out, struct arena *a);

/* -bs: speaks for the program on standard input to the server at the other end of a blocking socket, which it closes. */
void sendmail_speak(int server);

#endif
