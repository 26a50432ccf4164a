/* SPDX-License-Identifier: ISC */
/* store - the calls of the message table that the data folder's owner serves. */
#ifndef ROLE_STORE_H
#define ROLE_STORE_H

#include "link/link.h"
#include "store/store.h"

/* For the command line: `admin`, with what is no business of the store handed on to the monitor (NULL: no server runs). The struct must
 * outlive the service. */
struct store_admin_service {
	struct link_service service;
	struct store *store;
	struct link *monitor;
};
void store_admin_service_init(struct store_admin_service *s, struct store *store, struct link *monitor);

#endif
