/* SPDX-License-Identifier: ISC */
#include "relay/delivery.h"

#include "base/date.h"
#include "base/log.h"
#include "mail/address.h"

enum {
	TRANSACTION_MAX = 100,
	CHANCES = 5
}; /* recipients: RFC 5321 4.5.3.1.8; servers that take a connection and are of no use */

#define TIME_MIN   (30 * 60 * NSEC_PER_SEC)
#define TIME_MAX   (110 * 60 * NSEC_PER_SEC) /* a lease ends after two hours */
#define RATE_MIN   10000                     /* octets a second */
#define BUSY_PAUSE (10 * (int64_t)USEC_PER_SEC)

/* --- what is left to do --- */

static size_t undecided(const struct delivery *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->lease->rcpts_n; i++)
		n += !d->decided[i];
	return n;
}

static void decide(struct delivery *d, size_t i, struct outcome o)
{
	d->outcomes[i] = o;
	d->decided[i] = true;
}

static void fail_all(struct delivery *d, const char *status, str reply)
{
	for (size_t i = 0; i < d->lease->rcpts_n; i++)
		if (!d->decided[i])
			decide(d, i, outcome_failed(d->lease->rcpts[i].rcpt, str_from(status), reply));
}

/* What a host could not do; that another one may be able to outweighs that it never will. */
static void note(struct delivery *d, const struct trouble *t)
{
	if (d->trouble.code != E_TEMP || t->code == E_TEMP)
		d->trouble = *t;
}

static void note_error(struct delivery *d, err e)
{
	struct trouble t;

	trouble_note(&t, d->arena, e);
	note(d, &t);
}

/* --- without an attempt --- */

static bool is_over(struct delivery *d)
{
	const struct lease_reply *l = d->lease;

	if (l->why == LEASE_FAIL)
		fail_all(d, "5.0.0", l->reason.n > 0 ? l->reason : STR("Given up by the administrator"));
	else if (l->why == LEASE_EXPIRED)
		fail_all(d, "5.4.7",
		         l->reason.n > 0 ? l->reason : STR("It could not be sent in the time that it may stay here"));
	else if (l->by_mode == BY_RETURN && (int64_t)l->deliver_by <= rt_wall()) /* RFC 2852 4.1.4.1 */
		fail_all(d, "5.4.7", STR("It could not be sent by the time that its sender named"));
	return undecided(d) == 0;
}

/* As the store did when it was queued: the domain as A-labels. */
static struct relay_way way_of(const struct delivery *d, str text)
{
	struct address address;
	str local, domain = str_drop(text, str_find_last(text, '@') + 1);

	if (address_parse(text, true, &address) != OK || address_key(d->arena, &address, &local, &domain) != OK)
		domain = arena_lower(d->arena, domain);
	return relay_way(d->config, domain, d->lease->sender);
}

/* After a reload mail may go another way. */
static void sort_out_moved(struct delivery *d)
{
	const struct lease_reply *l = d->lease;

	for (size_t i = 0; i < l->rcpts_n; i++) {
		struct relay_way way = way_of(d, l->rcpts[i].address);
		BUF(destination, DESTINATION_MAX);

		relay_destination(&destination, d->config, &way);
		if (str_equal(buf_str(&destination), l->destination))
			d->way = way;
		else
			decide(d, i,
			       (struct outcome){.rcpt = l->rcpts[i].rcpt,
			                        .result = OUTCOME_MOVED,
			                        .destination = arena_str(d->arena, buf_str(&destination))});
	}
}

/* --- over a connection --- */

/* One transaction: those recipients that are undecided, `which` of the lease. */
struct transaction {
	struct smtp_send_rcpt *rcpts;
	size_t *which;
	size_t n, most;
	bool in_doubt, mail_refused;
};

/* NULL: no memory. */
static struct transaction *transaction_new(const struct delivery *d)
{
	size_t n = undecided(d);
	struct transaction *t = arena_alloc(d->arena, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->most = n < TRANSACTION_MAX ? n : TRANSACTION_MAX;
	t->rcpts = arena_array(d->arena, t->most, sizeof(*t->rcpts));
	t->which = arena_array(d->arena, t->most, sizeof(*t->which));
	return d->arena->full ? NULL : t;
}

static void choose(const struct delivery *d, struct transaction *t)
{
	const struct lease_reply *l = d->lease;

	t->n = 0;
	for (size_t i = 0; i < l->rcpts_n && t->n < t->most; i++)
		if (!d->decided[i]) {
			t->which[t->n] = i;
			t->rcpts[t->n++] = (struct smtp_send_rcpt){.address = l->rcpts[i].address,
			                                           .orcpt = l->rcpts[i].orcpt,
			                                           .notify = l->rcpts[i].notify};
		}
}

/* RFC 2852: of the time that the sender named. */
static int64_t seconds_left(const struct lease_reply *l)
{
	return l->by_mode == BY_NONE ? 0 : ((int64_t)l->deliver_by - rt_wall()) / USEC_PER_SEC;
}

static err send_message(struct delivery *d, struct relay_connection *c, struct transaction *t)
{
	const struct lease_reply *l = d->lease;
	struct smtp_send m = {.sender = l->sender,
	                      .envid = l->envid,
	                      .ret = l->ret,
	                      .flags = l->flags,
	                      .by_seconds = seconds_left(l),
	                      .by_mode = l->by_mode,
	                      .priority = l->priority,
	                      .message = l->body.bytes,
	                      .rcpts = t->rcpts,
	                      .rcpts_n = t->n};

	c->messages++;
	smtp_client_until(c->client, d->until);
	err e = smtp_client_send(c->client, &m, d->arena, &t->in_doubt);
	t->mail_refused = m.mail_refused;
	return e;
}

/* RFC 5321 4.5.3.1.10: too many for this transaction, not for the next one. */
static bool is_too_many(const struct smtp_send_rcpt *r, size_t taken)
{
	return taken > 0 && r->result == E_TEMP && (r->code == 452 || r->code == 552) &&
	       !str_starts(r->status, STR("4.2"));
}

static void note_reply(struct delivery *d, const struct relay_connection *c, const struct smtp_send_rcpt *r)
{
	struct trouble t = {.code = E_TEMP,
	                    .status = r->status,
	                    .reply = reply_line(d->arena, r->code, r->status, r->reply),
	                    .host = arena_str(d->arena, c->host),
	                    .security = arena_str(d->arena, c->security)};

	note(d, &t);
}

/* It is about the server, and not about the recipient: another one may be of another mind. RFC 5321 4.3.5: 421 ends the session. */
static bool is_host_trouble(const struct transaction *t, const struct smtp_send_rcpt *r)
{
	return r->code == 421 || (t->mail_refused && r->result == E_TEMP);
}

/* Returns whether something was decided. */
static bool take_results(struct delivery *d, const struct relay_connection *c, const struct transaction *t)
{
	size_t taken = 0;
	bool decided = false, dsn = (smtp_client_extensions(c->client) & SMTP_EXT_DSN) != 0;

	for (size_t i = 0; i < t->n; i++)
		taken += t->rcpts[i].result == OK;
	for (size_t i = 0; i < t->n; i++) {
		const struct smtp_send_rcpt *r = &t->rcpts[i];
		size_t at = t->which[i];

		if ((r->result != OK && r->result != E_PERM && r->result != E_TEMP) || is_too_many(r, taken))
			continue;
		d->answered |= r->code > 0 && r->code != 421;
		if (is_host_trouble(t, r)) {
			note_reply(d, c, r);
			continue;
		}
		decide(d, at, outcome_heard(d->lease->rcpts[at].rcpt, r, c, d->arena));
		d->handed_on[at] = r->result == OK && dsn;
		decided = true;
	}
	return decided;
}

/* The end of the message was sent, and no answer came: it may be there (RFC 1047). It is sent again, for a duplicate is better than a loss. */
static void take_doubt(struct delivery *d, const struct relay_connection *c, const struct transaction *t)
{
	d->answered = true; /* up to then, all was well */
	for (size_t i = 0; i < t->n; i++)
		if (!d->decided[t->which[i]])
			decide(d, t->which[i],
			       (struct outcome){.rcpt = d->lease->rcpts[t->which[i]].rcpt,
			                        .result = OUTCOME_LATER,
			                        .status = STR("4.4.2"),
			                        .reply = STR("The connection broke before the message was confirmed; "
			                                     "it may arrive twice"),
			                        .host = arena_str(d->arena, c->host),
			                        .security = arena_str(d->arena, c->security)});
}

static err take_broken(struct delivery *d, const struct relay_connection *c, const struct transaction *t, err e)
{
	struct err_info why = *err_info();

	if (e == E_CANCELLED) {
		(void)take_results(d, c, t); /* who was answered before */
		return e;
	}
	if (e == E_SYNTAX && smtp_client_usable(c->client)) {
		fail_all(d, "5.6.0", arena_str(d->arena, str_from(why.text))); /* no server would take it */
		return OK;
	}
	(void)take_results(d, c, t); /* who was refused before it broke */
	(void)err_set(E_TEMP, 0, "4.4.2", "The connection to " STR_FMT " broke: %s", STR_ARG(c->host), why.text);
	note_error(d, E_TEMP);
	if (t->in_doubt)
		take_doubt(d, c, t);
	return E_TEMP;
}

/* OK: all was said that there is to say to this server. E_TEMP: the connection is gone. */
static err send_over(struct delivery *d, struct relay_connection *c)
{
	struct transaction *t = transaction_new(d);
	bool progress = t != NULL;

	while (progress && undecided(d) > 0) {
		choose(d, t);
		err e = send_message(d, c, t);
		if (e != OK)
			return take_broken(d, c, t, e);
		progress = take_results(d, c, t) && smtp_client_usable(c->client);
	}
	return OK;
}

/* A connection over which nothing more can be done is ended. */
static err use(struct delivery *d, struct relay_connection **c)
{
	err e = send_over(d, *c);

	if (e == OK && smtp_client_usable((*c)->client) && undecided(d) == 0)
		return OK;
	connection_drop(*c);
	*c = NULL;
	return e;
}

/* --- the connection that is there --- */

/* What this server lacks another one of the destination may have. */
static bool is_able(const struct lease_reply *l, const struct relay_connection *c)
{
	unsigned knows = smtp_client_extensions(c->client);
	uint64_t size = smtp_client_size_max(c->client);

	return ((l->flags & MESSAGE_UTF8) == 0 || (knows & SMTP_EXT_SMTPUTF8) != 0) &&
	       (l->by_mode != BY_RETURN || (knows & SMTP_EXT_DELIVERBY) != 0) && (size == 0 || l->body.bytes.n <= size);
}

static bool suits(const struct delivery *d, const struct relay_connection *c)
{
	return c->config == d->config && c->trust == d->relay->trust && c->flags == POLICY_FLAGS(d->lease->flags) &&
	       str_equal(c->destination, d->lease->destination) && smtp_client_usable(c->client) &&
	       is_able(d->lease, c);
}

/* It may have been closed meanwhile, which says nothing about the server. */
static err try_kept(struct delivery *d, struct relay_connection **c)
{
	if (*c != NULL && !suits(d, *c)) {
		connection_quit(*c);
		*c = NULL;
	}
	if (*c == NULL)
		return OK;
	err e = use(d, c);
	if (e == E_TEMP)
		d->trouble = (struct trouble){0};
	return e == E_CANCELLED ? e : OK;
}

/* --- host by host --- */

struct search {
	struct delivery *d;
	struct hosts_question question;
	struct policy_question policy;
	struct relay_hosts hosts;
	unsigned chances;
};

static err try_connection(struct search *s, const struct relay_host *host, const struct relay_policy *policy,
                          struct relay_connection **c)
{
	struct delivery *d = s->d;
	struct connection_question q = {.relay = d->relay,
	                                .config = d->config,
	                                .way = &d->way,
	                                .host = host,
	                                .policy = policy,
	                                .flags = d->lease->flags,
	                                .destination = d->lease->destination,
	                                .session = d->session,
	                                .until = d->until,
	                                .busy = &d->busy,
	                                .chances = &s->chances,
	                                .arena = d->arena};
	struct trouble trouble;
	err e = connection_open(&q, c, &trouble);

	if (e == E_END) {
		note_error(d, hosts_loop(d->way.name));
		s->hosts.n = 0; /* those behind us are cut off */
		return OK;
	}
	if (e != OK) {
		note(d, &trouble);
		return e;
	}
	return use(d, c);
}

/* Returns E_CANCELLED or OK; what went wrong is noted. */
static err try_host(struct search *s, size_t i, struct relay_connection **c)
{
	const struct relay_host *host = &s->hosts.items[i];
	struct relay_policy policy;
	struct trouble trouble;
	err e = host->n == 0 ? host->why.code : policy_of_host(&s->policy, host, &policy);

	if (host->n == 0)
		(void)err_set(host->why.code, 0, host->why.status, "%s", host->why.text);
	if (e == OK) {
		e = try_connection(s, host, &policy, c);
	} else if (e != E_CANCELLED) {
		trouble_note(&trouble, s->d->arena, e);
		note(s->d, &trouble);
	}
	return e == E_CANCELLED ? e : OK;
}

static err try_hosts(struct search *s, struct relay_connection **c)
{
	struct delivery *d = s->d;
	err e = OK;

	for (size_t i = 0; i < s->hosts.n && undecided(d) > 0 && s->chances > 0 && rt_now() < d->until && e == OK; i++) {
		e = hosts_look_up(&s->question, &s->hosts, i);
		if (e != OK && e != E_CANCELLED)
			note_error(d, e);
		if (e == OK && i < s->hosts.n)
			e = try_host(s, i, c);
	}
	return e == E_CANCELLED ? e : OK;
}

static err search(struct delivery *d, struct relay_connection **c)
{
	struct search s = {
		.d = d,
		.question = {d->config, &d->relay->resolver, &d->way, d->arena, d->relay->source, d->relay->is_local},
		.policy = {.relay = d->relay, .way = &d->way, .flags = d->lease->flags, .arena = d->arena},
		.chances = CHANCES};
	err e = hosts_find(&s.question, &s.hosts);

	s.policy.hosts = &s.hosts;
	if (e == E_CANCELLED)
		return e;
	if (e != OK) {
		note_error(d, e);
		return OK;
	}
	return try_hosts(&s, c);
}

/* --- the end --- */

/* Nothing was tried, or nothing came of it where there was room. It goes on in a moment, and that counts as nothing. */
static bool put_off(struct delivery *d)
{
	if (!d->busy || undecided(d) < d->lease->rcpts_n)
		return false;
	d->put_off = true;
	d->destination_due = rt_wall() + BUSY_PAUSE;
	LOG(DEBUG, "relay.busy", LOG_ID("mid", d->lease->message), LOG_STR("destination", d->lease->destination));
	return true;
}

static void decide_rest(struct delivery *d)
{
	if (d->trouble.code == OK) {
		(void)err_set(E_TEMP, 0, "4.4.0", "No server took it, and none said why");
		note_error(d, E_TEMP);
	}
	for (size_t i = 0; i < d->lease->rcpts_n; i++)
		if (!d->decided[i])
			decide(d, i, outcome_of_trouble(d->lease->rcpts[i].rcpt, &d->trouble));
}

static void schedule(struct delivery *d)
{
	int64_t now = rt_wall();

	for (size_t i = 0; i < d->lease->rcpts_n; i++) {
		struct outcome *o = &d->outcomes[i];

		if (o->result != OUTCOME_LATER)
			continue;
		int64_t due = outcome_due(&d->config->queue, d->lease->rcpts[i].attempts, now, rt_random_u64());
		o->due = (uint64_t)due;
		if (!d->answered && (d->destination_due == 0 || due < d->destination_due))
			d->destination_due = due;
	}
}

/* A server may be slow at each step, but not at all of them: a deliverer is worth more, and so is the lease. */
static nsec time_for(str message)
{
	nsec time = TIME_MIN + (nsec)(message.n / RATE_MIN) * NSEC_PER_SEC;

	return time < TIME_MAX ? time : TIME_MAX;
}

err delivery_run(struct delivery *d, struct relay_connection **connection)
{
	size_t n = d->lease->rcpts_n;
	err e = OK;

	d->outcomes = arena_array(d->arena, n, sizeof(*d->outcomes));
	d->decided = arena_array(d->arena, n, sizeof(bool));
	d->handed_on = arena_array(d->arena, n, sizeof(bool));
	if (d->outcomes == NULL || d->decided == NULL || d->handed_on == NULL)
		return err_note(E_TEMP, "no memory for a delivery");
	if (is_over(d))
		return OK;
	d->until = rt_after(time_for(d->lease->body.bytes));
	sort_out_moved(d);
	if (undecided(d) > 0)
		e = try_kept(d, connection);
	if (e == OK && undecided(d) > 0)
		e = search(d, connection);
	if (e != OK || put_off(d))
		return e;
	decide_rest(d);
	schedule(d);
	return OK;
}

size_t delivery_keep_decided(struct delivery *d, struct lease_reply *kept)
{
	const struct lease_reply *l = d->lease;

	*kept = *l;
	kept->rcpts_n = 0;
	kept->rcpts = arena_array(d->arena, l->rcpts_n, sizeof(*kept->rcpts));
	for (size_t i = 0; i < l->rcpts_n && kept->rcpts != NULL; i++) {
		size_t at = kept->rcpts_n;

		if (!d->decided[i] || d->outcomes[i].result > OUTCOME_FAILED)
			continue;
		kept->rcpts[at] = l->rcpts[i];
		d->outcomes[at] = d->outcomes[i];
		d->handed_on[at] = d->handed_on[i];
		kept->rcpts_n++;
	}
	d->lease = kept;
	return kept->rcpts_n;
}
