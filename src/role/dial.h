/* SPDX-License-Identifier: ISC */
/* dial - the monitor connects to Unix sockets of programs that look at mail, for the filter, which has no file system. To those of the configuration alone; what is said there is
 * no business of the monitor.
 */
#ifndef ROLE_DIAL_H
#define ROLE_DIAL_H

#include "conf/config.h"
#include "link/messages.h"

MUST_USE err dial_serve(const struct config *c, const struct dial_request *q, struct dial_reply *r);

#endif
