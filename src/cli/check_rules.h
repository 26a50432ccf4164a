/* SPDX-License-Identifier: ISC */
/* check_rules - whether the rules that a configuration gives points to exist. */
#ifndef CLI_CHECK_RULES_H
#define CLI_CHECK_RULES_H

#include "cli/command.h"

/* Says which do not, and what was probably meant. EX_CONFIG: there is one; the server starts all the same, as a rule may go with a version. */
int check_rules(const struct invocation *inv, const struct config *c);

#endif
