/* SPDX-License-Identifier: ISC */
#include "dns/recursor.h"

#include <stdlib.h>
#include <unbound-event.h>
#include <unbound.h>

#include "base/log.h"
#include "dns/anchor.h"
#include "dns/dns.h"
#include "dns/event_base.h"
#include "dns/silence.h"
#include "dns/wire.h"

#define FIRST_ANSWER (5 * NSEC_PER_SEC)

enum { CLASS_IN = 1, RCODE_NO_NAME = 3, TEXT_MAX = 300 };

struct recursor {
	struct ub_event_base *events;
	struct ub_ctx *ub;
	size_t asking; /* questions in the air */
	bool retired;  /* the last of them frees it */
	struct silence silence;
};

struct question {
	struct co *co;
	struct arena *arena;
	bool done, waits;
	bool bogus, secure;
	int rcode;
	str message, why;
};

/* --- what libunbound is told --- */

struct setting {
	const char *name, *value;
};

static const struct setting settings[] = {
	{"do-daemonize:", "no"},
	{"use-syslog:", "no"},
	/* Memory: 32 MiB of what was heard. */
	{"msg-cache-size:", "8m"},
	{"rrset-cache-size:", "16m"},
	{"key-cache-size:", "4m"},
	{"neg-cache-size:", "4m"},
	{"num-queries-per-thread:", "2048"},
	{"outgoing-range:", "1024"},
	{"outgoing-num-tcp:", "64"},
	/* Answers that would mislead. */
	{"harden-glue:", "yes"},
	{"harden-dnssec-stripped:", "yes"},
	{"harden-below-nxdomain:", "yes"},
	{"harden-algo-downgrade:", "no"}, /* RFC 6840 5.11: one algorithm that holds is enough */
	{"harden-short-bufsize:", "yes"},
	{"harden-large-queries:", "yes"},
	{"qname-minimisation:", "yes"},
	{"aggressive-nsec:", "yes"},
	{"minimal-responses:", "yes"},
	{"val-permissive-mode:", "no"},
	{"infra-keep-probing:", "yes"}, /* a server that was away is found again */
	/* Names that are answered here, unless they are transparent; a closed network may have them. */
	{"local-zone:", "test. transparent"},
	{"local-zone:", "home.arpa. transparent"},
	{"local-zone:", "2.0.192.in-addr.arpa. transparent"},
	{"local-zone:", "100.51.198.in-addr.arpa. transparent"},
	{"local-zone:", "113.0.203.in-addr.arpa. transparent"},
	{"local-zone:", "8.b.d.0.1.0.0.2.ip6.arpa. transparent"},
};
/* From the root: no name server is on this machine. */
static const struct setting settings_of_root[] = {
	{"do-not-query-localhost:", "yes"},
};
/* Who configures a resolver may have private addresses in its DNS. */
static const struct setting settings_of_resolvers[] = {
	{"unblock-lan-zones:", "yes"},
	{"insecure-lan-zones:", "yes"},
	{"infra-host-ttl:", "60"},
};

static err failed(int result, const char *what)
{
	return result == 0 ? OK : err_note(E_MEMORY, "libunbound: %s: %s", what, ub_strerror(result));
}

static err set(struct ub_ctx *ub, const struct setting *s, size_t n)
{
	err e = OK;

	for (size_t i = 0; i < n && e == OK; i++)
		e = failed(ub_ctx_set_option(ub, s[i].name, s[i].value), s[i].name);
	return e;
}

/* "192.0.2.1@53" */
static err set_resolver(struct ub_ctx *ub, const struct net_address *address)
{
	BUF(host, TEXT_MAX);
	BUF(all, TEXT_MAX);

	net_address_host(&host, address);
	net_address_print(&all, address);
	str port = str_drop(buf_str(&all), str_find_last(buf_str(&all), ':') + 1);
	buf_putc(&host, '@');
	buf_put(&host, port);
	buf_putc(&host, '\0');
	return host.full ? err_note(E_MEMORY, "no memory for a resolver") : failed(ub_ctx_set_fwd(ub, host.p), host.p);
}

static err set_anchor(void *ub, const char *record)
{
	return failed(ub_ctx_add_ta(ub, record), "trust anchor");
}

static err set_all(struct ub_ctx *ub, const struct recursor_options *o)
{
	err e = set(ub, settings, ARRAY_LEN(settings));

	(void)ub_ctx_debugout(ub, NULL);
	if (e == OK && o->resolvers_n == 0)
		e = set(ub, settings_of_root, ARRAY_LEN(settings_of_root));
	if (e == OK && o->resolvers_n > 0)
		e = set(ub, settings_of_resolvers, ARRAY_LEN(settings_of_resolvers));
	for (size_t i = 0; i < o->resolvers_n && e == OK; i++)
		e = set_resolver(ub, &o->resolvers[i]);
	return e == OK ? anchor_each(o->anchor, set_anchor, ub) : e;
}

/* --- its life --- */

/* libunbound wants more stack than a coroutine has: all that calls it goes by rt_deep. */
static void delete_context(void *ub)
{
	ub_ctx_delete(ub);
}

static void destroy(struct recursor *r)
{
	if (r->ub != NULL)
		rt_deep(delete_context, r->ub);
	if (r->events != NULL)
		event_base_free(r->events);
	free(r);
}

void recursor_free(struct recursor *r)
{
	if (r == NULL)
		return;
	r->retired = true;
	if (r->asking == 0)
		destroy(r);
}

/* Only with the first question does libunbound read what it was told. This one it answers itself. */
static err begin(struct recursor *r)
{
	struct resolve_reply reply;
	ARENA(a, 64 << 10);
	err e = recursor_ask(r, &(struct resolve_request){STR("localhost"), DNS_A}, &reply, &a, rt_after(FIRST_ANSWER));

	return e == E_MEMORY ? err_note(E_SYNTAX, "the trust anchor cannot be used") : e;
}

struct creation {
	struct recursor *recursor;
	const struct recursor_options *options;
	err result;
};

static void create_context(void *arg)
{
	struct creation *c = arg;

	c->recursor->ub = ub_ctx_create_ub_event(c->recursor->events);
	c->result = c->recursor->ub == NULL ? err_note(E_MEMORY, "no memory or descriptors for a resolver")
	                                    : set_all(c->recursor->ub, c->options);
}

err recursor_new(const struct recursor_options *o, struct recursor **out)
{
	struct recursor *r = calloc(1, sizeof(*r));
	struct creation creation = {r, o, OK};
	err e = r == NULL ? err_note(E_MEMORY, "no memory for a resolver") : event_base_new(&r->events);

	if (e == OK) {
		rt_deep(create_context, &creation);
		e = creation.result;
	}
	if (e == OK)
		e = begin(r);
	if (e == OK)
		*out = r;
	else if (r != NULL)
		destroy(r);
	return e;
}

/* --- a question --- */

static void answered(void *arg, int rcode, void *packet, int length, int security, char *why,
                     int was_ratelimited UNUSED)
{
	struct question *q = arg;

	q->done = true;
	q->rcode = rcode;
	q->bogus = security == 1;
	q->secure = security == 2;
	q->message = arena_str(q->arena, str_make(packet, packet == NULL || length < 0 ? 0 : (size_t)length));
	q->why = arena_str(q->arena, str_from(why));
	if (q->waits)
		rt_wake(q->co);
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	       c == '.';
}

/* Other octets stand there as \DDD (RFC 1035 5.1). */
static bool can_be_asked(str name)
{
	size_t octets = 0;
	uint64_t octet;

	for (size_t i = 0; i < name.n; i++, octets++) {
		bool escape = name.p[i] == '\\' && str_to_u64(str_take(str_drop(name, i + 1), 3), UINT8_MAX, &octet);

		if (!is_plain(name.p[i]) && !(escape && name.n - i > 3 && !is_plain((char)octet)))
			return false;
		i += escape ? 3 : 0;
	}
	return octets > 0 && octets <= DNS_NAME_MAX;
}

struct asking {
	struct recursor *recursor;
	const char *name;
	int type, number, result;
	struct question *question;
};

static void begin_question(void *arg)
{
	struct asking *c = arg;

	c->result = ub_resolve_event(c->recursor->ub, c->name, c->type, CLASS_IN, c->question, answered, &c->number);
}

static void cancel_question(void *arg)
{
	const struct asking *c = arg;

	(void)ub_cancel(c->recursor->ub, c->number);
}

static err wait_for(struct recursor *r, const char *name, int type, struct question *q, nsec deadline)
{
	struct asking c = {.recursor = r, .name = name, .type = type, .question = q};
	err e = OK;

	rt_deep(begin_question, &c);
	if (c.result != 0)
		return err_note(E_MEMORY, "libunbound takes no question");
	q->waits = !q->done; /* what libunbound remembers is there at once */
	while (e == OK && !q->done)
		e = rt_park(deadline);
	if (q->done)
		return OK;
	rt_deep(cancel_question, &c); /* `answered` is not called any more */
	return e == E_TIMEOUT ? err_set(e, 451, "4.4.3", "the DNS did not answer in time about %s", name) : e;
}

/* What it remembers, and what cannot be believed, says nothing of whether anybody answers. */
static void note(struct recursor *r, const struct question *q, nsec asked)
{
	bool answered = q->done && (q->rcode == 0 || q->rcode == RCODE_NO_NAME);

	if (!q->waits || q->bogus || !silence_note(&r->silence, answered, asked, rt_now()))
		return;
	if (answered)
		LOG(INFO, "dns.answers");
	else
		LOG(WARN, "dns.silent", LOG_NUM("wait", SILENCE_PATIENCE / NSEC_PER_SEC));
}

static err read_answer(const struct question *q, const struct resolve_request *asked, struct resolve_reply *reply,
                       struct arena *a)
{
	err e = OK;

	*reply = (struct resolve_reply){0};
	if (q->rcode == 0 && q->message.n > 0 && !q->bogus)
		e = wire_answer(q->message, asked->name, asked->type, reply, a);
	else
		reply->canonical = arena_lower(a, asked->name);
	if (q->rcode != 0)
		reply->rcode = (uint64_t)q->rcode;
	reply->security = q->bogus ? DNS_BOGUS : q->secure ? DNS_SECURE : DNS_INSECURE;
	reply->why = q->why;
	return e;
}

err recursor_ask(struct recursor *r, const struct resolve_request *asked, struct resolve_reply *reply, struct arena *a,
                 nsec deadline)
{
	struct question q = {.co = rt_self(), .arena = a};
	const char *name = can_be_asked(asked->name) ? arena_z(a, asked->name) : NULL;

	if (name == NULL || asked->type > UINT16_MAX)
		return err_set(E_SYNTAX, 451, "4.4.3", "there can be no such name in the DNS");
	nsec now = rt_now();
	r->asking++;
	err e = wait_for(r, name, (int)asked->type, &q, silence_deadline(&r->silence, now, deadline));
	r->asking--;
	if (e != E_CANCELLED)
		note(r, &q, now);
	if (r->retired && r->asking == 0)
		destroy(r);
	if (e == OK && a->full)
		e = err_set(E_LIMIT, 451, "4.4.3", "an answer of the DNS is too large");
	return e == OK ? read_answer(&q, asked, reply, a) : e;
}
