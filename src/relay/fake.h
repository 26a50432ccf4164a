/* SPDX-License-Identifier: ISC */
/* For tests, in simulated time: a relay whose store, DNS and other servers are in this process. */
#ifndef RELAY_FAKE_H
#define RELAY_FAKE_H

#include "base/encode.h"
#include "relay/fake_dns.h"
#include "relay/state.h"
#include "smtp/client_fake.h"

enum { FAKE_SESSIONS = 40, FAKE_LEASES = 200 };

/* A server of the outside world. */
struct fake_host {
	const char *address; /* "192.0.2.1:25"; NULL ends the list */
	const char *extensions;
	const struct fake_reply *replies;
	const char *(*think)(struct fake_server *f, str line); /* as of fake_server */
	bool lmtp;
	bool refuses, hangs; /* takes no connection, says nothing to one that is asked for */
	size_t fault_at;
	enum fault fault;
	bool faulty_once; /* only in its first session */
	/* what it saw */
	size_t dials;
	struct fake_server *sessions[FAKE_SESSIONS];
	size_t sessions_n;
};

struct fake_lease {
	struct lease_reply reply;
	bool given, settled;
};

struct fake_world {
	const char *config;
	struct fake_host *hosts;
	struct fake_zone zone;
	struct fake_lease leases[FAKE_LEASES];
	size_t leases_n;
	/* how the store behaves */
	size_t settle_failures; /* so many settlements are not taken, at first */
	err settle_error;
	bool settle_stalls;                  /* it does not answer */
	const char *policy_id, *policy_text; /* what it keeps of MTA-STS */
	int64_t policy_expires;
	bool signs; /* it is the keys, too */
	/* what a fetch gives; NULL: nothing */
	const char *fetched;
	/* what was seen */
	size_t settled, settle_calls, fetches, kept, calls_any, calls_same;
	struct buf outcomes, reports; /* "rcpt result status reply host\n" */
	int64_t destination_due, due;
	struct buf dialled;
	/* inside */
	struct config *conf;
	struct link_service service;
	struct link *server, *client;
	struct relay *relay;
};

static struct fake_world *fake_here; /* of the test that runs */

/* --- other servers --- */

static struct fake_host *fake_host_find(struct fake_world *w, str address)
{
	for (struct fake_host *h = w->hosts; h != NULL && h->address != NULL; h++)
		if (str_equal(address, str_from(h->address)))
			return h;
	return NULL;
}

static err fake_session(struct fake_host *h, struct stream **out)
{
	struct fake_server *s = calloc(1, sizeof(*s));

	if (s == NULL || h->sessions_n == FAKE_SESSIONS)
		abort();
	*s = (struct fake_server){
		.extensions = h->extensions, .replies = h->replies, .think = h->think, .lmtp = h->lmtp};
	if (!h->faulty_once || h->sessions_n == 0) {
		s->fault_at = h->fault_at;
		s->fault = h->fault;
	}
	if (!stream_pair(out, &s->stream, 1 << 16, false) || rt_spawn(fake_serve, s, "server") == NULL)
		abort();
	h->sessions[h->sessions_n++] = s;
	return OK;
}

static err fake_dial(void *ctx, const struct net_address *to, const struct net_address *source, struct stream **out,
                     nsec deadline)
{
	struct fake_world *w = ctx;
	BUF(text, 80);
	BUF(from, 80);

	net_address_print(&text, to);
	net_address_host(&from, source);
	buf_printf(&w->dialled, STR_FMT "%s" STR_FMT " ", STR_ARG(buf_str(&text)), source->n > 0 ? "<" : "",
	           STR_ARG(source->n > 0 ? buf_str(&from) : STR_NONE));
	struct fake_host *h = fake_host_find(w, buf_str(&text));
	if (h == NULL || h->refuses)
		return err_note(E_CLOSED, "connect to " STR_FMT ": refused", STR_ARG(buf_str(&text)));
	h->dials++;
	if (h->hangs) {
		err e = rt_sleep_until(deadline);
		return e == OK ? err_note(E_TIMEOUT, "connect to " STR_FMT ": timed out", STR_ARG(buf_str(&text))) : e;
	}
	return fake_session(h, out);
}

/* Whatever addresses the machine of the test has. There is no way by IPv6. */
static err fake_source(const struct net_address *to, struct net_address *out)
{
	return to->sa.ss_family == AF_INET ? net_address_parse(STR("198.51.100.1:1"), out) : E_CLOSED;
}

static bool fake_is_local(const struct net_address *a UNUSED)
{
	return false;
}

static err fake_fetch(const struct http_request *q UNUSED, str *body, struct arena *a, nsec deadline UNUSED)
{
	fake_here->fetches++;
	if (rt_sleep_until(rt_after(NSEC_PER_SEC)) != OK)
		return E_CANCELLED;
	if (fake_here->fetched == NULL)
		return err_note(E_NOT_FOUND, "404");
	*body = arena_str(a, str_from(fake_here->fetched));
	return OK;
}

/* --- the store --- */

static struct fake_lease *fake_next(struct fake_world *w, str destination)
{
	for (size_t i = 0; i < w->leases_n; i++)
		if (!w->leases[i].given &&
		    (destination.n == 0 || str_equal(destination, w->leases[i].reply.destination)))
			return &w->leases[i];
	return NULL;
}

static err fake_lease_call(void *ctx, struct link *from UNUSED, const void *request, void *reply,
                           struct arena *arena UNUSED)
{
	struct fake_world *w = ctx;
	const struct lease_request *q = request;
	struct lease_reply *r = reply;
	nsec until = rt_after((nsec)q->wait_ms * NSEC_PER_MSEC);
	struct fake_lease *l;

	*(q->destination.n == 0 ? &w->calls_any : &w->calls_same) += 1;
	while ((l = fake_next(w, q->destination)) == NULL && rt_now() < until)
		if (rt_sleep_until(rt_after(100 * NSEC_PER_MSEC)) != OK)
			return E_CANCELLED;
	if (l == NULL)
		return OK;
	l->given = true;
	*r = l->reply;
	return OK;
}

static void fake_note_outcome(struct fake_world *w, const struct outcome *o)
{
	static const char *const names[] = {"relayed", "failed", "later", "moved"};

	buf_printf(&w->outcomes, "%u %s " STR_FMT " " STR_FMT " " STR_FMT "\n", (unsigned)o->rcpt, names[o->result],
	           STR_ARG(o->status), STR_ARG(o->result == OUTCOME_MOVED ? o->destination : o->reply),
	           STR_ARG(o->host));
	w->due = (int64_t)o->due;
}

static err fake_settle_call(void *ctx, struct link *from UNUSED, const void *request, void *reply UNUSED,
                            struct arena *a UNUSED)
{
	struct fake_world *w = ctx;
	const struct settle_request *q = request;

	w->settle_calls++;
	if (w->settle_stalls && rt_sleep_until(rt_after(3600 * NSEC_PER_SEC)) != OK)
		return E_CANCELLED;
	if (w->settle_failures > 0) {
		w->settle_failures--;
		return err_note(w->settle_error, "as the test wants it");
	}
	for (size_t i = 0; i < w->leases_n; i++)
		if (w->leases[i].reply.lease == q->lease && w->leases[i].reply.message == q->message &&
		    w->leases[i].given)
			w->leases[i].settled = true;
	for (size_t i = 0; i < q->outcomes_n; i++)
		fake_note_outcome(w, &q->outcomes[i]);
	w->destination_due = (int64_t)q->destination_due;
	if (q->report != 0)
		buf_put(&w->reports, q->report_body.bytes);
	w->settled++;
	return OK;
}

static err fake_policy_call(void *ctx, struct link *from UNUSED, const void *request, void *reply,
                            struct arena *a UNUSED)
{
	struct fake_world *w = ctx;
	const struct policy_request *q = request;
	static char id[40], text[1000];

	if (q->text.n > 0) {
		w->kept++;
		w->policy_id = strncpy(id, arena_z(a, q->id), sizeof(id) - 1);
		w->policy_text = strncpy(text, arena_z(a, q->text), sizeof(text) - 1);
		w->policy_expires = (int64_t)q->expires;
	}
	*(struct policy_reply *)reply =
		(struct policy_reply){str_from(w->policy_id), str_from(w->policy_text), (uint64_t)w->policy_expires};
	return OK;
}

/* --- all of it --- */

/* A message with one recipient, rcpt 0; more can be added to what is returned. */
static UNUSED struct lease_reply *fake_add(struct fake_world *w, const char *destination, struct lease_rcpt *rcpts,
                                           size_t n)
{
	struct lease_reply *l = &w->leases[w->leases_n++].reply;

	*l = (struct lease_reply){.lease = w->leases_n,
	                          .destination = str_from(destination),
	                          .message = 100 + w->leases_n,
	                          .report = 200 + w->leases_n,
	                          .sender = STR("alice@example.org"),
	                          .rcpts = rcpts,
	                          .rcpts_n = n,
	                          .body = BODY_OF(STR("Subject: hello\r\n\r\nHow are you?\r\n"))};
	return l;
}

/* In a running loop. */
static UNUSED void fake_begin(struct fake_world *w)
{
	struct config_faults faults = {.text = BUF_INIT(4096)};
	struct stream *ours, *theirs;

	fake_here = w;
	log_to(-1);
	w->outcomes = w->reports = w->dialled = BUF_INIT(1 << 20);
	w->conf = config_parse(str_from(w->config), "f", &faults);
	w->service = (struct link_service){.ctx = w,
	                                   .handlers = {[CALL_lease] = fake_lease_call,
	                                                [CALL_settle] = fake_settle_call,
	                                                [CALL_policy] = fake_policy_call}};
	w->server = link_new("send-0", &w->service);
	w->client = link_new("store-0", NULL);
	if (w->conf == NULL || w->server == NULL || w->client == NULL || !stream_pair(&ours, &theirs, 1 << 20, false) ||
	    link_attach_stream(w->server, theirs) != OK || link_attach_stream(w->client, ours) != OK ||
	    relay_new(&(struct relay_options){.config = w->conf,
	                                      .store = w->client,
	                                      .resolver = fake_zone_resolver(&w->zone),
	                                      .keys = w->signs ? w->client : NULL},
	              &w->relay) != OK)
		abort();
	for (size_t i = 0; i < w->leases_n; i++) {
		w->leases[i].reply.received = (uint64_t)rt_wall();
		w->leases[i].reply.expires = w->leases[i].reply.received + 5 * 86400 * UINT64_C(1000000);
	}
	w->relay->dial = fake_dial;
	w->relay->source = fake_source;
	w->relay->is_local = fake_is_local;
	w->relay->dial_ctx = w;
	w->relay->fetch = fake_fetch;
}

static UNUSED void fake_end_world(struct fake_world *w)
{
	relay_stop(w->relay);
	link_free(w->client);
	link_free(w->server);
	relay_free(w->relay);
	for (struct fake_host *h = w->hosts; h != NULL && h->address != NULL; h++)
		for (size_t i = 0; i < h->sessions_n; i++)
			while (!h->sessions[i]->over && !rt_cancelled())
				(void)!rt_sleep_until(rt_after(NSEC_PER_SEC));
	config_release(w->conf);
}

/* After the loop. */
static UNUSED void fake_free(struct fake_world *w)
{
	for (struct fake_host *h = w->hosts; h != NULL && h->address != NULL; h++)
		for (size_t i = 0; i < h->sessions_n; i++) {
			buf_free(&h->sessions[i]->commands);
			buf_free(&h->sessions[i]->content);
			free(h->sessions[i]);
		}
	buf_free(&w->outcomes);
	buf_free(&w->reports);
	buf_free(&w->dialled);
}

#endif
