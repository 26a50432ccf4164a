/* SPDX-License-Identifier: ISC */
/* A link to the store for commands: the running server's, or one of our own over a pair of sockets. */
#include <sys/stat.h>
#include <unistd.h>

#include "link/link.h"
#include "role/confine.h"
#include "role/folder.h"
#include "role/listeners.h"
#include "role/role.h"
#include "role/spawn.h"
#include "role/store.h"

#define TRY_FOR   (10 * NSEC_PER_SEC) /* a server that starts, or another command, has the store for a moment */
#define TRY_EVERY (50 * NSEC_PER_MSEC)

/* The store that was opened here, if it was: a command has one link at a time. */
static struct {
	struct store *store;
	struct store_admin_service admin;
	struct link *end;
} own;

/* --- the running server --- */

static err connect_server(str data_folder, struct link **out)
{
	struct net_address address;
	int fd;
	err e = listeners_control_address(data_folder, &address);

	if (e == OK)
		e = net_connect(&address, NULL, &fd, rt_after(TRY_FOR));
	if (e != OK)
		return e;
	*out = link_new("store", NULL);
	if (*out == NULL) {
		close(fd);
		return err_note(E_MEMORY, "no memory for a link");
	}
	return link_attach(*out, fd, -1);
}

/* --- a store of our own --- */

struct owner_lookup {
	const struct config *config;
	struct folder_owner owner;
	err result;
	struct err_info why;
};

static void lookup_run(void *arg)
{
	struct owner_lookup *l = arg;

	l->result = folder_owner(l->config, &l->owner);
	l->why = *err_info();
}

static err prepare_folder(const struct config *config, struct arena *a, const char **path)
{
	struct owner_lookup l = {.config = config};

	rt_work(lookup_run, &l); /* on a stack that is large enough */
	if (l.result != OK)
		return err_set(l.result, 0, NULL, "%s", l.why.text);
	umask(077);
	log_setup("pombo", LOG_LEVEL_WARN, config->log_json); /* a command's output is its answer */
	err e = folder_prepare(config, &l.owner);
	*path = arena_z(a, config->data);
	if (e != OK || geteuid() != 0)
		return e;
	e = confine_to_folder(*path); /* as it is for the server */
	*path = "/";
	return e == OK ? confine_user(l.owner.uid, l.owner.gid) : e;
}

static err connect_own(struct link **out)
{
	struct link_sockets s;
	err e = link_sockets_open(&s);

	if (e != OK)
		return e;
	store_admin_service_init(&own.admin, own.store, NULL);
	own.end = link_new("command", &own.admin.service);
	*out = link_new("store", NULL);
	if (own.end != NULL && *out != NULL) {
		e = link_attach(own.end, s.stream[1], s.descriptors[1]);
		err other = link_attach(*out, s.stream[0], s.descriptors[0]);
		return e == OK ? other : e;
	}
	link_sockets_close(&s, 0);
	link_sockets_close(&s, 1);
	return err_note(E_MEMORY, "no memory for a link");
}

static bool server_may_come(err e)
{
	return e == E_NOT_FOUND || e == E_CLOSED;
}

/* A server that starts has the lock before it has the socket. */
static err connect_either(struct config *config, const char *path, struct link **out)
{
	nsec until = rt_after(TRY_FOR);
	err e;

	do {
		e = store_open(path, config, &own.store);
		if (e == OK)
			return connect_own(out);
		if (e != E_BUSY || rt_sleep_until(rt_after(TRY_EVERY)) != OK)
			return e;
		err connected = connect_server(str_from(path), out);
		if (connected == OK || !server_may_come(connected))
			return connected;
	} while (rt_now() < until);
	return err_note(E_BUSY, "another command is using the data folder");
}

err role_admin_connect(struct config *config, struct link **out)
{
	ARENA(a, 8192);
	const char *path = NULL;

	*out = NULL;
	err e = connect_server(config->data, out);
	if (!server_may_come(e))
		return e;
	e = prepare_folder(config, &a, &path);
	return e == OK ? connect_either(config, path, out) : e;
}

void role_admin_disconnect(struct link *l)
{
	link_free(l);
	link_free(own.end);
	if (own.store != NULL)
		store_close(own.store);
	own.end = NULL;
	own.store = NULL;
}
