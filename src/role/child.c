/* SPDX-License-Identifier: ISC */
#include "role/child.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "role/children.h"
#include "role/spawn.h"

#define CONFIG_MAX      ((size_t)3 << 20)
#define PART_OCTETS_MAX ((size_t)400 << 10) /* of keys of domains in one call, which has certificates besides */
#define PART_MEMORY     ((size_t)1 << 20)
#define PART_KEYS_MAX   ((size_t)2000)
#define PAUSE_MAX       (10 * NSEC_PER_SEC)
#define LIFE_GOOD       (30 * NSEC_PER_SEC)
#define CONFIGURE_TIME  (600 * NSEC_PER_SEC) /* the store may have much to repair */
#define EXIT_TIME       (5 * NSEC_PER_SEC)
#define EXIT_TIME_STORE (60 * NSEC_PER_SEC) /* it finishes what it writes */

void child_changed(struct child *c)
{
	if (c->awaited_by != NULL)
		rt_wake(c->awaited_by);
}

/* --- starting --- */

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

	c->started = rt_now(); /* failing too is a life, and a short one: the pauses grow */
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
	LOG(INFO, "role.start", LOG_Z("name", c->name), LOG_NUM("pid", c->pid));
	return link_attach(c->link, s.stream[0], s.descriptors[0]);
}

static void tell_missing(struct children *all, str missing)
{
	if (missing.n > 0 && !all->missing_told)
		LOG(WARN, "confine.missing", LOG_STR("what", missing));
	all->missing_told |= missing.n > 0;
}

err child_configure(struct child *c, bool first)
{
	struct configure_reply reply;
	ARENA(a, 64 << 10);
	BUF(text, CONFIG_MAX);

	config_dump(c->all->config, &text);
	if (text.full)
		return err_note(E_LIMIT, "the configuration is too large");
	err e = call_configure(c->link, &(struct configure_request){buf_str(&text), first}, &reply, &a,
	                       rt_after(CONFIGURE_TIME));
	if (e == OK)
		tell_missing(c->all, reply.missing);
	return e;
}

/* Private keys go to `keys` and nowhere else. */
static err tell_certificates(struct child *c, struct certify_request *q, struct arena *a)
{
	const struct certificates *all = c->all->certificates;

	q->certificates = arena_array(a, all->n, sizeof(*q->certificates));
	if (q->certificates == NULL)
		return err_note(E_LIMIT, "too many certificates");
	for (size_t i = 0; i < all->n; i++) {
		q->certificates[i] = all->items[i];
		if (c->type != &role_keys)
			q->certificates[i].secret = STR_NONE;
	}
	q->certificates_n = all->n;
	return OK;
}

/* The trust anchor to who asks the DNS, the rest to who speaks with other servers: each has the passwords that it shows to others. */
static bool is_for(const struct role_type *type, str file)
{
	if (str_equal(file, TRUST_ANCHOR))
		return type == &role_resolve;
	if (str_equal(file, TRUST_AUTHORITIES))
		return type == &role_send || type == &role_oauth;
	return type == (str_equal(file, TRUST_CLIENT_SECRET) ? &role_oauth : &role_send);
}

static err tell_files(struct child *c, struct certify_request *q, struct arena *a)
{
	const struct trust_files *all = c->all->trust;

	q->files = arena_array(a, all->n, sizeof(*q->files));
	if (q->files == NULL)
		return err_note(E_LIMIT, "too many files");
	for (size_t i = 0; i < all->n; i++)
		if (is_for(c->type, all->items[i].name))
			q->files[q->files_n++] = all->items[i];
	return OK;
}

/* Private keys of domains likewise; those who have mail signed know which there are. */
static bool wants_domain_keys(const struct child *c)
{
	return c->type == &role_keys || c->type == &role_filter || c->type == &role_send;
}

/* How many of them, from `at` on, one call takes. */
static size_t part_size(const struct domain_keys *all, size_t at)
{
	size_t n = 0, octets = 0;

	for (; at + n < all->n && n < PART_KEYS_MAX && octets < PART_OCTETS_MAX; n++) {
		const struct domain_key *k = &all->items[at + n];
		octets += k->record.n + k->secret.n + k->domain.n + k->selector.n;
	}
	return n;
}

static err tell_domain_keys(struct child *c, const struct domain_key *keys, size_t n, struct certify_request *q,
                            struct arena *a)
{
	q->domain_keys = arena_array(a, n, sizeof(*q->domain_keys));
	if (q->domain_keys == NULL)
		return err_note(E_LIMIT, "too many keys of domains");
	for (; q->domain_keys_n < n; q->domain_keys_n++) {
		struct domain_key *k = &q->domain_keys[q->domain_keys_n];

		*k = keys[q->domain_keys_n];
		*(c->type == &role_keys ? &k->record : &k->secret) = STR_NONE;
	}
	return OK;
}

static err certify(struct child *c, const struct certify_request *q)
{
	struct certify_reply r;
	ARENA(a, 4096);

	return call_certify(c->link, q, &r, &a, rt_after(CHILD_CALL_TIME));
}

/* All but the last part of the domain keys, which travels with the rest, in *q. */
static err tell_parts(struct child *c, struct certify_request *q, struct arena *a)
{
	const struct domain_keys *all = c->all->domain_keys;
	err e = OK;

	while (e == OK) {
		ARENA(memory, PART_MEMORY);
		struct certify_request part = {.part = CERTIFY_PART, .from = q->from};
		size_t n = part_size(all, q->from);

		if (q->from + n == all->n)
			return tell_domain_keys(c, &all->items[q->from], n, q, a);
		e = tell_domain_keys(c, &all->items[q->from], n, &part, &memory);
		if (e == OK)
			e = certify(c, &part);
		q->from += n;
	}
	return e;
}

err child_certify(struct child *c)
{
	struct certify_request q = {0};
	ARENA(a, 2 << 20);

	if (c->type->certify == NULL)
		return OK;
	err e = c->type->trusts ? tell_files(c, &q, &a) : OK;
	if (e == OK && (c->type == &role_edge || c->type == &role_keys))
		e = tell_certificates(c, &q, &a);
	if (e == OK && wants_domain_keys(c))
		e = tell_parts(c, &q, &a);
	return e == OK ? certify(c, &q) : e;
}

err child_certify_more(struct child *c, const struct domain_key *keys, size_t n)
{
	struct certify_request q = {.part = CERTIFY_MORE};
	ARENA(a, PART_MEMORY);

	if (!wants_domain_keys(c) || n == 0)
		return OK;
	err e = tell_domain_keys(c, keys, n, &q, &a);
	return e == OK ? certify(c, &q) : e;
}

/* --- links between two --- */

static bool are_linked(const struct child *a, const struct child *b)
{
	static const struct role_type *const pairs[][2] = {
		{&role_edge, &role_store},    {&role_edge, &role_filter},  {&role_edge, &role_keys},
		{&role_keys, &role_store},    {&role_edge, &role_send},    {&role_send, &role_store},
		{&role_send, &role_resolve},  {&role_filter, &role_store}, {&role_filter, &role_resolve},
		{&role_filter, &role_keys},   {&role_send, &role_keys},    {&role_keys, &role_oauth},
		{&role_oauth, &role_resolve},
	};

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if ((a->type == pairs[i][0] && b->type == pairs[i][1]) ||
		    (a->type == pairs[i][1] && b->type == pairs[i][0]))
			return true;
	return false;
}

static err attach(struct child *to, const struct child *sibling, int stream, int descriptors)
{
	struct attach_request q = {str_from(sibling->type->name), sibling->index, stream, descriptors};
	struct attach_reply r;
	ARENA(a, 4096);

	return call_attach(to->link, &q, &r, &a, rt_after(CHILD_CALL_TIME));
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
			LOG(WARN, "role.connect", LOG_Z("name", c->name), LOG_Z("to", other->name),
			    LOG_Z("error", err_info()->text));
		if (e == E_CANCELLED)
			return e;
	}
	return c->linked ? OK : err_note(E_TEMP, "%s died while it was connected", c->name);
}

static struct child *child_named(struct children *all, str name)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_equal(name, str_from(all->items[i].name)))
			return &all->items[i];
	return NULL;
}

err child_relink(struct child *c, str sibling)
{
	struct child *other = child_named(c->all, sibling);

	if (other == NULL || other == c || !are_linked(c, other))
		return err_note(E_DENIED, "%s has no such link", c->name);
	err e = semaphore_take(&c->all->changes, RT_NEVER);
	if (e != OK)
		return e;
	e = c->up && other->up ? connect_two(c, other) : err_note(E_TEMP, "one of them is not there");
	if (e == OK)
		LOG(WARN, "role.relink", LOG_Z("name", c->name), LOG_Z("to", other->name));
	semaphore_give(&c->all->changes);
	return e;
}

/* --- what it listens on --- */

err child_listen(struct child *c, const char *service, const char *address, int fd)
{
	struct listen_request q = {str_from(service), str_from(address), fd};
	struct listen_reply r;
	ARENA(a, 4096);

	return call_listen(c->link, &q, &r, &a, rt_after(CHILD_CALL_TIME));
}

err child_listen_all(struct child *c)
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

void child_signal(struct child *c, int signal)
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

void child_end(struct child *c)
{
	link_detach(c->link);
	err e = child_wait(c, rt_after(c->type == &role_store ? EXIT_TIME_STORE : EXIT_TIME));
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
	if (e == OK)
		e = child_certify(c);
	c->up = e == OK && c->linked;
	if (e == OK)
		e = child_connect(c);
	return e == OK ? child_listen_all(c) : e;
}

err child_start(struct child *c)
{
	struct children *all = c->all;
	err e = semaphore_take(&all->changes, RT_NEVER);

	if (e != OK)
		return e;
	e = child_begin(c);
	if (e != OK) {
		struct err_info why = *err_info();
		child_end(c);
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
		c->pause = CHILD_PAUSE_FIRST;
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
		child_end(c);
	return e;
}

void child_keep(void *arg)
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
