/* SPDX-License-Identifier: ISC */
#include "relay/settlement.h"

#include <stdlib.h>

#include "base/encode.h"
#include "base/log.h"
#include "relay/deliverer.h"

#define CALL_TIME      (60 * NSEC_PER_SEC)
#define LAST_WORD_TIME (2 * NSEC_PER_SEC)
#define PAUSE_FIRST    (1 * NSEC_PER_SEC) /* while the store is away */
#define PAUSE_MAX      (10 * NSEC_PER_SEC)

enum { REPLY_MEMORY = 4096, REQUEST_MAX = 2 << 20 };

/* --- the last word --- */

/* Whoever was cancelled cannot wait any more: another coroutine does it for him, with a request of its own. */
struct last_word {
	struct relay *relay;
	struct buf packed;
};

static void last_word_free(struct last_word *w)
{
	buf_free(&w->packed);
	free(w);
}

static void last_word_run(void *arg)
{
	struct last_word *w = arg;
	struct cursor in = cursor_of(buf_str(&w->packed));
	struct record_fds none = {0};
	struct settle_request q;
	struct settle_reply reply;
	ARENA(a, REQUEST_MAX);
	err e = record_unpack(&record_settle_request, &in, &q, &a, &none);

	if (e == OK)
		e = call_settle(w->relay->store, &q, &reply, &a, rt_after(LAST_WORD_TIME));
	if (e != OK)
		LOG(WARN, "relay.settle", LOG_ID("mid", q.message), LOG_Z("error", err_info()->text));
	deliverer_ended(w->relay);
	last_word_free(w);
}

static void say_last_word(struct relay *r, const struct settle_request *q)
{
	struct last_word *w = calloc(1, sizeof(*w));
	struct record_fds none = {0};

	if (w == NULL)
		return;
	*w = (struct last_word){.relay = r, .packed = BUF_INIT(REQUEST_MAX)};
	record_pack(&record_settle_request, q, &w->packed, &none);
	if (w->packed.full || rt_spawn(last_word_run, w, "settlement") == NULL)
		last_word_free(w);
	else
		r->deliverers++;
}

/* --- again and again --- */

static bool is_passing(err e)
{
	return e == E_TEMP || e == E_TIMEOUT || e == E_CLOSED || e == E_BUSY || e == E_FULL || e == E_IO ||
	       e == E_MEMORY;
}

static err tell(struct relay *r, const struct settle_request *q)
{
	nsec pause = PAUSE_FIRST;
	struct settle_reply reply;
	err e;

	for (;;) {
		ARENA(a, REPLY_MEMORY);
		e = call_settle(r->store, q, &reply, &a, rt_after(CALL_TIME));
		if (!is_passing(e))
			return e;
		LOG(WARN, "relay.settle", LOG_ID("mid", q->message), LOG_Z("error", err_info()->text));
		e = rt_sleep_until(rt_after(pause));
		if (e != OK)
			return e;
		pause = pause * 2 < PAUSE_MAX ? pause * 2 : PAUSE_MAX;
	}
}

/* What a server has said is not forgotten while we live. */
err settlement_tell(struct relay *r, const struct settle_request *q)
{
	err e = tell(r, q);

	if (e == E_CANCELLED)
		say_last_word(r, q);
	else if (e != OK)
		LOG(ERROR, "relay.unsettled", LOG_ID("mid", q->message), LOG_Z("error", err_info()->text));
	return e == E_CANCELLED ? e : OK;
}

err settlement_give_back(struct relay *r, const struct lease_reply *l)
{
	struct settle_request q = {.lease = l->lease, .message = l->message, .report_body = BODY_OF(STR_NONE)};
	err e = tell(r, &q);

	return e == E_CANCELLED ? e : OK;
}
