/* SPDX-License-Identifier: ISC */
#include "relay/callout.h"

#include <stdlib.h>

#include "base/log.h"
#include "mail/address.h"
#include "relay/connection.h"

#define PATIENCE (5 * NSEC_PER_SEC) /* a client waits meanwhile */
#define KEEP_YES (300 * NSEC_PER_SEC)
#define KEEP_NO  (60 * NSEC_PER_SEC) /* somebody may just be given a mailbox */

enum { ANSWERS_MAX = 20000, ASKING_MAX = 200, CALLOUT_MEMORY = 1 << 20 };

struct answer {
	nsec until;
	bool yes;
	uint64_t reply;
	char status[12];
	char text[500];
};

/* --- what is remembered --- */

void callouts_init(struct callouts *c)
{
	*c = (struct callouts){0};
	map_init(&c->answers);
}

static void answers_free(struct callouts *c)
{
	size_t at = 0;
	str key;
	void *value;

	while (map_next(&c->answers, &at, &key, &value))
		free(value);
	map_free(&c->answers);
}

void callouts_free(struct callouts *c)
{
	answers_free(c);
}

/* All of them: it is a few minutes' memory. */
static void forget(struct callouts *c)
{
	answers_free(c);
	map_init(&c->answers);
}

static bool recall(struct callouts *c, str key, struct rcpt_answer *out, struct arena *a)
{
	const struct answer *known = map_get(&c->answers, key);

	if (known == NULL || known->until <= rt_now())
		return false;
	*out = (struct rcpt_answer){0};
	if (!known->yes)
		*out = (struct rcpt_answer){E_PERM, known->reply, arena_str(a, str_from(known->status)),
		                            arena_str(a, str_from(known->text)), 0};
	return true;
}

static void copy(char *to, size_t size, str text)
{
	str s = str_take(text, size - 1);

	if (s.n > 0)
		memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

static void remember(struct callouts *c, str key, const struct rcpt_answer *r)
{
	struct answer *known = map_get(&c->answers, key);

	if (r->code != OK && r->code != E_PERM)
		return;
	if (known == NULL && c->answers.count >= ANSWERS_MAX)
		forget(c);
	if (known == NULL) {
		known = calloc(1, sizeof(*known));
		if (known == NULL || map_put(&c->answers, key, known) != OK) {
			free(known);
			return;
		}
	}
	known->yes = r->code == OK;
	known->until = rt_after(known->yes ? KEEP_YES : KEEP_NO);
	known->reply = r->reply;
	copy(known->status, sizeof(known->status), r->status);
	copy(known->text, sizeof(known->text), r->text);
}

/* --- asking --- */

/* One question, in a coroutine of its own: when its answer comes too late for the client that waits, the next one has it. */
struct asking {
	struct relay *relay;
	struct asking *next, **prev; /* callouts->first */
	struct config *config;
	str key, address;
	struct config_hop hop;
	struct rcpt_answer answer;
	struct arena arena;
	struct co *co, *waiter; /* waiter: NULL when nobody waits any more */
	bool done;              /* `answer` is there */
	unsigned references;
};

static struct rcpt_answer later(void)
{
	return (struct rcpt_answer){
		.code = E_TEMP,
		.reply = 451,
		.status = STR("4.4.1"),
		.text = STR("The server of this domain cannot be asked at present; try again later")};
}

static void take_answer(struct asking *q, const struct smtp_send_rcpt *r)
{
	if (r->result == OK)
		q->answer = (struct rcpt_answer){0};
	else if (r->result == E_PERM || r->result == E_TEMP)
		q->answer = (struct rcpt_answer){r->result, (uint64_t)r->code, r->status, r->reply, 0};
	remember(&q->relay->callouts, q->key, &q->answer);
}

static err connect_to(struct asking *q, const struct relay_way *way, struct relay_connection **c)
{
	struct hosts_question find = {
		.config = q->config, .resolver = &q->relay->resolver, .way = way, .arena = &q->arena};
	struct relay_hosts hosts;
	struct policy_question policies = {.relay = q->relay, .way = way, .hosts = &hosts, .arena = &q->arena};
	struct relay_policy policy;
	struct trouble trouble;
	unsigned chances = 1;
	err e = hosts_find(&find, &hosts);

	if (e == OK)
		e = hosts_look_up(&find, &hosts, 0);
	if (e == OK)
		e = hosts.items[0].n > 0 ? policy_of_host(&policies, &hosts.items[0], &policy) : E_TEMP;
	if (e != OK)
		return e;
	return connection_open(&(struct connection_question){.relay = q->relay,
	                                                     .config = q->config,
	                                                     .way = way,
	                                                     .host = &hosts.items[0],
	                                                     .policy = &policy,
	                                                     .session = STR("callout"),
	                                                     .patience = PATIENCE,
	                                                     .chances = &chances,
	                                                     .arena = &q->arena},
	                       c, &trouble);
}

static void tell(struct asking *q)
{
	q->done = true;
	if (q->waiter != NULL)
		rt_wake(q->waiter);
}

/* The client is told before goodbyes are said. */
static void ask(struct asking *q)
{
	struct relay_way way = {NULL, &q->hop, q->hop.host, NULL};
	struct smtp_send_rcpt rcpt = {.address = q->address, .result = E_CLOSED};
	struct relay_connection *c = NULL;

	if (connect_to(q, &way, &c) == OK) {
		(void)!smtp_client_verify(c->client, STR_NONE, &rcpt, 1, &q->arena);
		take_answer(q, &rcpt);
	}
	tell(q);
	connection_quit(c);
}

static void asking_release(struct asking *q)
{
	if (--q->references > 0)
		return;
	config_release(q->config);
	arena_free(&q->arena);
	free(q);
}

static void ask_run(void *arg)
{
	struct asking *q = arg;

	ask(q);
	*q->prev = q->next;
	if (q->next != NULL)
		q->next->prev = q->prev;
	q->relay->callouts.asking--;
	asking_release(q);
}

/* NULL: too many, or no memory. */
static struct asking *asking_start(struct relay *r, const struct config_domain *domain, str key, str address)
{
	struct callouts *all = &r->callouts;
	struct asking *q = all->asking >= ASKING_MAX ? NULL : calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	*q = (struct asking){.relay = r,
	                     .next = all->first,
	                     .prev = &all->first,
	                     .hop = domain->hop,
	                     .answer = later(),
	                     .references = 2};
	q->config = config_hold(r->config); /* has what the hop names */
	q->arena = ARENA_INIT(CALLOUT_MEMORY);
	q->key = arena_str(&q->arena, key);
	q->address = arena_str(&q->arena, address);
	q->waiter = rt_self();
	q->co = rt_spawn(ask_run, q, "callout");
	if (q->co == NULL) {
		q->references = 1;
		asking_release(q);
		return NULL;
	}
	if (q->next != NULL)
		q->next->prev = &q->next;
	all->first = q;
	all->asking++;
	return q;
}

void callouts_stop(struct callouts *c)
{
	for (struct asking *q = c->first; q != NULL; q = q->next)
		rt_cancel(q->co);
	while (c->asking > 0)
		rt_yield();
}

/* Waits for the answer, but not for long. */
static err ask_and_wait(struct relay *r, const struct config_domain *domain, str key, str address,
                        struct rcpt_answer *out, struct arena *a)
{
	struct asking *q = asking_start(r, domain, key, address);
	nsec until = rt_after(PATIENCE);
	err e = OK;

	*out = later();
	if (q == NULL)
		return OK;
	while (e == OK && !q->done)
		e = rt_park(until);
	q->waiter = NULL;
	if (q->done)
		*out = (struct rcpt_answer){q->answer.code, q->answer.reply, arena_str(a, q->answer.status),
		                            arena_str(a, q->answer.text), 0};
	asking_release(q);
	return e == E_CANCELLED ? e : OK;
}

err relay_callout(struct relay *r, const struct callout_request *q, struct callout_reply *reply, struct arena *a)
{
	struct address address = {0};
	str local = STR_NONE, domain = STR_NONE;
	err parsed = address_parse(q->address, true, &address);

	if (parsed == OK)
		parsed = address_key(a, &address, &local, &domain);
	/* The inner server may tell alice from Alice. */
	str key = arena_printf(a, STR_FMT "@" STR_FMT, STR_ARG(address.local), STR_ARG(domain));
	const struct config_domain *inner = parsed == OK ? config_domain_find(r->config, domain) : NULL;

	reply->answers = arena_alloc(a, sizeof(*reply->answers));
	if (reply->answers == NULL)
		return err_set(E_LIMIT, 451, "4.3.0", "No memory for a recipient");
	reply->answers_n = 1;
	if (inner == NULL || !inner->relay) { /* the store has the new configuration, or the old one */
		*reply->answers = later();
		return OK;
	}
	err e = recall(&r->callouts, key, reply->answers, a)
	                ? OK
	                : ask_and_wait(r, inner, key, q->address, reply->answers, a);
	if (e == OK)
		LOG(DEBUG, "relay.callout", LOG_STR("to", q->address), LOG_NUM("code", reply->answers->reply),
		    LOG_STR("reply", reply->answers->text));
	return e;
}
