/* SPDX-License-Identifier: ISC */
/* listeners - the sockets the monitor binds and hands to the roles. It never reads from them. */
#ifndef ROLE_LISTENERS_H
#define ROLE_LISTENERS_H

#include "conf/config.h"

struct listener_socket {
	enum service service;
	struct net_address address;
	char *text; /* the address as written */
	int fd;
};
struct listeners { /* all zero: none */
	struct listener_socket *items;
	size_t n;
};

struct folder_owner;
/* Binds what `config` lists; sockets in the file system are for the group of `owner`, those of the service local for everybody. `owner` NULL: as root they
 * stay root's. What `old` (may be NULL) has already is moved over from it. On an error `out` is empty, `old` as it was, and
 * the sentence names the address. E_EXISTS: in use. E_DENIED: no right to it. */
MUST_USE err listeners_open(const struct config *config, const struct folder_owner *owner, struct listeners *old,
                            struct listeners *out);
void listeners_close(struct listeners *l);
bool listeners_have(const struct listeners *l, const struct listener_socket *s); /* one of that service and address */

/* data/control.sock, for `owner` alone. Only who holds the store's lock may call this: the socket of a dead server is replaced. */
MUST_USE err listeners_open_control(const struct config *config, const struct folder_owner *owner, int *fd);
MUST_USE err listeners_control_address(str data_folder, struct net_address *out);
void listeners_remove_control(const struct config *config);

#endif
