/* SPDX-License-Identifier: ISC */
/* A session fed with anything: it ends, keeps no memory, and accepts nothing without saying 250. The first byte
 * seeds how it is torn and chooses SMTP, LMTP, submission, or the service of local programs. */
#include <stdlib.h>

#include "smtp/fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct trial {
	struct fake fake;
	struct config config;
	struct config_domain domain;
	struct body_budget budget;
	bool lmtp, submission, local;
	str input;
	struct stream *server;
	size_t queued; /* replies that promise a message */
	bool over;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void serve(void *arg)
{
	static const bool never;
	struct trial *t = arg;
	struct smtp_options o = {.config = &t->config,
	                         .peers = &t->fake.peers,
	                         .budget = &t->budget,
	                         .session = STR("s1"),
	                         .lmtp = t->lmtp,
	                         .submission = t->submission || t->local,
	                         .local = t->local,
	                         .uid = 1000,
	                         .stopping = &never};

	check(net_address_parse(t->local ? STR("unix:/x") : STR("127.0.0.1:1025"), &o.client) == OK);
	smtp_serve(t->server, &o);
	stream_close(t->server);
	t->over = true;
}

/* Each line is a reply of ours, in printing ASCII. */
static void judge(struct trial *t, str line)
{
	check(str_ends(line, STR("\r\n")));
	line.n -= 2;
	check(line.n > 4 && line.p[0] >= '2' && line.p[0] <= '5' && (line.p[3] == ' ' || line.p[3] == '-'));
	check(str_is_ascii(line) && !str_has_control(line));
	t->queued += str_starts(line, STR("250 2.0.0 Ok: queued as "));
}

static void converse(void *arg)
{
	struct trial *t = arg;
	struct stream *s = NULL;
	str line;

	check(fake_start(&t->fake) && stream_pair(&s, &t->server, 65536, true) &&
	      rt_spawn(serve, t, "session") != NULL);
	stream_put(s, t->input);
	stream_flush(s);
	while (stream_read_line(s, 4096, &line, rt_after(60 * NSEC_PER_SEC)) == OK)
		judge(t, line);
	stream_close(s);
	while (!t->over)
		(void)!rt_sleep_until(rt_after(NSEC_PER_SEC));
	fake_stop(&t->fake);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct trial t = {.config = {.hostname = STR("h"),
	                             .domains_n = 1,
	                             .limits = {.message_size = 10000,
	                                        .recipients = 10,
	                                        .commands = 200,
	                                        .errors = 50,
	                                        .command_time = 300 * NSEC_PER_SEC,
	                                        .session_time = 3600 * NSEC_PER_SEC,
	                                        .session_memory = 1 << 14}},
	                  .domain = {.name = STR("example.org")},
	                  .budget = {.cap = 8000}};

	log_to(-1);
	if (n == 0 || n > 32 << 10)
		return 0;
	t.config.domains = &t.domain;
	t.config.bare_newlines = data[0] & 1 ? BARE_NEWLINES_NORMALISE : BARE_NEWLINES_REJECT;
	t.lmtp = data[0] & 2;
	t.submission = data[0] & 4;
	t.local = data[0] & 8;
	t.input = str_make((const char *)data + 1, n - 1);
	check(rt_run_simulated(data[0], converse, &t) == OK);
	check(t.budget.used == 0);
	check(t.queued >= t.fake.messages && (t.queued == 0) == (t.fake.messages == 0));
	fake_free(&t.fake);
	return 0;
}
