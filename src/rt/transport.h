/* SPDX-License-Identifier: ISC */
/* transport - what comes with the house to open a stream over. Private to this room. */
#ifndef RT_TRANSPORT_H
#define RT_TRANSPORT_H

#include "rt/stream.h"

extern const struct transport transport_fd;
void *transport_fd_open(int fd); /* owns fd; NULL: no memory, fd closed */

/* What a stream goes over now, and what it goes over from now on: for what is put between the two. Input that was read is thrown away. */
struct carrier {
	const struct transport *ops;
	void *t;
};
struct carrier stream_carrier(const struct stream *s);
void stream_set_carrier(struct stream *s, struct carrier carrier);
err stream_fail(struct stream *s, err e); /* makes `e` its sticky error, unless it has one: returns that */

#endif
