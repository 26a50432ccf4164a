/* SPDX-License-Identifier: ISC */
/* A session fed with anything, AUTH's exchange too: it ends, and only QUIT deletes. The first byte seeds how it is torn. */
#include "pop3/fake.h"
#include "pop3/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct trial {
	struct fake fake;
	struct config config;
	str input;
	struct stream *server;
	bool over;
};

static void serve(void *arg)
{
	static const bool never;
	struct trial *t = arg;
	struct pop3_options o = {
		.config = &t->config, .peers = &t->fake.peers, .session = STR("s1"), .stopping = &never};

	if (net_address_parse(STR("127.0.0.1:1110"), &o.client) != OK)
		__builtin_trap();
	pop3_serve(t->server, &o);
	stream_close(t->server);
	t->over = true;
}

static void converse(void *arg)
{
	struct trial *t = arg;
	struct stream *s;
	str bytes;

	if (!fake_start(&t->fake) || !stream_pair(&s, &t->server, 4096, true) || rt_spawn(serve, t, "session") == NULL)
		__builtin_trap();
	stream_put(s, t->input);
	while (stream_peek(s, &bytes, rt_after(60 * NSEC_PER_SEC)) == OK)
		stream_consume(s, bytes.n);
	stream_close(s);
	while (!t->over && rt_sleep_until(rt_after(NSEC_PER_SEC)) == OK)
		continue;
	if (t->fake.locked)
		__builtin_trap();
	fake_stop(&t->fake);
}

static bool says_quit(str s)
{
	while (s.n > 0 && !str_starts_nocase(s, STR("QUIT")))
		s = str_drop(s, 1);
	return s.n > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct trial t = {.fake = {.messages = {{1, STR("a: b\r\n\r\n.\r\n..\r\nx")}, {2, STR("")}},
	                           .messages_n = 2,
	                           .password = STR("p")},
	                  .config = {.hostname = STR("h"),
	                             .limits = {.errors = 100,
	                                        .commands = 200,
	                                        .session_time = 600 * NSEC_PER_SEC,
	                                        .session_memory = 1 << 20}}};

	log_to(-1);
	if (n == 0 || n > 32 << 10)
		return 0;
	t.input = str_make((const char *)data + 1, n - 1);
	if (rt_run_simulated(data[0], converse, &t) != OK)
		__builtin_trap();
	if (t.fake.expunged_n > 0 && !says_quit(t.input))
		__builtin_trap();
	return 0;
}
