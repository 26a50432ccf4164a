/* SPDX-License-Identifier: ISC */
#include "rt/certificate.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "base/date.h"
#include "base/encode.h"

static X509 *read_leaf(str pem)
{
	BIO *bio = pem.n > INT_MAX ? NULL : BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *leaf = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return leaf;
}

static int64_t instant(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) * USEC_PER_SEC : 0;
}

static err fingerprint(const unsigned char *hash, unsigned n, char out[CERTIFICATE_FINGERPRINT + 1])
{
	BUF(hex, CERTIFICATE_FINGERPRINT);

	hex_encode(&hex, str_make((const char *)hash, n));
	if (hex.n != CERTIFICATE_FINGERPRINT)
		return err_note(E_MEMORY, "no fingerprint was to be had");
	memcpy(out, hex.p, hex.n);
	out[CERTIFICATE_FINGERPRINT] = '\0';
	return OK;
}

static err look_at_key(X509 *leaf, char out[CERTIFICATE_FINGERPRINT + 1])
{
	unsigned char hash[EVP_MAX_MD_SIZE], *der = NULL;
	unsigned n = 0;
	int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);

	if (size > 0 && EVP_Digest(der, (size_t)size, hash, &n, EVP_sha256(), NULL) != 1)
		n = 0;
	OPENSSL_free(der);
	return fingerprint(hash, n, out);
}

static err look(X509 *leaf, str host, struct certificate_facts *out)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	*out = (struct certificate_facts){.begins = instant(X509_get0_notBefore(leaf)),
	                                  .ends = instant(X509_get0_notAfter(leaf))};
	out->names = host.n > 0 && X509_check_host(leaf, host.p, host.n, 0, NULL) == 1;
	if (X509_digest(leaf, EVP_sha256(), hash, &n) != 1)
		n = 0;
	err e = fingerprint(hash, n, out->fingerprint);
	return e == OK ? look_at_key(leaf, out->key) : e;
}

err certificate_look(str pem, str host, struct certificate_facts *out)
{
	X509 *leaf = read_leaf(pem);

	ERR_clear_error();
	if (leaf == NULL)
		return err_note(E_SYNTAX, "there is no certificate in PEM in it");
	err e = look(leaf, host, out);
	X509_free(leaf);
	ERR_clear_error();
	return e;
}

bool certificate_fingerprint_parse(str text, char out[CERTIFICATE_FINGERPRINT + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == ':' && n > 0 && n % 2 == 0 && i + 1 < text.n)
			continue;
		if (hex_digit(text.p[i]) < 0 || n == CERTIFICATE_FINGERPRINT)
			return false;
		out[n++] = "0123456789abcdef"[hex_digit(text.p[i])];
	}
	out[n] = '\0';
	return n == CERTIFICATE_FINGERPRINT;
}
