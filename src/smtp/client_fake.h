/* SPDX-License-Identifier: ISC */
/* For tests: a server that answers a client by its commands, as usual or as the test wants it, and that can break off at any reply. In simulated time. */
#ifndef SMTP_CLIENT_FAKE_H
#define SMTP_CLIENT_FAKE_H

#include <stdlib.h>

#include "base/log.h"
#include "smtp/client.h"

enum fault { FAULT_NONE, FAULT_CLOSE, FAULT_STALL, FAULT_HALF_CLOSE, FAULT_HALF_STALL, FAULT_COUNT };

/* What is said, instead of the usual, to a line that begins with `command`: the first that fits. The greeting is to "", the end of a message to ".". */
struct fake_reply {
	const char *command, *reply; /* reply: all of it, with line ends; NULL: closes */
};
struct fake_server {
	const char *extensions;           /* words, each a line of EHLO's reply; "" none; NULL: EHLO is not known */
	const struct fake_reply *replies; /* ends with a command NULL */
	const char *(*think)(struct fake_server *f, str line); /* or this says it; NULL: the usual */
	void *ctx;
	bool lmtp;
	size_t fault_at; /* the how-many-th reply breaks off, counted from 1 */
	enum fault fault;
	/* what it saw */
	struct buf commands, content; /* lines; messages as they came, with dots doubled or in chunks */
	size_t said, groups;          /* replies; times when nothing was left to be read after a command */
	size_t ends, taken;           /* messages that came to their end; that were taken, as was said in full */
	/* inside */
	struct stream *stream;
	size_t rcpts;
	bool broken, over;
};

#define FAKE_NEVER (100 * 3600 * NSEC_PER_SEC)

static const char *fake_reply_to(struct fake_server *f, str line, const char *usual)
{
	for (const struct fake_reply *r = f->replies; r != NULL && r->command != NULL; r++)
		if (r->command[0] == '\0' ? line.n == 0 : str_starts(line, str_from(r->command)))
			return r->reply;
	const char *thought = f->think != NULL ? f->think(f, line) : NULL;
	return thought != NULL ? thought : usual;
}

/* Says it, or breaks off. True: all of it was said. */
static bool fake_say(struct fake_server *f, const char *reply)
{
	bool faulty = ++f->said == f->fault_at;
	str text = str_from(reply);

	if (reply == NULL)
		f->broken = true;
	if (faulty && f->fault != FAULT_NONE)
		text = f->fault == FAULT_HALF_CLOSE || f->fault == FAULT_HALF_STALL ? str_take(text, text.n / 2)
		                                                                    : STR("");
	stream_put(f->stream, text);
	stream_flush(f->stream);
	if (!faulty || f->fault == FAULT_NONE)
		return !f->broken;
	f->broken = true;
	if (f->fault == FAULT_STALL || f->fault == FAULT_HALF_STALL)
		(void)!rt_sleep_until(rt_after(FAKE_NEVER));
	return false;
}

static bool fake_line(struct fake_server *f, str *line)
{
	return !f->broken && stream_read_line(f->stream, 20000, line, rt_after(FAKE_NEVER)) == OK;
}

/* RFC 2033 4.2: with LMTP a reply a recipient. */
static void fake_end(struct fake_server *f, str line, bool by_dot)
{
	const char *reply = fake_reply_to(f, by_dot ? STR(".") : line, "250 2.0.0 Ok: queued\r\n");
	bool good = true;

	f->ends++;
	for (size_t i = 0; good && i < (f->lmtp ? f->rcpts : 1); i++)
		good = fake_say(f, reply);
	f->taken += good && reply[0] == '2';
	f->rcpts = 0;
}

static void fake_data(struct fake_server *f)
{
	str line;

	while (fake_line(f, &line)) {
		if (str_equal(line, STR(".\r\n"))) {
			fake_end(f, line, true);
			return;
		}
		buf_put(&f->content, line);
	}
}

static void fake_bdat(struct fake_server *f, str line)
{
	str words = str_drop(line, 5);
	uint64_t n = 0;
	bool last = str_contains(line, STR(" LAST"));
	char *p = NULL;

	str word = str_word(&words);
	if (!str_to_u64(str_trim(word), 64 << 20, &n) || (p = malloc(n + 1)) == NULL)
		abort();
	char verb[40];
	str copy = str_take(line, sizeof(verb));
	memcpy(verb, copy.p, copy.n);
	if (stream_read(f->stream, p, n, rt_after(FAKE_NEVER)) == OK) {
		buf_put(&f->content, str_make(p, n));
		if (last)
			fake_end(f, str_make(verb, copy.n), false);
		else
			fake_say(f, fake_reply_to(f, str_make(verb, copy.n), "250 2.0.0 chunk\r\n"));
	}
	free(p);
}

static void fake_hello(struct fake_server *f, str line)
{
	BUF(reply, 10000);
	str words = str_from(f->extensions == NULL ? "" : f->extensions), word;

	buf_puts(&reply, "250-server.example\r\n");
	while ((word = str_word(&words)).n > 0) {
		buf_puts(&reply, "250-");
		for (size_t i = 0; i < word.n; i++)
			buf_putc(&reply, word.p[i] == '/' ? ' ' : word.p[i]); /* SIZE/1000 */
		buf_puts(&reply, "\r\n");
	}
	buf_puts(&reply, "250 HELP\r\n");
	buf_putc(&reply, '\0');
	fake_say(f, fake_reply_to(f, line, f->extensions == NULL ? "502 5.5.1 what?\r\n" : reply.p));
}

static void fake_command(struct fake_server *f, str line)
{
	if (str_starts(line, STR("EHLO")) || str_starts(line, STR("LHLO"))) {
		fake_hello(f, line);
	} else if (str_starts(line, STR("RCPT"))) {
		const char *reply = fake_reply_to(f, line, "250 2.1.5 Ok\r\n");
		f->rcpts += reply != NULL && reply[0] == '2';
		fake_say(f, reply);
	} else if (str_starts(line, STR("DATA"))) {
		const char *reply = fake_reply_to(f, line, "354 go on\r\n");
		if (fake_say(f, reply) && reply[0] == '3')
			fake_data(f);
	} else if (str_starts(line, STR("BDAT"))) {
		fake_bdat(f, line);
	} else if (str_starts(line, STR("QUIT"))) {
		fake_say(f, fake_reply_to(f, line, "221 2.0.0 Bye\r\n"));
		f->broken = true;
	} else {
		fake_say(f, fake_reply_to(f, line, "250 2.0.0 Ok\r\n"));
	}
}

static void fake_serve(void *arg)
{
	struct fake_server *f = arg;
	str line;

	f->commands = f->content = BUF_INIT((size_t)64 << 20);
	fake_say(f, fake_reply_to(f, STR(""), "220 server.example ESMTP\r\n"));
	while (fake_line(f, &line)) {
		buf_put(&f->commands, line);
		f->groups += stream_buffered(f->stream).n == 0;
		fake_command(f, line);
	}
	stream_close(f->stream);
	f->over = true;
}

/* --- a client meets it --- */

struct meeting {
	struct fake_server server;
	struct smtp_client_options options;
	void (*act)(struct meeting *m, struct smtp_client *c);
	void *ctx;
	bool torn;
	nsec lasted; /* what the client did */
	/* for those who send */
	struct smtp_send send;
	struct arena arena;
	bool in_doubt;
	err greeted, result;
};

static void meeting_run(void *arg)
{
	struct meeting *m = arg;
	struct stream *ours;

	if (m->options.hello.n == 0)
		m->options.hello = STR("client.example");
	m->options.lmtp = m->server.lmtp;
	m->arena = ARENA_INIT(1 << 20);
	if (!stream_pair(&ours, &m->server.stream, 1 << 16, m->torn) ||
	    rt_spawn(fake_serve, &m->server, "server") == NULL)
		abort();
	struct smtp_client *c = smtp_client_new(ours, &m->options);
	nsec began = rt_now();
	m->act(m, c);
	m->lasted = rt_now() - began;
	smtp_client_quit(c);
	while (!m->server.over && !rt_cancelled()) /* rt_run waits for the server, too */
		(void)!rt_sleep_until(rt_after(3600 * NSEC_PER_SEC));
}

static UNUSED err meet(struct meeting *m, uint64_t seed)
{
	log_to(-1);
	return rt_run_simulated(seed, meeting_run, m);
}

/* Greets and sends m->send. */
static UNUSED void meeting_send(struct meeting *m, struct smtp_client *c)
{
	m->greeted = m->result = smtp_client_greet(c);
	if (m->greeted == OK)
		m->result = smtp_client_send(c, &m->send, &m->arena, &m->in_doubt);
}

static UNUSED void meeting_end(struct meeting *m)
{
	buf_free(&m->server.commands);
	buf_free(&m->server.content);
	arena_free(&m->arena);
}

#endif
