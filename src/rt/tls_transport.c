/* SPDX-License-Identifier: ISC */
#include "rt/tls_stream.h"

#include <limits.h>
#include <stdlib.h>

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

static ssize_t above_failed(struct tls_transport *t)
{
	t->broken = true;
	ERR_clear_error();
	return t->ended ? 0 : TRANSPORT_FAILED;
}

static ssize_t above_read(void *transport, char *p, size_t n)
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
	return why == SSL_ERROR_ZERO_RETURN ? 0 : above_failed(t);
}

static ssize_t above_write(void *transport, const char *p, size_t n)
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
	(void)above_failed(t);
	return TRANSPORT_FAILED;
}

static err above_wait_writable(void *transport, nsec deadline)
{
	struct tls_transport *t = transport;

	t->writer_waits = true;
	err e = t->under.ops->wait_writable(t->under.t, deadline);
	t->writer_waits = false;
	return e;
}

/* An answer of the protocol's own (RFC 8446 4.6.3) may have to leave before anything more can be read. */
static err above_wait_readable(void *transport, nsec deadline)
{
	struct tls_transport *t = transport;

	if (t->read_wants_write && !t->writer_waits)
		return above_wait_writable(t, deadline);
	return t->under.ops->wait_readable(t->under.t, deadline);
}

/* RFC 8446 6.1: close_notify, which is sent and not waited for. */
static void above_close(void *transport)
{
	struct tls_transport *t = transport;

	ERR_clear_error();
	if (t->established && !t->broken)
		(void)SSL_shutdown(t->ssl);
	SSL_free(t->ssl);
	ERR_clear_error();
	t->under.ops->close(t->under.t);
	if (t->release != NULL)
		t->release(t->owner);
	arena_free(&t->notes);
	free(t);
}

static const struct transport transport_tls = {
	.read = above_read,
	.write = above_write,
	.wait_readable = above_wait_readable,
	.wait_writable = above_wait_writable,
	.close = above_close,
};

struct tls_transport *tls_transport_of(const struct stream *s)
{
	struct carrier carrier = stream_carrier(s);

	return carrier.ops == &transport_tls ? carrier.t : NULL;
}

err tls_transport_put(struct stream *s, SSL *ssl, struct tls_transport **out)
{
	struct tls_transport *t = ssl == NULL ? NULL : calloc(1, sizeof(*t));
	BIO *bio = t == NULL ? NULL : below_new(t);

	if (bio == NULL) {
		SSL_free(ssl);
		free(t);
		return stream_fail(s, tls_failed(E_MEMORY, "no memory for TLS"));
	}
	t->under = stream_carrier(s);
	t->notes = ARENA_INIT(TLS_NOTES_MAX);
	t->ssl = ssl;
	SSL_set_bio(ssl, bio, bio);
	stream_set_carrier(s, (struct carrier){&transport_tls, t});
	*out = t;
	return OK;
}

/* --- handshake --- */

err tls_handshake(struct tls_transport *t, nsec deadline)
{
	err e = OK;

	while (e == OK) {
		ERR_clear_error();
		int n = SSL_do_handshake(t->ssl);
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
			e = E_END;
	}
	t->broken = true;
	return e;
}
