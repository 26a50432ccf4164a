/* SPDX-License-Identifier: ISC */
/* For tests of transactions: one message to a fake server, and what came of it. */
#ifndef SMTP_CLIENT_SENT_H
#define SMTP_CLIENT_SENT_H

#include "base/test.h"
#include "smtp/client_fake.h"

#define REPLIES(...)                \
	(const struct fake_reply[]) \
	{                           \
		__VA_ARGS__,        \
		{                   \
			NULL, NULL  \
		}                   \
	}
#define TEXT  "Subject: s\r\n\r\nbody\r\n"
#define HELLO "EHLO client.example\r\n"

/* One message from a@x, to b@y unless the test has recipients of its own. */
struct sent {
	const char *extensions;
	const struct fake_reply *replies;
	bool lmtp, torn, local;
	const char *message;
	struct smtp_send send;
	struct smtp_send_rcpt rcpts[4];
	/* what came of it */
	struct meeting m;
	bool usable;
};

static void sent_act(struct meeting *m, struct smtp_client *c)
{
	struct sent *s = m->ctx;

	meeting_send(m, c);
	s->usable = smtp_client_usable(c);
}

static UNUSED void sent_send(struct sent *s, uint64_t seed)
{
	s->m = (struct meeting){.server = {.extensions = s->extensions, .replies = s->replies, .lmtp = s->lmtp},
	                        .act = sent_act,
	                        .ctx = s,
	                        .torn = s->torn,
	                        .options.local = s->local,
	                        .send = s->send};
	if (s->send.message.p == NULL)
		s->m.send.message = str_from(s->message == NULL ? TEXT : s->message);
	if (s->send.sender.p == NULL)
		s->m.send.sender = STR("a@x");
	if (s->rcpts[0].address.n == 0)
		s->rcpts[0].address = STR("b@y");
	s->m.send.rcpts = s->rcpts;
	for (s->m.send.rcpts_n = 0; s->m.send.rcpts_n < 4 && s->rcpts[s->m.send.rcpts_n].address.n > 0;)
		s->m.send.rcpts_n++;
	assert_int_equal(meet(&s->m, seed), OK);
	assert_int_equal(s->m.greeted, OK);
}

static void sent_done(struct sent *s)
{
	meeting_end(&s->m);
}

#define CHECK(s_, result_, commands_, content_)                                 \
	do {                                                                    \
		sent_send((s_), 1);                                             \
		assert_str(buf_str(&(s_)->m.server.commands), HELLO commands_); \
		assert_str(buf_str(&(s_)->m.server.content), content_);         \
		assert_int_equal((s_)->m.result, result_);                      \
	} while (0)

static UNUSED void check_rcpt(const struct sent *s, size_t i, err result, int code, const char *status,
                              const char *reply)
{
	const struct smtp_send_rcpt *r = &s->rcpts[i];

	assert_int_equal(r->result, result);
	assert_int_equal(r->code, code);
	assert_str(r->status, status);
	assert_str(r->reply, reply);
}

#endif
