/* SPDX-License-Identifier: ISC */
/* tls_client - TLS for clients: opportunistic, by name (PKIX, RFC 6125), or by TLSA records (DANE, RFC 7672).
 *
 * TLS 1.2 is the least that is spoken, also where nothing is checked: a server that is older gets what the caller's policy says about servers without
 * TLS. Where nothing is checked, old ciphers and short keys are taken, for the alternative is plaintext.
 */
#ifndef RT_TLS_CLIENT_H
#define RT_TLS_CLIENT_H

#include "rt/tls.h"

/* Authorities that are known, and the tickets of earlier sessions; one for a process. `authorities_pem` "": the system's files. */
struct tls_client;
MUST_USE err tls_client_new(str authorities_pem, struct tls_client **out); /* E_SYNTAX: no certificate in it */
void tls_client_free(struct tls_client *c);

enum tls_check {
	TLS_CHECK_NONE, /* any certificate: encryption against who listens only */
	TLS_CHECK_NAME, /* issued by a known authority for one of `names` */
	TLS_CHECK_DANE /* fits one of `tlsa`; usages 2 and 3 alone count (RFC 7672 3.1), names as in TLS_CHECK_NAME for usage 2 */
};
struct tls_tlsa {
	uint8_t usage, selector, matching;
	str data;
};
struct tls_peer {
	str server_name; /* SNI, also what sessions are remembered by; "" none (an address is none) */
	str alpn;        /* "" none */
	enum tls_check check;
	/* That the certificate may have, at least one unless it is TLS_CHECK_NONE; *.example.com counts for one label. A single name may be an address. */
	const str *names;
	size_t names_n;
	/* TLS_CHECK_DANE. When none of them can be used (RFC 7672 2.1) it is as TLS_CHECK_NONE, and `unusable` is set. */
	const struct tls_tlsa *tlsa;
	size_t tlsa_n;
	bool lenient; /* with TLS_CHECK_NAME: a certificate that does not hold is taken all the same, and `fault` says so (RFC 8461 5: testing) */
};
enum tls_fault { /* of a certificate */
	         TLS_FAULT_NONE,
	         TLS_FAULT_NAME,
	         TLS_FAULT_EXPIRED,
	         TLS_FAULT_UNTRUSTED,
	         TLS_FAULT_TLSA /* it fits none of the records */
};
struct tls_proof { /* what was seen of the server; views live as long as the stream */
	str version, cipher;
	str subject;            /* the certificate's name that fitted, else its first */
	str fingerprint;        /* SHA-256 of it, hex */
	enum tls_check checked; /* what held: TLS_CHECK_NONE when nothing was asked, or DANE had no usable record */
	bool resumed, unusable;
	enum tls_fault fault; /* also after E_DENIED */
	str fault_text;       /* lenient: one sentence about it */
};
/* Client handshake on a stream whose buffered input is thrown away first (a server that spoke before it was asked). On OK the stream is encrypted. Errors
 * stick to the stream: E_DENIED: the certificate does not hold, err_info says why in one sentence; E_SYNTAX: no TLS is spoken there, or none that we do;
 * E_CLOSED, E_TIMEOUT, E_CANCELLED. */
MUST_USE err stream_start_tls_client(struct stream *s, struct tls_client *c, const struct tls_peer *peer, nsec deadline,
                                     struct tls_proof *proof);

#endif
