/* SPDX-License-Identifier: ISC */
/* For tests and fuzzing: a store, a filter, a sender that answer an SMTP session from memory, over a link. Everybody at
 * example.org is there but for nobody@; full@ and gone@ are refused when the message is there; tempfail@ cannot be
 * looked up. inner.example is on a server behind this one, which has everybody but nobody@, and cannot be asked for dead@. Who is logged in, and a local
 * program, may write to all others. */
#ifndef SMTP_FAKE_H
#define SMTP_FAKE_H

#include "base/log.h"
#include "mail/address.h"
#include "mail/inspect.h"
#include "smtp/server.h"

#define FAKE_ID 1234 /* "16J" */

#define FAKE_ACCOUNT 7

struct fake {
	/* how they behave */
	bool store_away, filter_away, keys_away, send_away;
	err accept;                       /* what the call returns */
	nsec delay;                       /* of an accept */
	const struct inspect_reply *says; /* what the filter says of every message; NULL: what a look shows */
	/* what they saw */
	size_t checks, largest_check, accepts, messages; /* messages: those that were kept */
	uint64_t flags, ret, size;
	uint64_t hold_until, deliver_by, by_mode, priority;
	uint64_t callouts;
	struct buf rcpts; /* of the last message: "address orcpt notify\n" for each that was kept */
	struct buf sender, envid, headers, body;
	struct buf origin; /* "helo protocol", and the client and login where there are any */
	struct buf asker;  /* of the last check: "session account client local" */
	uint64_t account;
	size_t auths, session_ends, refusals;
	struct buf dispositions; /* of the last message's recipients: numbers with blanks behind */
	struct buf
		judged; /* the findings that came with the last message, or with its refusal: "250 findings", "550 findings" */
	/* the link */
	struct link_service service;
	struct link *server, *client;
	struct peers peers;
};

static struct rcpt_answer fake_refusal(err code, uint64_t reply, const char *status, const char *text)
{
	return (struct rcpt_answer){.code = code, .reply = reply, .status = str_from(status), .text = str_from(text)};
}

static struct rcpt_answer fake_check_one(str address, bool may_relay)
{
	struct address a;

	if (address_parse(address, true, &a) != OK)
		return fake_refusal(E_SYNTAX, 501, "5.1.3", "no address");
	if (str_equal_nocase(a.domain, STR("inner.example")))
		return (struct rcpt_answer){.inner = 1};
	if (!str_equal_nocase(a.domain, STR("example.org")))
		return may_relay ? (struct rcpt_answer){0} : fake_refusal(E_DENIED, 550, "5.7.1", "No relaying");
	if (str_equal(a.local, STR("tempfail")))
		return fake_refusal(E_TEMP, 451, "4.3.0", "Later");
	if (str_equal(a.local, STR("nobody")))
		return fake_refusal(E_NOT_FOUND, 550, "5.1.1", "No such user");
	return (struct rcpt_answer){0};
}

static bool fake_may_write(uint64_t account, str address)
{
	return account != FAKE_ACCOUNT || address.n == 0 || str_starts(address, STR("alice"));
}

static struct rcpt_answer fake_not_as_that(void)
{
	return fake_refusal(E_DENIED, 550, "5.7.1", "write as alice@example.org");
}

static err fake_rcpt_check(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	struct fake *f = ctx;
	const struct rcpt_check_request *q = request;
	struct rcpt_check_reply *r = reply;

	(void)from;
	f->checks++;
	f->size = q->size;
	buf_reset(&f->asker);
	buf_printf(&f->asker, STR_FMT " %llu " STR_FMT " %llu", STR_ARG(q->session), (unsigned long long)q->account,
	           STR_ARG(q->client), (unsigned long long)q->local);
	f->largest_check = q->rcpts_n > f->largest_check ? q->rcpts_n : f->largest_check;
	if (f->store_away)
		return err_note(E_TEMP, "as the test wants it");
	r->answers = arena_array(arena, q->rcpts_n, sizeof(*r->answers));
	if (r->answers == NULL)
		return err_note(E_MEMORY, "no memory");
	r->id = FAKE_ID;
	for (; r->answers_n < q->rcpts_n; r->answers_n++)
		r->answers[r->answers_n] =
			fake_may_write(q->account, q->sender)
				? fake_check_one(q->rcpts[r->answers_n].address, q->account == FAKE_ACCOUNT || q->local)
				: fake_not_as_that();
	return OK;
}

static void fake_put(struct buf *b, str s)
{
	buf_reset(b);
	buf_put(b, s);
}

static struct rcpt_answer fake_accept_one(str address)
{
	if (str_starts(address, STR("full@")))
		return fake_refusal(E_FULL, 452, "4.2.2", "The mailbox is full");
	if (str_starts(address, STR("gone@")))
		return fake_refusal(E_NOT_FOUND, 550, "5.1.1", "No such user any more");
	return (struct rcpt_answer){0};
}

/* Alice, by PLAIN with the password "secret". */
static err fake_auth(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	struct fake *f = ctx;
	const struct auth_request *q = request;
	struct auth_reply *r = reply;

	(void)from;
	(void)arena;
	f->auths++;
	if (q->step == AUTH_CANCEL)
		return OK;
	if (f->keys_away)
		return err_set(E_BUSY, 454, "4.7.0", "too many failures");
	if (!q->has_response) {
		r->state = AUTH_CONTINUE;
		r->challenge = STR("more");
		return OK;
	}
	if (!str_equal(q->response, STR("\0alice\0secret")))
		return err_set(E_DENIED, 535, "5.7.8", "Wrong user or password");
	*r = (struct auth_reply){.state = AUTH_DONE, .account = FAKE_ACCOUNT, .address = STR("alice@example.org")};
	return OK;
}

static err fake_session_end(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	struct fake *f = ctx;

	(void)from;
	(void)request;
	(void)reply;
	(void)arena;
	f->session_ends++;
	return OK;
}

static void fake_judge(struct fake *f, uint64_t reply, const struct judgement *judgement, size_t n)
{
	buf_reset(&f->judged);
	buf_u64(&f->judged, reply);
	buf_putc(&f->judged, ' ');
	if (n == 1)
		buf_put(&f->judged, judgement->findings);
}

static err fake_refuse(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	struct fake *f = ctx;
	const struct refuse_request *q = request;

	(void)from;
	(void)reply;
	(void)arena;
	f->refusals++;
	fake_judge(f, q->reply, q->judgement, q->judgement_n);
	return q->id == FAKE_ID && q->origin_n == 1 ? OK : err_note(E_SYNTAX, "a refusal of nothing");
}

static void fake_keep(struct fake *f, const struct accept_request *q, const struct rcpt_answer *answers)
{
	f->messages++;
	f->flags = q->flags;
	f->ret = q->ret;
	f->account = q->account;
	fake_put(&f->sender, q->sender);
	fake_put(&f->envid, q->envid);
	fake_put(&f->headers, q->headers);
	fake_put(&f->body, q->body.bytes);
	buf_reset(&f->origin);
	buf_printf(&f->origin, STR_FMT " " STR_FMT, STR_ARG(q->origin->helo), STR_ARG(q->origin->protocol));
	if (q->origin->login.n > 0)
		buf_printf(&f->origin, " " STR_FMT " " STR_FMT, STR_ARG(q->origin->client), STR_ARG(q->origin->login));
	f->hold_until = q->hold_until;
	f->deliver_by = q->deliver_by;
	f->by_mode = q->by_mode;
	f->priority = q->priority;
	buf_reset(&f->rcpts);
	buf_reset(&f->dispositions);
	for (size_t i = 0; i < q->rcpts_n; i++)
		buf_printf(&f->dispositions, "%llu ", (unsigned long long)q->rcpts[i].disposition);
	fake_judge(f, 250, q->judgement, q->judgement_n);
	for (size_t i = 0; i < q->rcpts_n; i++)
		if (answers[i].code == OK)
			buf_printf(&f->rcpts, STR_FMT " " STR_FMT " %llu\n", STR_ARG(q->rcpts[i].address),
			           STR_ARG(q->rcpts[i].orcpt), (unsigned long long)q->rcpts[i].notify);
}

static err fake_accept(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	struct fake *f = ctx;
	const struct accept_request *q = request;
	struct accept_reply *r = reply;
	size_t good = 0;

	(void)from;
	f->accepts++;
	if (f->delay > 0 && rt_sleep_until(rt_after(f->delay)) != OK)
		return E_CANCELLED;
	if (f->accept != OK)
		return f->accept == E_FULL ? err_set(E_FULL, 452, "4.3.1", "no space")
		                           : err_note(f->accept, "as the test wants it");
	for (size_t i = 0; i < q->authors_n; i++)
		if (!fake_may_write(q->account, q->authors[i].address))
			return err_set(E_DENIED, 550, "5.7.1", "write as alice@example.org");
	r->answers = arena_array(arena, q->rcpts_n, sizeof(*r->answers));
	if (r->answers == NULL || q->id != FAKE_ID)
		return err_note(E_MEMORY, "no memory");
	for (; r->answers_n < q->rcpts_n; r->answers_n++) {
		r->answers[r->answers_n] = fake_accept_one(q->rcpts[r->answers_n].address);
		good += r->answers[r->answers_n].code == OK;
	}
	if (good > 0 && (good == q->rcpts_n || (q->flags & MESSAGE_ALL_OR_NONE) == 0))
		fake_keep(f, q, r->answers);
	return OK;
}

static err fake_inspect(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	struct fake *f = ctx;

	(void)from;
	if (f->filter_away)
		return err_note(E_TEMP, "as the test wants it");
	if (f->says != NULL) {
		*(struct inspect_reply *)reply = *f->says;
		return OK;
	}
	return inspect_message(request, &(struct inspect_options){.hops = 50, .hostname = STR("mx.example.org")}, reply,
	                       arena);
}

static err fake_callout(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	struct fake *f = ctx;
	const struct callout_request *q = request;
	struct callout_reply *r = reply;

	(void)from;
	f->callouts++;
	if (f->send_away || str_starts(q->address, STR("dead@")))
		return err_note(E_TEMP, "as the test wants it");
	r->answers = arena_array(arena, 1, sizeof(*r->answers));
	if (r->answers == NULL)
		return err_note(E_MEMORY, "no memory");
	r->answers_n = 1;
	if (str_starts(q->address, STR("nobody@")))
		r->answers[0] = fake_refusal(E_PERM, 550, "5.1.1", "The inner server knows nobody of that name");
	return OK;
}

#define FAKE_VERSION 5

/* One message, with texts that stop at nothing; whoever knows this version already waits in vain. */
static err fake_fate(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	const struct fate_request *q = request;
	struct fate_reply *r = reply;

	(void)ctx;
	(void)from;
	if (q->message != FAKE_ID || (q->account != FAKE_ACCOUNT && !str_equal(q->login, STR("uid=1000"))))
		return err_set(E_NOT_FOUND, 0, NULL, "no such message");
	if (q->seen >= FAKE_VERSION && rt_sleep_until(rt_after((nsec)q->wait_ms * (NSEC_PER_SEC / 1000))) != OK)
		return E_CANCELLED;
	r->version = FAKE_VERSION;
	r->fates = arena_array(arena, 2, sizeof(*r->fates));
	if (r->fates == NULL)
		return err_note(E_MEMORY, "no memory");
	r->fates_n = 2;
	r->fates[0] = (struct fate){.address = STR("a b+c@\xc3\xbc"), .state = FATE_MAILBOX, .at = 1000000};
	r->fates[1] = (struct fate){.address = STR("bob@example.com"),
	                            .original = STR("list@example.org"),
	                            .state = FATE_DELAYED,
	                            .at = 1000000,
	                            .due = 2000000,
	                            .status = STR("4.4.1"),
	                            .reply = STR("450 a\r\n250 End"),
	                            .host = STR("mx[192.0.2.1]:25"),
	                            .security = STR("TLSv1.3 x")};
	return OK;
}

/* In a running loop. False: no memory. */
static bool fake_start(struct fake *f)
{
	struct stream *ours, *theirs;

	f->service = (struct link_service){.ctx = f,
	                                   .handlers = {[CALL_rcpt_check] = fake_rcpt_check,
	                                                [CALL_accept] = fake_accept,
	                                                [CALL_inspect] = fake_inspect,
	                                                [CALL_refuse] = fake_refuse,
	                                                [CALL_auth] = fake_auth,
	                                                [CALL_session_end] = fake_session_end,
	                                                [CALL_callout] = fake_callout,
	                                                [CALL_fate] = fake_fate}};
	f->rcpts = f->sender = f->envid = f->headers = f->body = f->origin = f->asker = f->dispositions = f->judged =
		BUF_INIT(1 << 20);
	f->server = link_new("edge-0", &f->service);
	f->client = link_new("services", NULL);
	f->peers = (struct peers){
		.store = f->client, .keys = f->client, .send = f->client, .filters = {f->client}, .filters_n = 1};
	if (f->server == NULL || f->client == NULL || !stream_pair(&ours, &theirs, 1 << 20, false))
		return false;
	return link_attach_stream(f->server, theirs) == OK && link_attach_stream(f->client, ours) == OK;
}

/* What they saw stays until fake_free. */
static void fake_stop(struct fake *f)
{
	(void)!rt_sleep_until(rt_after(NSEC_PER_MSEC)); /* what they were told is heard */
	link_free(f->client);
	link_free(f->server);
}

static void fake_free(struct fake *f)
{
	struct buf *all[] = {&f->rcpts,  &f->sender, &f->envid,        &f->headers, &f->body,
	                     &f->origin, &f->asker,  &f->dispositions, &f->judged};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		buf_free(all[i]);
}

#endif
