/* SPDX-License-Identifier: ISC */
/* For tests: the store and the keys that a filter calls, over a link, and the DNS. */
#ifndef FILTER_FAKE_H
#define FILTER_FAKE_H

#include <arpa/inet.h>

#include "base/test.h"
#include "filter/filter.h"
#include "mailauth/vector_dns.h"

struct fake {
	/* how they behave */
	struct history_reply history; /* without `known`: each key has `reputation` */
	struct reputation reputation;
	str table; /* of words, of whatever account */
	uint64_t version;
	bool keys_away;
	str lesson; /* a message that is to be learned, once */
	/* what they saw */
	size_t histories, models, signs, lessons;
	uint64_t signed_by, done;
	struct buf keys, learned; /* of the last history: one a line; tokens */
	/* the rest */
	struct vector_dns dns;
	struct resolver resolver;
	struct link_service service;
	struct link *server, *link;
};

static err fake_history(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	struct fake *f = ctx;
	const struct history_request *q = request;
	struct history_reply *r = reply;

	f->histories++;
	buf_reset(&f->keys);
	*r = f->history;
	r->known = arena_array(a, q->keys_n, sizeof(*r->known));
	for (size_t i = 0; i < q->keys_n && r->known != NULL; i++) {
		r->known[r->known_n++] = f->reputation;
		buf_put(&f->keys, q->keys[i].text);
		buf_putc(&f->keys, '\n');
	}
	return OK;
}

static err fake_model(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a UNUSED)
{
	struct fake *f = ctx;
	const struct model_request *q = request;
	struct model_reply *r = reply;

	f->models++;
	r->version = f->version;
	r->table = BODY_OF(q->version == f->version ? STR_NONE : f->table);
	return OK;
}

static err fake_lesson(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a UNUSED)
{
	struct fake *f = ctx;
	const struct lesson_request *q = request;
	struct lesson_reply *r = reply;

	f->lessons++;
	if (q->done != 0) {
		f->done = q->done;
		buf_reset(&f->learned);
		buf_put(&f->learned, q->tokens);
	}
	r->body = BODY_OF(STR_NONE);
	if (f->lesson.n == 0)
		return rt_sleep_until(rt_after((nsec)q->wait_ms * NSEC_PER_MSEC));
	r->lesson = 17;
	r->body = BODY_OF(f->lesson);
	f->lesson = STR_NONE;
	return OK;
}

static err fake_sign(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	struct fake *f = ctx;
	const struct sign_request *q = request;
	struct sign_reply *r = reply;

	f->signs++;
	f->signed_by = q->key;
	if (f->keys_away || q->kind != SIGN_DIGEST || q->input.n != 32)
		return err_note(E_NOT_FOUND, "no such key");
	r->signature = arena_printf(a, "signature by %llu", (unsigned long long)q->key);
	return OK;
}

static void fake_begin(struct fake *f, const char *const *zone)
{
	struct stream *ours = NULL, *theirs = NULL;

	*f = (struct fake){.keys = BUF_INIT(1 << 16), .learned = BUF_INIT(1 << 16)};
	vector_zone(&f->dns, zone);
	f->resolver = vector_resolver(&f->dns);
	f->service = (struct link_service){.ctx = f,
	                                   .handlers = {[CALL_history] = fake_history,
	                                                [CALL_model] = fake_model,
	                                                [CALL_lesson] = fake_lesson,
	                                                [CALL_sign] = fake_sign}};
	f->server = link_new("filter-0", &f->service);
	f->link = link_new("services", NULL);
	assert_true(f->server != NULL && f->link != NULL && stream_pair(&ours, &theirs, 1 << 20, false));
	assert_int_equal(link_attach_stream(f->server, theirs), OK);
	assert_int_equal(link_attach_stream(f->link, ours), OK);
}

static void fake_end(struct fake *f)
{
	link_free(f->link);
	link_free(f->server);
	vector_dns_clear(&f->dns);
	buf_free(&f->keys);
	buf_free(&f->learned);
}

#define SIMULATED(name)                                                      \
	static void name(void **state UNUSED)                                \
	{                                                                    \
		assert_int_equal(rt_run_simulated(1, name##_run, NULL), OK); \
	}

#endif
