/* SPDX-License-Identifier: ISC */
/* check_tls - whether the certificate files that a configuration names can be used, and those with passwords be read. */
#ifndef CLI_CHECK_TLS_H
#define CLI_CHECK_TLS_H

#include "cli/command.h"

/* Prints what is wrong with them, or will soon be: faults, with which the server does not start, and warnings.
 * EX_CONFIG: there is a fault. */
int check_tls(const struct invocation *inv, const struct config *c);

#endif
