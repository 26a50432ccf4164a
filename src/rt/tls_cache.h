/* SPDX-License-Identifier: ISC */
/* tls_cache - sessions with servers, to be resumed. Private to this room. */
#ifndef RT_TLS_CACHE_H
#define RT_TLS_CACHE_H

#include <openssl/ssl.h>

#include "rt/tls_client.h"

enum { TLS_CACHE_SIZE = 128 }; /* a session holds the server's certificates: 5 to 15 KB */

struct tls_cache_key {
	unsigned char hash[32];
};
struct tls_cached {
	struct tls_cache_key key;
	SSL_SESSION *session; /* NULL: free */
	nsec proved;          /* when the certificate was looked at: resumed sessions inherit it */
};
struct tls_cache {
	struct tls_cached all[TLS_CACHE_SIZE];
};

/* A session proves what was checked when it began: it is one for the same server, asked for the same proof. False: not to be remembered. */
MUST_USE bool tls_cache_key_make(const struct tls_peer *peer, struct tls_cache_key *out);
/* A session that was proved less than an hour ago, which the caller frees; NULL: none. One that is used once (RFC 8446 C.4) is taken out. */
SSL_SESSION *tls_cache_take(struct tls_cache *c, const struct tls_cache_key *key, nsec *proved);
/* Owns `session`; it stands in place of the one for the same key, or of the oldest. */
void tls_cache_put(struct tls_cache *c, const struct tls_cache_key *key, SSL_SESSION *session, nsec proved);
void tls_cache_clear(struct tls_cache *c);

#endif
