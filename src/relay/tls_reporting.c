/* SPDX-License-Identifier: ISC */
#include "relay/tls_reporting.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/log.h"
#include "relay/day.h"
#include "relay/state.h"
#include "rt/rt.h"

#define PAUSE_FIRST (900 * NSEC_PER_SEC) /* RFC 8460 5.5: again and again, with growing pauses, for a day */

enum { USEC = 1000 /* nanoseconds */ };

struct tls_reporting {
	struct relay *relay;
	struct tls_tally tally;
	int64_t from, until; /* what is counted now; microseconds */
	struct co *co, *awaited_by;
	bool full; /* that it cannot count everything was said */
};

/* --- counting --- */

static bool is_wanted(const struct tls_reporting *t)
{
	return t->relay->config->tls_reports == TLS_REPORTS_SEND;
}

void tls_reporting_note(struct tls_reporting *t, const struct tls_session *session)
{
	if (session->domain.n == 0 || !is_wanted(t))
		return;
	tls_tally_add(&t->tally, session);
	if (t->tally.lost > 0 && !t->full)
		LOG(WARN, "relay.tls-reports-full", LOG_NUM("domains", t->tally.domains.count));
	t->full = t->tally.lost > 0;
}

static void print_local(struct buf *out, int fd)
{
	struct net_address here = {.n = sizeof(here.sa)};

	if (fd >= 0 && getsockname(fd, (struct sockaddr *)&here.sa, &here.n) == 0)
		net_address_host(out, &here);
}

void tls_reporting_connection(struct tls_reporting *t, const struct tls_session *session, const struct net_address *to,
                              int fd, enum tls_result result, str reason)
{
	struct tls_session s = *session;
	BUF(here, 80);
	BUF(there, 80);

	if (s.domain.n == 0 || result == TLS_RESULT_COUNT)
		return;
	s.result = result;
	s.reason = reason;
	if (result != TLS_RESULT_SUCCESS) {
		print_local(&here, fd);
		net_address_host(&there, to);
	}
	s.sending_ip = buf_str(&here);
	s.receiving_ip = buf_str(&there);
	tls_reporting_note(t, &s);
}

static enum tls_result result_of_fault(enum tls_fault fault)
{
	static const enum tls_result results[] = {[TLS_FAULT_NONE] = TLS_RESULT_SUCCESS,
	                                          [TLS_FAULT_NAME] = TLS_RESULT_CERTIFICATE_NAME,
	                                          [TLS_FAULT_EXPIRED] = TLS_RESULT_CERTIFICATE_EXPIRED,
	                                          [TLS_FAULT_UNTRUSTED] = TLS_RESULT_CERTIFICATE_UNTRUSTED,
	                                          [TLS_FAULT_TLSA] = TLS_RESULT_TLSA_INVALID};

	return results[fault];
}

/* RFC 8460 4.3.4: what is slow is no failure of TLS. A connection that breaks in the middle of the handshake is: whoever does not want it to succeed does just that. */
enum tls_result tls_reporting_result(err e, const struct tls_proof *proof)
{
	if (proof->fault != TLS_FAULT_NONE || e == OK)
		return result_of_fault(proof->fault);
	return e == E_SYNTAX || e == E_CLOSED || e == E_DENIED ? TLS_RESULT_OTHER : TLS_RESULT_COUNT;
}

/* --- a day, and its end --- */

static void begin_day(struct tls_reporting *t)
{
	nsec every = t->relay->config->tls_reports_every;

	tls_tally_init(&t->tally);
	t->full = false;
	t->from = day_begin(rt_wall(), every);
	t->until = t->from + day_length(every);
}

/* What is over. */
struct day {
	struct tls_reporting *reporting;
	struct tls_tally tally;
	int64_t from, until;
};

/* True: it needs no more. */
static bool report_domain(const struct day *d, str domain, err *e)
{
	struct tls_report_due due = {.relay = d->reporting->relay,
	                             .tally = &d->tally,
	                             .domain = domain,
	                             .from = d->from,
	                             .until = d->until - USEC_PER_SEC};

	*e = tls_report_send(&due);
	return *e == OK;
}

static str *gather(const struct day *d, struct arena *a, size_t *n)
{
	str *names = arena_array(a, d->tally.domains.count, sizeof(*names));
	size_t at = 0;
	str name;

	*n = 0;
	while (names != NULL && tls_tally_next(&d->tally, &at, &name))
		names[(*n)++] = arena_str(a, name);
	return names;
}

/* Each of them once, until the day that has begun meanwhile is over, too. E_CANCELLED. */
static err report_all(struct day *d)
{
	ARENA(a, 8 << 20);
	size_t n;
	str *names = gather(d, &a, &n);
	err e = OK;

	for (size_t i = 0; i < n && e != E_CANCELLED && rt_wall() < d->reporting->until; i++)
		if (report_domain(d, names[i], &e))
			tls_tally_remove(&d->tally, names[i]);
	return e == E_CANCELLED ? e : OK;
}

static err report_day(struct day *d)
{
	int64_t end = d->reporting->until;
	nsec pause = PAUSE_FIRST;
	err e = report_all(d);

	while (e == OK && d->tally.domains.count > 0 && rt_wall() + pause / USEC < end) {
		e = rt_sleep_until(rt_after(pause));
		pause *= 2;
		if (e == OK)
			e = report_all(d);
	}
	if (d->tally.domains.count > 0)
		LOG(INFO, "relay.tls-reports-unsent", LOG_NUM("domains", d->tally.domains.count));
	return e;
}

static err end_day(struct tls_reporting *t)
{
	struct day d = {.reporting = t, .tally = t->tally, .from = t->from, .until = t->until};
	err e = OK;

	begin_day(t);
	if (d.tally.domains.count > 0 && is_wanted(t))
		e = day_delay(t->relay->config->tls_reports_every);
	if (e == OK && is_wanted(t))
		e = report_day(&d);
	tls_tally_free(&d.tally);
	return e;
}

static void reporting_run(void *arg)
{
	struct tls_reporting *t = arg;
	err e = OK;

	while (e == OK) {
		e = day_wait_until(t->until);
		if (e == OK)
			e = end_day(t);
	}
	t->co = NULL;
	if (t->awaited_by != NULL)
		rt_wake(t->awaited_by);
}

/* --- its life --- */

err tls_reporting_new(struct relay *r, struct tls_reporting **out)
{
	struct tls_reporting *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return err_note(E_MEMORY, "no memory for reports about TLS");
	t->relay = r;
	begin_day(t);
	*out = t;
	return OK;
}

void tls_reporting_free(struct tls_reporting *t)
{
	if (t == NULL)
		return;
	tls_tally_free(&t->tally);
	free(t);
}

err tls_reporting_start(struct tls_reporting *t)
{
	t->co = rt_spawn(reporting_run, t, "tls-reports");
	return t->co == NULL ? err_note(E_MEMORY, "no memory for reports about TLS") : OK;
}

void tls_reporting_cancel(struct tls_reporting *t)
{
	if (t->co != NULL)
		rt_cancel(t->co);
}

/* Also when the caller itself was cancelled. */
void tls_reporting_stop(struct tls_reporting *t)
{
	tls_reporting_cancel(t);
	t->awaited_by = rt_self();
	while (t->co != NULL)
		if (rt_park(RT_NEVER) != OK)
			rt_yield();
	t->awaited_by = NULL;
}
