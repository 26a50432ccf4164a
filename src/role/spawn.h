/* SPDX-License-Identifier: ISC */
/* spawn - a role as a process of its own: this program, executed again. */
#ifndef ROLE_SPAWN_H
#define ROLE_SPAWN_H

#include <sys/types.h>

#include "base/err.h"

/* The two pairs of sockets of a link: one end of each in [0], the other in [1]. */
struct link_sockets {
	int stream[2], descriptors[2];
};
MUST_USE err link_sockets_open(struct link_sockets *s);
void link_sockets_close(struct link_sockets *s, int end); /* both of that end, if they are open */

/* Executes `pombo: NAME --role ROLE INDEX` with descriptors 3 and 4, /dev/null as standard input and output, and nothing else
 * open but standard error. The descriptors stay the caller's. */
MUST_USE err spawn_role(const char *name, const char *role, unsigned index, int stream_fd, int descriptors_fd,
                        pid_t *pid);

/* Executes `pombo: NAME OPTION` with these as standard input and output, and nothing else open but standard error. They stay the caller's. Nobody
 * has to wait for it: the monitor takes the status of every child. */
MUST_USE err spawn_helper(const char *name, const char *option, int in, int out);

#endif
