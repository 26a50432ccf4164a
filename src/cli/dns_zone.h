/* SPDX-License-Identifier: ISC */
/* dns_zone - pombo dns: the records to publish, and which of them are there. */
#ifndef CLI_DNS_ZONE_H
#define CLI_DNS_ZONE_H

#include "cli/command.h"

/* `domain`: NULL: all of the configuration. Returns the exit status: EX_OK also when records are missing. */
int dns_zone_print(const struct invocation *inv, const struct config *config, const char *domain);

#endif
