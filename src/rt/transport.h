/* SPDX-License-Identifier: ISC */
/* transport - what comes with the house to open a stream over. Private to this room. */
#ifndef RT_TRANSPORT_H
#define RT_TRANSPORT_H

#include "rt/stream.h"

extern const struct transport transport_fd;
void *transport_fd_open(int fd); /* owns fd; NULL: no memory, fd closed */

#endif
