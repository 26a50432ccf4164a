/* SPDX-License-Identifier: ISC */
#include "role/children.h"

#include "role/dial.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#define CHILDREN_MEMORY ((size_t)256 << 10)
#define SEND_GRACE      (2 * NSEC_PER_SEC) /* at least, however long the edges took */

/* --- who there is --- */

static void child_closed(void *ctx, struct link *l)
{
	struct children *all = ctx;

	for (size_t i = 0; i < all->n; i++) {
		struct child *c = &all->items[i];

		if (c->link != l)
			continue;
		c->linked = c->up = false;
		child_changed(c);
	}
}

static err serve_relink(void *ctx, struct link *from, const void *request, void *reply UNUSED, struct arena *a UNUSED)
{
	const struct relink_request *q = request;
	struct children *all = ctx;

	for (size_t i = 0; i < all->n; i++)
		if (all->items[i].link == from)
			return child_relink(&all->items[i], q->sibling);
	return err_note(E_DENIED, "nobody knows you");
}

static err serve_dial(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a UNUSED)
{
	return dial_serve(((const struct children *)ctx)->config, request, reply);
}

/* Who reads the network gets no connection from here: only the filter has scanners. */
static const struct link_service *service_for(const struct children *all, const struct role_type *type)
{
	if (type == &role_store)
		return &all->for_store;
	return type == &role_filter ? &all->for_filter : &all->for_others;
}

static err child_init(struct children *all, const struct role_type *type, unsigned index)
{
	struct child *c = &all->items[all->n];

	*c = (struct child){.all = all, .type = type, .index = index, .pause = CHILD_PAUSE_FIRST};
	snprintf(c->name, sizeof(c->name), "%s-%u", type->name, index % 1000);
	c->link = link_new(c->name, service_for(all, type));
	all->n++;
	return c->link == NULL ? err_note(E_MEMORY, "no memory for the roles") : OK;
}

static err children_list(struct children *all, const struct role_type *type, uint64_t n)
{
	err e = OK;

	for (unsigned i = 0; i < n && e == OK; i++)
		e = child_init(all, type, i);
	return e;
}

/* In the order in which they start; each finds those that it calls. They end in the other order. */
static err children_list_all(struct children *all, const struct config *config)
{
	const struct {
		const struct role_type *type;
		uint64_t n;
	} list[] = {
		{&role_store, 1},
		{&role_keys, 1},
		{&role_resolve, 1},
		{&role_oauth, config->oauth.kind != OAUTH_NONE},
		{&role_send, 1},
		{&role_filter, config->filters},
		{&role_edge, config->edges},
	};
	err e = OK;

	for (size_t i = 0; i < ARRAY_LEN(list) && e == OK; i++)
		e = children_list(all, list[i].type, list[i].n);
	return e;
}

err children_init(struct children *all, struct config *config, bool single, link_handler admin, void *owner)
{
	*all = (struct children){.config = config, .single = single, .control_fd = -1, .owner = owner};
	all->memory = ARENA_INIT(CHILDREN_MEMORY);
	all->for_others = (struct link_service){.ctx = all, .closed = child_closed};
	all->for_others.handlers[CALL_relink] = serve_relink;
	all->for_store = all->for_filter = all->for_others;
	all->for_filter.handlers[CALL_dial] = serve_dial;
	all->for_store.handlers[CALL_admin] = admin;
	semaphore_init(&all->changes, 1);
	all->items = arena_array(&all->memory, 5 + config->edges + config->filters, sizeof(*all->items));
	if (all->items == NULL)
		return err_note(E_LIMIT, "too many processes are configured");
	return children_list_all(all, config);
}

/* --- all of them --- */

err children_start_store(struct children *all)
{
	return child_start(&all->items[0]);
}

struct link *children_store(const struct children *all)
{
	return all->items[0].link;
}

err children_start_others(struct children *all)
{
	err e = child_listen_all(&all->items[0]);

	for (size_t i = 1; i < all->n && e == OK; i++)
		e = child_start(&all->items[i]);
	return e;
}

err children_keep(struct children *all)
{
	err e = OK;

	for (size_t i = 0; i < all->n && e == OK; i++)
		e = tasks_start(&all->keepers, child_keep, &all->items[i], "keeper");
	return e;
}

static void log_change(const struct child *c, err e)
{
	if (e != OK)
		LOG(ERROR, "reload.failed", LOG_Z("name", c->name), LOG_Z("error", err_info()->text));
}

static void child_reconfigure(struct child *c, const struct listeners *old)
{
	const struct listeners *now = c->all->listeners;

	log_change(c, child_configure(c, false));
	if (c->type != &role_edge)
		return;
	for (size_t i = 0; i < now->n; i++) {
		const struct listener_socket *s = &now->items[i];
		if (!listeners_have(old, s))
			log_change(c, child_listen(c, service_name(s->service), s->text, s->fd));
	}
	for (size_t i = 0; i < old->n; i++) {
		const struct listener_socket *s = &old->items[i];
		if (!listeners_have(now, s))
			log_change(c, child_listen(c, service_name(s->service), s->text, -1));
	}
}

err children_reconfigure(struct children *all, const struct listeners *old)
{
	err e = semaphore_take(&all->changes, RT_NEVER);

	if (e != OK)
		return e;
	for (size_t i = 0; i < all->n; i++)
		if (all->items[i].up)
			child_reconfigure(&all->items[i], old);
	semaphore_give(&all->changes);
	return OK;
}

static err certify_some(struct children *all, bool trusts)
{
	err e = semaphore_take(&all->changes, RT_NEVER);

	if (e != OK)
		return e;
	for (size_t i = 0; i < all->n && e == OK; i++)
		if (all->items[i].up && all->items[i].type->trusts == trusts)
			e = child_certify(&all->items[i]);
	semaphore_give(&all->changes);
	return e;
}

err children_certify(struct children *all)
{
	return certify_some(all, false);
}

err children_certify_more(struct children *all, const struct domain_key *keys, size_t n)
{
	err e = semaphore_take(&all->changes, RT_NEVER);

	if (e != OK)
		return e;
	for (size_t i = 0; i < all->n && e == OK; i++)
		if (all->items[i].up)
			e = child_certify_more(&all->items[i], keys, n);
	semaphore_give(&all->changes);
	return e;
}

err children_trust(struct children *all)
{
	return certify_some(all, true);
}

void children_reap(struct children *all)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < all->n; i++) {
			struct child *c = &all->items[i];

			if (c->pid != pid)
				continue;
			c->pid = 0;
			c->status = status;
			c->alive = false;
			child_changed(c);
		}
	}
}

static void drain_run(void *arg)
{
	struct child *c = arg;
	struct shutdown_reply r;
	ARENA(a, 4096);

	(void)!call_shutdown(c->link, &(struct shutdown_request){c->all->grace_ms}, &r, &a,
	                     rt_after((nsec)c->all->grace_ms * NSEC_PER_MSEC + CHILD_CALL_TIME));
}

/* All of one role, at the same time. */
static void drain(struct children *all, const struct role_type *type, nsec grace)
{
	struct tasks drains = {0};

	all->grace_ms = (uint64_t)(grace / NSEC_PER_MSEC);
	for (size_t i = 0; i < all->n; i++)
		if (all->items[i].type == type && tasks_start(&drains, drain_run, &all->items[i], "drain") != OK)
			LOG(WARN, "stop.undrained", LOG_Z("name", all->items[i].name));
	if (tasks_wait(&drains, RT_NEVER) != OK)
		tasks_stop(&drains);
}

void children_stop(struct children *all, nsec grace)
{
	nsec until = rt_after(grace);

	tasks_stop(&all->keepers);
	drain(all, &role_edge, grace);
	nsec left = until - rt_now();
	drain(all, &role_send, left > SEND_GRACE ? left : SEND_GRACE);
	for (size_t i = all->n; i > 0; i--)
		child_end(&all->items[i - 1]);
}

void children_kill(struct children *all)
{
	for (size_t i = 0; i < all->n; i++)
		child_signal(&all->items[i], SIGKILL);
}

void children_free(struct children *all)
{
	tasks_stop(&all->keepers);
	for (size_t i = all->n; i > 0; i--) {
		struct child *c = &all->items[i - 1];

		link_free(c->link);
		child_signal(c, SIGKILL);
		if (c->pid > 0)
			waitpid(c->pid, NULL, 0);
	}
	tasks_stop(&all->roles);
	arena_free(&all->memory);
}

/* --- what each can do --- */

static err security_add(struct admin_reply *reply, struct arena *a, const struct security_reply *r)
{
	struct row *rows = arena_array(a, reply->rows_n + r->rows_n, sizeof(*rows));

	if (rows == NULL)
		return err_note(E_MEMORY, "no memory for the report");
	for (size_t i = 0; i < reply->rows_n; i++)
		rows[i] = reply->rows[i];
	for (size_t i = 0; i < r->rows_n; i++)
		rows[reply->rows_n + i] = r->rows[i];
	reply->rows = rows;
	reply->rows_n += r->rows_n;
	return OK;
}

err children_security(struct children *all, struct admin_reply *reply, struct arena *a)
{
	const struct security_request request = {};
	struct security_reply r;
	err e = security_report("monitor", &r, a);

	if (e == OK)
		e = security_add(reply, a, &r);
	for (size_t i = 0; i < all->n && e == OK; i++)
		if (call_security(all->items[i].link, &request, &r, a, rt_after(CHILD_CALL_TIME)) == OK)
			e = security_add(reply, a, &r);
	return e;
}
