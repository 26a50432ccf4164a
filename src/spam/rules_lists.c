/* SPDX-License-Identifier: ISC */
/* What the DNS says: lists of addresses and domains, and whether the client's name is there. All questions of a message are asked at the same time; those that are not
 * answered in time count nothing, and are named. */
#include "rt/together.h"
#include "spam/blocklist.h"
#include "spam/judging.h"

#define LISTS_TIME (5 * NSEC_PER_SEC)

enum { QUESTIONS_MAX = 20, DOMAINS_MAX = 12 };

enum purpose { ASK_HELO, ASK_LIST, ASK_TEST_LISTED, ASK_TEST_ABSENT };
struct question {
	enum purpose purpose;
	const struct config_blocklist *list;
	enum list_kind kind;
	str about; /* what is asked about, for people */
	struct list_question q;
};
struct asking {
	struct judging *j;
	nsec deadline;
	struct question questions[QUESTIONS_MAX];
	struct together_part parts[QUESTIONS_MAX];
	size_t n;
	bool left_out;
};

/* --- asking --- */

/* Has the name an address of any kind? */
static err ask_helo(struct list_question *q)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct dns_answer answer;
	struct net_address *addresses;
	size_t n = 0;
	err e = E_NOT_FOUND;

	for (size_t i = 0; i < ARRAY_LEN(families) && e == E_NOT_FOUND; i++)
		e = dns_addresses(q->resolver, q->name, families[i], 0, q->arena, q->deadline, &answer, &addresses, &n);
	q->answer = e == OK ? LIST_LISTED : e == E_NOT_FOUND ? LIST_ABSENT : LIST_UNKNOWN;
	return e == E_CANCELLED || e == E_LIMIT || e == E_MEMORY ? e : OK;
}

static err ask(void *ctx)
{
	struct question *q = ctx;

	return q->purpose == ASK_HELO ? ask_helo(&q->q) : blocklist_ask(&q->q);
}

static void add(struct asking *s, struct question q, str name)
{
	if (name.n == 0 || name.n > DNS_NAME_MAX)
		return;
	if (s->n == QUESTIONS_MAX) {
		s->left_out = true;
		return;
	}
	q.q = (struct list_question){
		.resolver = s->j->in->resolver, .deadline = s->deadline, .arena = &s->j->own, .name = name};
	s->questions[s->n] = q;
	s->parts[s->n] = (struct together_part){.name = "list", .fn = ask, .ctx = &s->questions[s->n]};
	s->n++;
}

/* A list that nobody has looked at for a while is looked at together with what is asked of it. False: it is not in order. */
static bool add_tests(struct asking *s, const struct config_blocklist *list, enum list_kind kind)
{
	enum list_state state = blocklist_state(list->zone, kind);
	struct arena *a = &s->j->own;

	if (state == LIST_UNUSABLE)
		judging_unknown(s->j, list->domains ? RULE_LIST_URIBL : RULE_LIST_DNSBL,
		                STR_FMT " does not list what it has to (RFC 5782 5), or more", STR_ARG(list->zone));
	if (state != LIST_UNCHECKED)
		return state == LIST_USABLE;
	add(s, (struct question){.purpose = ASK_TEST_LISTED, .list = list, .kind = kind},
	    blocklist_test_name(a, list->zone, kind, true));
	add(s, (struct question){.purpose = ASK_TEST_ABSENT, .list = list, .kind = kind},
	    blocklist_test_name(a, list->zone, kind, false));
	return true;
}

static void add_client(struct asking *s, const struct config_blocklist *list)
{
	const struct net_address *client = s->j->in->client;
	str name = client == NULL ? STR_NONE : blocklist_name_of_address(&s->j->own, client, list->zone);
	bool v6 = name.n > 64 + list->zone.n - 1;

	if (name.n > 0 && add_tests(s, list, v6 ? LIST_OF_V6 : LIST_OF_V4))
		add(s,
		    (struct question){.purpose = ASK_LIST,
		                      .list = list,
		                      .kind = v6 ? LIST_OF_V6 : LIST_OF_V4,
		                      .about = s->j->in->message->origin->client},
		    name);
}

/* --- domains of a message --- */

struct domains {
	struct {
		str name;
		bool address;
	} list[DOMAINS_MAX];
	size_t n;
};

static void add_domain(struct judging *j, struct domains *d, str host, bool address)
{
	str name = address ? host : judging_registered(arena_lower(&j->own, host));

	if (name.n == 0 || str_starts(name, STR("[")) || config_domain_find(j->in->config, name) != NULL)
		return;
	for (size_t i = 0; i < d->n; i++)
		if (str_equal(d->list[i].name, name))
			return;
	if (d->n == DOMAINS_MAX)
		return;
	d->list[d->n].name = name;
	d->list[d->n++].address = address;
}

static struct domains find_domains(struct judging *j)
{
	struct domains d = {.n = 0};

	if (j->in->author != NULL)
		add_domain(j, &d, j->in->author->domain, false);
	for (size_t i = 0; i < j->content.links_n; i++)
		add_domain(j, &d, j->content.links[i].host.name, j->content.links[i].host.address);
	return d;
}

static void add_domains(struct asking *s, const struct config_blocklist *list)
{
	struct domains d = find_domains(s->j);

	if (d.n == 0 || !add_tests(s, list, LIST_OF_DOMAINS))
		return;
	for (size_t i = 0; i < d.n; i++)
		add(s,
		    (struct question){
			    .purpose = ASK_LIST, .list = list, .kind = LIST_OF_DOMAINS, .about = d.list[i].name},
		    blocklist_name_of_host(&s->j->own, d.list[i].name, d.list[i].address, list->zone));
}

/* --- answers --- */

static const struct question *find_test(const struct asking *s, const struct question *of, enum purpose purpose)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->questions[i].purpose == purpose && s->questions[i].list == of->list &&
		    s->questions[i].kind == of->kind)
			return &s->questions[i];
	return NULL;
}

/* What was not answered at all says nothing about the list, and is asked again with the next message. */
static bool is_in_order(const struct asking *s, const struct question *q)
{
	const struct question *listed = find_test(s, q, ASK_TEST_LISTED), *absent = find_test(s, q, ASK_TEST_ABSENT);

	return listed == NULL || absent == NULL || (listed->q.answer == LIST_LISTED && absent->q.answer == LIST_ABSENT);
}

static void remember(const struct asking *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct question *q = &s->questions[i];
		const struct question *absent = q->purpose == ASK_TEST_LISTED ? find_test(s, q, ASK_TEST_ABSENT) : NULL;
		if (absent == NULL || (q->q.answer == LIST_UNKNOWN && q->q.text.n == 0))
			continue;
		blocklist_remember(q->list->zone, q->kind, is_in_order(s, q));
	}
}

static void say_list(struct judging *j, const struct asking *s, const struct question *q)
{
	enum rule rule = q->list->domains ? RULE_LIST_URIBL : RULE_LIST_DNSBL;

	if (q->q.answer == LIST_UNKNOWN)
		judging_unknown(j, rule, STR_FMT " in " STR_FMT ": " STR_FMT, STR_ARG(q->about), STR_ARG(q->list->zone),
		                STR_ARG(q->q.text));
	else if (q->q.answer == LIST_LISTED && !is_in_order(s, q))
		judging_unknown(j, rule, STR_FMT " does not list what it has to (RFC 5782 5), or more",
		                STR_ARG(q->list->zone));
	else if (q->q.answer == LIST_LISTED)
		judging_hit_points(j, rule, q->list->points, STR_FMT " in " STR_FMT ": " STR_FMT, STR_ARG(q->about),
		                   STR_ARG(q->list->zone), STR_ARG(q->q.text));
}

static void say(struct judging *j, const struct asking *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct question *q = &s->questions[i];
		if (q->purpose == ASK_LIST)
			say_list(j, s, q);
		else if (q->purpose == ASK_HELO && q->q.answer == LIST_ABSENT)
			judging_hit(j, RULE_HELO_UNKNOWN, STR_FMT, STR_ARG(q->about));
	}
	if (s->left_out)
		judging_unknown(j, RULE_LIST_URIBL, "there was more to ask than the %d questions of one message",
		                QUESTIONS_MAX);
}

err judge_lists(struct judging *j)
{
	const struct config *c = j->in->config;
	struct asking *s = arena_alloc(&j->own, sizeof *s);

	if (s == NULL)
		return err_note(E_LIMIT, "no memory to judge a message");
	if (j->in->resolver == NULL)
		return OK;
	nsec soon = rt_after(LISTS_TIME);
	s->j = j;
	s->deadline = soon < j->in->deadline ? soon : j->in->deadline;
	if (j->helo.n > 0)
		add(s, (struct question){.purpose = ASK_HELO, .about = j->helo}, j->helo);
	for (size_t i = 0; i < c->blocklists_n; i++)
		if (!c->blocklists[i].domains)
			add_client(s, &c->blocklists[i]);
	for (size_t i = 0; i < c->blocklists_n; i++)
		if (c->blocklists[i].domains)
			add_domains(s, &c->blocklists[i]);
	err e = s->n == 0 ? OK : together_run(s->parts, s->n);
	if (e != OK)
		return e;
	remember(s);
	say(j, s);
	return OK;
}
