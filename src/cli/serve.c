/* SPDX-License-Identifier: ISC */
#include "cli/command.h"
#include "role/role.h"

int command_serve(const struct invocation *inv)
{
	return role_monitor(inv->config_path, inv->single);
}
