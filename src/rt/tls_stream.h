/* SPDX-License-Identifier: ISC */
/* tls_stream - OpenSSL above a transport, and as a transport: what both sides of TLS stand on. Private to this room.
 *
 * The thread's queue of OpenSSL errors is shared by all coroutines, one of which may be parked inside a handshake: whoever looks at it empties it first.
 */
#ifndef RT_TLS_STREAM_H
#define RT_TLS_STREAM_H

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/arena.h"
#include "rt/tls.h"
#include "rt/transport.h"

#define TLS_NOTES_MAX        ((size_t)16 << 10)
#define TLS_FINGERPRINT_SIZE 64 /* SHA-256 in hex */

struct tls_transport {
	struct carrier under;
	SSL *ssl;
	void (*release)(void *owner); /* called with `owner` when the transport is closed */
	void *owner;
	struct arena notes; /* what lives as long as the stream: empty until somebody has something to note */
	str fingerprint;    /* of the client's certificate, on the server's side; "" none */
	bool established;
	bool broken;   /* OpenSSL wants no further call */
	bool finished; /* close_notify was said */
	bool ended;  /* the other side's bytes have ended */
	bool read_wants_write, writer_waits;
	bool holding;    /* what OpenSSL writes waits in `held` */
	struct buf held; /* leaves with what is written next, or before anybody waits */
};

/* Once a process, before anything else of OpenSSL's: no file of the system's decides what we offer, and inside an empty root there is none. */
void tls_begin(void);
/* Settings that are the same on both sides. */
MUST_USE bool tls_set_common(SSL_CTX *ctx);

/* The first thing that OpenSSL complained about. */
const char *tls_reason(void);
/* Notes `what` with it, empties the queue, returns `e`. */
err tls_failed(err e, const char *what);
/* The certificates of `pem` appended to `out`. E_SYNTAX: none, or (if `strict`) one that cannot be read among them. */
MUST_USE err tls_read_certificates(str pem, bool strict, STACK_OF(X509) * out);
str tls_fingerprint(X509 *certificate, struct arena *a); /* SHA-256, hex; "" when there is no memory */

/* Puts TLS between the stream and its carrier, input that was read is thrown away. `ssl` (told which side it is) is the transport's from now on,
 * also after an error. E_MEMORY (sticks to the stream). */
MUST_USE err tls_transport_put(struct stream *s, SSL *ssl, struct tls_transport **out);
/* The transport when there is TLS on the stream, or NULL. */
struct tls_transport *tls_transport_of(const struct stream *s);
/* Handshake. E_END: OpenSSL gave up, its queue of errors says why. E_TIMEOUT, E_CANCELLED, E_CLOSED: while it waited. */
MUST_USE err tls_handshake(struct tls_transport *t, nsec deadline);

#endif
