/* SPDX-License-Identifier: ISC */
#include "rt/private_key.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define SECURE_MEMORY ((size_t)1 << 20)
#define SELF_DAYS     3650
#define DIGEST_MIN    32
#define DIGEST_MAX    64
#define PADDING_MIN   10   /* octets of PKCS #1 type 1 in front of the digest: far more in a real one */
#define BLOCK_MAX     1024 /* octets: RSA of 8192 bits */

struct private_key {
	EVP_PKEY *key;
	EVP_PKEY_CTX *sign; /* ready to sign what was hashed elsewhere */
	bool rsa;
};

static err failed(err e, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	err_note(e, "%s: %s", what, reason == NULL ? "unknown reason" : reason);
	ERR_clear_error();
	return e;
}

/* A password would be asked for at the terminal. */
static int no_password(char *to, int n, int writing, void *ctx)
{
	(void)to, (void)n, (void)writing, (void)ctx;
	return -1;
}

static EVP_PKEY *read_key(str pem)
{
	BIO *bio = pem.n > INT_MAX ? NULL : BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);

	BIO_free(bio);
	return key;
}

static bool belongs_to(const EVP_PKEY *key, str chain_pem)
{
	BIO *bio = chain_pem.n > INT_MAX ? NULL : BIO_new_mem_buf(chain_pem.p, (int)chain_pem.n);
	X509 *leaf = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
	bool same = leaf != NULL && EVP_PKEY_eq(X509_get0_pubkey(leaf), key) == 1;

	X509_free(leaf);
	BIO_free(bio);
	return same;
}

static err prepare(struct private_key *k, str key_pem, str chain_pem)
{
	k->key = read_key(key_pem);
	if (k->key == NULL)
		return failed(E_SYNTAX, "not a private key in PEM without a password");
	int kind = EVP_PKEY_get_base_id(k->key);
	if (kind != EVP_PKEY_RSA && kind != EVP_PKEY_EC)
		return err_note(E_SYNTAX, "the private key is neither RSA nor ECDSA but %s, which is not done here",
		                OBJ_nid2ln(kind));
	if (!belongs_to(k->key, chain_pem))
		return err_note(E_SYNTAX, "the private key is not the certificate's");
	k->rsa = kind == EVP_PKEY_RSA;
	k->sign = EVP_PKEY_CTX_new(k->key, NULL);
	if (k->sign == NULL || EVP_PKEY_sign_init(k->sign) != 1 ||
	    (k->rsa && EVP_PKEY_CTX_set_rsa_padding(k->sign, RSA_NO_PADDING) != 1))
		return failed(E_MEMORY, "the private key cannot be used");
	return OK;
}

err private_key_read(str key_pem, str chain_pem, struct private_key **out)
{
	struct private_key *k = calloc(1, sizeof(*k));

	*out = NULL;
	ERR_clear_error();
	if (k == NULL)
		return err_note(E_MEMORY, "no memory for a private key");
	if (!CRYPTO_secure_malloc_initialized())
		(void)CRYPTO_secure_malloc_init(SECURE_MEMORY, 32); /* what cannot be locked is used all the same */
	err e = prepare(k, key_pem, chain_pem);
	if (e == OK)
		*out = k;
	else
		private_key_free(k);
	ERR_clear_error();
	return e;
}

void private_key_free(struct private_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_CTX_free(k->sign);
	EVP_PKEY_free(k->key);
	free(k);
}

/* RFC 8017 B.2.1: takes the mask that `seed` gives off `db`. */
static bool unmask(const EVP_MD *md, str seed, unsigned char *db, size_t n)
{
	unsigned char in[EVP_MAX_MD_SIZE + 4] = {0}, mask[EVP_MAX_MD_SIZE];
	unsigned int size = 1;

	memcpy(in, seed.p, seed.n);
	for (size_t i = 0; i < n; i++) {
		if (i % size == 0 && EVP_Digest(in, seed.n + 4, mask, &size, md, NULL) != 1)
			return false;
		db[i] ^= mask[i % size];
		if ((i + 1) % size == 0)
			in[seed.n + 3]++; /* the counter: one octet of it is enough for BLOCK_MAX */
	}
	return true;
}

/* RFC 8017 9.1.2 but for the hash itself, which is not known here; the salt is as long as the hash (RFC 8446 4.2.3).
 * `top`: the bits of the first octet that are in use. */
static bool is_pss_of(const EVP_MD *md, str block, unsigned char top)
{
	unsigned char db[BLOCK_MAX];
	size_t hash = (size_t)EVP_MD_get_size(md), n = block.n - hash - 1, at = 0;

	if (block.n > sizeof(db) || block.n < 2 * hash + 2)
		return false;
	memcpy(db, block.p, n);
	if ((db[0] & ~top) != 0 || !unmask(md, str_take(str_drop(block, n), hash), db, n))
		return false;
	db[0] &= top;
	while (at < n && db[at] == 0)
		at++;
	return at == n - hash - 1 && db[at] == 1;
}

static bool is_pss(str block, int bits)
{
	int used = (bits - 1) % 8;

	if (!str_ends(block, STR("\xbc")) || (used == 0 && block.p[0] != '\0'))
		return false;
	if (used == 0) /* the first octet is none of the encoding's */
		block = str_drop(block, 1);
	unsigned char top = (unsigned char)(0xff >> ((8 - used) % 8));
	return is_pss_of(EVP_sha256(), block, top) || is_pss_of(EVP_sha384(), block, top) ||
	       is_pss_of(EVP_sha512(), block, top);
}

static bool is_pkcs1(str block)
{
	size_t ones = 2;

	if (!str_starts(block, str_make("\0\1", 2)))
		return false;
	while (ones < block.n && block.p[ones] == '\xff')
		ones++;
	return ones >= PADDING_MIN && ones < block.n && block.p[ones] == '\0';
}

/* RFC 8017 9.1.1, 9.2: who asks could otherwise have anything decrypted. */
static bool is_padded(const struct private_key *k, str block)
{
	return is_pkcs1(block) || is_pss(block, EVP_PKEY_get_bits(k->key));
}

static bool may_sign(const struct private_key *k, enum tls_sign kind, str input)
{
	if (kind == TLS_SIGN_RSA_RAW)
		return k->rsa && input.n == (size_t)EVP_PKEY_get_size(k->key) && is_padded(k, input);
	return kind == TLS_SIGN_ECDSA && !k->rsa && input.n >= DIGEST_MIN && input.n <= DIGEST_MAX;
}

err private_key_sign(struct private_key *k, enum tls_sign kind, str input, struct buf *out)
{
	size_t n = (size_t)EVP_PKEY_get_size(k->key);
	char *to = buf_reserve(out, n);

	if (!may_sign(k, kind, input))
		return err_note(E_DENIED, "this is not signed with that key");
	if (to == NULL)
		return err_note(E_LIMIT, "no room for a signature");
	ERR_clear_error();
	if (EVP_PKEY_sign(k->sign, (unsigned char *)to, &n, (const unsigned char *)input.p, input.n) != 1)
		return failed(E_IO, "cannot sign");
	buf_commit(out, n);
	return OK;
}

err private_key_number(str chain_pem, uint64_t *number)
{
	unsigned char hash[EVP_MAX_MD_SIZE];

	if (EVP_Digest(chain_pem.p, chain_pem.n, hash, NULL, EVP_sha256(), NULL) != 1)
		return failed(E_MEMORY, "cannot hash a certificate");
	memcpy(number, hash, sizeof(*number));
	return OK;
}

/* --- self-signed --- */

static bool add_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool good = ext != NULL && X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return good;
}

static bool set_names(X509 *cert, const char *hostname)
{
	X509_NAME *name = X509_get_subject_name(cert);
	BUF(alternative, 512);

	/* RFC 5280: a common name has 64 characters at most; the alternative name is what counts. */
	int n = (int)strnlen(hostname, 64);
	buf_printf(&alternative, "DNS:%s", hostname);
	buf_putc(&alternative, '\0');
	return !alternative.full &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)hostname, n, -1, 0) == 1 &&
	       X509_set_issuer_name(cert, name) == 1 && add_extension(cert, NID_subject_alt_name, alternative.p);
}

static bool set_serial(X509 *cert)
{
	BIGNUM *n = BN_new();
	bool good = n != NULL && BN_rand(n, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
	            BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;

	BN_free(n);
	return good;
}

static bool fill(X509 *cert, EVP_PKEY *key, const char *hostname)
{
	return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
	       X509_gmtime_adj(X509_getm_notBefore(cert), -3600) != NULL &&
	       X509_gmtime_adj(X509_getm_notAfter(cert), SELF_DAYS * 86400L) != NULL && set_names(cert, hostname) &&
	       add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(cert, NID_ext_key_usage, "serverAuth") && X509_set_pubkey(cert, key) == 1 &&
	       X509_sign(cert, key, EVP_sha256()) > 0;
}

/* Appends what `bio` holds. */
static bool take(BIO *bio, struct buf *out)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);

	if (n > 0)
		buf_put(out, str_make(p, (size_t)n));
	return n > 0 && !out->full;
}

static bool print_key(EVP_PKEY *key, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	bool good = bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 &&
	            take(bio, out);

	BIO_free(bio);
	return good;
}

static bool print_certificate(X509 *cert, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool good = bio != NULL && PEM_write_bio_X509(bio, cert) == 1 && take(bio, out);

	BIO_free(bio);
	return good;
}

err private_key_make(str hostname, struct buf *key_pem, struct buf *chain_pem)
{
	ARENA(a, 1024);
	const char *name = arena_z(&a, hostname);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	ERR_clear_error();
	bool good = name != NULL && key != NULL && cert != NULL && fill(cert, key, name) && print_key(key, key_pem) &&
	            print_certificate(cert, chain_pem);
	X509_free(cert);
	EVP_PKEY_free(key);
	return good ? OK : failed(E_IO, "cannot make a certificate");
}
