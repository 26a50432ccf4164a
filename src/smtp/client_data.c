/* SPDX-License-Identifier: ISC */
/* The message on its way: DATA with its dots (RFC 5321 4.5.2), or BDAT in chunks (RFC 3030). */
#include "smtp/client_send.h"

/* PIECE: what is put at once, between two looks at what the server says. RATE: octets a second that a server takes at least, beside the first minutes. */
enum { PIECE = 32 << 10, CHUNK = 1 << 20, RATE = 1000 };

static nsec transmission_deadline(const struct sending *t)
{
	return client_deadline(t->c, t->c->data_time + (nsec)(t->message.n / RATE) * NSEC_PER_SEC);
}

/* Between two pieces: does anything speak against going on? */
static err look(struct sending *t, nsec deadline)
{
	if (stream_error(t->c->stream) != OK)
		return client_fail(t->c, stream_error(t->c->stream));
	if (rt_now() > deadline)
		return client_fail(t->c, err_note(E_TIMEOUT, "the server takes the message too slowly"));
	return OK;
}

static void tell_progress(const struct sending *t, str left)
{
	const struct smtp_send *m = t->m;

	if (m->progress != NULL)
		m->progress(m->progress_ctx, t->message.n - left.n, t->message.n);
}

/* After the end of the message: one reply for all who were taken, with LMTP one for each (RFC 2033 4.2). Until it is there nobody knows. */
static err hear_one(struct sending *t, struct heard *out)
{
	err e = client_hear(t->c, &reply_limits_common, t->c->end_time);

	if (e != OK)
		return e;
	e = client_judge(t->c, 2);
	if (e != OK && e != E_TEMP && e != E_PERM)
		return e;
	*out = sending_heard(t, e);
	return OK;
}

static err hear_verdict(struct sending *t)
{
	struct heard h = {.code = 0};
	err e = OK;

	for (size_t i = 0; e == OK && i < t->m->rcpts_n; i++) {
		if (t->states[i] != RCPT_TAKEN)
			continue;
		if (h.code == 0 || (t->c->lmtp && !t->c->closing))
			e = hear_one(t, &h);
		if (e == OK)
			sending_settle(t, i, &h);
	}
	if (e == OK) {
		t->c->transaction = false;
		*t->in_doubt = false;
	}
	return e;
}

/* All but the reply. What is put last is not sent before this flush. */
static err finish(struct sending *t)
{
	*t->in_doubt = true;
	err e = stream_flush(t->c->stream);
	return e == OK ? OK : client_fail(t->c, e);
}

/* --- DATA --- */

/* The first dot that begins a line; none: s.n. The message has no line end but CRLF (client_plan.c), so LF is enough to look for. */
static size_t leading_dot(str s, bool at_line_start)
{
	size_t at = str_find(s, '.');

	while (at < s.n && !(at == 0 ? at_line_start : s.p[at - 1] == '\n'))
		at += 1 + str_find(str_drop(s, at + 1), '.');
	return at < s.n ? at : s.n;
}

/* RFC 5321 4.5.2: a dot that begins a line is doubled. Few do, so it is dots that are looked for. */
static void put_stuffed(struct stream *s, str piece, bool *at_line_start)
{
	while (piece.n > 0) {
		size_t dot = leading_dot(piece, *at_line_start);
		str part = str_take(piece, dot + 1);

		stream_put(s, part);
		if (dot < piece.n)
			stream_put(s, STR("."));
		*at_line_start = str_ends(part, STR("\n"));
		piece = str_drop(piece, part.n);
	}
}

static err put_message(struct sending *t)
{
	nsec deadline = transmission_deadline(t);
	bool at_line_start = true;
	err e = OK;

	for (str left = t->message; e == OK && left.n > 0;) {
		str piece = str_take(left, PIECE);

		left = str_drop(left, piece.n);
		put_stuffed(t->c->stream, piece, &at_line_start);
		tell_progress(t, left);
		if (left.n > 0)
			e = look(t, deadline);
		/* A server that refuses the message before its end will not hear the rest of it. */
		if (e == OK && left.n > 0 && stream_poll(t->c->stream).n > 0)
			e = sending_interrupted(t, true);
	}
	return e;
}

err sending_data(struct sending *t)
{
	if (!client_is_in_turn(t->c))
		return sending_interrupted(t, true);
	err e = put_message(t);
	if (e != OK)
		return e;
	stream_put(t->c->stream, t->content.ended ? STR(".\r\n") : STR("\r\n.\r\n"));
	e = finish(t);
	return e == OK ? hear_verdict(t) : e;
}

/* --- BDAT ---
 *
 * It is said when the replies to RCPT are known: a server that refuses all recipients may forget that a chunk follows all the same, and would read it as commands. */

/* The reply to a chunk that is not the last. E_END: refused, and with it the message. */
static err hear_chunk(struct sending *t)
{
	struct heard h;
	err e = hear_one(t, &h);

	t->unheard--;
	if (e != OK || h.result == OK)
		return e;
	t->over = h;
	return E_END;
}

static err put_chunk(struct sending *t, str chunk, str behind, nsec deadline)
{
	err e = OK;

	stream_printf(t->c->stream, "BDAT %zu%s\r\n", chunk.n, behind.n > 0 ? "" : " LAST");
	for (str left = chunk; e == OK && left.n > 0;) {
		str piece = str_take(left, PIECE);

		left = str_drop(left, piece.n);
		stream_put(t->c->stream, piece);
		tell_progress(t, str_make(left.p, left.n + behind.n));
		if (left.n + behind.n > 0)
			e = look(t, deadline);
		while (e == OK && left.n + behind.n > 0 && stream_poll(t->c->stream).n > 0)
			e = t->unheard > 0 ? hear_chunk(t) : sending_interrupted(t, true);
	}
	return e == E_END ? client_fail(t->c, e) : e; /* in the midst of a chunk nothing else can be said */
}

static err put_chunks(struct sending *t)
{
	bool pipelining = (t->c->offer.extensions & SMTP_EXT_PIPELINING) != 0;
	nsec deadline = transmission_deadline(t);
	str left = t->message;
	err e;

	do {
		str chunk = str_take(left, CHUNK);

		left = str_drop(left, chunk.n);
		e = put_chunk(t, chunk, left, deadline);
		if (e == OK && left.n > 0) {
			t->unheard++;
			e = pipelining ? OK : hear_chunk(t);
		}
	} while (e == OK && left.n > 0);
	return e;
}

err sending_chunks(struct sending *t)
{
	err e = client_is_in_turn(t->c) ? put_chunks(t) : sending_interrupted(t, false);

	if (e != OK)
		return e;
	e = finish(t);
	while (e == OK && t->unheard > 0)
		e = hear_chunk(t);
	if (e == E_END) { /* RFC 3030 2: no chunk behind it counts, but the last one's reply is not worth waiting for */
		*t->in_doubt = false;
		return client_fail(t->c, e);
	}
	return e == OK ? hear_verdict(t) : e;
}
