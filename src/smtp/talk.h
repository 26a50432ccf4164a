/* SPDX-License-Identifier: ISC */
/* For tests: a client that plays its part of a dialogue with a session, over a simulated connection. */
#ifndef SMTP_TALK_H
#define SMTP_TALK_H

#include "base/test.h"

#include <stdlib.h>

#include "base/encode.h"
#include "smtp/command.h"
#include "smtp/fake.h"

/* clang-format off */
#define MINUTE     (60 * NSEC_PER_SEC)
#define HELLO      {STR("EHLO client.example\r\n"), "250"}
#define ENVELOPE   {STR("MAIL FROM:<a@x>\r\nRCPT TO:<u@example.org>\r\n"), "250 250"}
#define MESSAGE    "Subject: s\r\n\r\nbody\r\n"
#define STEPS(...) (const struct step[]){{STR(""), "220"}, __VA_ARGS__ __VA_OPT__(,) {STR_NONE, NULL}}
/* clang-format on */

/* What the client sends, and the codes of the replies that follow; "closed": the server has closed. */
struct step {
	str say;
	const char *want;
};

struct talk {
	struct fake fake;
	struct config config;
	struct body_budget budget;
	bool lmtp, submission, local, remote, torn, early, stopping, idle;
	const struct step *steps;
	struct buf got; /* the codes */
	struct buf want;
	struct buf text; /* of all replies */
	nsec lasted;
	struct stream *server;
	struct co *session;
	bool over;
};

static struct config_domain domains[] = {{.name = STR("example.org")}};

static struct talk talk_of(const struct step *steps)
{
	return (struct talk){
		.config = {.hostname = STR("mx.example.org"),
	                   .domains = domains,
	                   .domains_n = 1,
	                   .limits = {.message_size = 1 << 20,
	                              .recipients = 100,
	                              .commands = 1000,
	                              .errors = 20,
	                              .command_time = 5 * MINUTE,
	                              .session_time = 120 * MINUTE,
	                              .session_memory = 4 << 20}},
		.budget = {.cap = 4 << 20},
		.steps = steps,
		.got = BUF_INIT(1 << 20),
		.want = BUF_INIT(1 << 20),
		.text = BUF_INIT(1 << 22),
	};
}

static void serve(void *arg)
{
	struct talk *t = arg;
	struct smtp_options o = {.config = &t->config,
	                         .peers = &t->fake.peers,
	                         .budget = &t->budget,
	                         .session = STR("s1"),
	                         .lmtp = t->lmtp,
	                         .submission = t->submission || t->local,
	                         .local = t->local,
	                         .uid = 1000,
	                         .stopping = &t->stopping,
	                         .idle = &t->idle};

	str client = t->local                      ? STR("unix:/x")
	             : t->submission && !t->remote ? STR("127.0.0.1:1025")
	                                           : STR("192.0.2.1:1025");
	if (net_address_parse(client, &o.client) != OK)
		abort();
	smtp_serve(t->server, &o);
	t->lasted = rt_now();
	stream_close(t->server);
	t->over = true;
}

/* The code of the next reply, its lines noted. */
static void hear_one(struct talk *t, struct stream *s)
{
	str line = STR_NONE;
	err e;

	do {
		e = stream_read_line(s, 4096, &line, rt_after(600 * MINUTE));
		buf_put(&t->text, line);
	} while (e == OK && line.n > 3 && line.p[3] == '-');
	if (e == OK)
		buf_put(&t->got, str_take(line, 3));
	else
		buf_puts(&t->got, err_name(e));
	buf_putc(&t->got, ' ');
}

/* As the process does it when it shuts down. */
static void stop(struct talk *t)
{
	buf_puts(&t->got, "stop ");
	t->stopping = true;
	if (t->idle)
		rt_cancel(t->session);
}

static void play(struct talk *t, struct stream *s)
{
	for (const struct step *step = t->steps; step->want != NULL; step++) {
		str rest = str_from(step->want), word;

		stream_put(s, step->say);
		stream_flush(s);
		while ((word = str_word(&rest)).n > 0) {
			buf_put(&t->want, word);
			buf_putc(&t->want, ' ');
			if (str_equal(word, STR("stop")))
				stop(t);
			else
				hear_one(t, s);
		}
	}
}

static void converse(void *arg)
{
	struct talk *t = arg;
	struct stream *s;
	nsec began = rt_now();

	if (!fake_start(&t->fake) || !stream_pair(&s, &t->server, 65536, t->torn))
		abort();
	if (t->early) {
		stream_put(s, STR("EHLO early.example\r\n"));
		stream_flush(s);
	}
	t->session = rt_spawn(serve, t, "session");
	play(t, s);
	stream_close(s);
	while (!t->over)
		(void)!rt_sleep_until(rt_after(NSEC_PER_SEC));
	t->lasted -= began;
	fake_stop(&t->fake);
}

static void talk_free(struct talk *t)
{
	buf_free(&t->got);
	buf_free(&t->want);
	buf_free(&t->text);
	fake_free(&t->fake);
}

static void run(struct talk *t, uint64_t seed)
{
	log_to(-1);
	assert_int_equal(rt_run_simulated(seed, converse, t), OK);
	if (!str_equal(buf_str(&t->got), buf_str(&t->want)))
		fail_msg("got  " STR_FMT "\nwant " STR_FMT "\n" STR_FMT, STR_ARG(buf_str(&t->got)),
		         STR_ARG(buf_str(&t->want)), STR_ARG(buf_str(&t->text)));
	assert_int_equal(t->budget.used, 0);
}

/* Says it all in whole segments, then torn into pieces a few times. */
UNUSED static void check(const struct step *steps)
{
	for (uint64_t seed = 0; seed < 5; seed++) {
		struct talk t = talk_of(steps);

		t.torn = seed > 0;
		run(&t, seed);
		talk_free(&t);
	}
}

/* Leaves what the services saw to be looked at. */
UNUSED static struct talk played(const struct step *steps)
{
	struct talk t = talk_of(steps);

	run(&t, 1);
	return t;
}

static void assert_contains(const struct buf *b, const char *part)
{
	if (!str_contains(buf_str(b), str_from(part)))
		fail_msg("\"%s\" is not in " STR_FMT, part, STR_ARG(buf_str(b)));
}

#endif
