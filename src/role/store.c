/* SPDX-License-Identifier: ISC */
#include "role/store.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "role/process.h"
#include "role/tasks.h"
#include "store/lesson.h"
#include "store/queue.h"

struct store_role {
	struct store *store;
	struct link_service for_edge, for_keys, for_send, for_filter;
	struct link *monitor;
	struct rt_fd control;
	struct tasks tasks; /* one that accepts, one for each command connected */
	uid_t folder_owner;
};

/* --- what siblings call; the ctx of their services is the store --- */

static err serve_rcpt_check(void *s, struct link *from, const void *request, void *reply, struct arena *a)
{
	return store_rcpt_check(s, link_peer(from), request, reply, a);
}

static err serve_accept(void *s, struct link *from, const void *request, void *reply, struct arena *a)
{
	return store_accept(s, link_peer(from), request, reply, a);
}

static err serve_accept_own(void *s, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	return store_accept_own(s, request, reply, a);
}

static err serve_refuse(void *s, struct link *from UNUSED, const void *request, void *reply UNUSED,
                        struct arena *a UNUSED)
{
	return store_refuse(s, request);
}

static err serve_credential(void *s, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	return store_credential(s, request, reply, a);
}

static err serve_grant(void *s, struct link *from UNUSED, const void *request, void *reply UNUSED,
                       struct arena *a UNUSED)
{
	return store_grant(s, request);
}

static err serve_mailbox_open(void *s, struct link *from, const void *request, void *reply, struct arena *a)
{
	return store_mailbox_open(s, link_peer(from), request, reply, a);
}

static err serve_mailbox_read(void *s, struct link *from, const void *request, void *reply, struct arena *a)
{
	return store_mailbox_read(s, link_peer(from), request, reply, a);
}

static err serve_mailbox_expunge(void *s, struct link *from, const void *request, void *reply UNUSED,
                                 struct arena *a UNUSED)
{
	return store_mailbox_expunge(s, link_peer(from), request);
}

static err serve_session_end(void *s, struct link *from, const void *request, void *reply UNUSED,
                             struct arena *a UNUSED)
{
	return store_session_end(s, link_peer(from), request);
}

static err serve_fate(void *s, struct link *from, const void *request, void *reply, struct arena *a)
{
	return store_fate(s, link_peer(from), request, reply, a);
}

static err serve_lease(void *s, struct link *from, const void *request, void *reply, struct arena *a)
{
	return store_lease(s, link_peer(from), request, reply, a);
}

static err serve_settle(void *s, struct link *from, const void *request, void *reply UNUSED, struct arena *a UNUSED)
{
	return store_settle(s, link_peer(from), request);
}

static err serve_policy(void *s, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	return store_policy(s, request, reply, a);
}

static err serve_tally(void *s, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	return store_tally(s, request, reply, a);
}

static err serve_history(void *s, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	return store_history(s, request, reply, a);
}

static err serve_model(void *s, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	return store_model(s, request, reply, a);
}

static err serve_lesson(void *s, struct link *from, const void *request, void *reply, struct arena *a)
{
	return store_lesson(s, link_peer(from), request, reply, a);
}

static void edge_gone(void *s, struct link *l)
{
	store_process_gone(s, link_peer(l));
}

static void send_gone(void *s, struct link *l)
{
	queue_process_gone(s, link_peer(l));
}

static void filter_gone(void *s, struct link *l)
{
	lessons_process_gone(s, link_peer(l));
}

static void services_init(struct store_role *r)
{
	r->for_edge = (struct link_service){.ctx = r->store, .closed = edge_gone};
	r->for_edge.handlers[CALL_rcpt_check] = serve_rcpt_check;
	r->for_edge.handlers[CALL_accept] = serve_accept;
	r->for_edge.handlers[CALL_refuse] = serve_refuse;
	r->for_edge.handlers[CALL_mailbox_open] = serve_mailbox_open;
	r->for_edge.handlers[CALL_mailbox_read] = serve_mailbox_read;
	r->for_edge.handlers[CALL_mailbox_expunge] = serve_mailbox_expunge;
	r->for_edge.handlers[CALL_session_end] = serve_session_end;
	r->for_edge.handlers[CALL_fate] = serve_fate;
	r->for_keys = (struct link_service){.ctx = r->store};
	r->for_keys.handlers[CALL_credential] = serve_credential;
	r->for_keys.handlers[CALL_grant] = serve_grant;
	r->for_send = (struct link_service){.ctx = r->store, .closed = send_gone};
	r->for_send.handlers[CALL_lease] = serve_lease;
	r->for_send.handlers[CALL_settle] = serve_settle;
	r->for_send.handlers[CALL_policy] = serve_policy;
	r->for_send.handlers[CALL_accept] = serve_accept_own;
	r->for_send.handlers[CALL_tally] = serve_tally;
	r->for_filter = (struct link_service){.ctx = r->store, .closed = filter_gone};
	r->for_filter.handlers[CALL_history] = serve_history;
	r->for_filter.handlers[CALL_model] = serve_model;
	r->for_filter.handlers[CALL_lesson] = serve_lesson;
}

/* --- the command line --- */

static bool is_for_monitor(const struct admin_request *q)
{
	static const char *const verbs[] = {"security", "reload", "stop", "dns"};

	if (q->words_n == 2 && str_equal(q->words[0].text, STR("dns")) && str_equal(q->words[1].text, STR("keys")))
		return false; /* it was told */
	for (size_t i = 0; i < ARRAY_LEN(verbs) && q->words_n > 0; i++)
		if (str_equal(q->words[0].text, str_from(verbs[i])))
			return true;
	return false;
}

static err serve_admin(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	const struct store_admin_service *s = ctx;

	if (!is_for_monitor(request))
		return store_admin(s->store, request, reply, a);
	if (s->monitor == NULL)
		return err_note(E_NOT_FOUND, "no server is running on this data folder");
	return call_admin(s->monitor, request, reply, a, RT_NEVER);
}

/* The monitor's own. */
static err serve_monitor(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	const struct store_role *r = ((struct process *)ctx)->state;

	return r == NULL ? err_note(E_TEMP, "the store is not open yet") : store_admin(r->store, request, reply, a);
}

void store_admin_service_init(struct store_admin_service *s, struct store *store, struct link *monitor)
{
	*s = (struct store_admin_service){.service = {.ctx = s}, .store = store, .monitor = monitor};
	s->service.handlers[CALL_admin] = serve_admin;
}

/* A command that is connected to the control socket. */
struct command {
	struct store_admin_service admin; /* first: the ctx of the service */
	struct link *link;
	struct co *co;
	int fd;
	bool gone;
};

static void command_gone(void *ctx, struct link *l UNUSED)
{
	struct command *c = ctx;

	c->gone = true;
	rt_wake(c->co);
}

static void command_run(void *arg)
{
	struct command *c = arg;

	c->co = rt_self();
	c->link = link_new("command", &c->admin.service);
	if (c->link == NULL)
		close(c->fd);
	err e = c->link == NULL ? E_MEMORY : link_attach(c->link, c->fd, -1);
	while (e == OK && !c->gone)
		e = rt_park(RT_NEVER);
	link_free(c->link);
	free(c);
}

/* Root, the user the server runs as, or the data folder's owner. */
static bool may_command(const struct store_role *r, int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid() || peer.uid == r->folder_owner;
}

static void command_start(struct store_role *r, int fd)
{
	struct command *c = may_command(r, fd) ? calloc(1, sizeof(*c)) : NULL;

	if (c == NULL || tasks_start(&r->tasks, command_run, c, "command") != OK) {
		close(fd);
		free(c);
		return;
	}
	*c = (struct command){.fd = fd};
	store_admin_service_init(&c->admin, r->store, r->monitor);
	c->admin.service.closed = command_gone;
}

static void control_run(void *arg)
{
	struct store_role *r = arg;
	struct net_address peer;
	int fd;

	while (net_accept(&r->control, &fd, &peer, RT_NEVER) == OK)
		command_start(r, fd);
}

static err store_listen(struct process *p, str service, str address UNUSED, int fd)
{
	struct store_role *r = p->state;

	if (fd < 0 || !str_equal(service, STR("control")) || r->control.fd >= 0) {
		if (fd >= 0)
			close(fd);
		return err_note(E_DENIED, "the store serves the control socket only");
	}
	rt_fd_init(&r->control, fd);
	return tasks_start(&r->tasks, control_run, r, "control");
}

/* --- the role --- */

static uid_t owner_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_uid : geteuid();
}

static err store_role_start(struct process *p)
{
	struct store_role *r = arena_alloc(&p->memory, sizeof(*r));
	const char *path = p->own_root ? "/" : arena_z(&p->memory, p->config->data);

	if (r == NULL || path == NULL)
		return err_note(E_MEMORY, "no memory for the store");
	r->control.fd = -1;
	r->folder_owner = owner_of(path);
	err e = store_open(path, p->config, &r->store);
	if (e != OK)
		return e;
	services_init(r);
	r->monitor = p->monitor;
	p->state = r;
	p->control.handlers[CALL_admin] = serve_monitor;
	return OK;
}

static void store_role_configured(struct process *p)
{
	store_configure(((struct store_role *)p->state)->store, p->config);
}

static const struct link_service *store_role_service(struct process *p, str sibling)
{
	struct store_role *r = p->state;

	if (str_equal(sibling, STR("edge")))
		return &r->for_edge;
	if (str_equal(sibling, STR("send")))
		return &r->for_send;
	if (str_equal(sibling, STR("filter")))
		return &r->for_filter;
	return str_equal(sibling, STR("keys")) ? &r->for_keys : NULL;
}

static void store_role_stop(struct process *p)
{
	struct store_role *r = p->state;

	rt_fd_close(&r->control);
	tasks_stop(&r->tasks);
}

static void store_role_close(struct process *p)
{
	store_close(((struct store_role *)p->state)->store);
}

const struct role_type role_store = {
	.name = "store",
	.data_folder = true,
	.threads = true,
	.start = store_role_start,
	.configured = store_role_configured,
	.service = store_role_service,
	.listen = store_listen,
	.stop = store_role_stop,
	.close = store_role_close,
};
