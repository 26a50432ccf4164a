/* SPDX-License-Identifier: ISC */
#include "store/delivered.h"

#include <stdlib.h>

#include "base/log.h"
#include "mail/header.h"
#include "mail/report.h"
#include "store/ids.h"

enum { QUOTE_MAX = 64 << 10, REPORT_MEMORY = 1 << 20 };

struct delivered {
	struct store *store;
	struct arena arena;
	struct report report;
};

static bool is_due(const struct envelope_rcpt *r)
{
	return r->mailbox != 0 && (r->notify & DSN_SUCCESS) != 0;
}

static size_t count_due(const struct acceptance *x)
{
	size_t n = 0;

	/* RFC 5321 4.5.5: never to the null sender. */
	for (size_t i = 0; x->request->sender.n > 0 && i < x->envelope.rcpts_n; i++)
		n += is_due(&x->envelope.rcpts[i]);
	return n;
}

static struct report_rcpt report_rcpt(const struct acceptance *x, const struct envelope_rcpt *r, struct arena *a)
{
	return (struct report_rcpt){.address = arena_str(a, r->address),
	                            .original = arena_str(a, r->original),
	                            .orcpt = arena_str(a, r->orcpt),
	                            .action = REPORT_DELIVERED,
	                            .status = STR("2.1.5"),
	                            .explanation = STR("The message is in the mailbox."),
	                            .at = (int64_t)x->envelope.received};
}

/* The header that is quoted: RFC 3461 4.3, a report of success holds no more. What was dropped of it stays out. */
static str quoted(const struct acceptance *x, struct arena *a)
{
	const struct accept_request *q = x->request;
	str header = str_take(q->body.bytes, header_size(q->body.bytes));
	BUF(out, QUOTE_MAX);
	uint64_t at = 0;

	buf_put(&out, q->headers);
	for (size_t i = 0; i < q->drop_n && q->drop[i].offset < header.n; i++) {
		buf_put(&out, str_take(str_drop(header, at), q->drop[i].offset - at));
		at = q->drop[i].offset + q->drop[i].length;
	}
	buf_put(&out, str_drop(header, at));
	return arena_str(a, buf_str(&out));
}

/* Everything is copied: the request is gone when the report is written. */
static bool fill(struct delivered *d, const struct acceptance *x, size_t n)
{
	const struct accept_request *q = x->request;
	const struct config *c = d->store->config;
	struct arena *a = &d->arena;
	struct report_rcpt *rcpts = arena_array(a, n, sizeof(*rcpts));
	size_t k = 0;

	for (size_t i = 0; rcpts != NULL && i < x->envelope.rcpts_n; i++)
		if (is_due(&x->envelope.rcpts[i]))
			rcpts[k++] = report_rcpt(x, &x->envelope.rcpts[i], a);
	d->report = (struct report){.hostname = arena_str(a, c->hostname),
	                            .to = arena_str(a, q->sender),
	                            .from = arena_printf(a, "postmaster@" STR_FMT,
	                                                 STR_ARG(c->domains_n > 0 ? c->domains[0].name : c->hostname)),
	                            .at = rt_wall(),
	                            .envid = arena_str(a, q->envid),
	                            .ret = DSN_RET_HDRS,
	                            .flags = q->flags,
	                            .message_id = q->id,
	                            .received = (int64_t)x->envelope.received,
	                            .message = quoted(x, a),
	                            .quote_max = QUOTE_MAX,
	                            .rcpts = rcpts,
	                            .rcpts_n = k};
	return !a->full;
}

static str field_of(str report, const char *name, struct arena *a)
{
	struct header_field f;

	return header_find(report, str_from(name), &f) ? header_unfold(a, f.value) : STR("");
}

static err write_report(struct delivered *d)
{
	struct origin origin = {.protocol = STR("report")};
	struct rcpt rcpt = {.address = d->report.to, .notify = DSN_NEVER};
	struct accept_request q = {.origin = &origin, .origin_n = 1, .rcpts = &rcpt, .rcpts_n = 1};
	struct acceptance x;
	ARENA(a, 4 << 20);
	BUF(body, REPORT_MEMORY);
	err e = ids_take(d->store, &q.id);

	if (e != OK)
		return e;
	d->report.id = q.id;
	report_print(&body, &d->report, &a);
	q.body = BODY_OF(buf_str(&body));
	q.message_id = field_of(q.body.bytes, "Message-ID", &a);
	q.subject = field_of(q.body.bytes, "Subject", &a);
	q.flags = str_is_ascii(q.body.bytes) ? 0 : MESSAGE_8BIT | MESSAGE_UTF8;
	if (body.full || a.full)
		return err_note(E_MEMORY, "no memory for a report");
	e = acceptance_check(d->store, &q);
	if (e == OK)
		e = acceptance_begin(&x, &q, &a);
	if (e == OK)
		e = acceptance_run(d->store, &x, true);
	return e == OK && !acceptance_kept(&x) ? err_note(E_PERM, STR_FMT, STR_ARG(x.answers[0].text)) : e;
}

static void end(struct delivered *d)
{
	struct store *s = d->store;

	arena_free(&d->arena);
	free(d);
	store_leave(s);
}

static void run(void *arg)
{
	struct delivered *d = arg;

	if (write_report(d) != OK)
		LOG(WARN, "store.report", LOG_ID("mid", d->report.message_id), LOG_STR("to", d->report.to),
		    LOG_Z("error", err_info()->text));
	end(d);
}

void delivered_report(struct store *s, const struct acceptance *x)
{
	size_t n = count_due(x);
	struct delivered *d = n == 0 ? NULL : calloc(1, sizeof(*d));

	if (d == NULL || store_enter(s) != OK) {
		free(d);
		return;
	}
	d->store = s;
	d->arena = ARENA_INIT(REPORT_MEMORY);
	if (!fill(d, x, n) || rt_spawn(run, d, "store-report") == NULL)
		end(d);
}
