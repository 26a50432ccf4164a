/* SPDX-License-Identifier: ISC */
/* The content of a message: DATA (RFC 5321 4.1.1.4) and BDAT (RFC 3030). */
#include "smtp/session.h"

#define ROOM_TIME   (5 * NSEC_PER_SEC)  /* to wait until other messages have left the memory */
#define SWALLOW_MAX ((uint64_t)1 << 30) /* octets of a chunk that is read for nothing but to stay in step */

enum { CHUNK_SMALL = 1024 }; /* smaller ones count as commands: a message can be cut into any number of them */

static void keep_content(void *ctx, str run)
{
	struct envelope *env = ctx;

	if (env->scan.bare && !env->scan.normalise)
		spool_drop(&env->spool); /* it will be refused */
	else
		spool_append(&env->spool, run);
}

static void begin_receiving(struct smtp *s, struct envelope *env, bool chunked)
{
	if (env->receiving)
		return;
	env->receiving = true;
	env->chunked = chunked;
	env->spool = spool_begin(s->options->budget, s->config->limits.message_size, env->params.size);
	env->scan = (struct data_scan){.chunked = chunked,
	                               .normalise = s->config->bare_newlines == BARE_NEWLINES_NORMALISE,
	                               .emit = keep_content,
	                               .ctx = env};
}

static bool is_binary(const struct envelope *env)
{
	return env->params.body == BODY_BINARY;
}

/* What must not be in a message, whatever it is about. */
static err judge_content(const struct envelope *env)
{
	/* RFC 5321 2.3.8: neither may stand alone. Who repairs such a message and who does not disagree on where it
	 * ends. */
	if (env->scan.bare && !env->scan.normalise)
		return err_set(E_PERM, 521, "5.5.2",
		               "The message has a CR or LF that stands alone; lines end with CRLF");
	if (env->scan.nul)
		return err_set(E_PERM, 554, "5.6.0", "The message has a NUL octet; BODY=BINARYMIME carries it");
	return OK;
}

static void finish_message(struct smtp *s, struct envelope *env)
{
	data_finish(&env->scan);
	if (judge_content(env) == OK)
		smtp_deliver(s, env);
	else
		smtp_reject(s, env);
}

/* RFC 5321 3.3, RFC 2033 4.2. */
static bool has_recipients(struct smtp *s, const struct envelope *env)
{
	if (env->rcpts_n > 0)
		return true;
	if (env->rcpt_refused && !s->options->lmtp)
		smtp_reply(s, 554, "5.5.1", "No valid recipients");
	else
		smtp_reply(s, 503, "5.5.1", env->rcpt_refused ? "No valid recipients" : "RCPT comes first");
	return false;
}

/* --- DATA --- */

static err receive_data(struct smtp *s, struct envelope *env)
{
	nsec room_deadline = rt_after(ROOM_TIME);

	while (env->scan.state != DATA_END) {
		str bytes;
		err e = stream_peek(s->stream, &bytes, smtp_deadline(s));

		if (e != OK)
			return smtp_lost(s, e);
		spool_wait_for_room(&env->spool, bytes.n, room_deadline);
		stream_consume(s->stream, data_feed(&env->scan, bytes));
	}
	return OK;
}

static bool may_send_data(struct smtp *s, const struct envelope *env)
{
	if (!smtp_no_arguments(s) || !has_recipients(s, env))
		return false;
	if (is_binary(env)) {
		smtp_reply(s, 503, "5.5.1", "BODY=BINARYMIME needs BDAT"); /* RFC 3030 3 */
		return false;
	}
	return true;
}

err smtp_data(struct smtp *s, struct envelope *env)
{
	if (env->chunked) {
		smtp_reply(s, 503, "5.5.1", "BDAT was used before; the transaction is over"); /* RFC 3030 2 */
		return E_END;
	}
	if (!may_send_data(s, env))
		return OK;
	if (stream_poll(s->stream).n > 0) { /* RFC 2920 3.1: DATA is the last of a group */
		s->linger = true;
		smtp_close(s, 503, "5.5.1", "You sent something behind DATA without waiting for the reply");
		return E_END;
	}
	stream_put(s->stream, STR("354 End data with <CR><LF>.<CR><LF>\r\n"));
	begin_receiving(s, env, false);
	err e = receive_data(s, env);
	if (e != OK)
		return e;
	finish_message(s, env);
	return E_END;
}

/* --- BDAT --- */

static err chunk_argument(struct smtp *s, uint64_t *size, bool *last)
{
	err e = command_chunk(s->command.args, size, last);

	if (e == OK && *size > SWALLOW_MAX && *size > s->config->limits.message_size)
		e = err_set(E_LIMIT, 552, "5.3.4", "Messages may have up to %llu octets",
		            (unsigned long long)s->config->limits.message_size);
	if (e == OK)
		return OK;
	/* What follows is not known to be a command, so nothing of it is read as one. */
	smtp_reply_err(s);
	s->closing = s->linger = true;
	return E_END;
}

/* `env` NULL: the chunk is read and dropped. */
static err read_chunk(struct smtp *s, struct envelope *env, uint64_t size)
{
	nsec room_deadline = rt_after(ROOM_TIME);

	while (size > 0) {
		str bytes;
		err e = stream_peek(s->stream, &bytes, smtp_deadline(s));

		if (e != OK)
			return smtp_lost(s, e);
		bytes = str_take(bytes, size);
		if (env != NULL)
			spool_wait_for_room(&env->spool, bytes.n, room_deadline);
		if (env != NULL && is_binary(env))
			spool_append(&env->spool, bytes);
		else if (env != NULL)
			data_feed(&env->scan, bytes);
		stream_consume(s->stream, bytes.n);
		size -= bytes.n;
	}
	return OK;
}

err smtp_stray_bdat(struct smtp *s)
{
	uint64_t size;
	bool last;
	err e = chunk_argument(s, &size, &last);

	if (e == OK)
		e = read_chunk(s, NULL, size);
	if (e == OK)
		smtp_reply(s, 503, "5.5.1", "MAIL comes first");
	return e;
}

/* The chunk is here, others will follow. */
static err answer_chunk(struct smtp *s, struct envelope *env, uint64_t size)
{
	struct body unused;

	if (judge_content(env) != OK || (env->spool.fault != OK && spool_finish(&env->spool, &unused) != OK)) {
		smtp_reply_err(s);
		return E_END;
	}
	smtp_reply(s, 250, "2.0.0", "%llu octets received", (unsigned long long)size);
	return OK;
}

err smtp_bdat(struct smtp *s, struct envelope *env)
{
	uint64_t size;
	bool last;
	err e = chunk_argument(s, &size, &last);

	if (e != OK)
		return e;
	if (!has_recipients(s, env)) {
		e = read_chunk(s, NULL, size);
		return e == OK ? E_END : e;
	}
	begin_receiving(s, env, true);
	e = read_chunk(s, env, size);
	if (e != OK)
		return e;
	if (size >= CHUNK_SMALL)
		s->commands--; /* it moves mail */
	if (!last)
		return answer_chunk(s, env, size);
	finish_message(s, env);
	return E_END;
}
