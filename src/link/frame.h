/* SPDX-License-Identifier: ISC */
/* frame - what travels on a link's stream: a length (u32, little-endian, of what follows it), then the kind (u8), the call's id (varint) and
 *
 *	call:   type (varint), descriptors, request; its id is 0 when nobody waits for a reply: there is none
 *	reply:  code (varint); OK: descriptors, reply; otherwise reply code (varint), status and text (strings)
 *	cancel: nothing: the caller no longer waits
 *
 * descriptors: how many (varint) and, unless 0, the ticket of the first (varint). They come over the other socket, before the frame.
 */
#ifndef LINK_FRAME_H
#define LINK_FRAME_H

#include "link/messages.h"

#define FRAME_MAX         ((size_t)4 << 20) /* the configuration with ten thousand domains is one call */
#define FRAME_LENGTH_SIZE 4
#define FRAME_NO_REPLY    0 /* no other call has this id */

enum frame_kind { FRAME_CALL, FRAME_REPLY, FRAME_CANCEL, FRAME_KINDS };

struct frame {
	enum frame_kind kind;
	uint64_t id;
	enum call type;       /* also of a reply that is written; one that is read does not tell */
	struct err_info info; /* of a reply; code OK: there is a record */
	uint64_t fds_n, ticket;
	str record; /* packed; view into the frame */
};

/* Appends a frame with a packed record (NULL: none); frame->record is not used. The descriptors of the record go to `fds`. On an error
 * nothing is left in `out`. E_BUSY: there are not as many as frame->fds_n says. E_LIMIT: too large. E_FULL: no room in `out`. */
MUST_USE err frame_write(struct buf *out, const struct frame *f, const struct record *r, const void *data,
                         struct record_fds *fds);

/* The length that stands in the first FRAME_LENGTH_SIZE bytes. False: no frame is as short or long as that. */
MUST_USE bool frame_length(str bytes, size_t *n);
/* `bytes`: all behind the length. False: malformed. */
MUST_USE bool frame_parse(str bytes, struct frame *out);

/* A call that is (messages.h). */
bool frame_is_secret(str bytes);

#endif
