/* SPDX-License-Identifier: ISC */
/* The client's side: contexts, the handshake, what it proved. */
#include "rt/tls_client.h"

#include <stdlib.h>

#include "rt/tls_cache.h"
#include "rt/tls_stream.h"
#include "rt/tls_verify.h"

/* What is best comes first; the end of it is for servers that are old, to which the choice is this or plaintext. */
#define CIPHERS_1_2 \
	"ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDHE+AES:DHE+AES:RSA+AES:!aNULL:!eNULL:!PSK:!SRP:!DSS"
#define GROUPS         "X25519:P-256:P-384:P-521"
#define CHAIN_MAX      10   /* authorities above a certificate */
#define LEVEL_VERIFIED 2    /* of OpenSSL: 112 bits, RSA of 2048 */
#define LEVEL_ANY      0    /* who takes any certificate takes any key: the alternative is plaintext */
#define ALERTS         1000 /* reasons in OpenSSL's queue from here on are alerts of the peer */
#define ALERT_MAX      255

struct tls_client {
	unsigned references;
	SSL_CTX *ctx;
	struct tls_cache cache;
};

/* One connection; OpenSSL's callbacks find it. */
struct side {
	struct tls_client *client;
	struct tls_question question;
	struct tls_cache_key key;
	bool remembered; /* `key` is there */
	nsec proved;     /* of the session that is resumed */
};

static struct tls_client *client_hold(struct tls_client *c)
{
	c->references++;
	return c;
}

static void client_release(void *client)
{
	tls_client_free(client);
}

/* --- what OpenSSL asks us --- */

static int verify(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct side *side = SSL_get_app_data(ssl);

	(void)arg;
	return tls_verify(store, &side->question);
}

static int session_came(SSL *ssl, SSL_SESSION *session)
{
	struct side *side = SSL_get_app_data(ssl);

	if (!side->remembered)
		return 0;
	tls_cache_put(&side->client->cache, &side->key, session, SSL_session_reused(ssl) ? side->proved : rt_now());
	return 1;
}

/* --- the client --- */

static bool context_set(SSL_CTX *ctx)
{
	SSL_CTX_set_cert_verify_callback(ctx, verify, NULL);
	SSL_CTX_set_verify_depth(ctx, CHAIN_MAX);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, session_came);
	return tls_set_common(ctx) && SSL_CTX_set_cipher_list(ctx, CIPHERS_1_2) == 1 &&
	       SSL_CTX_set1_groups_list(ctx, GROUPS) == 1 && SSL_CTX_dane_enable(ctx) == 1 &&
	       /* Whoever names an intermediate authority or a server's own certificate trusts that. */
	       X509_STORE_set_flags(SSL_CTX_get_cert_store(ctx), X509_V_FLAG_PARTIAL_CHAIN) == 1;
}

static err trust(SSL_CTX *ctx, str pem)
{
	STACK_OF(X509) *known = sk_X509_new_null();
	err e = tls_read_certificates(pem, false, known);

	for (int i = 0; e == OK && i < sk_X509_num(known); i++)
		if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), sk_X509_value(known, i)) != 1)
			e = tls_failed(E_MEMORY, "the certificates of authorities cannot be kept");
	sk_X509_pop_free(known, X509_free);
	return e;
}

err tls_client_new(str authorities_pem, struct tls_client **out)
{
	struct tls_client *c = calloc(1, sizeof(*c));
	err e = OK;

	*out = NULL;
	tls_begin();
	ERR_clear_error();
	if (c == NULL)
		return err_note(E_MEMORY, "no memory for TLS");
	c->references = 1;
	c->ctx = SSL_CTX_new(TLS_client_method());
	if (c->ctx == NULL || !context_set(c->ctx))
		e = tls_failed(E_MEMORY, "TLS cannot be set up");
	else if (authorities_pem.n > 0)
		e = trust(c->ctx, authorities_pem);
	else
		(void)SSL_CTX_set_default_verify_paths(c->ctx); /* none there: nobody is known */
	ERR_clear_error();
	if (e == OK)
		*out = c;
	else
		tls_client_free(c);
	return e;
}

void tls_client_free(struct tls_client *c)
{
	if (c == NULL || --c->references > 0)
		return;
	tls_cache_clear(&c->cache);
	SSL_CTX_free(c->ctx);
	free(c);
}

/* --- one connection --- */

/* RFC 6066 3: the name of a host, never its address. */
static err put_server_name(SSL *ssl, str name, struct arena *a)
{
	const char *z = arena_z(a, name);

	if (name.n == 0 || (z != NULL && tls_is_address(z)))
		return OK;
	if (z == NULL || SSL_set_tlsext_host_name(ssl, z) != 1)
		return tls_failed(E_SYNTAX, "no name of a server");
	return OK;
}

static err put_alpn(SSL *ssl, str name)
{
	BUF(list, 256);

	if (name.n == 0)
		return OK;
	buf_putc(&list, (char)name.n);
	buf_put(&list, name);
	if (list.full || SSL_set_alpn_protos(ssl, (const unsigned char *)list.p, (unsigned)list.n) != 0)
		return tls_failed(E_SYNTAX, "no name of a protocol");
	return OK;
}

static void put_strength(SSL *ssl, bool any)
{
	SSL_set_verify(ssl, any ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	SSL_set_security_level(ssl, any ? LEVEL_ANY : LEVEL_VERIFIED);
	if (any)
		SSL_set_options(ssl, SSL_OP_LEGACY_SERVER_CONNECT); /* servers without RFC 5746 */
}

static void put_session(SSL *ssl, struct side *side)
{
	SSL_SESSION *session = tls_cache_take(&side->client->cache, &side->key, &side->proved);

	if (session != NULL)
		(void)SSL_set_session(ssl, session);
	SSL_SESSION_free(session);
}

static err side_put(struct side *side, SSL *ssl)
{
	struct tls_question *q = &side->question;
	err e = put_server_name(ssl, q->peer->server_name, q->memory);

	SSL_set_app_data(ssl, side);
	if (e == OK)
		e = put_alpn(ssl, q->peer->alpn);
	if (e == OK)
		e = tls_question_put(q, ssl);
	if (e != OK)
		return e;
	put_strength(ssl, q->check == TLS_CHECK_NONE || q->peer->lenient);
	/* A session that is resumed shows no certificate, which is what a lenient one is for. */
	side->remembered = !q->peer->lenient && tls_cache_key_make(q->peer, &side->key);
	if (side->remembered)
		put_session(ssl, side);
	return OK;
}

/* --- what went wrong --- */

static err no_tls(int reason)
{
	switch (reason) {
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_HTTP_REQUEST:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
	case SSL_R_RECORD_LENGTH_MISMATCH:
		return err_note(E_SYNTAX, "what the server says is not TLS");
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
		return err_note(E_SYNTAX, "the server does not speak TLS 1.2 or newer");
	default:
		return tls_failed(E_SYNTAX, "the TLS handshake failed");
	}
}

static err client_failed(const struct tls_transport *t, const struct tls_question *q)
{
	int reason = ERR_GET_REASON(ERR_peek_error());
	err e;

	if (rt_cancelled())
		e = err_note(E_CANCELLED, "cancelled during the TLS handshake");
	else if (q->why.n > 0)
		e = err_note(E_DENIED, STR_FMT, STR_ARG(q->why));
	else if (t->ended)
		e = err_note(E_CLOSED, "the server closed the connection during the TLS handshake");
	else if (ERR_peek_error() == 0)
		e = err_note(E_CLOSED, "the connection was lost during the TLS handshake");
	else if (reason > ALERTS && reason <= ALERTS + ALERT_MAX && reason != SSL_R_TLSV1_ALERT_PROTOCOL_VERSION)
		e = err_note(E_SYNTAX, "the server refused the TLS handshake: %s",
		             SSL_alert_desc_string_long(reason - ALERTS));
	else
		e = no_tls(reason);
	ERR_clear_error();
	return e;
}

/* --- what was proved --- */

static err note_proof(struct tls_transport *t, const struct tls_question *q, struct tls_proof *proof)
{
	X509 *certificate = SSL_get0_peer_certificate(t->ssl);

	*proof = (struct tls_proof){.version = str_from(SSL_get_version(t->ssl)),
	                            .cipher = str_from(SSL_get_cipher_name(t->ssl)),
	                            .checked = q->fault == TLS_FAULT_NONE ? q->check : TLS_CHECK_NONE,
	                            .fault_text = q->why,
	                            .resumed = SSL_session_reused(t->ssl) == 1,
	                            .unusable = q->check != q->peer->check};
	if (certificate != NULL) {
		proof->subject = tls_subject(certificate, q->peer, &t->notes);
		proof->fingerprint = tls_fingerprint(certificate, &t->notes);
	}
	return t->notes.full ? err_note(E_MEMORY, "no memory for the server's certificate") : OK;
}

static err client_handshake(struct tls_transport *t, struct side *side, nsec deadline, struct tls_proof *proof)
{
	err e = side_put(side, t->ssl);

	if (e == OK)
		e = tls_handshake(t, deadline);
	if (e == E_END)
		e = client_failed(t, &side->question);
	else if (e == E_TIMEOUT)
		err_note(e, "the server did not finish the TLS handshake in time");
	if (e == OK)
		e = note_proof(t, &side->question, proof);
	proof->fault = side->question.fault;
	side->question.peer = NULL;
	return e;
}

static SSL *client_new(const struct tls_client *c)
{
	SSL *ssl = SSL_new(c->ctx);

	if (ssl != NULL)
		SSL_set_connect_state(ssl);
	return ssl;
}

err stream_start_tls_client(struct stream *s, struct tls_client *c, const struct tls_peer *peer, nsec deadline,
                            struct tls_proof *proof)
{
	struct tls_transport *t;
	err e = stream_flush(s);

	*proof = (struct tls_proof){0};
	if (e != OK)
		return e;
	if (tls_transport_of(s) != NULL)
		return err_note(E_EXISTS, "TLS within TLS");
	e = tls_transport_put(s, client_new(c), &t);
	if (e != OK)
		return e;
	t->owner = client_hold(c);
	t->release = client_release;
	struct side *side = arena_alloc(&t->notes, sizeof(*side));
	if (side == NULL)
		return stream_fail(s, err_note(E_MEMORY, "no memory for TLS"));
	side->client = c;
	side->question = (struct tls_question){.peer = peer, .memory = &t->notes};
	e = client_handshake(t, side, deadline, proof);
	return e == OK ? OK : stream_fail(s, e);
}
