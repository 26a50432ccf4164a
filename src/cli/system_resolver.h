/* SPDX-License-Identifier: ISC */
/* system_resolver - questions to the resolver that this machine uses (resolv.conf), for commands that run without a server of ours. */
#ifndef CLI_SYSTEM_RESOLVER_H
#define CLI_SYSTEM_RESOLVER_H

#include <resolv.h>

#include "dns/dns.h"

struct system_resolver {
	struct resolver resolver;
	const char *server; /* "127.0.0.1:53" instead; NULL none */
};
/* `server` must live on. What it answers is never SECURE: nobody here has checked it. */
MUST_USE err system_resolver_init(struct system_resolver *s, const char *server);

#endif
