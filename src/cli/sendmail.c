/* SPDX-License-Identifier: ISC */
#include "cli/sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/unix_user.h"
#include "mail/qualify.h"
#include "rt/net.h"

enum { INPUT_MAX = 1 << 30, COPY = 64 << 10 };

struct sendmail {
	const struct sendmail_options *options;
	struct arena arena;
	int status;
};

static int complain(int status, const char *text)
{
	fprintf(stderr, "sendmail: %s\n", text);
	return status;
}

/* --- -bm, -t: a message --- */

static err read_input(struct buf *out)
{
	for (;;) {
		char *to = buf_reserve(out, COPY);
		ssize_t n = to == NULL ? -1 : read(STDIN_FILENO, to, COPY);

		if (to == NULL)
			return err_note(E_LIMIT, "the message is too large");
		if (n < 0)
			return err_note(E_IO, "standard input: %s", strerror(errno));
		if (n == 0)
			return OK;
		buf_commit(out, (size_t)n);
	}
}

static str sender_of(struct sendmail *c)
{
	const struct sendmail_options *o = c->options;
	BUF(address, 1000);

	if (o->sender == NULL)
		return unix_user(&c->arena).address;
	qualify_addresses(&address, str_from(o->sender), unix_mail_name(&c->arena));
	return arena_str(&c->arena, buf_str(&address));
}

static int status_of_send(const struct submit *s, err e)
{
	const struct smtp_reply *r = s->client == NULL ? NULL : smtp_client_reply(s->client);

	if (e == E_PERM || e == E_TEMP || e == E_DENIED)
		return submit_status(e, r == NULL ? 0 : r->code, r == NULL ? STR_NONE : str_from(r->status));
	/* Nobody there, or gone in the middle: whoever called may well try again. */
	return e == E_SYNTAX || e == E_LIMIT ? EX_DATAERR : EX_TEMPFAIL;
}

static int tell_refusals(const struct smtp_send_rcpt *rcpts, size_t n)
{
	int status = EX_OK;

	for (size_t i = 0; i < n; i++) {
		const struct smtp_send_rcpt *r = &rcpts[i];

		if (r->result == OK)
			continue;
		fprintf(stderr, "sendmail: " STR_FMT ": " STR_FMT "\n", STR_ARG(r->address), STR_ARG(r->reply));
		status = submit_status(r->result, r->code, r->status);
	}
	return status;
}

static err connect_local(struct submit *s)
{
	const char *server = getenv("POMBO_SUBMIT");
	err e = submit_connect(&(struct submit_server){.server = server == NULL ? SUBMIT_SOCKET : server}, STR_NONE, s);

	if (e == E_NOT_FOUND || e == E_CLOSED || e == E_DENIED)
		return err_note(e, "no mail server takes mail at %s: %s", server == NULL ? SUBMIT_SOCKET : server,
		                err_info()->text);
	return e;
}

static struct smtp_send transaction_of(struct sendmail *c, const struct sendmail_message *m)
{
	const struct sendmail_options *o = c->options;

	return (struct smtp_send){.sender = sender_of(c),
	                          .envid = str_from(o->envid),
	                          .ret = o->ret,
	                          .flags = (o->utf8 ? MESSAGE_UTF8 : 0u) | (o->require_tls ? MESSAGE_REQUIRE_TLS : 0u),
	                          .message = buf_str(&m->text),
	                          .rcpts = m->rcpts,
	                          .rcpts_n = m->rcpts_n};
}

static int hand_over_part(struct sendmail *c, struct submit *s, struct submit_part *part)
{
	bool in_doubt;
	err e = submit_part(s, part, &c->arena, &in_doubt);

	if (e == OK)
		return tell_refusals(part->send.rcpts, part->send.rcpts_n);
	const struct smtp_reply *r = smtp_client_reply(s->client);
	return complain(status_of_send(s, e),
	                r->code >= 400 && r->text.n > 0 ? arena_z(&c->arena, buf_str(&r->text)) : err_info()->text);
}

static int hand_over(struct sendmail *c, struct submit *s, const struct sendmail_message *m)
{
	struct smtp_send message = transaction_of(c, m);
	struct submit_part part = {0};
	int status = EX_OK;

	while (submit_next(s, &message, &part)) {
		int one = hand_over_part(c, s, &part);

		status = status == EX_OK || one == EX_TEMPFAIL ? one : status;
	}
	int left = tell_refusals(part.send.rcpts, part.send.rcpts_n);
	return left == EX_OK ? status : left;
}

static int send_made(struct sendmail *c, const struct sendmail_message *m)
{
	struct submit s;
	err e = connect_local(&s);
	int status = e == OK ? hand_over(c, &s, m) : complain(status_of_send(&s, e), err_info()->text);

	submit_close(&s);
	return status;
}

static void deliver(void *arg)
{
	struct sendmail *c = arg;
	struct sendmail_message m = {.text = BUF_INIT(INPUT_MAX)};
	BUF(input, INPUT_MAX);
	err e = read_input(&input);

	if (e == OK)
		e = sendmail_message_make(c->options, buf_str(&input), &m, &c->arena);
	c->status = e == OK ? send_made(c, &m)
	                    : complain(e == E_NOT_FOUND ? EX_USAGE : command_status(e), err_info()->text);
	buf_free(&m.text);
}

/* --- -bv: would they be taken? --- */

static void verify(void *arg)
{
	struct sendmail *c = arg;
	struct sendmail_options as_arguments = *c->options;
	struct sendmail_message m = {.text = BUF_INIT(COPY)};
	struct submit s;

	as_arguments.of_header = false;
	err e = sendmail_message_make(&as_arguments, STR("\n"), &m, &c->arena);
	buf_free(&m.text);
	if (e != OK) {
		c->status = complain(e == E_NOT_FOUND ? EX_USAGE : command_status(e), err_info()->text);
		return;
	}
	e = connect_local(&s);
	if (e == OK)
		e = smtp_client_verify(s.client, sender_of(c), m.rcpts, m.rcpts_n, &c->arena);
	c->status = e == OK ? tell_refusals(m.rcpts, m.rcpts_n) : complain(status_of_send(&s, e), err_info()->text);
	for (size_t i = 0; e == OK && i < m.rcpts_n; i++)
		if (m.rcpts[i].result == OK)
			printf(STR_FMT ": would be taken\n", STR_ARG(m.rcpts[i].address));
	submit_close(&s);
}

/* --- -bs: SMTP on standard input and output --- */

static void smtp(void *arg)
{
	struct sendmail *c = arg;
	const char *server = getenv("POMBO_SUBMIT");
	struct net_address to;
	int fd;
	err e = net_address_parse(str_from(server == NULL ? SUBMIT_SOCKET : server), &to);

	if (e == OK)
		e = net_connect(&to, NULL, &fd, rt_after(30 * NSEC_PER_SEC));
	if (e != OK) {
		printf("421 4.3.2 No mail server is running\r\n");
		c->status = EX_TEMPFAIL;
		return;
	}
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	sendmail_speak(fd);
	c->status = EX_OK;
}

/* --- the rest is commands of pombo --- */

static int run_command(const char *config, const char *name, const char *const *words, size_t n)
{
	char *copies[8];
	struct invocation inv = {.command = command_find(name),
	                         .config_path = config == NULL ? COMMAND_CONFIG_DEFAULT : config,
	                         .words = copies,
	                         .words_n = n};

	for (size_t i = 0; i < n; i++)
		copies[i] = (char *)(uintptr_t)words[i];
	return inv.command->run(&inv);
}

static int run_queue(const struct sendmail_options *o)
{
	if (o->queue_site != NULL)
		return run_command(o->config, "queue", (const char *[]){"flush", o->queue_site}, 2);
	if (o->queue_id != NULL)
		return run_command(o->config, "queue", (const char *[]){"retry", o->queue_id}, 2);
	return run_command(o->config, "queue", (const char *[]){"retry"}, 1);
}

static int run_loop(const struct sendmail_options *o, void (*fn)(void *arg))
{
	struct sendmail c = {.options = o, .arena = ARENA_INIT(INPUT_MAX), .status = EX_SOFTWARE};
	err e = rt_run(fn, &c);

	arena_free(&c.arena);
	return e == OK ? c.status : complain(EX_OSERR, err_info()->text);
}

static int run_mode(const struct sendmail_options *o)
{
	switch (o->mode) {
	case SENDMAIL_SMTP:
		return run_loop(o, smtp);
	case SENDMAIL_VERIFY:
		return run_loop(o, verify);
	case SENDMAIL_QUEUE_LIST:
		return run_command(o->config, "queue", (const char *[]){"list"}, 1);
	case SENDMAIL_QUEUE_RUN:
		return run_queue(o);
	case SENDMAIL_ALIASES:
		return run_command(o->config, "alias", (const char *[]){"import"}, 1);
	case SENDMAIL_DAEMON:
		return run_command(o->config, "serve", NULL, 0);
	default:
		return run_loop(o, deliver);
	}
}

static str base_name(const char *program)
{
	str path = str_from(program);
	size_t slash = str_find_last(path, '/');

	return slash == path.n ? path : str_drop(path, slash + 1);
}

bool sendmail_is_name(const char *program)
{
	str name = base_name(program);

	return str_equal(name, STR("sendmail")) || str_equal(name, STR("mailq")) || str_equal(name, STR("newaliases"));
}

int sendmail_main(int argc, char **argv)
{
	struct sendmail_options o;

	if (!sendmail_options_parse(argc, argv, &o))
		return EX_USAGE;
	if (str_equal(base_name(argv[0]), STR("mailq")) && o.mode == SENDMAIL_DELIVER)
		o.mode = SENDMAIL_QUEUE_LIST;
	if (str_equal(base_name(argv[0]), STR("newaliases")))
		o.mode = SENDMAIL_ALIASES;
	int status = run_mode(&o);
	return fflush(stdout) != 0 && status == EX_OK ? EX_IOERR : status;
}
