/* SPDX-License-Identifier: ISC */
#include "relay/dmarc_reporting.h"

#include <stdlib.h>

#include "base/log.h"
#include "relay/day.h"
#include "relay/state.h"

#define PAUSE_FIRST (900 * NSEC_PER_SEC)
#define STORE_TIME  (60 * NSEC_PER_SEC)
#define AGE_MAX     (4 * 86400 * USEC_PER_SEC) /* what is older is not told any more */

enum { USEC = 1000 /* nanoseconds */, MEMORY = 16 << 20, NAME_MAX_OCTETS = 300 };

struct dmarc_reporting {
	struct relay *relay;
	struct co *co, *awaited_by;
};

static bool is_wanted(const struct dmarc_reporting *d)
{
	return d->relay->config->dmarc_reports == TLS_REPORTS_SEND;
}

static nsec every(const struct dmarc_reporting *d)
{
	return d->relay->config->dmarc_reports_every;
}

/* --- domain by domain --- */

/* True: it needs no more. */
static bool report_domain(struct dmarc_reporting *d, const struct tally_reply *r, int64_t until, err *e)
{
	const struct dmarc_report_due due = {.relay = d->relay,
	                                     .domain = r->domain,
	                                     .from = (int64_t)r->from,
	                                     .until = until - USEC_PER_SEC,
	                                     .rows = r->rows,
	                                     .rows_n = r->rows_n};

	*e = dmarc_report_send(&due);
	if (*e == E_TEMP && until - due.from > AGE_MAX) {
		LOG(INFO, "relay.dmarc-report-dropped", LOG_STR("domain", due.domain));
		*e = OK;
	}
	return *e == OK;
}

/* Each of them once. `left`: some may be told later. E_CANCELLED, or what keeps the store from answering. */
static err report_all(struct dmarc_reporting *d, int64_t until, bool *left)
{
	BUF(last, NAME_MAX_OCTETS);
	bool done = false;

	for (*left = false;;) {
		ARENA(a, MEMORY);
		const struct tally_request q = {
			.done = done ? buf_str(&last) : STR_NONE, .after = buf_str(&last), .until = (uint64_t)until};
		struct tally_reply r = {0};
		err e = call_tally(d->relay->store, &q, &r, &a, rt_after(STORE_TIME));

		if (e != OK || r.domain.n == 0)
			return e;
		done = report_domain(d, &r, until, &e);
		if (e == E_CANCELLED)
			return e;
		*left |= !done;
		buf_reset(&last);
		buf_put(&last, r.domain);
	}
}

/* Again and again, with growing pauses, until the next day is over, too. E_CANCELLED. */
static err report_until(struct dmarc_reporting *d, int64_t until)
{
	nsec pause = PAUSE_FIRST;
	bool left = true;

	for (;;) {
		err e = report_all(d, until, &left);
		if (e == E_CANCELLED || (e == OK && !left))
			return e;
		if (rt_wall() + pause / USEC >= until + day_length(every(d)))
			return OK;
		e = rt_sleep_until(rt_after(pause));
		if (e != OK)
			return e;
		pause *= 2;
	}
}

static void reporting_run(void *arg)
{
	struct dmarc_reporting *d = arg;
	err e = day_delay(every(d));

	while (e == OK) {
		int64_t until = day_begin(rt_wall(), every(d));
		if (is_wanted(d))
			e = report_until(d, until);
		if (e == OK)
			e = day_wait_until(until + day_length(every(d)));
		if (e == OK)
			e = day_delay(every(d));
	}
	d->co = NULL;
	if (d->awaited_by != NULL)
		rt_wake(d->awaited_by);
}

/* --- its life --- */

err dmarc_reporting_new(struct relay *r, struct dmarc_reporting **out)
{
	struct dmarc_reporting *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return err_note(E_MEMORY, "no memory for reports of DMARC");
	d->relay = r;
	*out = d;
	return OK;
}

void dmarc_reporting_free(struct dmarc_reporting *d)
{
	free(d);
}

err dmarc_reporting_start(struct dmarc_reporting *d)
{
	d->co = rt_spawn(reporting_run, d, "dmarc-reports");
	return d->co == NULL ? err_note(E_MEMORY, "no memory for reports of DMARC") : OK;
}

void dmarc_reporting_cancel(struct dmarc_reporting *d)
{
	if (d->co != NULL)
		rt_cancel(d->co);
}

/* Also when the caller itself was cancelled. */
void dmarc_reporting_stop(struct dmarc_reporting *d)
{
	dmarc_reporting_cancel(d);
	d->awaited_by = rt_self();
	while (d->co != NULL)
		if (rt_park(RT_NEVER) != OK)
			rt_yield();
	d->awaited_by = NULL;
}
