/* SPDX-License-Identifier: ISC */
/* A socket as transport. After a read that did not fill its buffer the socket is empty until the next edge, so that
 * the read that would only say EAGAIN is left out; edges are told of only once it is registered.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rt/transport.h"

struct socket_transport {
	struct rt_fd f;
	bool drained;
};

void *transport_fd_open(int fd)
{
	struct socket_transport *t = calloc(1, sizeof(*t));

	if (t == NULL)
		close(fd);
	else
		t->f.fd = fd; /* each call says MSG_DONTWAIT: no fcntl a connection */
	return t;
}

static ssize_t fd_result(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EWOULDBLOCK ? TRANSPORT_AGAIN : TRANSPORT_FAILED;
}

static ssize_t fd_read(void *transport, char *p, size_t n)
{
	struct socket_transport *t = transport;
	ssize_t got;

	if (t->drained && t->f.events && !t->f.readable && !t->f.hangup)
		return TRANSPORT_AGAIN;
	t->f.readable = false;
	do {
		got = recv(t->f.fd, p, n, MSG_DONTWAIT);
	} while (got < 0 && errno == EINTR);
	t->drained = got > 0 && (size_t)got < n;
	return fd_result(got);
}

static ssize_t fd_send(struct socket_transport *t, const char *p, size_t n, int flags)
{
	ssize_t sent;

	t->f.writable = false;
	do {
		sent = send(t->f.fd, p, n, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return fd_result(sent);
}

static ssize_t fd_write(void *transport, const char *p, size_t n)
{
	return fd_send(transport, p, n, 0);
}

static err fd_wait_readable(void *transport, nsec deadline)
{
	struct socket_transport *t = transport;
	err e = rt_fd_wait_readable(&t->f, deadline);

	if (e == OK)
		t->drained = false;
	return e;
}

static err fd_wait_writable(void *transport, nsec deadline)
{
	struct socket_transport *t = transport;

	return rt_fd_wait_writable(&t->f, deadline);
}

/* The last octets wait in the kernel for the end, which is told by the same segment. It is not left to close: with input unread that throws away what
 * waits. */
static err fd_finish(void *transport, str bytes, nsec deadline)
{
	struct socket_transport *t = transport;
	err e = OK;

	while (bytes.n > 0 && e == OK) {
		ssize_t n = fd_send(t, bytes.p, bytes.n, MSG_MORE);

		if (n > 0)
			bytes = str_drop(bytes, (size_t)n);
		else if (n == TRANSPORT_AGAIN)
			e = fd_wait_writable(t, deadline);
		else
			e = err_note(E_CLOSED, "connection lost while writing");
	}
	if (e == OK)
		(void)!shutdown(t->f.fd, SHUT_WR); /* fails when the peer has gone: then there is nobody to tell */
	return e;
}

static void fd_close(void *transport)
{
	struct socket_transport *t = transport;

	rt_fd_close(&t->f);
	free(t);
}

const struct transport transport_fd = {
	.read = fd_read,
	.write = fd_write,
	.wait_readable = fd_wait_readable,
	.wait_writable = fd_wait_writable,
	.close = fd_close,
	.finish = fd_finish,
};
