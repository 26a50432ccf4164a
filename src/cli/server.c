/* SPDX-License-Identifier: ISC */
/* What is asked of the running server and of nothing else. */
#include "cli/admin.h"
#include "cli/command.h"

static int ask_server(const struct invocation *inv)
{
	int status = admin_command(inv);

	return status == EX_NOUSER ? EX_UNAVAILABLE : status; /* no server was found */
}

int command_security(const struct invocation *inv)
{
	return ask_server(inv);
}

int command_stop(const struct invocation *inv)
{
	return ask_server(inv);
}

/* A file with a fault is found here already, and its faults are all told. */
int command_reload(const struct invocation *inv)
{
	return ask_server(inv);
}
