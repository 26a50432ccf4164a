/* SPDX-License-Identifier: ISC */
#include "role/children.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "role/spawn.h"

#define CHILDREN_MEMORY   ((size_t)256 << 10)
#define CONFIG_MAX        ((size_t)900 << 10)
#define PAUSE_FIRST       (50 * NSEC_PER_MSEC)
#define PAUSE_MAX         (10 * NSEC_PER_SEC)
#define LIFE_GOOD         (30 * NSEC_PER_SEC)
#define CONFIGURE_TIME    (600 * NSEC_PER_SEC) /* the store may have much to repair */
#define CALL_TIME         (10 * NSEC_PER_SEC)
#define EXIT_TIME         (5 * NSEC_PER_SEC)
#define EXIT_TIME_STORE   (60 * NSEC_PER_SEC)  /* it finishes what it writes */

/* --- who there is --- */

static void child_changed(struct child *c)
{
	if (c->awaited_by != NULL)
		rt_wake(c->awaited_by);
}

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

static err child_init(struct children *all, const struct role_type *type, unsigned index)
{
	struct child *c = &all->items[all->n];

	*c = (struct child){.all = all, .type = type, .index = index, .pause = PAUSE_FIRST};
	snprintf(c->name, sizeof(c->name), "%s-%u", type->name, index % 1000);
	c->link = link_new(c->name, type == &role_store ? &all->for_store : &all->for_others);
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

err children_init(struct children *all, struct config *config, bool single, link_handler admin, void *owner)
{
	*all = (struct children){.config = config, .single = single, .control_fd = -1, .owner = owner};
	all->memory = ARENA_INIT(CHILDREN_MEMORY);
	all->for_others = (struct link_service){.ctx = all, .closed = child_closed};
	all->for_store = all->for_others;
	all->for_store.handlers[CALL_admin] = admin;
	semaphore_init(&all->changes, 1);
	all->items = arena_array(&all->memory, 2 + config->edges + config->filters, sizeof(*all->items));
	if (all->items == NULL)
		return err_note(E_LIMIT, "too many processes are configured");
	err e = children_list(all, &role_store, 1);
	if (e == OK)
		e = children_list(all, &role_keys, 1);
	if (e == OK)
		e = children_list(all, &role_filter, config->filters);
	return e == OK ? children_list(all, &role_edge, config->edges) : e;
}

/* --- starting one --- */

/* A role that shares this process. */
struct single_role {
	struct child *child;
	struct link_sockets sockets; /* its end is [1] */
};

static void single_run(void *arg)
{
	struct single_role *s = arg;
	struct child *c = s->child;

	(void)!process_run(c->type, c->index, true, s->sockets.stream[1], s->sockets.descriptors[1]);
	free(s);
	c->alive = false;
	child_changed(c);
}

static err single_start(struct child *c, struct link_sockets *sockets)
{
	struct single_role *s = calloc(1, sizeof(*s));

	if (s == NULL || tasks_start(&c->all->roles, single_run, s, c->type->name) != OK) {
		free(s);
		return err_note(E_MEMORY, "no memory to start %s", c->name);
	}
	*s = (struct single_role){c, *sockets};
	sockets->stream[1] = sockets->descriptors[1] = -1; /* the role's now */
	return OK;
}

static err child_launch(struct child *c)
{
	struct link_sockets s;
	err e = link_sockets_open(&s);

	if (e != OK)
		return e;
	if (c->all->single)
		e = single_start(c, &s);
	else
		e = spawn_role(c->name, c->type->name, c->index, s.stream[1], s.descriptors[1], &c->pid);
	link_sockets_close(&s, 1);
	if (e != OK) {
		link_sockets_close(&s, 0);
		return e;
	}
	c->alive = c->linked = true;
	c->started = rt_now();
	LOG(INFO, "role.start", LOG_Z("name", c->name), LOG_NUM("pid", c->pid));
	return link_attach(c->link, s.stream[0], s.descriptors[0]);
}

static void tell_missing(struct children *all, str missing)
{
	if (missing.n > 0 && !all->missing_told)
		LOG(WARN, "confine.missing", LOG_STR("what", missing));
	all->missing_told |= missing.n > 0;
}

static err child_configure(struct child *c, bool first)
{
	struct configure_reply reply;
	ARENA(a, 64 << 10);
	BUF(text, CONFIG_MAX);

	config_dump(c->all->config, &text);
	if (text.full)
		return err_note(E_LIMIT, "the configuration is too large");
	err e = call_configure(c->link, &(struct configure_request){buf_str(&text), first}, &reply, &a, rt_after(CONFIGURE_TIME));
	if (e == OK)
		tell_missing(c->all, reply.missing);
	return e;
}

/* --- links between two --- */

static bool are_linked(const struct child *a, const struct child *b)
{
	static const struct role_type *const pairs[][2] = {
		{&role_edge, &role_store},
		{&role_edge, &role_filter},
		{&role_edge, &role_keys},
		{&role_keys, &role_store},
	};

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if ((a->type == pairs[i][0] && b->type == pairs[i][1]) || (a->type == pairs[i][1] && b->type == pairs[i][0]))
			return true;
	return false;
}

static err attach(struct child *to, const struct child *sibling, int stream, int descriptors)
{
	struct attach_request q = {str_from(sibling->type->name), sibling->index, stream, descriptors};
	struct attach_reply r;
	ARENA(a, 4096);

	return call_attach(to->link, &q, &r, &a, rt_after(CALL_TIME));
}

static err connect_two(struct child *a, struct child *b)
{
	struct link_sockets s;
	err e = link_sockets_open(&s);

	if (e == OK)
		e = attach(a, b, s.stream[0], s.descriptors[0]);
	if (e == OK)
		e = attach(b, a, s.stream[1], s.descriptors[1]);
	link_sockets_close(&s, 0);
	link_sockets_close(&s, 1);
	return e;
}

/* When the other one dies on the way, it is connected when it comes back. */
static err child_connect(struct child *c)
{
	struct children *all = c->all;

	for (size_t i = 0; i < all->n && c->linked; i++) {
		struct child *other = &all->items[i];

		if (other == c || !other->up || !are_linked(c, other))
			continue;
		err e = connect_two(c, other);
		if (e != OK)
			LOG(WARN, "role.connect", LOG_Z("name", c->name), LOG_Z("to", other->name), LOG_Z("error", err_info()->text));
		if (e == E_CANCELLED)
			return e;
	}
	return c->linked ? OK : err_note(E_TEMP, "%s died while it was connected", c->name);
}

/* --- what it listens on --- */

static err child_listen(struct child *c, const char *service, const char *address, int fd)
{
	struct listen_request q = {str_from(service), str_from(address), fd};
	struct listen_reply r;
	ARENA(a, 4096);

	return call_listen(c->link, &q, &r, &a, rt_after(CALL_TIME));
}

static err child_listen_all(struct child *c)
{
	const struct listeners *l = c->all->listeners;
	err e = OK;

	if (c->type == &role_store && c->all->control_fd >= 0)
		return child_listen(c, "control", "", c->all->control_fd);
	for (size_t i = 0; c->type == &role_edge && i < l->n && e == OK; i++)
		e = child_listen(c, service_name(l->items[i].service), l->items[i].text, l->items[i].fd);
	return e;
}

/* --- its life --- */

static void child_signal(struct child *c, int signal)
{
	if (c->pid > 0)
		kill(c->pid, signal);
}

/* Until it has ended. E_TIMEOUT, E_CANCELLED. */
static err child_wait(struct child *c, nsec deadline)
{
	err e = OK;

	c->awaited_by = rt_self();
	while (e == OK && c->alive)
		e = rt_park(deadline);
	c->awaited_by = NULL;
	return e;
}

/* Its link is closed: that tells it to end. */
static void child_end(struct child *c, nsec time)
{
	link_detach(c->link);
	err e = child_wait(c, rt_after(time));
	if (e == OK)
		return;
	child_signal(c, SIGKILL);
	if (e == E_TIMEOUT)
		(void)!child_wait(c, rt_after(EXIT_TIME));
}

static err child_begin(struct child *c)
{
	err e = child_launch(c);

	if (e == OK)
		e = child_configure(c, true);
	c->up = e == OK && c->linked;
	if (e == OK)
		e = child_connect(c);
	return e == OK ? child_listen_all(c) : e;
}

static err child_start(struct child *c)
{
	struct children *all = c->all;
	err e = semaphore_take(&all->changes, RT_NEVER);

	if (e != OK)
		return e;
	e = child_begin(c);
	if (e != OK) {
		struct err_info why = *err_info();
		child_end(c, EXIT_TIME);
		semaphore_give(&all->changes);
		return err_set(why.code, why.reply, NULL, "%s", why.text);
	}
	semaphore_give(&all->changes);
	return OK;
}

static void log_exit(struct child *c)
{
	const char *how = WIFSIGNALED(c->status) ? "signal" : "status";

	LOG(WARN, "role.exit", LOG_Z("name", c->name),
	    LOG_NUM(how, WIFSIGNALED(c->status) ? WTERMSIG(c->status) : WEXITSTATUS(c->status)));
}

static err child_restart(struct child *c)
{
	if (rt_now() - c->started >= LIFE_GOOD)
		c->pause = PAUSE_FIRST;
	err e = rt_sleep_until(rt_after(c->pause));
	if (e != OK)
		return e;
	c->pause = c->pause * 2 < PAUSE_MAX ? c->pause * 2 : PAUSE_MAX;
	e = child_start(c);
	if (e != OK && e != E_CANCELLED)
		LOG(ERROR, "role.failed", LOG_Z("name", c->name), LOG_Z("error", err_info()->text));
	return e == E_CANCELLED ? e : OK;
}

/* A process whose link has ended is as good as dead, and helped along. */
static err child_wait_or_kill(struct child *c)
{
	err e = OK;

	c->awaited_by = rt_self();
	while (e == OK && c->alive && c->linked)
		e = rt_park(RT_NEVER);
	c->awaited_by = NULL;
	if (e == OK)
		child_end(c, c->type == &role_store ? EXIT_TIME_STORE : EXIT_TIME);
	return e;
}

static void keeper_run(void *arg)
{
	struct child *c = arg;
	err e = OK;

	while (e == OK) {
		e = child_wait_or_kill(c);
		if (e == OK)
			log_exit(c);
		while (e == OK && !c->alive)
			e = child_restart(c);
	}
}

/* --- all of them --- */

err children_start_store(struct children *all)
{
	return child_start(&all->items[0]);
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
		e = tasks_start(&all->keepers, keeper_run, &all->items[i], "keeper");
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
	                     rt_after((nsec)c->all->grace_ms * NSEC_PER_MSEC + EXIT_TIME));
}

void children_stop(struct children *all, nsec grace)
{
	struct tasks drains = {0};

	tasks_stop(&all->keepers);
	all->grace_ms = (uint64_t)(grace / NSEC_PER_MSEC);
	for (size_t i = 0; i < all->n; i++)
		if (all->items[i].type == &role_edge && tasks_start(&drains, drain_run, &all->items[i], "drain") != OK)
			LOG(WARN, "stop.undrained", LOG_Z("name", all->items[i].name));
	if (tasks_wait(&drains, RT_NEVER) != OK)
		tasks_stop(&drains);
	for (size_t i = all->n; i > 0; i--)
		child_end(&all->items[i - 1], i == 1 ? EXIT_TIME_STORE : EXIT_TIME);
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
	struct security_reply r;
	err e = security_report("monitor", &r, a);

	if (e == OK)
		e = security_add(reply, a, &r);
	for (size_t i = 0; i < all->n && e == OK; i++)
		if (call_security(all->items[i].link, &(struct security_request){}, &r, a, rt_after(CALL_TIME)) == OK)
			e = security_add(reply, a, &r);
	return e;
}
