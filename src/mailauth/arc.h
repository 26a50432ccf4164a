/* SPDX-License-Identifier: ISC */
/* arc - Authenticated Received Chain (RFC 8617): what those who handed a message on before saw of it. Parks. */
#ifndef MAILAUTH_ARC_H
#define MAILAUTH_ARC_H

#include "mailauth/dkim.h"

enum { ARC_SETS_MAX = 50 };

struct arc_set {
	str sealer;  /* d= of the ARC-Seal */
	str results; /* of the ARC-Authentication-Results: its value behind the instance, unfolded */
};
struct arc_result {
	enum auth_result result; /* NONE PASS FAIL */
	str why;
	struct arc_set *sets; /* of a chain that passes: i=1 first */
	size_t n;
	unsigned oldest_pass; /* RFC 8617 5.2: instance of the oldest message signature that still holds, 0 all do */
};
MUST_USE err arc_verify(const struct dkim_message *m, const struct dkim_options *o, struct arena *a,
                        struct arc_result *out);

/* Appends a set of our own (ARC-Seal, ARC-Message-Signature, ARC-Authentication-Results), each with CRLF. `before`: what arc_verify said of the message;
 * `results`: the value of our Authentication-Results. Of a chain that has failed only a failing seal is made (RFC 8617 5.1.2), of one that was
 * sealed as failed nothing; of a full one nothing either: E_LIMIT. */
MUST_USE err arc_seal(const struct dkim_message *m, const struct arc_result *before, const struct dkim_key *key,
                      str results, int64_t now, struct arena *a, struct buf *out);

#endif
