/* SPDX-License-Identifier: ISC */
/* Contexts of listeners: certificates, what OpenSSL asks about them, settings. */
#include "rt/tls_context.h"

#include <limits.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define CIPHERS_1_2            "ECDHE+AESGCM:ECDHE+CHACHA20"
#define GROUPS                 "X25519:P-256:P-384"
#define CONTEXT_MEMORY         ((size_t)4 << 20)
#define CLIENT_CERTIFICATE_MAX ((size_t)16 << 10) /* octets, with all that comes along */

/* --- certificates --- */

static err identity_read(struct tls_identity *id, str pem)
{
	id->chain = sk_X509_new_null();
	err e = tls_read_certificates(pem, true, id->chain);
	id->leaf = id->chain == NULL ? NULL : sk_X509_shift(id->chain);
	return e;
}

static bool is_for(const struct tls_identity *id, const char *name)
{
	return X509_check_host(id->leaf, name, 0, 0, NULL) == 1;
}

/* Every name of `of` is one of `by`'s as well. */
static bool covers(const struct tls_identity *by, const struct tls_identity *of)
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

static const struct tls_identity *other_algorithm(const struct tls_context *c, const struct tls_identity *of)
{
	for (size_t i = 0; i < c->identities_n; i++) {
		const struct tls_identity *id = &c->identities[i];

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

static int choose_ticket_key(SSL *ssl, unsigned char name[16], unsigned char iv[EVP_MAX_IV_LENGTH],
                             EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
	int said = tls_tickets_choose(&context_of(ssl)->tickets, name, iv, cipher, mac, encrypt);

	/* RFC 8446 C.4: a ticket is used once, so that who resumes gets another. */
	return !encrypt && said == 1 && SSL_version(ssl) >= TLS1_3_VERSION ? 2 : said;
}

/* Which certificate is shown goes along in the ticket: who resumes is shown none, and is bound to that one (RFC 5929 4.1). Tickets end with their
 * context, so its place in the context says it. */
static int note_certificate(SSL *ssl, void *arg)
{
	const struct tls_context *c = arg;
	const X509 *used = SSL_get_certificate(ssl);
	uint32_t at = 0;

	if (SSL_session_reused(ssl))
		return 1; /* it is noted already */
	while (at < c->identities_n && c->identities[at].leaf != used)
		at++;
	return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), &at, sizeof(at));
}

X509 *tls_context_shown(SSL *ssl)
{
	const struct tls_context *c = context_of(ssl);
	void *noted = NULL;
	size_t n = 0;
	uint32_t at;

	if (!SSL_session_reused(ssl))
		return SSL_get_certificate(ssl);
	if (SSL_SESSION_get0_ticket_appdata(SSL_get_session(ssl), &noted, &n) != 1 || n != sizeof(at))
		return NULL;
	memcpy(&at, noted, sizeof(at));
	return at < c->identities_n ? c->identities[at].leaf : NULL;
}

/* No authority is asked: a client is who has the key of a certificate that is known by its fingerprint. */
static int accept_any(X509_STORE_CTX *store, void *arg)
{
	(void)arg;
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
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
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, choose_ticket_key);
	SSL_CTX_set_session_ticket_cb(ssl, note_certificate, NULL, c);
}

static bool set_options(const struct tls_context *c, SSL_CTX *ssl)
{
	SSL_CTX_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF); /* tickets carry the state */
	SSL_CTX_set_timeout(ssl, TLS_TICKET_LIFE);
	if (c->ask_certificate) {
		SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
		SSL_CTX_set_cert_verify_callback(ssl, accept_any, NULL);
		SSL_CTX_set_max_cert_list(ssl, CLIENT_CERTIFICATE_MAX);
	}
	return tls_set_common(ssl) && SSL_CTX_set_cipher_list(ssl, CIPHERS_1_2) == 1 &&
	       SSL_CTX_set1_groups_list(ssl, GROUPS) == 1 &&
	       SSL_CTX_set_num_tickets(ssl, 1) == 1 &&
	       SSL_CTX_set_session_id_context(ssl, (const unsigned char *)c->listener.p, (unsigned)c->listener.n) == 1;
}

static bool offer(SSL_CTX *ssl, const struct tls_identity *id)
{
	return id == NULL || SSL_CTX_use_cert_and_key(ssl, id->leaf, id->key, id->chain, 1) == 1;
}

static err identity_begin(struct tls_context *c, struct tls_identity *id)
{
	id->ssl = SSL_CTX_new(TLS_server_method());
	if (id->ssl == NULL || !set_options(c, id->ssl) || !offer(id->ssl, other_algorithm(c, id)) ||
	    !offer(id->ssl, id))
		return tls_failed(E_SYNTAX, "the certificate cannot be used");
	set_callbacks(c, id->ssl);
	return OK;
}

static err read_identities(struct tls_context *c, const struct tls_options *o)
{
	err e = OK;

	for (size_t i = 0; i < o->certificates_n && e == OK; i++) {
		struct tls_identity *id = &c->identities[c->identities_n++];

		id->context = c;
		id->number = o->certificates[i].key;
		id->ocsp = arena_str(&c->memory, o->certificates[i].ocsp_der);
		e = identity_read(id, o->certificates[i].chain_pem);
		if (e == OK)
			e = tls_key_make(id);
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
	if (!tls_tickets_begin(&c->tickets))
		return tls_failed(E_MEMORY, "no random octets");
	return read_identities(c, o);
}

err tls_context_new(const struct tls_options *options, struct tls_context **out)
{
	struct tls_context *c = calloc(1, sizeof(*c));

	*out = NULL;
	tls_begin();
	ERR_clear_error();
	if (c == NULL)
		return err_note(E_MEMORY, "no memory for TLS");
	c->references = 1;
	c->signer = options->signer;
	c->signer_ctx = options->signer_ctx;
	c->ask_certificate = options->ask_certificate;
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
		struct tls_identity *id = &c->identities[i];

		SSL_CTX_free(id->ssl);
		EVP_PKEY_free(id->key);
		X509_free(id->leaf);
		sk_X509_pop_free(id->chain, X509_free);
	}
	tls_tickets_forget(&c->tickets);
	arena_free(&c->memory);
	free(c);
}
