/* SPDX-License-Identifier: ISC */
/* The connection: greeting, EHLO, STARTTLS, RSET, QUIT, and how a reply is waited for. */
#include <stdlib.h>

#include "base/log.h"
#include "smtp/client_state.h"

#define MINUTE    (60 * NSEC_PER_SEC)
#define QUIT_TIME (2 * NSEC_PER_SEC) /* the server need not be waited for, but likes to be heard */

enum { MEMORY = 4096, LINES_MAX = 4 << 20, LINES_KEPT = 2048, TEXT_MAX = 1024 };

static nsec time_or(nsec time, nsec usual)
{
	return time > 0 ? time : usual;
}

struct smtp_client *smtp_client_new(struct stream *s, const struct smtp_client_options *o)
{
	struct smtp_client *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		stream_close(s);
		return NULL;
	}
	*c = (struct smtp_client){.stream = s,
	                          .memory = ARENA_INIT(MEMORY),
	                          .lmtp = o->lmtp,
	                          .local = o->local,
	                          .greeting_time = time_or(o->greeting_time, 5 * MINUTE),
	                          .command_time = time_or(o->command_time, 5 * MINUTE),
	                          .data_time = time_or(o->data_time, 3 * MINUTE),
	                          .end_time = time_or(o->end_time, 10 * MINUTE),
	                          .until = time_or(o->until, RT_NEVER),
	                          .reply = {.text = BUF_INIT(TEXT_MAX)},
	                          .lines = BUF_INIT(LINES_MAX)};
	c->hello = arena_str(&c->memory, o->hello);
	c->session = arena_str(&c->memory, o->session);
	stream_write_timeout(s, c->data_time);
	return c;
}

void smtp_client_until(struct smtp_client *c, nsec until)
{
	c->until = until;
}

nsec client_deadline(const struct smtp_client *c, nsec time)
{
	nsec deadline = rt_after(time);

	return deadline < c->until ? deadline : c->until;
}

void smtp_client_free(struct smtp_client *c)
{
	if (c == NULL)
		return;
	stream_close(c->stream);
	buf_free(&c->reply.text);
	buf_free(&c->lines);
	arena_free(&c->memory);
	free(c);
}

const struct smtp_reply *smtp_client_reply(const struct smtp_client *c)
{
	return &c->reply;
}

bool smtp_client_usable(const struct smtp_client *c)
{
	return c->greeted && !c->broken && !c->closing && stream_error(c->stream) == OK;
}

unsigned smtp_client_extensions(const struct smtp_client *c)
{
	return c->offer.extensions;
}

uint64_t smtp_client_size_max(const struct smtp_client *c)
{
	return c->offer.size_max;
}

struct stream *smtp_client_stream(struct smtp_client *c)
{
	return c->stream;
}

/* --- how replies are waited for --- */

err client_fail(struct smtp_client *c, err e)
{
	c->broken = true;
	return e;
}

static void forget_reply(struct smtp_client *c)
{
	c->reply.code = 0;
	c->reply.status[0] = '\0';
	buf_reset(&c->reply.text);
	if (c->lines.size > LINES_KEPT)
		buf_free(&c->lines);
	buf_reset(&c->lines);
}

static err read_reply(struct smtp_client *c, struct reply_reading *r, nsec deadline)
{
	str line;
	err e = OK;

	while (e == OK && !r->done) {
		e = stream_read_line(c->stream, r->limits->line, &line, deadline);
		if (e == OK)
			e = reply_take_line(r, line);
		else if (e == E_LIMIT)
			e = err_note(E_SYNTAX, "the server's reply is malformed: a line of more than %zu octets",
			             r->limits->line);
	}
	return e;
}

err client_hear(struct smtp_client *c, const struct reply_limits *limits, nsec time)
{
	struct reply_reading r = {.limits = limits, .lines = &c->lines};

	forget_reply(c);
	err e = stream_flush(c->stream);
	if (e == OK)
		e = read_reply(c, &r, client_deadline(c, time)); /* one deadline for all of its lines */
	if (e != OK)
		return client_fail(c, e);
	reply_print(&c->reply, r.code, buf_str(&c->lines));
	c->closing = c->closing || r.code == 421;
	if (r.code >= 400)
		LOG(DEBUG, "client.refused", LOG_STR("sid", c->session), LOG_NUM("code", r.code),
		    LOG_Z("status", c->reply.status), LOG_STR("text", buf_str(&c->reply.text)));
	return OK;
}

err client_judge(struct smtp_client *c, int hoped)
{
	const struct smtp_reply *r = &c->reply;

	if (r->code / 100 == hoped)
		return OK;
	if (r->code < 400)
		return client_fail(c, err_note(E_SYNTAX, "the server says %d, which is no answer to this", r->code));
	return err_set(r->code < 500 ? E_TEMP : E_PERM, r->code, r->status, STR_FMT, STR_ARG(buf_str(&r->text)));
}

bool client_is_in_turn(const struct smtp_client *c)
{
	return stream_buffered(c->stream).n == 0;
}

/* A server that is about to close says 421 without being asked (RFC 5321 3.8). For who has a connection that he kept that is the same as one that was closed. */
err client_begin(struct smtp_client *c)
{
	forget_reply(c);
	if (c->broken || c->closing)
		return err_note(E_CLOSED, "this connection is not usable any more");
	if (stream_poll(c->stream).n == 0)
		return OK;
	err e = client_hear(c, &reply_limits_common, c->command_time);
	if (e != OK || c->closing)
		return client_fail(c, e != OK ? e : err_note(E_CLOSED, "the server has closed the connection"));
	return client_fail(c, err_note(E_SYNTAX, "the server says %d, and was not asked", c->reply.code));
}

err client_command(struct smtp_client *c, str line, int hoped)
{
	err e = client_begin(c);

	if (e != OK)
		return e;
	stream_put(c->stream, line);
	stream_put(c->stream, STR("\r\n"));
	e = client_hear(c, &reply_limits_common, c->command_time);
	return e == OK ? client_judge(c, hoped) : e;
}

err client_begin_idle(struct smtp_client *c)
{
	err e = client_begin(c);

	return e == OK && c->transaction ? smtp_client_reset(c) : e;
}

/* --- the beginning --- */

static err hello_with(struct smtp_client *c, const char *verb)
{
	BUF(line, 600);

	buf_printf(&line, "%s " STR_FMT, verb, STR_ARG(c->hello));
	err e = line.full ? err_note(E_SYNTAX, "our name is too long") : client_command(c, buf_str(&line), 2);
	if (e == OK)
		hello_parse(buf_str(&c->lines), &c->offer);
	return e;
}

/* RFC 5321 3.2: HELO for a server that does not know EHLO. What it says then has no extensions. */
err client_say_hello(struct smtp_client *c)
{
	c->offer = (struct hello_offer){0};
	if (c->hello.n == 0 || str_has_control(c->hello) || str_find(c->hello, ' ') < c->hello.n)
		return err_note(E_SYNTAX, "our name is none");
	err e = hello_with(c, c->lmtp ? "LHLO" : "EHLO");
	if (e == E_PERM && !c->lmtp) {
		e = hello_with(c, "HELO");
		c->offer = (struct hello_offer){0};
	}
	c->greeted = e == OK;
	return e;
}

err smtp_client_greet(struct smtp_client *c)
{
	err e = client_hear(c, &reply_limits_common, c->greeting_time);

	if (e == OK)
		e = client_judge(c, 2);
	c->closing = c->closing || e != OK; /* RFC 5321 3.1: who is refused here can say QUIT and nothing else */
	return e == OK ? client_say_hello(c) : e;
}

/* What came along with the reply was said by somebody in between, before there was any TLS; it must not be taken for an answer within it (RFC 3207 6,
 * CVE-2021-33515 and its kin). What arrives later goes into the handshake, which fails by it. */
static err handshake(struct smtp_client *c, struct tls_client *tls, const struct tls_peer *peer,
                     struct tls_proof *proof)
{
	if (!client_is_in_turn(c))
		return err_note(E_SYNTAX, "the server speaks before the TLS handshake that it agreed to");
	return stream_start_tls_client(c->stream, tls, peer, client_deadline(c, c->command_time), proof);
}

err smtp_client_starttls(struct smtp_client *c, struct tls_client *tls, const struct tls_peer *peer,
                         struct tls_proof *proof)
{
	if ((c->offer.extensions & SMTP_EXT_STARTTLS) == 0 || stream_is_tls(c->stream))
		return err_note(E_NOT_FOUND, "the server does not offer STARTTLS");
	err e = client_command(c, STR("STARTTLS"), 2);
	if (e != OK)
		return e;
	c->greeted = false;
	c->transaction = false;
	c->offer = (struct hello_offer){0};
	e = handshake(c, tls, peer, proof);
	return e == OK ? client_say_hello(c) : client_fail(c, e);
}

/* --- the rest --- */

err smtp_client_reset(struct smtp_client *c)
{
	err e = client_command(c, STR("RSET"), 2);

	if (e == OK)
		c->transaction = false;
	return e;
}

void smtp_client_quit(struct smtp_client *c)
{
	if (c == NULL)
		return;
	if (!c->broken && stream_error(c->stream) == OK) {
		stream_write_timeout(c->stream, QUIT_TIME);
		stream_put(c->stream, STR("QUIT\r\n"));
		(void)!client_hear(c, &reply_limits_common, QUIT_TIME);
	}
	smtp_client_free(c);
}
