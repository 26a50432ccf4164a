/* SPDX-License-Identifier: ISC */
/* SCRAM (RFC 5802, RFC 7677), the client's side. Pure: the nonce comes from the caller. Names and passwords are prepared (prepare.h).
 *
 *	scram_client_first    says who we are
 *	scram_client_final    the server's challenge, and our proof
 *	scram_client_verify   the server's proof: it is no success before this said OK
 */
#ifndef SASL_SCRAM_CLIENT_H
#define SASL_SCRAM_CLIENT_H

#include "sasl/scram.h"

/* Fewer rounds than RFC 7677 4 asks for are not worked: the proof would be for whoever listens to guess the password from. */
#define SCRAM_ROUNDS_MIN 4096

struct scram_client {
	struct arena *memory; /* of what the steps keep */
	enum crypto_hash hash;
	str user, password;                 /* the caller's */
	const struct auth_binding *binding; /* of the channel; NULL: a mechanism without -PLUS */
	bool could_bind; /* without -PLUS because the server did not offer it: that is said, so that the server sees when somebody hid it */
	/* from the steps */
	str header, first, nonce;
	struct crypto_digest server_signature;
};
/* Appends the first message. `nonce`: printable without commas, 18 octets of chance in it at least. E_SYNTAX: a name that cannot be said; E_LIMIT. */
MUST_USE err scram_client_first(struct scram_client *s, str nonce, struct buf *out);
/* Appends the final message. Takes milliseconds, and half a second for the most rounds that are worked (SCRAM_ROUNDS_MAX). E_SYNTAX: malformed; E_DENIED: another nonce, too
 * few rounds or too many, no salt; E_LIMIT, E_MEMORY. */
MUST_USE err scram_client_final(struct scram_client *s, str challenge, struct buf *out);
/* E_DENIED: the server does not know the password, or says that we do not. E_SYNTAX. */
MUST_USE err scram_client_verify(const struct scram_client *s, str message);

#endif
