/* SPDX-License-Identifier: ISC */
#include "filter/state.h"

#include "conf/network.h"
#include "mail/own_domain.h"
#include "mail/inspect.h"

enum { HEADERS_MAX = 256 << 10 };

/* --- whose mail it is --- */

static bool is_lmtp(str protocol)
{
	return str_starts(protocol, STR("LMTP")) || str_starts(protocol, STR("UTF8LMTP"));
}

static bool may_relay(const struct config *c, const struct net_address *client)
{
	for (size_t i = 0; i < c->relay_from_n; i++)
		if (network_contains(&c->relay_from[i], client))
			return true;
	return false;
}

static bool some_is_here(const struct config *c, const struct inspect_request *q)
{
	for (size_t i = 0; i < q->rcpts_n; i++)
		if (own_domain(c, q->rcpts[i].address) != NULL)
			return true;
	return false;
}

enum source pass_source(const struct config *c, const struct inspect_request *q, struct net_address *client)
{
	str host = q->origin_n == 1 ? q->origin->client : STR_NONE;

	if (network_host(host, 0, client) != OK)
		*client = str_equal(host, STR("unix"))
		                  ? (struct net_address){.sa.ss_family = AF_UNIX, .n = sizeof(sa_family_t)}
		                  : (struct net_address){0};
	if ((q->flags & MESSAGE_SUBMISSION) != 0 || q->account != 0)
		return SOURCE_OURS;
	if (q->origin_n == 1 && is_lmtp(q->origin->protocol))
		return SOURCE_FRONT;
	if (client->n > 0 && may_relay(c, client))
		return some_is_here(c, q) ? SOURCE_FRONT : SOURCE_OURS;
	return SOURCE_OTHERS;
}

/* --- the message as it is now --- */

str pass_message(const struct pass *p)
{
	return (p->scan.changed & CHANGED_BODY) != 0 ? p->scan.new_body.bytes : p->request->body.bytes;
}

str pass_before(const struct pass *p)
{
	return (p->scan.changed & CHANGED_BODY) != 0 ? p->request->body.bytes : STR_NONE;
}

const struct rcpt *pass_rcpts(const struct pass *p, size_t *n)
{
	bool changed = (p->scan.changed & CHANGED_RCPTS) != 0;

	*n = changed ? p->scan.new_rcpts_n : p->request->rcpts_n;
	return changed ? p->scan.new_rcpts : p->request->rcpts;
}

err pass_look(struct pass *p)
{
	const struct inspect_options options = {
		.hops = p->config->limits.hops, .hostname = p->config->hostname, .at = p->now};
	struct inspect_request q = *p->request;

	q.body = BODY_OF(pass_message(p));
	*p->reply = (struct inspect_reply){.new_body = BODY_OF(STR_NONE)};
	return inspect_message(&q, &options, p->reply, p->arena);
}

/* --- what is said of it --- */

err pass_put_headers(struct pass *p, str fields)
{
	BUF(all, HEADERS_MAX);

	buf_put(&all, fields);
	buf_put(&all, p->reply->headers);
	p->reply->headers = arena_str(p->arena, buf_str(&all));
	return all.full || p->arena->full ? err_set(E_LIMIT, 451, "4.3.1", "Out of memory for this message") : OK;
}

void pass_refuse(struct pass *p, err code, uint64_t reply, str status, str text)
{
	p->reply->code = code;
	p->reply->reply = reply;
	p->reply->status = status;
	p->reply->text = text;
}

struct judgement *pass_judgement(struct pass *p)
{
	struct judgement *j = arena_alloc(p->arena, sizeof(*j));

	if (j == NULL)
		return NULL;
	*j = (struct judgement){.findings = arena_str(p->arena, buf_str(&p->findings))};
	p->reply->judgement = j;
	p->reply->judgement_n = 1;
	return j;
}

/* --- scanners --- */

static void take_changes(struct pass *p)
{
	struct inspect_reply *r = p->reply;

	r->changed = p->scan.changed;
	r->new_sender = p->scan.new_sender;
	r->new_rcpts = p->scan.new_rcpts;
	r->new_rcpts_n = p->scan.new_rcpts_n;
	if ((p->scan.changed & CHANGED_BODY) != 0)
		r->new_body = p->scan.new_body;
}

static bool is_asked(const struct config *c, bool ours)
{
	for (size_t i = 0; i < c->scanners_n; i++)
		if ((c->scanners[i].mail & (ours ? SCANNER_OUT : SCANNER_IN)) != 0)
			return true;
	return false;
}

/* To where this process can go it goes by itself. */
static err dial(void *ctx, const struct config_scanner *scanner, nsec deadline, int *fd)
{
	const struct filter *f = ctx;
	const struct dial_request q = {.address = scanner->text};
	struct dial_reply r = {.socket = -1};
	ARENA(a, 4096);

	if (f->monitor == NULL || scanner->address.sa.ss_family != AF_UNIX)
		return net_connect(&scanner->address, NULL, fd, deadline);
	err e = call_dial(f->monitor, &q, &r, &a, deadline);
	if (e == OK && r.socket < 0)
		return err_note(E_TEMP, "no connection to " STR_FMT, STR_ARG(scanner->text));
	*fd = r.socket;
	return e;
}

static nsec scan_time(const struct config *c)
{
	nsec time = 0;

	for (size_t i = 0; i < c->scanners_n; i++)
		time += c->scanners[i].timeout;
	return time;
}

err pass_scan(struct pass *p)
{
	bool ours = p->source == SOURCE_OURS;
	const struct scan_input in = {.config = p->config,
	                              .message = p->request,
	                              .ours = ours,
	                              .client_name = p->client_name,
	                              .deadline = rt_after(scan_time(p->config)),
	                              .dial = dial,
	                              .ctx = p->filter};

	if (!is_asked(p->config, ours))
		return OK;
	err e = scan_message(&in, &p->findings, p->arena, &p->scan);
	/* What was seen of the old one is seen of the new one. */
	if (e == OK && (p->scan.changed & CHANGED_BODY) != 0)
		e = pass_look(p);
	if (e == OK)
		take_changes(p);
	else
		body_release(&p->scan.new_body);
	return e;
}
