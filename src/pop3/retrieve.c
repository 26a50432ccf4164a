/* SPDX-License-Identifier: ISC */
/* RETR and TOP (RFC 1939 5 and 7): a message is read in pieces, however large it is. */
#include <inttypes.h>

#include "pop3/body.h"
#include "pop3/session.h"

enum { PIECE = 64 << 10 }; /* octets */

struct retrieval {
	struct pop3 *session;
	uint64_t uid, at, size; /* size: known after the first piece */
	struct stuffing out;
	struct excerpt *excerpt; /* NULL: all of it */
};

static err read_piece(struct retrieval *r, str *bytes, struct arena *a)
{
	struct pop3 *s = r->session;
	struct mailbox_read_request q = {.session = s->options->session,
	                                 .mailbox = s->drop.mailbox,
	                                 .uid = r->uid,
	                                 .offset = r->at,
	                                 .length = PIECE};
	struct mailbox_read_reply reply;
	err e = call_mailbox_read(s->drop.store, &q, &reply, a, rt_after(CALL_TIME));

	if (e != OK)
		return e;
	uint64_t left = reply.size - r->at;
	if (reply.size < r->at || reply.bytes.n != (left < PIECE ? left : PIECE))
		return err_note(E_IO, "message %" PRIu64 " is not as long as it should be", r->uid);
	r->size = reply.size;
	*bytes = reply.bytes;
	return OK;
}

static void put_piece(struct retrieval *r, str bytes)
{
	if (r->at == 0)
		pop3_ok(r->session, "%" PRIu64 " octets", r->size);
	stuffing_put(&r->out, r->excerpt != NULL ? excerpt_take(r->excerpt, bytes) : bytes);
	r->at += bytes.n;
}

static err send_piece(struct retrieval *r)
{
	ARENA(a, 2 * PIECE + 4096);
	str bytes;
	err e = read_piece(r, &bytes, &a);

	if (e != OK)
		return e;
	put_piece(r, bytes);
	return stream_error(r->session->stream);
}

static bool is_complete(const struct retrieval *r)
{
	return r->at == r->size || (r->excerpt != NULL && r->excerpt->done);
}

/* Before the first piece all is known that can be answered with -ERR; behind it only closing tells the truth. */
static err send_message(struct pop3 *s, uint64_t uid, struct excerpt *excerpt)
{
	struct retrieval r = {.session = s, .uid = uid, .out = STUFFING_TO(s->stream), .excerpt = excerpt};
	err e;

	do
		e = send_piece(&r);
	while (e == OK && !is_complete(&r));
	if (e == OK) {
		stuffing_end(&r.out);
		s->retrieved++;
		s->commands = 0;
	} else if (r.at == 0) {
		pop3_fail_call(s, e, "cannot read the message");
		e = stream_error(s->stream);
	}
	return e;
}

static err retrieve(struct pop3 *s, struct excerpt *excerpt)
{
	size_t index;

	if (maildrop_find(&s->drop, s->command.words[0], &index))
		return send_message(s, s->drop.entries[index].uid, excerpt);
	pop3_fail(s, NULL, "no such message");
	return OK;
}

err pop3_retr(struct pop3 *s)
{
	return retrieve(s, NULL);
}

err pop3_top(struct pop3 *s)
{
	uint64_t lines;

	if (!str_to_u64(s->command.words[1], UINT64_MAX, &lines)) {
		pop3_fail(s, NULL, "not a number of lines");
		return OK;
	}
	struct excerpt excerpt = EXCERPT_OF(lines);
	return retrieve(s, &excerpt);
}
