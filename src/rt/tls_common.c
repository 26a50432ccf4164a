/* SPDX-License-Identifier: ISC */
/* What the server's and the client's side of TLS share of OpenSSL. */
#include <limits.h>
#include <openssl/pem.h>

#include "base/encode.h"
#include "rt/tls_stream.h"

void tls_begin(void)
{
	static bool begun;

	if (!begun)
		OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	begun = true;
}

bool tls_set_common(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
	                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ctx, 1); /* a record in one read instead of two */
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1;
}

const char *tls_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	return reason == NULL ? "unknown reason" : reason;
}

err tls_failed(err e, const char *what)
{
	err_note(e, "%s: %s", what, tls_reason());
	ERR_clear_error();
	return e;
}

/* Is there another certificate? `bad`: there is something that is called one. */
static bool read_next(BIO *bio, X509 **out, bool *bad)
{
	ERR_clear_error();
	*out = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	*bad = *out == NULL && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
	return *out != NULL || *bad;
}

/* False: there is one that cannot be read. */
static bool read_all(BIO *bio, bool strict, STACK_OF(X509) * out)
{
	X509 *next;
	bool bad;

	while (read_next(bio, &next, &bad)) {
		if (bad && strict)
			return false;
		if (next != NULL && sk_X509_push(out, next) <= 0)
			X509_free(next);
	}
	return true;
}

err tls_read_certificates(str pem, bool strict, STACK_OF(X509) * out)
{
	BIO *bio = pem.n == 0 || pem.n > INT_MAX || out == NULL ? NULL : BIO_new_mem_buf(pem.p, (int)pem.n);
	bool good = bio != NULL && read_all(bio, strict, out) && sk_X509_num(out) > 0;

	BIO_free(bio);
	if (!good)
		return tls_failed(E_SYNTAX, "not a certificate in PEM");
	ERR_clear_error();
	return OK;
}

str tls_fingerprint(X509 *certificate, struct arena *a)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	BUF(hex, TLS_FINGERPRINT_SIZE);

	if (X509_digest(certificate, EVP_sha256(), hash, &n) == 1)
		hex_encode(&hex, str_make((const char *)hash, n));
	return arena_str(a, buf_str(&hex));
}
