/* SPDX-License-Identifier: ISC */
/* A program beside us, for tests: the other end of a pair of sockets, served by a coroutine of its own. */
#ifndef SCAN_FAKE_H
#define SCAN_FAKE_H

#include <stdlib.h>
#include <sys/socket.h>

#include "rt/stream.h"
#include "scan/scan.h"

struct fake {
	void (*serve)(struct fake *f, struct stream *s);
	const char *says; /* for fake_answer */
	size_t says_n;
	struct buf heard;
	size_t dialled;
	bool away; /* nobody listens */
	struct stream *stream;
};

#define FAKE_TIME (5 * NSEC_PER_SEC)

static void fake_run(void *arg)
{
	struct fake *f = arg;

	f->serve(f, f->stream);
	stream_close(f->stream);
}

static err fake_dial(void *ctx, const struct config_scanner *scanner UNUSED, nsec deadline UNUSED, int *fd)
{
	struct fake *f = ctx;
	int pair[2];

	f->dialled++;
	if (f->away)
		return err_note(E_CLOSED, "nobody listens");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		abort();
	f->stream = stream_open_fd(pair[0], 1 << 20);
	if (f->stream == NULL || rt_spawn(fake_run, f, "fake") == NULL)
		abort();
	*fd = pair[1];
	return OK;
}

/* Keeps what comes until `end` was in it. */
static inline void fake_hear(struct fake *f, struct stream *s, const char *end)
{
	str bytes;

	while (!str_contains(buf_str(&f->heard), str_from(end)) && stream_peek(s, &bytes, rt_after(FAKE_TIME)) == OK) {
		buf_put(&f->heard, bytes);
		stream_consume(s, bytes.n);
	}
}

/* Whatever is said, this is the answer, and the end. */
static inline void fake_say(struct fake *f, struct stream *s)
{
	stream_put(s, str_make(f->says, f->says_n));
	(void)stream_flush(s);
}

/* --- a message to be looked at --- */

static inline struct config *fake_config(const char *settings)
{
	struct config_faults faults = {.text = BUF_INIT(4096)};
	BUF(text, 8192);

	buf_printf(&text, "version 1\nhostname mx.example.org\ndomain example.org\n%s\n", settings);
	struct config *c = config_parse(buf_str(&text), "test", &faults);
	if (c == NULL)
		abort();
	buf_free(&faults.text);
	return c;
}

#define FAKE_MESSAGE \
	"Received: from a\r\n by b\r\nSubject: one\r\nFrom: a@example.com\r\nSubject: two\r\n\r\nHello\r\n.dot\r\n"
static inline struct inspect_request fake_request(struct origin *o, struct rcpt *rcpts, size_t n)
{
	*o = (struct origin){.session = STR("s"),
	                     .client = STR("192.0.2.1"),
	                     .helo = STR("a.example.com"),
	                     .protocol = STR("ESMTP")};
	return (struct inspect_request){.id = 77,
	                                .origin = o,
	                                .origin_n = 1,
	                                .sender = STR("a@example.com"),
	                                .rcpts = rcpts,
	                                .rcpts_n = n,
	                                .body = BODY_OF(STR(FAKE_MESSAGE))};
}

#endif
