/* SPDX-License-Identifier: ISC */
/* edge - talks with clients. Accepts, counts connections, and gives each a session in a coroutine of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/map.h"
#include "pop3/server.h"
#include "role/process.h"
#include "role/tasks.h"
#include "rt/tls.h"
#include "smtp/server.h"

#define STREAM_BUFFER  ((size_t)64 << 10)
#define HANDSHAKE_TIME (60 * NSEC_PER_SEC)
#define SIGN_TIME      (10 * NSEC_PER_SEC)

enum { SIGNATURE_MAX = 1024, COUNT_KEY_MAX = 32 };

/* What the services differ in, as long as nothing of their protocol is said. */
static const struct {
	const char *alpn; /* RFC 7301 */
	bool implicit_tls, login;
} service_traits[SERVICE_COUNT] = {
	[SERVICE_SMTP] = {"smtp", false, false},      [SERVICE_LMTP] = {"lmtp", false, false},
	[SERVICE_POP3] = {"pop3", false, true},       [SERVICE_POP3S] = {"pop3", true, true},
	[SERVICE_SUBMISSION] = {"smtp", false, true}, [SERVICE_SUBMISSIONS] = {"smtp", true, true},
	[SERVICE_LOCAL] = {"smtp", false, false},
};

struct edge {
	struct process *process;
	struct peers peers;
	struct body_budget budget;
	struct map by_address; /* connections of each client address, and of each user of this machine */
	struct tasks sessions, acceptors;
	struct listener *listeners;
	struct tls_context *tls[SERVICE_COUNT];
	uint64_t next_session;
	bool stopping;
};

struct listener {
	struct listener *next;
	struct edge *edge;
	enum service service;
	char *address; /* as the monitor names it */
	struct rt_fd fd;
};

struct address_count {
	size_t n;
};

struct session {
	struct edge *edge;
	struct config *config;
	struct stream *stream;
	struct tls_context *tls;
	struct address_count *count;
	struct net_address client;
	enum service service;
	uid_t uid; /* of a local program */
	char id_text[ID_TEXT_MAX];
	str id;
	bool idle; /* waits for a command */
};

/* --- limits --- */

static size_t connections_max(const struct config *c)
{
	return (size_t)((c->limits.connections + c->edges - 1) / c->edges);
}

/* Whose connections are counted together. A user of this machine takes none of the others' places, nor those of LMTP's socket; no address has so
 * long a key. */
static str count_key(enum service service, uid_t uid, const struct net_address *client, char text[COUNT_KEY_MAX])
{
	if (service != SERVICE_LOCAL)
		return net_address_key(client);
	int n = snprintf(text, COUNT_KEY_MAX, "local uid=%u", (unsigned)uid);
	return str_make(text, (size_t)n);
}

/* One more connection of this client. NULL: it has as many as it may, or there is no memory. */
static struct address_count *count_up(struct edge *e, str key)
{
	struct address_count *count = map_get(&e->by_address, key);

	if (count == NULL) {
		count = calloc(1, sizeof(*count));
		if (count == NULL || map_put(&e->by_address, key, count) != OK) {
			free(count);
			return NULL;
		}
	}
	if (count->n >= e->process->config->limits.connections_per_address)
		return NULL;
	count->n++;
	return count;
}

static void count_down(struct edge *e, str key, struct address_count *count)
{
	if (--count->n > 0)
		return;
	map_remove(&e->by_address, key);
	free(count);
}

/* One line without waiting: who comes too often is not worth a coroutine. */
static void refuse(enum service service, int fd, const char *why)
{
	char line[120];
	int n = snprintf(line, sizeof(line), "%s %s, try again later\r\n",
	                 service == SERVICE_POP3 ? "-ERR [SYS/TEMP]" : "421 4.7.0", why);

	if (!service_traits[service].implicit_tls)
		(void)!send(fd, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

/* --- sessions --- */

static void session_serve(struct session *s)
{
	struct edge *e = s->edge;

	if (s->service == SERVICE_POP3 || s->service == SERVICE_POP3S) {
		pop3_serve(s->stream, &(struct pop3_options){.config = s->config,
		                                             .peers = &e->peers,
		                                             .tls = s->tls,
		                                             .client = s->client,
		                                             .session = s->id,
		                                             .stopping = &e->stopping,
		                                             .idle = &s->idle});
		return;
	}
	smtp_serve(s->stream, &(struct smtp_options){.config = s->config,
	                                             .peers = &e->peers,
	                                             .tls = s->tls,
	                                             .budget = &e->budget,
	                                             .client = s->client,
	                                             .session = s->id,
	                                             .lmtp = s->service == SERVICE_LMTP,
	                                             .submission = s->service == SERVICE_SUBMISSION ||
	                                                           s->service == SERVICE_SUBMISSIONS ||
	                                                           s->service == SERVICE_LOCAL,
	                                             .local = s->service == SERVICE_LOCAL,
	                                             .uid = s->uid,
	                                             .stopping = &e->stopping,
	                                             .idle = &s->idle});
}

static void session_log(const struct session *s)
{
	BUF(client, 128);

	if (!log_wants(LOG_LEVEL_DEBUG))
		return;
	net_address_print(&client, &s->client);
	LOG(DEBUG, "session.start", LOG_STR("sid", s->id), LOG_Z("service", service_name(s->service)),
	    LOG_STR("client", buf_str(&client)));
}

static void session_free(struct session *s)
{
	char key[COUNT_KEY_MAX];

	stream_close(s->stream);
	tls_context_release(s->tls);
	count_down(s->edge, count_key(s->service, s->uid, &s->client, key), s->count);
	config_release(s->config);
	free(s);
}

/* At a stop, who is no further than this is not waited for. */
static err session_begin_tls(struct session *s)
{
	if (s->tls == NULL)
		return err_note(E_TEMP, "no certificate");
	s->idle = true;
	err e = stream_start_tls(s->stream, s->tls, rt_after(HANDSHAKE_TIME), s->id);
	s->idle = false;
	return e;
}

static void session_run(void *arg)
{
	struct session *s = arg;

	session_log(s);
	if (!service_traits[s->service].implicit_tls || session_begin_tls(s) == OK)
		session_serve(s);
	LOG(DEBUG, "session.end", LOG_STR("sid", s->id));
	session_free(s);
}

static err session_start(struct session *s, int fd)
{
	struct edge *e = s->edge;

	s->config = config_hold(e->process->config);
	s->tls = s->service == SERVICE_LOCAL ? NULL
	                                     : tls_context_hold(e->tls[s->service]); /* nobody listens on the way */
	s->id = id_text(e->next_session++, s->id_text);
	s->stream = stream_open_fd(fd, STREAM_BUFFER);
	return s->stream == NULL ? err_note(E_MEMORY, "no memory for a session")
	                         : tasks_start(&e->sessions, session_run, s, "session");
}

/* SERVICE_LOCAL: who it is, the kernel knows. */
static bool name_user(enum service service, int fd, uid_t *uid)
{
	struct ucred peer = {0};
	socklen_t n = sizeof(peer);
	bool known = service != SERVICE_LOCAL || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0;

	*uid = peer.uid;
	return known;
}

static void accepted(struct listener *l, int fd, const struct net_address *client)
{
	struct edge *e = l->edge;
	char key_text[COUNT_KEY_MAX];
	uid_t uid;

	if (!name_user(l->service, fd, &uid))
		return refuse(l->service, fd, "cannot tell who you are");
	str key = count_key(l->service, uid, client, key_text);
	if (e->sessions.n >= connections_max(e->process->config)) {
		LOG(INFO, "connection.refused", LOG_Z("why", "connections"));
		return refuse(l->service, fd, "too many connections");
	}
	struct address_count *count = count_up(e, key);
	if (count == NULL) {
		BUF(host, 64);
		net_address_host(&host, client);
		LOG(INFO, "connection.refused", LOG_Z("why", "per-address"),
		    LOG_STR("client", l->service == SERVICE_LOCAL ? key : buf_str(&host)));
		return refuse(l->service, fd, "too many connections from your address");
	}
	struct session *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		count_down(e, key, count);
		return refuse(l->service, fd, "no memory for another connection");
	}
	*s = (struct session){.edge = e, .client = *client, .count = count, .service = l->service, .uid = uid};
	if (session_start(s, fd) != OK)
		session_free(s);
}

/* --- listening --- */

/* Its acceptor ends. Other processes hold the same socket: what is not taken out of the loop here would go on taking wakes that are
 * meant for them. */
static void listener_close(struct listener *l)
{
	if (l->fd.fd >= 0)
		close(rt_fd_release(&l->fd));
}

static void listener_free(struct listener *l)
{
	struct listener **at = &l->edge->listeners;

	while (*at != NULL && *at != l)
		at = &(*at)->next;
	if (*at != NULL)
		*at = l->next;
	listener_close(l);
	free(l->address);
	free(l);
}

static void acceptor_run(void *arg)
{
	struct listener *l = arg;
	struct net_address client;
	int fd;

	while (net_accept(&l->fd, &fd, &client, RT_NEVER) == OK)
		accepted(l, fd, &client);
	listener_free(l);
}

static struct listener *listener_find(struct edge *e, enum service service, str address)
{
	for (struct listener *l = e->listeners; l != NULL; l = l->next)
		if (l->service == service && str_equal(address, str_from(l->address)))
			return l;
	return NULL;
}

static err listener_add(struct edge *e, enum service service, str address, int fd)
{
	struct listener *l = calloc(1, sizeof(*l));
	char *name = strndup(address.n == 0 ? "" : address.p, address.n);

	if (l == NULL || name == NULL || tasks_start(&e->acceptors, acceptor_run, l, "acceptor") != OK) {
		free(l);
		free(name);
		close(fd);
		return err_note(E_MEMORY, "no memory for a listener");
	}
	*l = (struct listener){.next = e->listeners, .edge = e, .service = service, .address = name};
	rt_fd_init(&l->fd, fd);
	e->listeners = l;
	return OK;
}

static bool find_service(str name, enum service *out)
{
	for (*out = 0; *out < SERVICE_COUNT; ++*out)
		if (str_equal(name, str_from(service_name(*out))))
			return true;
	return false;
}

static err edge_listen(struct process *p, str service_text, str address, int fd)
{
	enum service service;
	struct edge *e = p->state;
	struct listener *l = find_service(service_text, &service) ? listener_find(e, service, address) : NULL;

	if (l != NULL)
		listener_close(l);
	if (fd < 0)
		return OK;
	if (service < SERVICE_COUNT && !e->stopping)
		return listener_add(e, service, address, fd);
	close(fd);
	return err_note(E_DENIED, "nothing is served there");
}

static void close_listeners(struct edge *e)
{
	for (struct listener *l = e->listeners; l != NULL; l = l->next)
		listener_close(l);
}

/* --- TLS --- */

static err edge_sign(void *ctx, uint64_t key, enum tls_sign kind, str input, struct buf *out)
{
	const struct edge *e = ctx;
	ARENA(a, 4 * SIGNATURE_MAX);
	struct sign_reply r;
	err result = call_sign(e->peers.keys, &(struct sign_request){key, kind, input}, &r, &a, rt_after(SIGN_TIME));

	if (result == OK)
		buf_put(out, r.signature);
	return result;
}

static void release_contexts(struct tls_context *contexts[SERVICE_COUNT])
{
	for (size_t i = 0; i < SERVICE_COUNT; i++)
		tls_context_release(contexts[i]);
}

/* One for each service: a ticket of one is none of another's. Sessions keep what they began with. */
static err edge_certify(struct process *p, const struct certify_request *q)
{
	struct edge *e = p->state;
	struct tls_context *fresh[SERVICE_COUNT] = {NULL};
	bool ask = p->config->client_certificates == CLIENT_CERTIFICATES_ASK;
	ARENA(a, 1 << 20);
	struct tls_certificate *items = arena_array(&a, q->certificates_n, sizeof(*items));
	err result = items == NULL ? err_note(E_LIMIT, "too many certificates") : OK;

	for (size_t i = 0; i < q->certificates_n && result == OK; i++)
		items[i] = (struct tls_certificate){q->certificates[i].chain, q->certificates[i].ocsp,
		                                    q->certificates[i].key};
	for (size_t i = 0; i < SERVICE_COUNT && result == OK; i++)
		result = tls_context_new(&(struct tls_options){.certificates = items,
		                                               .certificates_n = q->certificates_n,
		                                               .signer = edge_sign,
		                                               .signer_ctx = e,
		                                               .alpn = str_from(service_traits[i].alpn),
		                                               .listener = str_from(service_name((enum service)i)),
		                                               .ask_certificate = ask && service_traits[i].login},
		                         &fresh[i]);
	release_contexts(result == OK ? e->tls : fresh);
	for (size_t i = 0; i < SERVICE_COUNT && result == OK; i++)
		e->tls[i] = fresh[i];
	return result;
}

/* --- the role --- */

static err edge_start(struct process *p)
{
	struct edge *e = arena_alloc(&p->memory, sizeof(*e));

	if (e == NULL)
		return err_note(E_MEMORY, "no memory for the edge");
	e->process = p;
	e->budget.cap = p->config->limits.body_memory;
	e->next_session = rt_random_u64() >> 4; /* 12 characters; two edges or two lives do not meet */
	map_init(&e->by_address);
	e->peers.store = process_sibling(p, STR("store"), 0);
	e->peers.keys = process_sibling(p, STR("keys"), 0);
	e->peers.send = process_sibling(p, STR("send"), 0);
	if (e->peers.store == NULL || e->peers.keys == NULL || e->peers.send == NULL)
		return err_note(E_MEMORY, "no memory for the edge");
	p->state = e;
	return OK;
}

static void edge_configured(struct process *p)
{
	((struct edge *)p->state)->budget.cap = p->config->limits.body_memory;
}

static void edge_attached(struct process *p, str sibling, struct link *l)
{
	struct edge *e = p->state;

	if (str_equal(sibling, STR("filter")) && e->peers.filters_n < PEERS_FILTERS_MAX)
		e->peers.filters[e->peers.filters_n++] = l;
}

static bool session_idle(const void *arg)
{
	return ((const struct session *)arg)->idle;
}

static void edge_drain(struct process *p, nsec deadline)
{
	struct edge *e = p->state;

	e->stopping = true;
	close_listeners(e);
	tasks_cancel(&e->sessions, session_idle); /* they are told; whoever is busy is told after his command */
	if (tasks_wait(&e->sessions, deadline) == E_TIMEOUT)
		LOG(INFO, "edge.drain", LOG_NUM("sessions", e->sessions.n));
	tasks_stop(&e->sessions);
}

static void edge_stop(struct process *p)
{
	struct edge *e = p->state;

	e->stopping = true;
	close_listeners(e);
	tasks_stop(&e->acceptors);
	tasks_stop(&e->sessions);
}

static void edge_close(struct process *p)
{
	struct edge *e = p->state;

	map_free(&e->by_address);
	release_contexts(e->tls);
}

const struct role_type role_edge = {
	.name = "edge",
	.start = edge_start,
	.configured = edge_configured,
	.certify = edge_certify,
	.attached = edge_attached,
	.listen = edge_listen,
	.drain = edge_drain,
	.stop = edge_stop,
	.close = edge_close,
};
