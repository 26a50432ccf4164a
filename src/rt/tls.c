/* SPDX-License-Identifier: ISC */
/* The server's handshake, and what a stream with TLS tells of itself on either side. */
#include "rt/tls_context.h"

#include "base/log.h"

#define EXPORTER_LABEL  "EXPORTER-Channel-Binding"
#define EXPORTER_OCTETS 32

/* --- the server's handshake --- */

static err server_failed(struct tls_transport *t)
{
	unsigned long first = ERR_peek_error();
	bool no_signature = ERR_GET_LIB(first) == ERR_LIB_USER && ERR_GET_REASON(first) == TLS_REASON_NO_SIGN;

	if (rt_cancelled())
		return tls_failed(E_CANCELLED, "TLS");
	if (no_signature)
		return tls_failed(E_TEMP, "TLS, no signature was to be had");
	if (t->ended)
		return tls_failed(E_CLOSED, "the client closed the connection during the TLS handshake");
	return tls_failed(first == 0 ? E_CLOSED : E_SYNTAX, "TLS");
}

static void context_release(void *context)
{
	tls_context_release(context);
}

static SSL *server_new(const struct tls_context *c)
{
	SSL *ssl = SSL_new(c->identities[0].ssl);

	if (ssl != NULL)
		SSL_set_accept_state(ssl);
	return ssl;
}

static err note_client(struct tls_transport *t)
{
	X509 *certificate = SSL_get0_peer_certificate(t->ssl);

	if (certificate == NULL)
		return OK;
	t->fingerprint = tls_fingerprint(certificate, &t->notes);
	return t->notes.full ? err_note(E_MEMORY, "no memory for the client's certificate") : OK;
}

static err server_handshake(struct tls_transport *t, nsec deadline)
{
	err e = tls_handshake(t, deadline);

	if (e == E_END)
		e = server_failed(t);
	return e == OK ? note_client(t) : e;
}

err stream_start_tls(struct stream *s, struct tls_context *c, nsec deadline, str session)
{
	struct tls_transport *t;
	err e = stream_flush(s);

	if (e != OK)
		return e;
	if (tls_transport_of(s) != NULL)
		return err_note(E_EXISTS, "TLS within TLS");
	e = tls_transport_put(s, server_new(c), &t);
	if (e != OK)
		return e;
	t->owner = tls_context_hold(c);
	t->release = context_release;
	e = server_handshake(t, deadline);
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
	const struct tls_transport *t = tls_transport_of(s);

	return t != NULL && t->established;
}

struct tls_info stream_tls_info(const struct stream *s)
{
	const struct tls_transport *t = tls_transport_of(s);

	if (t == NULL || !t->established)
		return (struct tls_info){0};
	return (struct tls_info){.version = str_from(SSL_get_version(t->ssl)),
	                         .cipher = str_from(SSL_get_cipher_name(t->ssl)),
	                         .server_name = str_from(SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name)),
	                         .client_fingerprint = t->fingerprint,
	                         .client_certificate_ok = t->fingerprint.n > 0};
}

/* RFC 5929 4.1: the server's certificate, by the certificate's own hash, but for those that were broken. */
static bool end_point(SSL *ssl, struct buf *out)
{
	X509 *leaf = SSL_is_server(ssl) ? tls_context_shown(ssl) : SSL_get0_peer_certificate(ssl);
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
static bool has_exporter(SSL *ssl)
{
	return SSL_version(ssl) >= TLS1_3_VERSION || SSL_get_extms_support(ssl) == 1;
}

static bool exporter(SSL *ssl, struct buf *out)
{
	unsigned char bytes[EXPORTER_OCTETS];

	if (!has_exporter(ssl))
		return false;
	if (SSL_export_keying_material(ssl, bytes, sizeof(bytes), EXPORTER_LABEL, sizeof(EXPORTER_LABEL) - 1,
	                               (const unsigned char *)"", 0, 1) != 1)
		return false;
	buf_put(out, str_make((const char *)bytes, sizeof(bytes)));
	return !out->full;
}

/* RFC 5929 3.1: the first Finished of the handshake. With TLS 1.2 alone, and only where it is bound to the whole handshake (RFC 7627). */
static bool first_finished(SSL *ssl, struct buf *out)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	bool ours = SSL_is_server(ssl) == SSL_session_reused(ssl);

	if (SSL_version(ssl) != TLS1_2_VERSION || SSL_get_extms_support(ssl) != 1)
		return false;
	size_t n =
		ours ? SSL_get_finished(ssl, bytes, sizeof(bytes)) : SSL_get_peer_finished(ssl, bytes, sizeof(bytes));
	if (n == 0 || n > sizeof(bytes))
		return false;
	buf_put(out, str_make((const char *)bytes, n));
	return !out->full;
}

bool stream_tls_can_bind(const struct stream *s)
{
	const struct tls_transport *t = tls_transport_of(s);
	BUF(data, EVP_MAX_MD_SIZE);

	if (t == NULL || !t->established)
		return false;
	ERR_clear_error();
	bool can = has_exporter(t->ssl) || end_point(t->ssl, &data);
	ERR_clear_error();
	return can;
}

bool stream_tls_binding(const struct stream *s, const char *name, struct buf *out)
{
	const struct tls_transport *t = tls_transport_of(s);
	bool found = false;

	if (t == NULL || !t->established)
		return false;
	ERR_clear_error();
	if (strcmp(name, "tls-server-end-point") == 0)
		found = end_point(t->ssl, out);
	else if (strcmp(name, "tls-exporter") == 0)
		found = exporter(t->ssl, out);
	else if (strcmp(name, "tls-unique") == 0)
		found = first_finished(t->ssl, out);
	ERR_clear_error();
	return found;
}
