/* SPDX-License-Identifier: ISC */
#include "role/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "role/confine.h"
#include "role/role.h"

#define PROCESS_MEMORY ((size_t)1 << 20)
#define RELINK_FIRST   (1 * NSEC_PER_SEC)
#define RELINK_MAX     (60 * NSEC_PER_SEC)
#define RELINK_TIME    (30 * NSEC_PER_SEC)

struct sibling {
	struct sibling *next;
	struct process *process;
	struct link *link; /* its peer is the sibling's name */
	bool broke;        /* it was up, and ended at least once */
};

const struct role_type *role_find(const char *name)
{
	static const struct role_type *const types[] = {&role_edge,    &role_filter, &role_keys, &role_oauth,
	                                                &role_resolve, &role_send,   &role_store};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i]->name, name) == 0)
			return types[i];
	return NULL;
}

/* --- links that break though both live: the monitor makes another one, for it cannot see that --- */

/* One of the two asks for it. */
static bool is_ours_to_mend(const struct process *p, const struct sibling *s)
{
	return s->broke && !link_up(s->link) && strcmp(p->name, link_peer(s->link)) < 0;
}

static bool any_to_mend(const struct process *p)
{
	const struct sibling *s = p->siblings;

	while (s != NULL && !is_ours_to_mend(p, s))
		s = s->next;
	return s != NULL;
}

static void relink_all(struct process *p)
{
	for (const struct sibling *s = p->siblings; s != NULL; s = s->next) {
		struct relink_request q = {str_from(link_peer(s->link))};
		struct relink_reply r;
		ARENA(a, 4096);

		if (is_ours_to_mend(p, s))
			(void)!call_relink(p->monitor, &q, &r, &a, rt_after(RELINK_TIME)); /* and again later */
	}
}

/* A sibling that died is linked to us when it is back, usually at once. */
static void relink_run(void *arg)
{
	struct process *p = arg;
	nsec pause = RELINK_FIRST;

	while (any_to_mend(p) && rt_sleep_until(rt_after(pause)) == OK) {
		relink_all(p);
		pause = pause * 2 < RELINK_MAX ? pause * 2 : RELINK_MAX;
	}
}

static void link_ended(void *ctx)
{
	struct sibling *s = ctx;
	struct process *p = s->process;

	s->broke = true;
	if (p->relinking.n == 0 && !p->monitor_gone && tasks_start(&p->relinking, relink_run, p, "relink") != OK)
		LOG(ERROR, "role.relink", LOG_Z("name", p->name), LOG_Z("error", err_info()->text));
}

/* --- siblings --- */

struct link *process_sibling(struct process *p, str role, unsigned index)
{
	char name[PROCESS_NAME_MAX];

	snprintf(name, sizeof(name), STR_FMT "-%u", STR_ARG(str_take(role, 10)), index);
	for (struct sibling *s = p->siblings; s != NULL; s = s->next)
		if (strcmp(link_peer(s->link), name) == 0)
			return s->link;
	struct sibling *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->link = link_new(name, p->type->service == NULL ? NULL : p->type->service(p, role));
	if (s->link == NULL) {
		free(s);
		return NULL;
	}
	s->process = p;
	link_watch(s->link, link_ended, s);
	s->next = p->siblings;
	p->siblings = s;
	if (p->type->attached != NULL)
		p->type->attached(p, role, s->link);
	return s->link;
}

/* --- what the monitor calls --- */

static void set_log(const struct process *p)
{
	if (!p->single)
		log_setup(p->name, p->config->log_level, p->config->log_json);
}

/* The first configuration: from here on the process can do what its role needs and no more. */
static err begin(struct process *p, struct configure_reply *r, struct arena *a)
{
	BUF(missing, 4096);
	err e = OK;

	p->own_root = !p->single && geteuid() == 0;
	if (!p->single)
		e = confine(p->config, p->type, &missing);
	if (e == OK && p->type->start != NULL)
		e = p->type->start(p);
	r->missing = arena_str(a, buf_str(&missing));
	return e;
}

static err serve_configure(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	struct process *p = ctx;
	const struct configure_request *q = request;
	struct config_faults faults = {.text = BUF_INIT(4096)};
	struct config *old = p->config, *config = config_parse(q->text, "configuration", &faults);

	if (config == NULL) {
		err e = err_note(E_SYNTAX, STR_FMT, STR_ARG(buf_str(&faults.text)));
		buf_free(&faults.text);
		return e;
	}
	buf_free(&faults.text);
	p->config = config;
	set_log(p);
	if (old == NULL)
		return begin(p, reply, a);
	if (p->type->configured != NULL)
		p->type->configured(p);
	config_release(old);
	return OK;
}

static int keep(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static err serve_attach(void *ctx, struct link *from UNUSED, const void *request, void *reply UNUSED,
                        struct arena *a UNUSED)
{
	const struct attach_request *q = request;
	struct link *l = process_sibling(ctx, q->role, (unsigned)q->index);
	int stream = l == NULL ? -1 : keep(q->stream), descriptors = l == NULL ? -1 : keep(q->descriptors);

	if (stream >= 0 && descriptors >= 0)
		return link_attach(l, stream, descriptors);
	close(stream);
	close(descriptors);
	return err_note(E_MEMORY, "no descriptors or memory for a link");
}

static err serve_listen(void *ctx, struct link *from UNUSED, const void *request, void *reply UNUSED,
                        struct arena *a UNUSED)
{
	struct process *p = ctx;
	const struct listen_request *q = request;

	if (p->type->listen == NULL)
		return err_note(E_DENIED, "%s does not listen", p->name);
	if (q->socket < 0)
		return p->type->listen(p, q->service, q->address, -1);
	int fd = keep(q->socket);
	return fd < 0 ? err_note(E_MEMORY, "no descriptor") : p->type->listen(p, q->service, q->address, fd);
}

static err serve_certify(void *ctx, struct link *from UNUSED, const void *request, void *reply UNUSED,
                         struct arena *a UNUSED)
{
	struct process *p = ctx;

	if (p->type->certify == NULL || p->state == NULL)
		return err_note(E_DENIED, "%s has no use for certificates and files", p->name);
	return p->type->certify(p, request);
}

static err serve_shutdown(void *ctx, struct link *from UNUSED, const void *request, void *reply UNUSED,
                          struct arena *a UNUSED)
{
	struct process *p = ctx;
	const struct shutdown_request *q = request;

	if (p->type->drain != NULL)
		p->type->drain(p, rt_after((nsec)(q->grace_ms % 1000000) * NSEC_PER_MSEC));
	return OK;
}

static err serve_security(void *ctx, struct link *from UNUSED, const void *request UNUSED, void *reply, struct arena *a)
{
	return security_report(((struct process *)ctx)->name, reply, a);
}

static void monitor_closed(void *ctx, struct link *l UNUSED)
{
	struct process *p = ctx;

	p->monitor_gone = true;
	rt_wake(p->main);
}

/* --- its life --- */

static void stop(struct process *p)
{
	p->monitor_gone = true;
	tasks_stop(&p->relinking);
	if (p->state != NULL && p->type->stop != NULL)
		p->type->stop(p);
	link_free(p->monitor); /* first: what it calls makes siblings and links to them */
	while (p->siblings != NULL) {
		struct sibling *s = p->siblings;
		p->siblings = s->next;
		link_free(s->link);
		free(s);
	}
	if (p->state != NULL && p->type->close != NULL)
		p->type->close(p);
	config_release(p->config);
	arena_free(&p->memory);
}

err process_run(const struct role_type *type, unsigned index, bool single, int stream_fd, int descriptors_fd)
{
	struct process p = {.type = type, .index = index, .single = single, .main = rt_self()};

	p.memory = ARENA_INIT(PROCESS_MEMORY);
	snprintf(p.name, sizeof(p.name), "%s-%u", type->name, index % 1000);
	p.control = (struct link_service){.ctx = &p, .closed = monitor_closed};
	p.control.handlers[CALL_configure] = serve_configure;
	p.control.handlers[CALL_attach] = serve_attach;
	p.control.handlers[CALL_listen] = serve_listen;
	p.control.handlers[CALL_certify] = serve_certify;
	p.control.handlers[CALL_shutdown] = serve_shutdown;
	p.control.handlers[CALL_security] = serve_security;
	p.monitor = link_new("monitor", &p.control);
	if (p.monitor == NULL)
		return err_note(E_MEMORY, "no memory for a role");
	err e = link_attach(p.monitor, stream_fd, descriptors_fd);
	while (e == OK && !p.monitor_gone)
		e = rt_park(RT_NEVER);
	stop(&p);
	return e;
}

struct child_main {
	const struct role_type *type;
	unsigned index;
	err result;
};

static void child_main(void *arg)
{
	struct child_main *c = arg;

	c->result = process_run(c->type, c->index, false, PROCESS_STREAM_FD, PROCESS_DESCRIPTORS_FD);
}

int role_child(const char *name, unsigned index)
{
	/* A terminal's ^C and a service manager's SIGTERM go to every process: only the monitor says when it is over. */
	static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};
	struct child_main c = {.type = role_find(name), .index = index};
	static char title[PROCESS_NAME_MAX];

	if (c.type == NULL)
		return EX_USAGE;
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		signal(ignored[i], SIG_IGN);
	snprintf(title, sizeof(title), "%s-%u", c.type->name, index);
	prctl(PR_SET_NAME, title);
	log_setup(title, LOG_LEVEL_INFO, false);
	err e = rt_run(child_main, &c);
	return e == OK && c.result == OK ? EX_OK : EX_OSERR;
}
