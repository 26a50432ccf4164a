/* SPDX-License-Identifier: ISC */
#include "rt/tls_stream.h"

#include <limits.h>
#include <stdlib.h>

#define HELD_MAX ((size_t)64 << 10) /* a handshake's messages and a record are far less */

/* --- what is held back --- */

/* What the handshake wrote last leaves together with what is written next, or before anybody waits: one segment less, and one wake of the other side. */

/* Behind what is held, in one write. Octets of `bytes` that were sent; TRANSPORT_AGAIN: none. */
static ssize_t send_behind_held(struct tls_transport *t, str bytes)
{
	size_t held = t->held.n;

	if (held == 0)
		return t->under.ops->write(t->under.t, bytes.p, bytes.n);
	buf_put(&t->held, bytes);
	ssize_t sent = t->held.full ? TRANSPORT_FAILED : t->under.ops->write(t->under.t, t->held.p, t->held.n);
	t->held.n = held;
	if (sent < 0)
		return sent;
	if ((size_t)sent < held)
		buf_consume(&t->held, (size_t)sent);
	else
		buf_free(&t->held);
	return (size_t)sent > held ? sent - (ssize_t)held : TRANSPORT_AGAIN;
}

static ssize_t hold(struct tls_transport *t, str bytes)
{
	buf_put(&t->held, bytes);
	if (!t->held.full)
		return (ssize_t)bytes.n;
	t->held.full = false;
	return send_behind_held(t, bytes);
}

/* Without waiting. */
static void send_held(struct tls_transport *t)
{
	if (t->held.n > 0)
		(void)send_behind_held(t, STR_NONE);
}

static err send_all_held(struct tls_transport *t, nsec deadline)
{
	err e = OK;

	while (e == OK && t->held.n > 0) {
		ssize_t sent = send_behind_held(t, STR_NONE);

		if (sent == TRANSPORT_FAILED)
			e = err_note(E_CLOSED, "connection lost while writing");
		else if (t->held.n > 0)
			e = t->under.ops->wait_writable(t->under.t, deadline);
	}
	return e;
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
	str bytes = str_make(p, n <= 0 ? 0 : (size_t)n);
	ssize_t sent = bytes.n == 0 ? 0 : t->holding ? hold(t, bytes) : send_behind_held(t, bytes);

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

	send_held(t);
	if ((t->read_wants_write || t->held.n > 0) && !t->writer_waits)
		return above_wait_writable(t, deadline);
	return t->under.ops->wait_readable(t->under.t, deadline);
}

/* RFC 8446 6.1: close_notify, which is sent and not waited for. */
static err above_finish(void *transport, str bytes, nsec deadline)
{
	struct tls_transport *t = transport;

	t->holding = true;
	bool held = (bytes.n == 0 || above_write(t, bytes.p, bytes.n) == (ssize_t)bytes.n) && !t->broken &&
	            SSL_shutdown(t->ssl) >= 0;
	t->holding = false;
	t->finished = true;
	if (!held)
		return err_note(E_CLOSED, "connection lost while writing");
	err e = t->under.ops->finish != NULL ? t->under.ops->finish(t->under.t, buf_str(&t->held), deadline)
	                                     : send_all_held(t, deadline);
	buf_free(&t->held);
	return e;
}

static void above_close(void *transport)
{
	struct tls_transport *t = transport;

	ERR_clear_error();
	if (t->established && !t->broken && !t->finished)
		(void)SSL_shutdown(t->ssl);
	send_held(t);
	buf_free(&t->held);
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
	.finish = above_finish,
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
	t->held = BUF_INIT(HELD_MAX);
	t->ssl = ssl;
	SSL_set_bio(ssl, bio, bio);
	stream_set_carrier(s, (struct carrier){&transport_tls, t});
	*out = t;
	return OK;
}

/* --- handshake --- */

/* A step, and the wait for the next one. E_END: OpenSSL gave up. */
static err handshake_step(struct tls_transport *t, nsec deadline)
{
	ERR_clear_error();
	int n = SSL_do_handshake(t->ssl);
	int why = SSL_get_error(t->ssl, n);
	err e = OK;

	t->established = n == 1;
	if (t->established)
		return OK;
	if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
		return E_END;
	e = send_all_held(t, deadline);
	if (e != OK)
		return e;
	return why == SSL_ERROR_WANT_READ ? t->under.ops->wait_readable(t->under.t, deadline)
	                                  : t->under.ops->wait_writable(t->under.t, deadline);
}

err tls_handshake(struct tls_transport *t, nsec deadline)
{
	err e = OK;

	t->holding = true;
	while (e == OK && !t->established)
		e = handshake_step(t, deadline);
	t->holding = false;
	t->broken = e != OK;
	if (t->broken)
		send_held(t); /* an alert */
	return e;
}
