/* SPDX-License-Identifier: ISC */
/* Our client and our server: every message of three MIME libraries' tests arrives as it was sent. They lie beside the checkout; without them it is skipped. */
#include "base/test.h"

#include <ftw.h>
#include <stdlib.h>

#include "conf/source_root.h"
#include "rt/file.h"
#include "smtp/client_content.h"
#include "smtp/client_state.h"
#include "smtp/fake.h"

#define FOLDER SOURCE_ROOT "/../shared/data/messages"

enum { MESSAGES_MAX = 1000, MESSAGE_MAX = 128 << 10 };

static struct {
	char *name;
	struct buf text;
	bool binary; /* what text lines cannot carry */
} messages[MESSAGES_MAX];
static size_t messages_n;

/* LF is CRLF; a CR that stands alone stays: it is part of the test. */
static void canonical(str raw, struct buf *out)
{
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] == '\n' && (i == 0 || raw.p[i - 1] != '\r'))
			buf_putc(out, '\r');
		buf_putc(out, raw.p[i]);
	}
}

static int collect(const char *path, const struct stat *st, int type, struct FTW *at)
{
	BUF(raw, MESSAGE_MAX / 2);
	struct buf *text = &messages[messages_n].text;
	static const char *const others[] = {".json", ".md", ".toml", ".rs", "ORIGIN"};

	(void)st;
	(void)at;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (str_ends(str_from(path), str_from(others[i])))
			return 0;
	if (type != FTW_F || messages_n == MESSAGES_MAX || file_read_whole(path, &raw) != OK)
		return 0;
	*text = BUF_INIT(MESSAGE_MAX);
	canonical(buf_str(&raw), text);
	struct content c = content_scan(buf_str(text), false);
	messages[messages_n].binary = c.nul || c.bare;
	messages[messages_n++].name = strdup(path);
	return 0;
}

static int collect_all(void **state UNUSED)
{
	log_to(-1);
	return nftw(FOLDER, collect, 16, FTW_PHYS) > 0;
}

static int free_all(void **state UNUSED)
{
	for (size_t i = 0; i < messages_n; i++) {
		free(messages[i].name);
		buf_free(&messages[i].text);
	}
	return 0;
}

struct run {
	unsigned without; /* extensions that the client is told nothing of */
	bool lmtp, torn;
	size_t sent, converted, refused;
	struct buf faults; /* names of messages that did not arrive as they were sent */
	struct fake fake;
	struct config config;
	struct config_domain domain;
	struct body_budget budget;
	struct stream *server;
	bool over;
};

static void serve(void *arg)
{
	static const bool never;
	struct run *r = arg;
	struct smtp_options o = {.config = &r->config,
	                         .peers = &r->fake.peers,
	                         .budget = &r->budget,
	                         .session = STR("s1"),
	                         .lmtp = r->lmtp,
	                         .stopping = &never};

	if (net_address_parse(STR("192.0.2.1:1025"), &o.client) != OK)
		abort();
	smtp_serve(r->server, &o);
	stream_close(r->server);
	r->over = true;
}

/* With DATA a last line without its end gets one. */
static bool is_as_sent(const struct run *r, str sent)
{
	str got = buf_str(&r->fake.body), end = STR("");

	if ((r->without & SMTP_EXT_CHUNKING) != 0 && sent.n > 0 && !str_ends(sent, STR("\r\n")))
		end = STR("\r\n");
	return str_starts(got, sent) && str_equal(str_drop(got, sent.n), end);
}

static void send_one(struct run *r, struct smtp_client *c, size_t i)
{
	ARENA(a, 1 << 20);
	struct smtp_send_rcpt rcpts[] = {{.address = STR("u@example.org")}, {.address = STR("nobody@example.org")}};
	str text = buf_str(&messages[i].text);
	struct smtp_send m = {.sender = STR("a@example.com"),
	                      .flags = messages[i].binary ? MESSAGE_BINARY : 0,
	                      .message = text,
	                      .rcpts = rcpts,
	                      .rcpts_n = 2};
	bool in_doubt, must_be_ascii = (r->without & SMTP_EXT_8BITMIME) != 0 && !str_is_ascii(text);
	bool changes = must_be_ascii || (messages[i].binary && (r->without & SMTP_EXT_CHUNKING) != 0);
	err e = smtp_client_send(c, &m, &a, &in_doubt);

	r->sent++;
	if (changes && e == OK && rcpts[0].code == 0 && str_equal(rcpts[0].status, STR("5.6.3"))) {
		r->refused++;
		return;
	}
	r->converted += changes;
	if (e != OK || rcpts[0].result != OK || rcpts[1].result != E_PERM ||
	    (changes ? must_be_ascii && !str_is_ascii(buf_str(&r->fake.body)) : !is_as_sent(r, text)))
		buf_printf(&r->faults, "%s: %d " STR_FMT "\n", messages[i].name, (int)e, STR_ARG(rcpts[0].reply));
}

static void converse(void *arg)
{
	struct run *r = arg;
	struct stream *ours;
	struct smtp_client_options o = {.hello = STR("client.example"), .lmtp = r->lmtp};

	if (!fake_start(&r->fake) || !stream_pair(&ours, &r->server, 1 << 16, r->torn) ||
	    rt_spawn(serve, r, "server") == NULL)
		abort();
	struct smtp_client *c = smtp_client_new(ours, &o);
	if (c == NULL || smtp_client_greet(c) != OK)
		abort();
	c->offer.extensions &= ~r->without;
	for (size_t i = 0; i < messages_n; i++)
		send_one(r, c, i);
	smtp_client_quit(c);
	while (!r->over)
		(void)!rt_sleep_until(rt_after(NSEC_PER_SEC));
	fake_stop(&r->fake);
}

static struct run run(unsigned without, bool lmtp, bool torn)
{
	struct run r = {.without = without,
	                .lmtp = lmtp,
	                .torn = torn,
	                .faults = BUF_INIT(1 << 20),
	                .config = {.hostname = STR("mx.example.org"),
	                           .domains_n = 1,
	                           .limits = {.message_size = 1 << 20,
	                                      .recipients = 100,
	                                      .commands = 100000,
	                                      .errors = 100000,
	                                      .command_time = 300 * NSEC_PER_SEC,
	                                      .session_time = 36000 * NSEC_PER_SEC,
	                                      .session_memory = 4 << 20}},
	                .domain = {.name = STR("example.org")},
	                .budget = {.cap = 4 << 20}};

	if (messages_n < 200)
		skip();
	r.config.domains = &r.domain;
	assert_int_equal(rt_run_simulated(1, converse, &r), OK);
	fake_free(&r.fake);
	if (r.faults.n > 0)
		fail_msg(STR_FMT, STR_ARG(buf_str(&r.faults)));
	assert_int_equal(r.sent, messages_n);
	buf_free(&r.faults);
	return r;
}

static void messages_in_chunks(void **state UNUSED)
{
	run(0, false, false);
	run(SMTP_EXT_PIPELINING, true, false);
}

static void messages_with_dots(void **state UNUSED)
{
	run(SMTP_EXT_CHUNKING, false, false);
	run(SMTP_EXT_CHUNKING | SMTP_EXT_PIPELINING, false, false);
	run(SMTP_EXT_CHUNKING, true, true);
}

/* Those that can be: many in these libraries have a header that is beyond ASCII. */
static void messages_for_ascii_servers(void **state UNUSED)
{
	struct run r = run(SMTP_EXT_CHUNKING | SMTP_EXT_8BITMIME, false, false);

	assert_true(r.converted >= 10 && r.refused >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_in_chunks),
		cmocka_unit_test(messages_with_dots),
		cmocka_unit_test(messages_for_ascii_servers),
	};

	return cmocka_run_group_tests_name("client_server", tests, collect_all, free_all);
}
