/* SPDX-License-Identifier: ISC */
/* The roles: one process each, re-executed from this binary with an address layout of its own. */
#ifndef ROLE_ROLE_H
#define ROLE_ROLE_H

#include "conf/config.h"

/* `pombo serve`: the monitor, in the foreground; returns the exit status (78 for a bad configuration). `single`: all roles in this process. */
int role_monitor(const char *config_path, bool single);
/* `pombo --role NAME INDEX`: not for people. Descriptors 3 (stream) and 4 (SEQPACKET) lead to the monitor. */
int role_child(const char *name, unsigned index);

/* `pombo --forward`: not for people; see forward_reader.h. */
int role_forward(void);

/* For commands: a link to the store for admin calls. To the running server by data/control.sock, or, when none runs, to a store opened in
 * this process (as the configured user when started as root). Needs a running loop. */
struct link;
MUST_USE err role_admin_connect(struct config *config, struct link **out);
void role_admin_disconnect(struct link *l);

#endif
