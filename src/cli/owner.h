/* SPDX-License-Identifier: ISC */
/* owner - for commands that work on the files of the data folder themselves: as the user they belong to, and not beside a server. */
#ifndef CLI_OWNER_H
#define CLI_OWNER_H

#include "conf/config.h"

/* Started as root: becomes the user that the server runs as, for good; `folder` (NULL: none), if it is not there, is made before and
 * given to that user. Started by anyone else: stays. Files that are made from now on are readable by their owner alone. */
MUST_USE err owner_become(const struct config *config, const char *folder);
/* The same with the data folder, which is made when it is not there. */
MUST_USE err owner_become_in_data(const struct config *config);

/* OK, or E_BUSY when a server answers on the data folder. */
MUST_USE err owner_is_alone(const struct config *config);

#endif
