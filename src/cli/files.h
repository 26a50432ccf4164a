/* SPDX-License-Identifier: ISC */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include "cli/command.h"

int files_rebuild(const struct invocation *inv); /* pombo store rebuild */

#endif
