/* SPDX-License-Identifier: ISC */
#include "role/listeners.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "role/folder.h"

/* --- the configured services --- */

static struct listener_socket *find(const struct listeners *l, enum service service, str text)
{
	for (size_t i = 0; l != NULL && i < l->n; i++)
		if (l->items[i].service == service && str_equal(str_from(l->items[i].text), text))
			return &l->items[i];
	return NULL;
}

bool listeners_have(const struct listeners *l, const struct listener_socket *s)
{
	return find(l, s->service, str_from(s->text)) != NULL;
}

static const char *unix_path(const struct net_address *a)
{
	return a->sa.ss_family == AF_UNIX ? ((const struct sockaddr_un *)&a->sa)->sun_path : NULL;
}

/* The folder that a socket is to be in, when it is not there, as /run/pombo after a boot: everybody may go through it. Without the right
 * to make it, binding fails and says so. */
static void make_folder(const char *path)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];

	snprintf(folder, sizeof(folder), STR_FMT,
	         STR_ARG(str_take(str_from(path), str_find_last(str_from(path), '/'))));
	if (mkdir(folder, 0755) == 0)
		(void)!chmod(folder, 0755); /* whatever the umask says */
}

/* Programs of anybody submit, and are known by their uid. Who hands mail to mailboxes without a word about who he is has to be in the group. */
static bool give_socket(const char *path, enum service service, const struct folder_owner *owner)
{
	mode_t mode = service == SERVICE_LOCAL ? 0666 : 0660;

	return fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (owner == NULL || geteuid() != 0 || lchown(path, owner->uid, owner->gid) == 0);
}

static err open_one(const struct config_listen *wanted, const struct folder_owner *owner, int *fd)
{
	const char *path = unix_path(&wanted->address);

	if (path != NULL && path[0] == '/')
		make_folder(path);
	err e = net_listen(&wanted->address, fd);
	if (e == OK && path != NULL && !give_socket(path, wanted->service, owner)) {
		close(*fd);
		e = err_note(E_IO, "cannot give %s to its users", path);
	}
	if (e == OK)
		return OK;
	struct err_info why = *err_info();
	return err_note(e, "%s: %s", service_name(wanted->service), why.text);
}

static err add(struct listeners *l, const struct config_listen *wanted, int fd)
{
	struct listener_socket *s = &l->items[l->n];

	*s = (struct listener_socket){wanted->service, wanted->address, strndup(wanted->text.p, wanted->text.n), fd};
	l->n++;
	return s->text != NULL ? OK : err_note(E_MEMORY, "no memory for a listener");
}

/* Those that `old` does not have. */
static err open_new(const struct config *config, const struct folder_owner *owner, const struct listeners *old,
                    struct listeners *out)
{
	err e = OK;

	for (size_t i = 0; i < config->listens_n && e == OK; i++) {
		int fd = -1;

		if (find(old, config->listens[i].service, config->listens[i].text) == NULL)
			e = open_one(&config->listens[i], owner, &fd);
		if (e == OK)
			e = add(out, &config->listens[i], fd);
	}
	return e;
}

static void move_old(struct listeners *old, struct listeners *out)
{
	for (size_t i = 0; i < out->n; i++) {
		struct listener_socket *s = &out->items[i];
		struct listener_socket *was = s->fd < 0 ? find(old, s->service, str_from(s->text)) : NULL;

		if (was == NULL)
			continue;
		s->fd = was->fd;
		was->fd = -1;
	}
}

static void free_items(struct listeners *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->items[i].fd >= 0)
			close(l->items[i].fd);
		free(l->items[i].text);
	}
	free(l->items);
	*l = (struct listeners){0};
}

err listeners_open(const struct config *config, const struct folder_owner *owner, struct listeners *old,
                   struct listeners *out)
{
	*out = (struct listeners){.items = calloc(config->listens_n + 1, sizeof(*out->items))};
	err e = out->items == NULL ? err_note(E_MEMORY, "no memory for listeners") : open_new(config, owner, old, out);

	if (e == OK)
		move_old(old, out);
	else
		free_items(out);
	return e;
}

void listeners_close(struct listeners *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].fd >= 0 && unix_path(&l->items[i].address) != NULL)
			unlink(unix_path(&l->items[i].address));
	free_items(l);
}

/* --- the control socket --- */

err listeners_control_address(str data_folder, struct net_address *out)
{
	BUF(text, 4096);

	buf_printf(&text, "unix:" STR_FMT "/control.sock", STR_ARG(data_folder));
	if (net_address_parse(buf_str(&text), out) == OK)
		return OK;
	return err_note(E_LIMIT, "the data folder's name " STR_FMT " is too long for a socket in it",
	                STR_ARG(data_folder));
}

err listeners_open_control(const struct config *config, const struct folder_owner *owner, int *fd)
{
	struct net_address address;
	err e = listeners_control_address(config->data, &address);

	if (e == OK)
		e = net_listen(&address, fd);
	if (e != OK)
		return e;
	const char *path = unix_path(&address);
	/* The folder is not ours but the roles': a link that one of them put there is not followed. */
	if (fchmodat(AT_FDCWD, path, 0600, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (geteuid() != 0 || lchown(path, owner->uid, owner->gid) == 0))
		return OK;
	close(*fd);
	*fd = -1;
	return err_note(E_IO, "cannot give %s to its owner", path);
}

void listeners_remove_control(const struct config *config)
{
	struct net_address address;

	if (listeners_control_address(config->data, &address) == OK)
		unlink(unix_path(&address));
}
