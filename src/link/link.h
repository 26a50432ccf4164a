/* SPDX-License-Identifier: ISC */
/* link - calls to another process. A call parks the coroutine until the reply is there and looks like any function:
 *
 *	struct rcpt_check_reply reply;
 *	err e = call_rcpt_check(peers->store, &request, &reply, &arena, deadline);
 *
 * An error travels with its err_info, so err_info() here says what the peer set. When the peer dies all calls in the air return
 * E_TEMP, and so do new ones until the link is replaced (link_reattach). Frames of one round of the loop leave in one write;
 * a large read takes many. Nothing that arrives is trusted: lengths, counts and types are checked, a malformed frame closes the link.
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include "link/messages.h"
#include "rt/rt.h"
#include "rt/stream.h"

struct link;

/* Serves one call in a coroutine of its own: fills `reply` (empty, of the call's type; what it points at must live in `arena`)
 * and returns OK, or an error set with err_set. `arena` is freed after the reply was packed. Descriptors in `request` are closed after
 * that (dup what is kept), and so are those in `reply`. The coroutine is cancelled when the caller gave up or is gone. */
typedef err (*link_handler)(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena);

struct link_service {
	void *ctx;
	link_handler handlers[CALL_COUNT]; /* NULL: this call is refused with E_DENIED */
	/* The peer is gone. NULL allowed; must neither wait nor free the link. */
	void (*closed)(void *ctx, struct link *l);
};

/* A link named `peer` for logs ("edge-0"). Not connected until link_attach; `service` (may be NULL) must outlive it. */
MUST_USE struct link *link_new(const char *peer, const struct link_service *service);
/* `ended` is called whenever a connection of it has ended, but for link_free; it must neither wait nor free the link. */
void link_watch(struct link *l, void (*ended)(void *ctx), void *ctx);
/* Connects it (again): a stream socket, and a SEQPACKET socket for descriptors (-1: none can be handed over). Owns both, also on an error.
 * A connection that it still had is ended first, with its `closed`; not to be called from a handler of this same link. */
MUST_USE err link_attach(struct link *l, int stream_fd, int descriptors_fd);
MUST_USE err link_attach_stream(struct link *l, struct stream *s); /* simulated or otherwise; without descriptors */
void link_detach(struct link *l); /* ends the connection, with `closed`; can be attached again */
/* Closes, without calling `closed`; calls in the air fail. Returns when no handler of this link runs any more: not to be called from one. */
void link_free(struct link *l);
bool link_up(const struct link *l);
const char *link_peer(const struct link *l);
size_t link_calls_in_the_air(const struct link *l); /* ours that wait for a reply, and theirs that are being served */

/* Strings and lists in `reply` live in `arena` (bodies larger than BODY_INLINE_MAX: body_release). E_TEMP (451 4.3.0): the peer is away or
 * too busy (10,000 calls or 64 MiB wait). E_LIMIT: request or reply are too large for a frame or for `arena`. E_TIMEOUT, E_CANCELLED: the
 * peer is told, a reply that still comes is thrown away. Any other error is the handler's. `l` may be NULL: nobody is there. */
MUST_USE err link_call(struct link *l, enum call type, const void *request, void *reply, struct arena *arena,
                       nsec deadline);

/* The same for whom the outcome does not matter: there is no reply, and nothing is waited for. The request brings no descriptors. E_TEMP, E_LIMIT as
 * above: it was not sent. */
MUST_USE err link_tell(struct link *l, enum call type, const void *request);

#define LINK_CALL_DECLARE(c, role)                                                                       \
	MUST_USE static inline err call_##c(struct link *l, const struct c##_request *request,           \
	                                    struct c##_reply *reply, struct arena *arena, nsec deadline) \
	{                                                                                                \
		return link_call(l, CALL_##c, request, reply, arena, deadline);                          \
	}                                                                                                \
	MUST_USE static inline err tell_##c(struct link *l, const struct c##_request *request)           \
	{                                                                                                \
		return link_tell(l, CALL_##c, request);                                                  \
	}
CALLS(LINK_CALL_DECLARE)
#undef LINK_CALL_DECLARE

/* Who a session's process can call. */
#define PEERS_FILTERS_MAX 64
struct peers {
	struct link *store, *keys, *send; /* send: for callouts */
	struct link *filters[PEERS_FILTERS_MAX];
	size_t filters_n, next_filter;
};
/* Takes turns among those that are up; NULL or one that is away when none is. */
struct link *peers_filter(struct peers *p);

#endif
