/* SPDX-License-Identifier: ISC */
/* monitor - starts the roles and keeps them running. It reads the configuration and what its children answer, and no byte of the
 * network. Started as root it stays root: a child that died has to be given up root and its folder anew, and a reload may bind a
 * port below 1024. What it hands out are sockets, bound and never read from here. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "role/children.h"
#include "role/confine.h"
#include "role/confine_needs.h"
#include "role/credentials.h"
#include "role/folder.h"
#include "role/key_maker.h"
#include "role/keys_folder.h"
#include "role/forwards.h"
#include "role/lookup.h"
#include "role/notify.h"
#include "role/role.h"

#define GRACE           (10 * NSEC_PER_SEC)
#define DESCRIPTORS_MIN 65536
#define EDGES_LEAST     2 /* it does the handshakes: for one alone the other core would wait */
#define PROCESSES_MAX   64
#define WATCH_EVERY     (10 * NSEC_PER_SEC)

struct monitor {
	const char *path; /* of the configuration */
	struct config *config;
	struct folder_owner owner;
	struct listeners listeners;
	struct credentials credentials;
	struct children children;
	struct forwards forwards;
	struct key_maker key_maker;
	struct tasks starting, watching, others;
	struct semaphore reloads;
	struct co *main;
	bool stopping;
	int status;
};

static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};

/* --- configuration --- */

/* Half the cores, but no fewer than `least` where there are as many. */
static uint64_t process_count(uint64_t configured, uint64_t least)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t cores = online > 1 ? (uint64_t)online : 1, n = cores / 2;

	if (n < least)
		n = cores < least ? cores : least;
	if (configured > 0)
		n = configured;
	return n < PROCESSES_MAX ? n : PROCESSES_MAX;
}

static struct config *load(const char *path, struct config_faults *faults)
{
	struct config *c = config_load(path, faults);

	if (c == NULL)
		return NULL;
	c->edges = process_count(c->edges, EDGES_LEAST);
	c->filters = process_count(c->filters, 1);
	log_setup("monitor", c->log_level, c->log_json);
	return c;
}

/* What cannot change while the server runs. */
static void keep_fixed(const struct config *old, struct config *c)
{
	bool new_role = old->oauth.kind == OAUTH_NONE && c->oauth.kind != OAUTH_NONE;

	if (!str_equal(old->data, c->data) || !str_equal(old->user, c->user) || old->edges != c->edges ||
	    old->filters != c->filters || new_role)
		LOG(WARN, "reload.restart-needed", LOG_Z("for", "data, user, processes or oauth"));
	if (new_role)
		c->oauth.kind = OAUTH_NONE;
	c->data = arena_str(&c->arena, old->data);
	c->user = arena_str(&c->arena, old->user);
	c->edges = old->edges;
	c->filters = old->filters;
}

static err reload_to(struct monitor *m, struct config *config)
{
	struct listeners now, before = m->listeners;
	struct config *old = m->config;

	keep_fixed(old, config);
	err e = config->arena.full ? err_note(E_MEMORY, "no memory for the configuration")
	                           : listeners_open(config, &m->owner, &before, &now);
	if (e != OK) {
		LOG(ERROR, "config.reload", LOG_Z("error", err_info()->text));
		config_release(config);
		return e;
	}
	m->listeners = now;
	m->config = m->children.config = config;
	e = children_reconfigure(&m->children, &before);
	listeners_close(&before);
	config_release(old);
	LOG(INFO, "config.reload", LOG_STR("file", str_from(m->path)));
	credentials_renew(&m->credentials, m->config, &m->children);
	key_maker_look_now(&m->key_maker);
	forwards_look_now(&m->forwards);
	return e;
}

static void log_faults(str text)
{
	str line;

	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		LOG(ERROR, "config.reload", LOG_STR("error", line));
	}
}

/* A file with an error never replaces the running one. */
static err reload(struct monitor *m)
{
	struct config_faults faults = {.text = BUF_INIT(4096)};
	err e = semaphore_take(&m->reloads, RT_NEVER);

	if (e != OK)
		return e;
	notify_reloading();
	struct config *config = load(m->path, &faults);
	if (config == NULL) {
		log_faults(buf_str(&faults.text));
		e = err_note(E_SYNTAX, STR_FMT, STR_ARG(str_trim(buf_str(&faults.text))));
	} else {
		e = reload_to(m, config);
	}
	buf_free(&faults.text);
	notify_ready();
	semaphore_give(&m->reloads);
	return e;
}

static void reload_run(void *arg)
{
	(void)!reload(arg);
}

/* Certificates are renewed by programs that do not know us. */
static void watch_run(void *arg)
{
	struct monitor *m = arg;

	while (rt_sleep_until(rt_after(WATCH_EVERY)) == OK) {
		if (!credentials_changed(&m->credentials, m->config) || semaphore_take(&m->reloads, RT_NEVER) != OK)
			continue;
		credentials_renew(&m->credentials, m->config, &m->children);
		key_maker_look_now(&m->key_maker);
		semaphore_give(&m->reloads);
	}
}

/* --- starting --- */

static int exit_status(err e)
{
	switch (e) {
	case E_BUSY:
		return EX_TEMPFAIL;
	case E_DENIED:
		return EX_NOPERM;
	case E_EXISTS:
		return EX_UNAVAILABLE;
	default:
		return EX_OSERR;
	}
}

static void complain(struct monitor *m, err e)
{
	m->status = exit_status(e);
	if (e == E_BUSY)
		fprintf(stderr, "pombo: another server or command is using the data folder " STR_FMT "\n",
		        STR_ARG(m->config->data));
	else
		fprintf(stderr, "pombo: %s\n", err_info()->text);
}

/* The store first: it takes the lock on the data folder, and only who has that may take over the sockets of a dead server. */
static err start_all(struct monitor *m)
{
	err e = children_start_store(&m->children);

	if (e == OK && m->listeners.items == NULL)
		e = listeners_open(m->config, &m->owner, NULL, &m->listeners);
	if (e == OK)
		e = listeners_open_control(m->config, &m->owner, &m->children.control_fd);
	if (e == OK)
		e = children_start_others(&m->children);
	return e == OK ? children_keep(&m->children) : e;
}

static void start_run(void *arg)
{
	struct monitor *m = arg;
	err e = start_all(m);

	if (e == E_CANCELLED)
		return;
	if (e != OK) {
		complain(m, e);
		rt_cancel(m->main);
		return;
	}
	if (tasks_start(&m->watching, key_maker_run, &m->key_maker, "key-maker") != OK)
		LOG(ERROR, "dkim.key-unmade", LOG_Z("error", err_info()->text));
	LOG(INFO, "server.start", LOG_Z("version", POMBO_VERSION), LOG_STR("hostname", m->config->hostname),
	    LOG_NUM("processes", m->children.n + 1));
	notify_ready();
}

/* --- stopping --- */

static void stop_run(void *arg)
{
	struct monitor *m = arg;

	LOG(INFO, "server.stop");
	notify_stopping();
	tasks_stop(&m->starting);
	/* With the edges' copies gone too, a client is refused instead of left waiting. */
	listeners_close(&m->listeners);
	children_stop(&m->children, GRACE);
	rt_cancel(m->main);
}

/* The second time: at once. Whatever was answered with 250 is on the disk. */
static void stop(struct monitor *m)
{
	if (m->stopping) {
		LOG(INFO, "server.kill");
		log_flush();
		if (m->children.single)
			_exit(EX_OK);
		children_kill(&m->children);
		return;
	}
	m->stopping = true;
	if (tasks_start(&m->others, stop_run, m, "stop") != OK)
		rt_cancel(m->main);
}

/* --- what the store hands on from the command line --- */

static err serve_admin(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	struct monitor *m = ((struct children *)ctx)->owner;
	const struct admin_request *q = request;
	str verb = q->words_n > 0 ? q->words[0].text : STR_NONE;

	if (str_equal(verb, STR("security")))
		return children_security(&m->children, reply, a);
	if (str_equal(verb, STR("dns")))
		return lookup_serve(&m->children, q, reply, a);
	if (str_equal(verb, STR("reload")))
		return reload(m);
	if (!str_equal(verb, STR("stop")))
		return err_note(E_NOT_FOUND, "the monitor does not know " STR_FMT, STR_ARG(verb));
	if (!m->stopping)
		stop(m);
	return OK;
}

/* --- the loop --- */

static void handle_signal(struct monitor *m, int signal)
{
	if (signal == SIGCHLD)
		children_reap(&m->children);
	else if (signal != SIGHUP)
		stop(m);
	else if (!m->stopping && tasks_start(&m->others, reload_run, m, "reload") != OK)
		LOG(ERROR, "config.reload", LOG_Z("error", "no memory"));
}

static void monitor_main(void *arg)
{
	struct monitor *m = arg;
	int signal;

	m->main = rt_self();
	semaphore_init(&m->reloads, 1);
	err e = tasks_start(&m->starting, start_run, m, "start");
	if (e != OK)
		complain(m, e);
	if (e == OK)
		e = tasks_start(&m->watching, watch_run, m, "watch");
	forwards_init(&m->forwards, &m->children);
	m->key_maker = (struct key_maker){
		.credentials = &m->credentials, .children = &m->children, .exclusive = &m->reloads};
	if (e == OK)
		e = tasks_start(&m->watching, forwards_run, &m->forwards, "forward");
	while (e == OK && (e = rt_signal_wait(signals, ARRAY_LEN(signals), &signal, RT_NEVER)) == OK)
		handle_signal(m, signal);
	tasks_stop(&m->watching);
	tasks_stop(&m->starting);
	tasks_stop(&m->others);
	forwards_free(&m->forwards);
	children_free(&m->children);
	listeners_close(&m->listeners);
}

/* Sockets are what a mail server needs many of; children inherit this. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	if (limit.rlim_max < DESCRIPTORS_MIN && geteuid() == 0)
		limit.rlim_max = DESCRIPTORS_MIN;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Signals wait until the loop asks for them, from the first moment on. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* All roles in this one process: then it is this process that has to give up root, once it has its ports. */
static err give_up_root(struct monitor *m)
{
	err e = listeners_open(m->config, &m->owner, NULL, &m->listeners);

	return e == OK ? confine_user(m->owner.uid, m->owner.gid) : e;
}

/* All roles in one process need all that each of them needs. */
static err confine_ourselves(bool single)
{
	BUF(missing, 1024);
	err e = single ? OK : confine_monitor(&missing);

	if (single)
		confine_missing(&missing, "confinement of each role, as all share a process");
	if (missing.n > 0)
		LOG(WARN, "confine.missing", LOG_STR("what", buf_str(&missing)));
	return e;
}

static err prepare(struct monitor *m, bool single)
{
	err e = folder_owner(m->config, &m->owner);

	if (e == OK && m->owner.fallback)
		LOG(WARN, "user.missing", LOG_STR("user", m->config->user), LOG_Z("instead", "nobody"));
	if (e == OK)
		e = folder_prepare(m->config, &m->owner);
	if (e == OK && !single)
		e = keys_folder_take(m->config);
	if (e == OK)
		e = credentials_load(&m->credentials, m->config);
	if (e == OK && single && geteuid() == 0)
		e = give_up_root(m);
	if (e == OK)
		e = children_init(&m->children, m->config, single, serve_admin, m);
	if (e == OK)
		e = confine_ourselves(single);
	m->children.listeners = &m->listeners;
	m->children.certificates = &m->credentials.certificates;
	m->children.trust = &m->credentials.trust;
	m->children.domain_keys = &m->credentials.domain_keys;
	return e;
}

static void run(struct monitor *m, bool single)
{
	err e = prepare(m, single);

	if (e == OK)
		e = rt_run(monitor_main, m);
	if (e != OK)
		complain(m, e);
	if (m->children.control_fd >= 0) {
		close(m->children.control_fd);
		listeners_remove_control(m->config);
	}
}

int role_monitor(const char *config_path, bool single)
{
	struct config_faults faults = {.text = BUF_INIT(1 << 20)};
	struct monitor m = {.path = config_path, .config = load(config_path, &faults), .children.control_fd = -1};

	if (m.config == NULL) {
		fprintf(stderr, STR_FMT, STR_ARG(buf_str(&faults.text)));
		buf_free(&faults.text);
		return EX_CONFIG;
	}
	umask(077);
	raise_descriptor_limit();
	block_signals();
	run(&m, single);
	credentials_free(&m.credentials);
	config_release(m.config);
	buf_free(&faults.text);
	log_flush();
	return m.status;
}
