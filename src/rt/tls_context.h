/* SPDX-License-Identifier: ISC */
/* tls_context - what a listener's TLS is made of: certificates, keys that sign elsewhere, ticket keys. Private to this room. */
#ifndef RT_TLS_CONTEXT_H
#define RT_TLS_CONTEXT_H

#include "rt/tls_stream.h"

#define TLS_TICKET_LIFE    3600 /* seconds; also how long a key makes new ones */
#define TLS_REASON_NO_SIGN 1    /* in the queue of errors, as ERR_LIB_USER: the signer had none */

/* A certificate with what it takes to use it. */
struct tls_identity {
	struct tls_context *context;
	SSL_CTX *ssl; /* offers this certificate, and one of the other algorithm for the same names if there is one */
	X509 *leaf;
	STACK_OF(X509) * chain;
	EVP_PKEY *key; /* the public half, and how to ask for signatures */
	uint64_t number;
	str ocsp;
};

struct tls_ticket_key {
	unsigned char name[16], cipher[32], mac[32];
};

struct tls_tickets {
	struct tls_ticket_key keys[2]; /* the one in use, the one before */
	nsec next_key;
};

struct tls_context {
	unsigned references;
	tls_signer signer;
	void *signer_ctx;
	str alpn, listener;
	bool ask_certificate;
	struct tls_identity *identities;
	size_t identities_n;
	struct tls_tickets tickets;
	struct arena memory;
};

/* The certificate's public key, as a key whose private half is asked for signatures. E_SYNTAX: neither RSA nor ECDSA. E_MEMORY. */
MUST_USE err tls_key_make(struct tls_identity *id);

/* The server's certificate that the client was shown, in this handshake or in the one that it goes on from. NULL: not known. */
X509 *tls_context_shown(SSL *ssl);

MUST_USE bool tls_tickets_begin(struct tls_tickets *t);
void tls_tickets_forget(struct tls_tickets *t);
/* OpenSSL's callback. RFC 5077 4. 1: this key; 2: an old one, make a new ticket; 0: a ticket we cannot read; -1: a fault. */
int tls_tickets_choose(struct tls_tickets *t, unsigned char name[16], unsigned char iv[EVP_MAX_IV_LENGTH], EVP_CIPHER_CTX *cipher,
                       EVP_MAC_CTX *mac, int encrypt);

#endif
