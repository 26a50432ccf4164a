/* SPDX-License-Identifier: ISC */
/* tls_verify - does a server's certificate hold, and if not, why: in one sentence. Private to this room. */
#ifndef RT_TLS_VERIFY_H
#define RT_TLS_VERIFY_H

#include <openssl/ssl.h>

#include "base/arena.h"
#include "rt/tls_client.h"

struct tls_question {
	const struct tls_peer *peer; /* while the handshake lasts */
	enum tls_check check;        /* what is really asked: with DANE and no usable record TLS_CHECK_NONE */
	struct arena *memory;
	str why; /* set once the certificate was found not to hold */
	enum tls_fault fault;
};
/* Tells `ssl` what a certificate must prove, sets q->check. E_SYNTAX: a name to be checked is none, or there is none. E_MEMORY. */
MUST_USE err tls_question_put(struct tls_question *q, SSL *ssl);
int tls_verify(X509_STORE_CTX *store, struct tls_question *q); /* as OpenSSL's callback: 1 it holds */
bool tls_is_address(const char *name); /* of IP, as it is written in URLs and routes without brackets */
/* The certificate's name that is one of the wanted ones, else its first; "" none. Without control characters. */
str tls_subject(X509 *certificate, const struct tls_peer *peer, struct arena *a);

#endif
