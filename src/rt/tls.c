/* SPDX-License-Identifier: ISC */
/* OpenSSL above a transport. The thread's queue of OpenSSL errors is shared by all coroutines, one of which may be parked inside a
 * handshake: whoever looks at it empties it first.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* a key whose signatures come from elsewhere: EC_KEY_METHOD and RSA_METHOD, or a provider of our own */
#include "rt/tls.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/log.h"
#include "rt/transport.h"

#define CIPHERS_1_2     "ECDHE+AESGCM:ECDHE+CHACHA20"
#define GROUPS          "X25519:P-256:P-384"
#define TICKET_LIFE     3600 /* seconds; also how long a key makes new ones */
#define CONTEXT_MEMORY  ((size_t)4 << 20)
#define SIGNATURE_MAX   1024 /* octets: RSA of 8192 bits */
#define REASON_NO_SIGN  1    /* in the queue of errors, as ERR_LIB_USER */
#define EXPORTER_LABEL  "EXPORTER-Channel-Binding"
#define EXPORTER_OCTETS 32

struct ticket_key {
	unsigned char name[16], cipher[32], mac[32];
};

/* A certificate with what it takes to use it. */
struct identity {
	struct tls_context *context;
	SSL_CTX *ssl; /* offers this certificate, and one of the other algorithm for the same names if there is one */
	X509 *leaf;
	STACK_OF(X509) * chain;
	EVP_PKEY *key; /* the public half, and how to ask for signatures */
	uint64_t number;
	str ocsp;
};

struct tls_context {
	unsigned references;
	tls_signer signer;
	void *signer_ctx;
	str alpn, listener;
	struct identity *identities;
	size_t identities_n;
	struct ticket_key tickets[2]; /* the one in use, the one before */
	nsec next_ticket_key;
	struct arena memory;
};

struct tls_transport {
	struct carrier under;
	SSL *ssl;
	struct tls_context *context;
	bool established;
	bool broken; /* OpenSSL wants no further call */
	bool ended;  /* the other side's bytes have ended */
	bool read_wants_write, writer_waits;
};

/* --- faults --- */

/* The first thing that OpenSSL complained about. */
static const char *openssl_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	return reason == NULL ? "unknown reason" : reason;
}

static err openssl_failed(err e, const char *what)
{
	err_note(e, "%s: %s", what, openssl_reason());
	ERR_clear_error();
	return e;
}

/* --- keys that sign elsewhere --- */

static int ec_slot, rsa_slot; /* where a key remembers its struct identity */
static EC_KEY_METHOD *ec_method;
static RSA_METHOD *rsa_method;

/* Length of the signature, 0: none. Parks; others use OpenSSL meanwhile. */
static size_t sign(const struct identity *id, enum tls_sign kind, str input, unsigned char *out, size_t room)
{
	BUF(signature, SIGNATURE_MAX);
	err e = id->context->signer(id->context->signer_ctx, id->number, kind, input, &signature);

	ERR_clear_error();
	if (e == OK && signature.n > 0 && signature.n <= room) {
		memcpy(out, signature.p, signature.n);
		return signature.n;
	}
	ERR_raise(ERR_LIB_USER, REASON_NO_SIGN);
	return 0;
}

static int ec_sign(int type, const unsigned char *digest, int n, unsigned char *out, unsigned int *out_n,
                   const BIGNUM *k, const BIGNUM *r, EC_KEY *key)
{
	const struct identity *id = EC_KEY_get_ex_data(key, ec_slot);

	(void)type, (void)k, (void)r;
	if (id == NULL || n <= 0)
		return 0;
	*out_n = (unsigned)sign(id, TLS_SIGN_ECDSA, str_make((const char *)digest, (size_t)n), out,
	                        (size_t)ECDSA_size(key));
	return *out_n > 0;
}

/* The block is padded here; what is asked for is the bare operation. */
static int rsa_sign(int n, const unsigned char *from, unsigned char *to, RSA *key, int padding)
{
	const struct identity *id = RSA_get_ex_data(key, rsa_slot);
	unsigned char block[SIGNATURE_MAX];
	int size = RSA_size(key);
	bool padded = padding == RSA_NO_PADDING && n == size;

	if (id == NULL || n <= 0 || size > SIGNATURE_MAX)
		return -1;
	if (padded)
		memcpy(block, from, (size_t)n);
	else if (padding != RSA_PKCS1_PADDING || RSA_padding_add_PKCS1_type_1(block, size, from, n) != 1)
		return -1;
	size_t got = sign(id, TLS_SIGN_RSA_RAW, str_make((const char *)block, (size_t)size), to, (size_t)size);
	return got == (size_t)size ? size : -1;
}

/* RFC 7457 2.3, 2.4: no key is ever used to decrypt. */
static int rsa_decrypt(int n, const unsigned char *from, unsigned char *to, RSA *key, int padding)
{
	(void)n, (void)from, (void)to, (void)key, (void)padding;
	return -1;
}

static bool make_methods(void)
{
	if (ec_method != NULL)
		return true;
	/* No file of the system's decides what we offer, and inside an empty root there is none. */
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	EC_KEY_METHOD *ec = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
	RSA_METHOD *rsa = RSA_meth_dup(RSA_PKCS1_OpenSSL());
	ec_slot = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	rsa_slot = RSA_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (ec == NULL || rsa == NULL || ec_slot < 0 || rsa_slot < 0) {
		EC_KEY_METHOD_free(ec);
		RSA_meth_free(rsa);
		return false;
	}
	EC_KEY_METHOD_set_sign(ec, ec_sign, NULL, NULL);
	RSA_meth_set_priv_enc(rsa, rsa_sign);
	RSA_meth_set_priv_dec(rsa, rsa_decrypt);
	ec_method = ec;
	rsa_method = rsa;
	return true;
}

static EVP_PKEY *ec_key(struct identity *id, const EC_KEY *public)
{
	EC_KEY *key = public == NULL ? NULL : EC_KEY_dup(public);
	EVP_PKEY *out = EVP_PKEY_new();

	if (key != NULL && out != NULL && EC_KEY_set_method(key, ec_method) == 1 &&
	    EC_KEY_set_ex_data(key, ec_slot, id) == 1 && EVP_PKEY_assign_EC_KEY(out, key) == 1)
		return out;
	EC_KEY_free(key);
	EVP_PKEY_free(out);
	return NULL;
}

static EVP_PKEY *rsa_key(struct identity *id, const RSA *public)
{
	RSA *key = public == NULL ? NULL : RSAPublicKey_dup(public);
	EVP_PKEY *out = EVP_PKEY_new();

	if (key != NULL && out != NULL && RSA_set_method(key, rsa_method) == 1 &&
	    RSA_set_ex_data(key, rsa_slot, id) == 1 && EVP_PKEY_assign_RSA(out, key) == 1)
		return out;
	RSA_free(key);
	EVP_PKEY_free(out);
	return NULL;
}

static err identity_key(struct identity *id)
{
	EVP_PKEY *public = X509_get0_pubkey(id->leaf);
	int kind = public == NULL ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(public);

	if (kind == EVP_PKEY_EC)
		id->key = ec_key(id, EVP_PKEY_get0_EC_KEY(public));
	else if (kind == EVP_PKEY_RSA)
		id->key = rsa_key(id, EVP_PKEY_get0_RSA(public));
	else
		return err_note(E_SYNTAX, "the certificate's key is neither RSA nor ECDSA");
	return id->key == NULL ? openssl_failed(E_MEMORY, "the certificate's key cannot be used") : OK;
}

/* --- certificates --- */

static err identity_read(struct identity *id, str pem)
{
	BIO *bio = pem.n == 0 || pem.n > INT_MAX ? NULL : BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *more = NULL;

	if (bio != NULL)
		id->leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	id->chain = sk_X509_new_null();
	while (id->leaf != NULL && id->chain != NULL && (more = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		if (sk_X509_push(id->chain, more) <= 0)
			X509_free(more);
	BIO_free(bio);
	bool all_read = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	if (id->leaf == NULL || !all_read)
		return openssl_failed(E_SYNTAX, "not a certificate in PEM");
	ERR_clear_error();
	return OK;
}

static bool is_for(const struct identity *id, const char *name)
{
	return X509_check_host(id->leaf, name, 0, 0, NULL) == 1;
}

/* Every name of `of` is one of `by`'s as well. */
static bool covers(const struct identity *by, const struct identity *of)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(of->leaf, NID_subject_alt_name, NULL, NULL);
	int found = 0, all = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_DNS)
			continue;
		all++;
		found += is_for(by, (const char *)ASN1_STRING_get0_data(name->d.dNSName));
	}
	GENERAL_NAMES_free(names);
	return all > 0 && found == all;
}

static const struct identity *other_algorithm(const struct tls_context *c, const struct identity *of)
{
	for (size_t i = 0; i < c->identities_n; i++) {
		const struct identity *id = &c->identities[i];

		if (EVP_PKEY_get_base_id(id->key) != EVP_PKEY_get_base_id(of->key) && covers(id, of))
			return id;
	}
	return NULL;
}

/* --- what OpenSSL asks us --- */

static struct tls_context *context_of(SSL *ssl)
{
	return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

static int choose_identity(SSL *ssl, int *alert, void *arg)
{
	const struct tls_context *c = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	for (size_t i = 0; name != NULL && i < c->identities_n; i++) {
		if (!is_for(&c->identities[i], name))
			continue;
		SSL_set_SSL_CTX(ssl, c->identities[i].ssl);
		break;
	}
	return SSL_TLSEXT_ERR_OK;
}

/* RFC 7301 3.2. A client that was led here from another protocol's port names that protocol. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *in,
                       unsigned int in_n, void *arg)
{
	const struct tls_context *c = arg;
	str offered = str_make((const char *)in, in_n);

	(void)ssl;
	if (c->alpn.n == 0)
		return SSL_TLSEXT_ERR_NOACK;
	while (offered.n > 0) {
		size_t n = (unsigned char)offered.p[0];
		str name = str_take(str_drop(offered, 1), n);

		if (str_equal(name, c->alpn)) {
			*out = (const unsigned char *)name.p;
			*out_n = (unsigned char)name.n;
			return SSL_TLSEXT_ERR_OK;
		}
		offered = str_drop(offered, 1 + n);
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int staple(SSL *ssl, void *arg)
{
	const struct tls_context *c = arg;
	const X509 *used = SSL_get_certificate(ssl);

	for (size_t i = 0; i < c->identities_n; i++) {
		str ocsp = c->identities[i].ocsp;

		if (c->identities[i].leaf != used || ocsp.n == 0 || ocsp.n > LONG_MAX)
			continue;
		void *copy = OPENSSL_memdup(ocsp.p, ocsp.n);
		if (copy != NULL && SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)ocsp.n) == 1)
			return SSL_TLSEXT_ERR_OK;
		OPENSSL_free(copy);
	}
	return SSL_TLSEXT_ERR_NOACK;
}

static bool ticket_key_make(struct ticket_key *k)
{
	return RAND_bytes(k->name, sizeof(k->name)) == 1 && RAND_bytes(k->cipher, sizeof(k->cipher)) == 1 &&
	       RAND_bytes(k->mac, sizeof(k->mac)) == 1;
}

/* Tickets expire as fast as keys change: with the key before, every ticket that is good can be read. */
static void ticket_keys_rotate(struct tls_context *c)
{
	struct ticket_key fresh;

	if (rt_now() < c->next_ticket_key || !ticket_key_make(&fresh))
		return;
	c->tickets[1] = c->tickets[0];
	c->tickets[0] = fresh;
	c->next_ticket_key = rt_after(TICKET_LIFE * NSEC_PER_SEC);
	OPENSSL_cleanse(&fresh, sizeof(fresh));
}

static bool ticket_begin(struct ticket_key *k, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
	static char sha256[] = "SHA256";
	OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, k->mac, sizeof(k->mac)),
	                       OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
	                       OSSL_PARAM_construct_end()};

	return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->cipher, iv, encrypt) == 1 &&
	       EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* RFC 5077 4. 1: this key; 2: an old one, make a new ticket; 0: a ticket we cannot read. */
static int ticket_key_choose(SSL *ssl, unsigned char name[16], unsigned char iv[EVP_MAX_IV_LENGTH],
                             EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
	struct tls_context *c = context_of(ssl);
	size_t i = 0;

	ticket_keys_rotate(c);
	if (encrypt) {
		memcpy(name, c->tickets[0].name, sizeof(c->tickets[0].name));
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
			return -1;
	} else {
		while (i < ARRAY_LEN(c->tickets) && memcmp(name, c->tickets[i].name, sizeof(c->tickets[i].name)) != 0)
			i++;
		if (i == ARRAY_LEN(c->tickets))
			return 0;
	}
	return ticket_begin(&c->tickets[i], iv, cipher, mac, encrypt) ? 1 + (int)i : -1;
}

/* --- contexts --- */

static void set_callbacks(struct tls_context *c, SSL_CTX *ssl)
{
	SSL_CTX_set_app_data(ssl, c);
	SSL_CTX_set_tlsext_servername_callback(ssl, choose_identity);
	SSL_CTX_set_tlsext_servername_arg(ssl, c);
	SSL_CTX_set_alpn_select_cb(ssl, choose_alpn, c);
	SSL_CTX_set_tlsext_status_cb(ssl, staple);
	SSL_CTX_set_tlsext_status_arg(ssl, c);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, ticket_key_choose);
}

static bool set_options(const struct tls_context *c, SSL_CTX *ssl)
{
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
	                                 SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
	                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF); /* tickets carry the state */
	SSL_CTX_set_timeout(ssl, TICKET_LIFE);
	SSL_CTX_set_read_ahead(ssl, 1); /* a record in one read instead of two */
	return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(ssl, CIPHERS_1_2) == 1 && SSL_CTX_set1_groups_list(ssl, GROUPS) == 1 &&
	       SSL_CTX_set_num_tickets(ssl, 1) == 1 &&
	       SSL_CTX_set_session_id_context(ssl, (const unsigned char *)c->listener.p, (unsigned)c->listener.n) == 1;
}

static bool offer(SSL_CTX *ssl, const struct identity *id)
{
	return id == NULL || SSL_CTX_use_cert_and_key(ssl, id->leaf, id->key, id->chain, 1) == 1;
}

static err identity_begin(struct tls_context *c, struct identity *id)
{
	id->ssl = SSL_CTX_new(TLS_server_method());
	if (id->ssl == NULL || !set_options(c, id->ssl) || !offer(id->ssl, other_algorithm(c, id)) ||
	    !offer(id->ssl, id))
		return openssl_failed(E_SYNTAX, "the certificate cannot be used");
	set_callbacks(c, id->ssl);
	return OK;
}

static err read_identities(struct tls_context *c, const struct tls_options *o)
{
	err e = OK;

	for (size_t i = 0; i < o->certificates_n && e == OK; i++) {
		struct identity *id = &c->identities[c->identities_n++];

		id->context = c;
		id->number = o->certificates[i].key;
		id->ocsp = arena_str(&c->memory, o->certificates[i].ocsp_der);
		e = identity_read(id, o->certificates[i].chain_pem);
		if (e == OK)
			e = identity_key(id);
	}
	for (size_t i = 0; i < c->identities_n && e == OK; i++)
		e = identity_begin(c, &c->identities[i]);
	return e;
}

static err context_fill(struct tls_context *c, const struct tls_options *o)
{
	c->identities = arena_array(&c->memory, o->certificates_n, sizeof(*c->identities));
	c->alpn = arena_str(&c->memory, o->alpn);
	c->listener = arena_str(&c->memory, str_take(o->listener, SSL_MAX_SID_CTX_LENGTH));
	if (c->memory.full || o->certificates_n == 0)
		return err_note(E_LIMIT, "no certificate, or too many of them");
	if (!ticket_key_make(&c->tickets[0]) || !ticket_key_make(&c->tickets[1]))
		return openssl_failed(E_MEMORY, "no random octets");
	c->next_ticket_key = rt_after(TICKET_LIFE * NSEC_PER_SEC);
	return read_identities(c, o);
}

err tls_context_new(const struct tls_options *options, struct tls_context **out)
{
	struct tls_context *c = make_methods() ? calloc(1, sizeof(*c)) : NULL;

	*out = NULL;
	ERR_clear_error();
	if (c == NULL)
		return err_note(E_MEMORY, "no memory for TLS");
	c->references = 1;
	c->signer = options->signer;
	c->signer_ctx = options->signer_ctx;
	c->memory = ARENA_INIT(CONTEXT_MEMORY);
	err e = context_fill(c, options);
	if (e == OK)
		*out = c;
	else
		tls_context_release(c);
	return e;
}

struct tls_context *tls_context_hold(struct tls_context *c)
{
	if (c != NULL)
		c->references++;
	return c;
}

void tls_context_release(struct tls_context *c)
{
	if (c == NULL || --c->references > 0)
		return;
	for (size_t i = 0; i < c->identities_n; i++) {
		struct identity *id = &c->identities[i];

		SSL_CTX_free(id->ssl);
		EVP_PKEY_free(id->key);
		X509_free(id->leaf);
		sk_X509_pop_free(id->chain, X509_free);
	}
	OPENSSL_cleanse(c->tickets, sizeof(c->tickets));
	arena_free(&c->memory);
	free(c);
}

/* --- below OpenSSL: the transport --- */

static int below_read(BIO *bio, char *p, int n)
{
	struct tls_transport *t = BIO_get_data(bio);
	ssize_t got = n <= 0 ? 0 : t->under.ops->read(t->under.t, p, (size_t)n);

	BIO_clear_retry_flags(bio);
	if (got == TRANSPORT_AGAIN)
		BIO_set_retry_read(bio);
	t->ended |= got == 0;
	return got >= 0 ? (int)got : -1;
}

static int below_write(BIO *bio, const char *p, int n)
{
	struct tls_transport *t = BIO_get_data(bio);
	ssize_t sent = n <= 0 ? 0 : t->under.ops->write(t->under.t, p, (size_t)n);

	BIO_clear_retry_flags(bio);
	if (sent == TRANSPORT_AGAIN)
		BIO_set_retry_write(bio);
	return sent >= 0 ? (int)sent : -1;
}

static long below_ctrl(BIO *bio, int what, long n, void *p)
{
	(void)n, (void)p;
	if (what == BIO_CTRL_EOF)
		return ((struct tls_transport *)BIO_get_data(bio))->ended;
	return what == BIO_CTRL_FLUSH;
}

static BIO *below_new(struct tls_transport *t)
{
	static BIO_METHOD *method;

	if (method == NULL) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "transport");
		if (method == NULL)
			return NULL;
		BIO_meth_set_read(method, below_read);
		BIO_meth_set_write(method, below_write);
		BIO_meth_set_ctrl(method, below_ctrl);
	}
	BIO *bio = BIO_new(method);
	if (bio == NULL)
		return NULL;
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	return bio;
}

/* --- above OpenSSL: a transport --- */

static ssize_t tls_failed(struct tls_transport *t)
{
	t->broken = true;
	ERR_clear_error();
	return t->ended ? 0 : TRANSPORT_FAILED;
}

static ssize_t tls_read(void *transport, char *p, size_t n)
{
	struct tls_transport *t = transport;

	if (t->broken)
		return TRANSPORT_FAILED;
	ERR_clear_error();
	int got = SSL_read(t->ssl, p, n < INT_MAX ? (int)n : INT_MAX);
	if (got > 0)
		return got;
	int why = SSL_get_error(t->ssl, got);
	t->read_wants_write = why == SSL_ERROR_WANT_WRITE;
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return TRANSPORT_AGAIN;
	return why == SSL_ERROR_ZERO_RETURN ? 0 : tls_failed(t);
}

static ssize_t tls_write(void *transport, const char *p, size_t n)
{
	struct tls_transport *t = transport;

	if (t->broken)
		return TRANSPORT_FAILED;
	ERR_clear_error();
	int sent = SSL_write(t->ssl, p, n < INT_MAX ? (int)n : INT_MAX);
	if (sent > 0)
		return sent;
	int why = SSL_get_error(t->ssl, sent);
	if (why == SSL_ERROR_WANT_WRITE)
		return TRANSPORT_AGAIN;
	(void)tls_failed(t);
	return TRANSPORT_FAILED;
}

static err tls_wait_writable(void *transport, nsec deadline)
{
	struct tls_transport *t = transport;

	t->writer_waits = true;
	err e = t->under.ops->wait_writable(t->under.t, deadline);
	t->writer_waits = false;
	return e;
}

/* An answer of the protocol's own (RFC 8446 4.6.3) may have to leave before anything more can be read. */
static err tls_wait_readable(void *transport, nsec deadline)
{
	struct tls_transport *t = transport;

	if (t->read_wants_write && !t->writer_waits)
		return tls_wait_writable(t, deadline);
	return t->under.ops->wait_readable(t->under.t, deadline);
}

/* RFC 8446 6.1: close_notify, which is sent and not waited for. */
static void tls_close(void *transport)
{
	struct tls_transport *t = transport;

	ERR_clear_error();
	if (t->established && !t->broken)
		(void)SSL_shutdown(t->ssl);
	SSL_free(t->ssl);
	ERR_clear_error();
	t->under.ops->close(t->under.t);
	tls_context_release(t->context);
	free(t);
}

static const struct transport transport_tls = {
	.read = tls_read,
	.write = tls_write,
	.wait_readable = tls_wait_readable,
	.wait_writable = tls_wait_writable,
	.close = tls_close,
};

/* --- the handshake --- */

static struct tls_transport *transport_new(struct tls_context *c, struct carrier under)
{
	struct tls_transport *t = calloc(1, sizeof(*t));

	ERR_clear_error();
	if (t == NULL)
		return NULL;
	t->under = under;
	t->ssl = SSL_new(c->identities[0].ssl);
	BIO *bio = t->ssl == NULL ? NULL : below_new(t);
	if (bio == NULL) {
		SSL_free(t->ssl);
		free(t);
		return NULL;
	}
	SSL_set_bio(t->ssl, bio, bio);
	t->context = tls_context_hold(c);
	return t;
}

static err handshake_failed(struct tls_transport *t)
{
	unsigned long first = ERR_peek_error();
	bool unsigned_ = ERR_GET_LIB(first) == ERR_LIB_USER && ERR_GET_REASON(first) == REASON_NO_SIGN;

	t->broken = true;
	if (rt_cancelled())
		return openssl_failed(E_CANCELLED, "TLS");
	if (unsigned_)
		return openssl_failed(E_TEMP, "TLS, no signature was to be had");
	if (t->ended)
		return openssl_failed(E_CLOSED, "the client closed the connection during the TLS handshake");
	return openssl_failed(first == 0 ? E_CLOSED : E_SYNTAX, "TLS");
}

static err handshake(struct tls_transport *t, nsec deadline)
{
	err e = OK;

	while (e == OK) {
		ERR_clear_error();
		int n = SSL_accept(t->ssl);
		if (n == 1) {
			t->established = true;
			return OK;
		}
		int why = SSL_get_error(t->ssl, n);
		if (why == SSL_ERROR_WANT_READ)
			e = t->under.ops->wait_readable(t->under.t, deadline);
		else if (why == SSL_ERROR_WANT_WRITE)
			e = t->under.ops->wait_writable(t->under.t, deadline);
		else
			e = handshake_failed(t);
	}
	t->broken = true;
	return e;
}

/* The transport when there is TLS on it, or NULL. */
static struct tls_transport *tls_of(const struct stream *s)
{
	struct carrier carrier = stream_carrier(s);

	return carrier.ops == &transport_tls ? carrier.t : NULL;
}

err stream_start_tls(struct stream *s, struct tls_context *c, nsec deadline, str session)
{
	err e = stream_flush(s);

	if (e != OK)
		return e;
	if (tls_of(s) != NULL)
		return err_note(E_EXISTS, "TLS within TLS");
	struct tls_transport *t = transport_new(c, stream_carrier(s));
	if (t == NULL)
		return stream_fail(s, openssl_failed(E_MEMORY, "no memory for TLS"));
	stream_set_carrier(s, (struct carrier){&transport_tls, t});
	e = handshake(t, deadline);
	if (e == OK) {
		LOG(DEBUG, "tls.start", LOG_STR("sid", session), LOG_Z("version", SSL_get_version(t->ssl)),
		    LOG_Z("cipher", SSL_get_cipher_name(t->ssl)));
		return OK;
	}
	LOG(INFO, "tls.failed", LOG_STR("sid", session), LOG_Z("error", err_name(e)), LOG_Z("text", err_info()->text));
	return stream_fail(s, e);
}

/* --- what was agreed on --- */

bool stream_is_tls(const struct stream *s)
{
	const struct tls_transport *t = tls_of(s);

	return t != NULL && t->established;
}

struct tls_info stream_tls_info(const struct stream *s)
{
	const struct tls_transport *t = tls_of(s);

	if (t == NULL || !t->established)
		return (struct tls_info){STR_NONE, STR_NONE, STR_NONE};
	return (struct tls_info){str_from(SSL_get_version(t->ssl)), str_from(SSL_get_cipher_name(t->ssl)),
	                         str_from(SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name))};
}

/* RFC 5929 4.1: by the certificate's own hash, but for those that were broken. */
static bool end_point(SSL *ssl, struct buf *out)
{
	X509 *leaf = SSL_get_certificate(ssl);
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	int digest = NID_undef;

	if (leaf == NULL || X509_get_signature_info(leaf, &digest, NULL, NULL, NULL) != 1)
		return false;
	if (digest == NID_md5 || digest == NID_sha1)
		digest = NID_sha256;
	const EVP_MD *md = EVP_get_digestbynid(digest);
	if (md == NULL || X509_digest(leaf, md, hash, &n) != 1)
		return false;
	buf_put(out, str_make((const char *)hash, n));
	return !out->full;
}

/* RFC 9266 4.2: only where the exporter is bound to the whole handshake. */
static bool exporter(SSL *ssl, struct buf *out)
{
	unsigned char bytes[EXPORTER_OCTETS];

	if (SSL_version(ssl) < TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1)
		return false;
	if (SSL_export_keying_material(ssl, bytes, sizeof(bytes), EXPORTER_LABEL, sizeof(EXPORTER_LABEL) - 1,
	                               (const unsigned char *)"", 0, 1) != 1)
		return false;
	buf_put(out, str_make((const char *)bytes, sizeof(bytes)));
	return !out->full;
}

bool stream_tls_binding(const struct stream *s, const char *name, struct buf *out)
{
	const struct tls_transport *t = tls_of(s);
	bool found = false;

	if (t == NULL || !t->established)
		return false;
	ERR_clear_error();
	if (strcmp(name, "tls-server-end-point") == 0)
		found = end_point(t->ssl, out);
	else if (strcmp(name, "tls-exporter") == 0)
		found = exporter(t->ssl, out);
	ERR_clear_error();
	return found;
}
