/* SPDX-License-Identifier: ISC */
/* SCRAM (RFC 5802, RFC 7677), the server's side: what is read, what is said, and what is kept instead of a password. Pure: nonces and salts
 * come from the caller. Names and passwords are taken as they are: the caller has prepared them (prepare.h).
 *
 *	scram_first    the client's first message: who
 *	scram_challenge   the server's first message
 *	scram_final    the client's final message, its nonce and channel binding checked
 *	scram_proves   whether the client knows the password of a verifier, and the server's final message
 */
#ifndef SASL_SCRAM_H
#define SASL_SCRAM_H

#include "base/arena.h"
#include "link/messages.h"
#include "rt/crypto.h"

#define SCRAM_ROUNDS      10000 /* of new verifiers (RFC 7677 4 asks for 4096 at least) */
#define SCRAM_ROUNDS_MAX  1000000
#define SCRAM_SALT        16 /* octets of new salts */
#define SCRAM_SALT_MAX    64
#define SCRAM_MESSAGE_MAX 2048 /* octets of a client's message */
#define SCRAM_NONCE_MAX   256  /* octets of a client's nonce */

/* What is kept of a password, as text: RFC 5803, "SCRAM-SHA-256$ROUNDS:SALT$STOREDKEY:SERVERKEY" (or SCRAM-SHA-1). */
struct scram_verifier {
	enum crypto_hash hash;
	uint32_t rounds;
	size_t salt_n;
	char salt[SCRAM_SALT_MAX];
	struct crypto_digest stored_key, server_key;
};
/* Takes milliseconds. E_LIMIT: salt or rounds are out of bounds. E_MEMORY. */
MUST_USE err scram_verifier_make(enum crypto_hash hash, str password, str salt, uint32_t rounds,
                                 struct scram_verifier *out);
void scram_verifier_print(const struct scram_verifier *v, struct buf *out);
MUST_USE err scram_verifier_parse(str text, struct scram_verifier *out); /* E_SYNTAX */
str scram_verifier_salt(const struct scram_verifier *v);

/* One exchange. All views live in `memory`. */
struct scram {
	struct arena *memory;
	enum crypto_hash hash;
	bool plus;         /* the mechanism's name ends in -PLUS */
	bool plus_offered; /* and was offered */
	const struct auth_binding *bindings;
	size_t bindings_n;
	/* from scram_first */
	str authorization, user; /* authorization: "" none */
	str header, first, nonce, binding;
	/* from scram_challenge */
	str challenge;
	/* from scram_final */
	str final, proof;
};
/* E_SYNTAX: malformed. E_DENIED: the channel binding is none of ours, or somebody in between has hidden that -PLUS was offered. E_LIMIT. */
MUST_USE err scram_first(struct scram *s, str message);
MUST_USE err scram_challenge(struct scram *s, str salt, uint32_t rounds, str server_nonce); /* E_LIMIT */
MUST_USE err scram_final(struct scram *s, str message); /* E_SYNTAX; E_DENIED: another nonce or channel */
/* `out` gets the server's final message. Takes the same time whether it does or not. */
MUST_USE bool scram_proves(const struct scram *s, const struct scram_verifier *v, struct buf *out);

#endif
