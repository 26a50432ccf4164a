/* SPDX-License-Identifier: ISC */
/* dkim - DomainKeys Identified Mail (RFC 6376, 8301, 8463): signatures looked at, and made. Pure but for questions to the DNS; parks. */
#ifndef MAILAUTH_DKIM_H
#define MAILAUTH_DKIM_H

#include "dns/dns.h"
#include "mailauth/result.h"

/* A message in two pieces, neither with the empty line between them counted to it: a header of whole lines, and the body. */
struct dkim_message {
	str header, body;
};
struct dkim_message dkim_message_of(str message);

enum { DKIM_SIGNATURES_MAX = 10, DKIM_FIELDS_MAX = 256, DKIM_RSA_BITS_MIN = 1024, DKIM_RSA_BITS_MAX = 4096 };

struct dkim_options {
	const struct resolver *resolver;
	int64_t now; /* microseconds since 1970 */
	nsec deadline;
	struct dkim_key_cache *keys; /* dkim_key_cache.h; NULL: keys are read anew each time */
	bool once; /* a signature that could only prove what another has proved is skipped; false: each is verified */
};
struct dkim_result {
	enum auth_result result;
	str domain, selector, identity; /* d= s= i=, "" when malformed */
	str algorithm;                  /* "rsa-sha256", "ed25519-sha256" */
	str b;          /* the beginning of the signature, as it stands: header.b of RFC 8601 (RFC 6008) */
	str why;        /* a sentence: of all but a pass */
	bool testing;   /* t=y of the key */
	bool strict;    /* t=s of the key: i= has to be in d= itself */
	bool partial;   /* l= left octets of the body out: the result is not PASS but POLICY */
	bool skipped;   /* `once`: not verified, the result is NONE, and `why` says what is enough */
	unsigned bits;  /* of an RSA key */
};
/* Every signature of the header, in order, at most DKIM_SIGNATURES_MAX (those behind are not looked at). Signatures without From, with more than
 * DKIM_FIELDS_MAX names, with rsa-sha1, of short keys are refused (PERMERROR, POLICY, FAIL: as RFC 8601 2.7.1 has it), and one that signs fewer From,
 * Subject, Date, To ... fields than the message has fails where that shows readers another message. With `once`, of several with the same d= and i= a signature of
 * RSA is verified first, for it costs a sixth of one of Ed25519, and those behind one that passes are skipped (RFC 6376 6.1). E_CANCELLED, E_MEMORY, E_LIMIT. */
MUST_USE err dkim_verify(const struct dkim_message *m, const struct dkim_options *o, struct arena *a, struct dkim_result **out,
                         size_t *n);

/* Signs with relaxed/relaxed, SHA-256. */
struct dkim_key {
	str domain, selector;
	bool ed25519; /* else RSA */
	/* Appends the signature of a SHA-256 as it goes into b=, not encoded; parks. */
	err (*sign)(void *ctx, str digest, struct buf *out);
	void *ctx;
};
/* Appends a DKIM-Signature field for each key, with CRLF; all fields of RFC 6376 5.4.1 that the header has are signed, and those that nobody may add (From,
 * Subject, Date, To, Cc, Reply-To, Message-ID, MIME ...) once more than they are there. */
MUST_USE err dkim_sign(const struct dkim_message *m, const struct dkim_key *keys, size_t n, int64_t now, struct arena *a,
                       struct buf *out);

#endif
