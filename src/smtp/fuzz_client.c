/* SPDX-License-Identifier: ISC */
/* What servers say, through a whole dialogue: it ends, what is said is lines, and nobody counts as having a message who was not promised to. The first octet seeds how the
 * connection is torn and chooses SMTP or LMTP; a 0x01 parts what the server says before and after it hears something. */
#include <stdlib.h>

#include "base/log.h"
#include "smtp/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define PART '\x01'

enum { SAID_MAX = 1 << 20, TEXT_MAX = 1000 };

struct trial {
	bool lmtp;
	str input;
	struct stream *server;
	struct buf said; /* by the client */
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void serve(void *arg)
{
	struct trial *t = arg;
	str rest = t->input, part, bytes;
	bool more = true;

	while (more) {
		more = str_cut(rest, PART, &part, &rest);
		stream_put(t->server, part);
		stream_flush(t->server);
		if (stream_peek(t->server, &bytes, rt_after(3600 * NSEC_PER_SEC)) != OK)
			break;
		for (; bytes.n > 0; bytes = stream_poll(t->server)) { /* all that was said at once */
			buf_put(&t->said, bytes);
			stream_consume(t->server, bytes.n);
		}
	}
	stream_close(t->server);
}

static void judge_reply(const struct smtp_client *c)
{
	const struct smtp_reply *r = smtp_client_reply(c);
	str text = buf_str(&r->text);

	check(r->code == 0 || (r->code >= 200 && r->code <= 599));
	check(text.n <= TEXT_MAX && !str_has_control(text) && str_is_utf8(text));
	check(r->code == 0 || r->status[0] == (char)('0' + r->code / 100));
}

static void judge_results(const struct smtp_send_rcpt *r, size_t n, err e, bool in_doubt)
{
	check(!in_doubt || e != OK);
	for (size_t i = 0; i < n; i++) {
		check(r[i].result == OK || r[i].result == E_PERM || r[i].result == E_TEMP || r[i].result == e);
		check(r[i].result != OK || (r[i].code >= 200 && r[i].code <= 299));
		check(e != OK || r[i].result == OK || r[i].code == 0 || r[i].code >= 400);
	}
}

static void send_one(struct smtp_client *c, str message, uint64_t flags)
{
	ARENA(a, 1 << 18);
	bool in_doubt;
	struct smtp_send_rcpt r[] = {{.address = STR("b@y"), .orcpt = STR("rfc822;b@y"), .notify = DSN_FAILURE},
	                             {.address = STR("\xc3\xbc@\xc3\xbc.example"), .orcpt = STR("utf-8;\xc3\xbc@y")},
	                             {.address = STR("c@\xc3\xbc.example")}};
	struct smtp_send m = {.sender = STR("a@x"),
	                      .envid = STR("e+"),
	                      .flags = flags,
	                      .priority = 12,
	                      .message = message,
	                      .rcpts = r,
	                      .rcpts_n = 3};
	err e = smtp_client_send(c, &m, &a, &in_doubt);

	judge_results(r, 3, e, in_doubt);
	judge_reply(c);
	e = smtp_client_verify(c, STR(""), r, 3, &a);
	judge_results(r, 3, e, false);
}

static void ask(struct smtp_client *c)
{
	ARENA(a, 1 << 20);
	struct fate_reply r;

	if (smtp_client_fate(c, STR("16J"), 1, 5000, &r, &a) == OK)
		check(r.final <= 1 && r.fates_n < 20000);
}

static void converse(void *arg)
{
	struct trial *t = arg;
	struct stream *s = NULL;
	struct smtp_client_options o = {.hello = STR("client.example"), .lmtp = t->lmtp};

	check(stream_pair(&s, &t->server, 1 << 16, true) && rt_spawn(serve, t, "server") != NULL);
	struct smtp_client *c = smtp_client_new(s, &o);
	check(c != NULL);
	(void)!smtp_client_greet(c);
	judge_reply(c);
	(void)!smtp_client_auth(c, STR("user"), STR("pencil"), true);
	judge_reply(c);
	send_one(c, STR("Subject: s\r\n\r\n.\r\n..x\r\n"), 0);
	send_one(c, STR("MIME-Version: 1.0\r\n\r\n\xc3\xbc"), MESSAGE_UTF8);
	send_one(c, STR("MIME-Version: 1.0\r\n\r\n\xc3\xbc\r\n.\0"), MESSAGE_BINARY);
	ask(c);
	(void)!smtp_client_reset(c);
	smtp_client_quit(c);
}

/* All that was said but a BDAT of a binary message: lines with CRLF. */
static void judge_said(str said)
{
	for (size_t i = 0; i < said.n; i++) {
		check(said.p[i] != '\n' || (i > 0 && said.p[i - 1] == '\r'));
		check(said.p[i] != '\r' || i + 1 == said.n || said.p[i + 1] == '\n');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct trial t = {.said = BUF_INIT(SAID_MAX)};

	log_to(-1);
	if (n == 0 || n > 32 << 10)
		return 0;
	t.lmtp = data[0] & 1;
	t.input = str_make((const char *)data + 1, n - 1);
	check(rt_run_simulated(data[0], converse, &t) == OK);
	judge_said(buf_str(&t.said));
	buf_free(&t.said);
	return 0;
}
