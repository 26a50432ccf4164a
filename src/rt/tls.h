/* SPDX-License-Identifier: ISC */
/* tls - TLS for servers (for clients: tls_client.h). The process that does the handshake has certificates but no private keys: a
 * signature is asked for by a callback, which may park the coroutine.
 */
#ifndef RT_TLS_H
#define RT_TLS_H

#include "base/arena.h"
#include "base/buf.h"
#include "rt/stream.h"

struct tls_context; /* certificates, settings and ticket keys of one listener; counted, so that a reload drops no session */

/* What the private key does. RAW_RSA: `input` is a padded block of the key's size; ECDSA: a digest, the answer a DER signature. */
enum tls_sign { TLS_SIGN_RSA_RAW = 1, TLS_SIGN_ECDSA };
/* Appends the signature to `out`. May park. `key` is the number given with the certificate. */
typedef err (*tls_signer)(void *ctx, uint64_t key, enum tls_sign kind, str input, struct buf *out);

struct tls_certificate {
	str chain_pem; /* leaf first */
	str ocsp_der;  /* response to staple, "" none */
	uint64_t key;  /* handed to the signer */
};
struct tls_options {
	const struct tls_certificate
		*certificates; /* chosen by SNI and the client's algorithms; the first is the default */
	size_t certificates_n;
	tls_signer signer;
	void *signer_ctx;
	str alpn; /* the only protocol name accepted, "" any; a client that offers only others is refused (ALPACA) */
	str listener; /* tickets of one listener are none of another's; at most 32 octets */
	bool ask_certificate; /* of the client, who need not have one; no authority is asked about it (SASL EXTERNAL by fingerprint) */
};
MUST_USE err tls_context_new(const struct tls_options *options,
                             struct tls_context **out); /* E_SYNTAX: unreadable certificate */
struct tls_context *tls_context_hold(struct tls_context *c);
void tls_context_release(struct tls_context *c); /* NULL allowed */

/* What a handshake agreed on; views live as long as the stream. */
struct tls_info {
	str version, cipher;        /* "TLSv1.3", "TLS_AES_256_GCM_SHA384" */
	str server_name;            /* SNI, "" none */
	str client_fingerprint;     /* on the server's side: SHA-256 of the client's certificate in hex, "" none */
	bool client_certificate_ok; /* there is one, and the client has its private key */
};

/* Server handshake. Output that was put before is flushed, in plaintext; input that was buffered is thrown away. On OK the stream is encrypted
 * from now on; an error is the stream's sticky error, and nothing is sent in plaintext any more. E_SYNTAX: the client speaks no TLS that we
 * do, err_info says what was wrong. E_TEMP: no signature was to be had. E_CLOSED, E_TIMEOUT, E_CANCELLED. It is logged, with `session`. */
MUST_USE err stream_start_tls(struct stream *s, struct tls_context *c, nsec deadline, str session);
bool stream_is_tls(const struct stream *s);
struct tls_info stream_tls_info(const struct stream *s);
/* Of servers' and clients' streams. Channel bindings (RFC 5929, 9266): "tls-server-end-point", "tls-exporter", "tls-unique" (TLS 1.2). False: none of
 * that name here. */
MUST_USE bool stream_tls_binding(const struct stream *s, const char *name, struct buf *out);
/* Is there one of those two that can be used with any number of connections, "tls-exporter" or "tls-server-end-point"? Costs less than to have it. */
bool stream_tls_can_bind(const struct stream *s);

#endif
