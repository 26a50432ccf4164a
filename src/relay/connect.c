/* SPDX-License-Identifier: ISC */
#include "relay/connection.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/log.h"
#include "relay/race.h"

#define HANDSHAKE_TIME (60 * NSEC_PER_SEC)

enum { CONNECTION_MEMORY = 32 << 10 };

/* --- what went wrong --- */

str reply_line(struct arena *a, int code, str status, str text)
{
	BUF(line, 2048);

	if (code > 0)
		buf_printf(&line, "%d", code);
	if (code > 0 && status.n > 0)
		buf_printf(&line, " " STR_FMT, STR_ARG(status));
	if (line.n > 0 && text.n > 0)
		buf_putc(&line, ' ');
	buf_put(&line, text);
	return arena_str(a, buf_str(&line));
}

void trouble_note(struct trouble *t, struct arena *a, err e)
{
	const struct err_info *why = err_info();
	const char *status = e == E_PERM ? "5.4.0" : "4.4.2";

	*t = (struct trouble){.code = e == E_PERM ? E_PERM : E_TEMP,
	                      .status = arena_str(a, str_from(why->status[0] != '\0' ? why->status : status)),
	                      .reply = arena_str(a, str_from(why->text))};
}

/* RFC 3463 2: the class of a status is that of what we make of it. */
static str status_of_class(struct arena *a, char class, str status)
{
	return arena_printf(a, "%c" STR_FMT, class, STR_ARG(status.n > 0 ? str_drop(status, 1) : STR(".3.0")));
}

void trouble_said(struct trouble *t, struct arena *a, const struct smtp_reply *r, const struct relay_connection *c)
{
	bool never =
		r->code == 521 ||
		r->code ==
			556; /* RFC 7504: takes no mail at all. Another 5xx may be a mood, or an address that we lose */
	str status = str_from(r->status);

	*t = (struct trouble){.code = never ? E_PERM : E_TEMP,
	                      .status = status_of_class(a, never ? '5' : '4', status),
	                      .reply = reply_line(a, r->code, status, buf_str(&r->text)),
	                      .host = arena_str(a, c->host),
	                      .security = arena_str(a, c->security)};
}

/* --- a connection --- */

static void connection_free(struct relay_connection *c)
{
	place_give(c->places, c->place);
	trust_release(c->trust);
	config_release(c->config);
	arena_free(&c->memory);
	free(c);
}

void connection_drop(struct relay_connection *c)
{
	if (c == NULL)
		return;
	smtp_client_free(c->client);
	connection_free(c);
}

void connection_quit(struct relay_connection *c)
{
	if (c == NULL)
		return;
	smtp_client_quit(c->client);
	connection_free(c);
}

static str host_text(struct arena *a, const struct relay_host *host, const struct net_address *address)
{
	BUF(text, 400);
	BUF(port, 80);

	if (!host->nameless)
		buf_put(&text, host->name);
	buf_putc(&text, '[');
	net_address_host(&text, address);
	net_address_print(&port, address);
	buf_printf(&text, "]" STR_FMT, STR_ARG(str_drop(buf_str(&port), str_find_last(buf_str(&port), ':'))));
	return arena_str(a, buf_str(&text));
}

/* Takes over the place, not the stream. */
static struct relay_connection *connection_new(const struct connection_question *q, const struct net_address *address,
                                               struct raced *raced)
{
	struct relay_connection *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->places = &q->relay->places;
	c->place = raced->place;
	raced->place = NULL;
	c->config = config_hold(q->config);
	c->trust = trust_hold(q->relay->trust);
	c->memory = ARENA_INIT(CONNECTION_MEMORY);
	c->host = host_text(&c->memory, q->host, address);
	c->destination = arena_str(&c->memory, q->destination);
	c->flags = POLICY_FLAGS(q->flags);
	c->opened = rt_now();
	return c;
}

/* --- the way to it --- */

/* One address. */
struct opening {
	const struct connection_question *q;
	struct relay_connection *c;
	struct stream *stream; /* until the client has it */
	const struct net_address *to;
	int fd;     /* of the stream */
	bool plain; /* TLS was tried and failed, and need not be */
	bool handshake_failed;
	struct trouble *trouble;
};

/* The connection ends where it began: RFC 5321 5.1's circle, by an address that we did not know to be ours. */
static bool is_to_ourselves(const struct connection_question *q, const struct stream *s)
{
	struct net_address here = {.n = sizeof(here.sa)}, there = {.n = sizeof(there.sa)};
	int fd = stream_fd(s);

	if (q->way->hop->kind != HOP_MX || q->way->route->loopback || fd < 0)
		return false;
	return getsockname(fd, (struct sockaddr *)&here.sa, &here.n) == 0 &&
	       getpeername(fd, (struct sockaddr *)&there.sa, &there.n) == 0 && net_address_equal_host(&here, &there);
}

/* It says our name to EHLO, as behind an address translation. */
static bool is_our_name(const struct opening *o)
{
	const struct connection_question *q = o->q;
	str text = buf_str(&smtp_client_reply(o->c->client)->text);

	return q->way->hop->kind == HOP_MX && !q->way->route->loopback &&
	       str_equal_nocase(str_word(&text), q->config->hostname);
}

/* Of a step of the dialogue: with the server's words when it said some. */
static err step_failed(struct opening *o, err e)
{
	struct err_info why = *err_info();

	if (e == E_CANCELLED)
		return e;
	if (e == E_PERM || e == E_TEMP) {
		trouble_said(o->trouble, o->q->arena, smtp_client_reply(o->c->client), o->c);
	} else {
		(void)err_set(E_TEMP, 0, why.status[0] != '\0' ? why.status : "4.4.2", STR_FMT ": %s",
		              STR_ARG(o->c->host), why.text);
		trouble_note(o->trouble, o->q->arena, E_TEMP);
	}
	return o->trouble->code;
}

static err refuse(struct opening *o, err e, const char *status, const char *what)
{
	const struct relay_policy *p = o->q->policy;

	(void)err_set(e, 0, status, STR_FMT " %s, which %s asks for", STR_ARG(o->q->host->name), what, p->by);
	trouble_note(o->trouble, o->q->arena, e);
	return e;
}

static struct tls_peer tls_peer(const struct relay_policy *p)
{
	static const enum tls_check checks[] = {[POLICY_NAME] = TLS_CHECK_NAME, [POLICY_DANE] = TLS_CHECK_DANE};
	bool testing = p->testing && p->level < POLICY_NAME; /* a message may have asked for more since */

	return (struct tls_peer){.server_name = p->server_name,
	                         .check = testing ? TLS_CHECK_NAME : checks[p->level],
	                         .lenient = testing,
	                         .names = p->names,
	                         .names_n = p->names_n,
	                         .tlsa = p->tlsa,
	                         .tlsa_n = p->tlsa_n};
}

/* RFC 8461 5: a domain that is testing wants to know; its mail goes on. */
static void log_testing(const struct opening *o, str what)
{
	if (o->q->policy->testing)
		LOG(INFO, "relay.sts-testing", LOG_STR("domain", o->q->way->name), LOG_STR("relay", o->c->host),
		    LOG_STR("error", what));
}

/* RFC 8460: for the domain's report. */
static void count_tls(const struct opening *o, enum tls_result result, str reason)
{
	tls_reporting_connection(o->q->relay->reporting, &o->q->policy->session, o->to, o->fd, result, reason);
}

static void count_starttls(const struct opening *o, err e, const struct tls_proof *proof)
{
	const struct smtp_reply *r = smtp_client_reply(o->c->client);

	if (e == OK || proof->version.n > 0) /* what failed came later */
		count_tls(o, tls_reporting_result(OK, proof), proof->fault_text);
	else if (e == E_TEMP || e == E_PERM)
		count_tls(o, TLS_RESULT_NO_STARTTLS,
		          reply_line(o->q->arena, r->code, str_from(r->status), buf_str(&r->text)));
	else
		count_tls(o, tls_reporting_result(e, proof), str_from(err_info()->text));
}

static void note_security(struct opening *o, const struct tls_proof *proof)
{
	struct relay_connection *c = o->c;
	static const char *const how[] = {
		[TLS_CHECK_NONE] = "unverified", [TLS_CHECK_NAME] = "verified", [TLS_CHECK_DANE] = "dane"};
	bool proved = proof->checked != TLS_CHECK_NONE;

	c->security = arena_printf(&c->memory, STR_FMT " " STR_FMT " %s%s" STR_FMT, STR_ARG(proof->version),
	                           STR_ARG(proof->cipher), how[proof->checked], proved ? " " : "",
	                           STR_ARG(proved ? proof->subject : STR_NONE));
	if (proof->fault != TLS_FAULT_NONE)
		log_testing(o, proof->fault_text);
}

/* A handshake that failed: without TLS we may try again, unless somebody asks for it. */
static err handshake_failed(struct opening *o, err e)
{
	struct err_info why = *err_info();

	if (e == E_CANCELLED)
		return e;
	o->handshake_failed = true;
	(void)err_set(E_TEMP, 0, e == E_DENIED ? "4.7.5" : "4.7.4", "TLS with " STR_FMT " failed: %s",
	              STR_ARG(o->c->host), why.text);
	trouble_note(o->trouble, o->q->arena, E_TEMP);
	LOG(INFO, "relay.tls-failed", LOG_STR("sid", o->q->session), LOG_STR("relay", o->c->host),
	    LOG_Z("by", o->q->policy->by), LOG_Z("error", why.text));
	return E_TEMP;
}

static err begin_tls(struct opening *o)
{
	struct tls_peer peer = tls_peer(o->q->policy);
	struct tls_proof proof;
	err e = stream_start_tls_client(o->stream, o->c->trust->tls, &peer, rt_after(HANDSHAKE_TIME), &proof);

	if (e != OK)
		return handshake_failed(o, e);
	note_security(o, &proof);
	return OK;
}

static err start_tls(struct opening *o)
{
	const struct relay_policy *p = o->q->policy;
	struct tls_peer peer = tls_peer(p);
	struct tls_proof proof = {0};

	if (p->level == POLICY_PLAIN || p->implicit || o->plain)
		return OK;
	if ((smtp_client_extensions(o->c->client) & SMTP_EXT_STARTTLS) == 0) {
		log_testing(o, STR("no TLS is offered"));
		count_tls(o, TLS_RESULT_NO_STARTTLS, STR_NONE);
		return p->level == POLICY_MAY ? OK : refuse(o, E_TEMP, "4.7.4", "does not offer TLS");
	}
	err e = smtp_client_starttls(o->c->client, o->c->trust->tls, &peer, &proof);
	count_starttls(o, e, &proof);
	if (e == OK)
		note_security(o, &proof);
	else if ((e == E_TEMP || e == E_PERM) && smtp_client_usable(o->c->client) && p->level == POLICY_MAY)
		return OK; /* it changed its mind */
	else if (e == E_TEMP || e == E_PERM)
		return step_failed(o, e);
	else
		return handshake_failed(o, e);
	return OK;
}

static err log_in(struct opening *o)
{
	const struct config_route *route = o->q->way->route;
	str password;

	if (route == NULL || route->user.n == 0)
		return OK;
	if (!trust_password(o->c->trust, route->password_file, &password)) {
		(void)err_set(E_TEMP, 0, "4.7.0", "The password of the route cannot be read");
		trouble_note(o->trouble, o->q->arena, E_TEMP);
		return E_TEMP;
	}
	err e = smtp_client_auth(o->c->client, route->user, password, route->tls == HOP_TLS_NEVER);
	return e == OK ? OK : step_failed(o, e);
}

static err hand_to_client(struct opening *o)
{
	const struct connection_question *q = o->q;

	o->c->client = smtp_client_new(o->stream, &(struct smtp_client_options){.hello = o->c->config->hostname,
	                                                                        .lmtp = q->way->hop->kind == HOP_LMTP,
	                                                                        .session = q->session,
	                                                                        .until = q->until,
	                                                                        .greeting_time = q->patience,
	                                                                        .command_time = q->patience});
	o->stream = NULL;
	if (o->c->client != NULL)
		return OK;
	(void)err_set(E_TEMP, 0, "4.3.0", "No memory for a connection");
	trouble_note(o->trouble, q->arena, E_TEMP);
	return E_TEMP;
}

static err converse(struct opening *o)
{
	err e = o->q->policy->implicit ? begin_tls(o) : OK;

	if (e == OK)
		e = hand_to_client(o);
	if (e != OK)
		return e;
	e = smtp_client_greet(o->c->client);
	if (e != OK)
		return step_failed(o, e);
	if (is_our_name(o))
		return E_END;
	e = start_tls(o);
	if (e == OK && o->q->policy->requiretls && (smtp_client_extensions(o->c->client) & SMTP_EXT_REQUIRETLS) == 0)
		e = refuse(o, E_PERM, "5.7.30", "does not know REQUIRETLS");
	return e == OK ? log_in(o) : e;
}

static void log_connect(const struct opening *o)
{
	LOG(DEBUG, "relay.connect", LOG_STR("sid", o->q->session), LOG_STR("relay", o->c->host),
	    LOG_STR("security", o->c->security), LOG_STR("destination", o->c->destination));
}

/* What begins with what the race gave, which is ours to give up. */
static err open_over(const struct connection_question *q, const struct race_question *race, struct raced *raced,
                     bool plain, bool *handshake, struct relay_connection **out, struct trouble *trouble)
{
	struct stream *stream = raced->stream;
	const struct net_address *address = &race->addresses[raced->which];
	struct opening o = {
		.q = q, .stream = stream, .to = address, .fd = stream_fd(stream), .plain = plain, .trouble = trouble};
	err e = E_END;

	o.c = connection_new(q, address, raced);
	if (o.c == NULL) {
		(void)err_set(E_TEMP, 0, "4.3.0", "No memory for a connection");
		trouble_note(trouble, q->arena, e = E_TEMP);
	} else if (!is_to_ourselves(q, stream)) {
		e = converse(&o);
	}
	*handshake = o.handshake_failed;
	raced->stream = o.stream;
	raced_drop(race, raced);
	if (e == OK) {
		log_connect(&o);
		*out = o.c;
	} else {
		connection_drop(o.c);
	}
	return e;
}

/* The address that answered; without TLS when that does not work and nobody asks for it. */
static err open_address(const struct connection_question *q, const struct race_question *race, struct raced *raced,
                        struct relay_connection **out, struct trouble *trouble)
{
	size_t which = raced->which;
	bool handshake;
	err e = open_over(q, race, raced, false, &handshake, out, trouble);

	if (e != E_TEMP || !handshake || q->policy->level != POLICY_MAY)
		return e;
	e = race_single(race, which, raced);
	if (e != OK)
		return e == E_CANCELLED ? e : E_TEMP;
	return open_over(q, race, raced, true, &handshake, out, trouble);
}

/* net_connect's sentence names the address. */
static err unreachable(const struct connection_question *q, err e, struct trouble *trouble)
{
	struct err_info why = *err_info();

	if (e == E_CANCELLED || trouble->code != OK) /* what another address said is better to know */
		return e == E_CANCELLED ? e : E_TEMP;
	(void)err_set(E_TEMP, 0, "4.4.1", STR_FMT ": %s", STR_ARG(q->host->name), why.text);
	trouble_note(trouble, q->arena, E_TEMP);
	return E_TEMP;
}

err connection_open(const struct connection_question *q, struct relay_connection **out, struct trouble *trouble)
{
	struct race_question race = {.relay = q->relay,
	                             .route = q->way->route,
	                             .addresses = q->host->addresses,
	                             .tried = arena_array(q->arena, q->host->n, sizeof(bool)),
	                             .n = q->host->n,
	                             .busy = q->way->hop->kind == HOP_MX ? q->busy : NULL};
	struct raced raced;
	err e = E_TEMP;

	*out = NULL;
	*trouble = (struct trouble){0};
	if (race.tried == NULL) {
		(void)err_set(E_TEMP, 0, "4.3.0", "No memory for a connection");
		trouble_note(trouble, q->arena, E_TEMP);
		return E_TEMP;
	}
	while (e == E_TEMP && *q->chances > 0) {
		err reached = race_run(&race, &raced);
		if (reached == E_END)
			return e; /* all were of no use, `trouble` tells of the last one */
		if (reached != OK)
			return unreachable(q, reached, trouble);
		--*q->chances;
		e = open_address(q, &race, &raced, out, trouble);
	}
	return e;
}
