/* SPDX-License-Identifier: ISC */
/* signature - mail that this process writes itself is signed (RFC 6376) as other mail of ours is. Parks. */
#ifndef RELAY_SIGNATURE_H
#define RELAY_SIGNATURE_H

#include "base/buf.h"

struct relay;
/* Puts signatures of the domain that From is of, or is below, in front of the message. When it cannot be signed it stays as it is, which is in the log. */
void signature_put(const struct relay *r, struct buf *mail);

#endif
