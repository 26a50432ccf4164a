/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "rt/net.h"

#define BACKLOG       1024
#define ACCEPT_STREAK 8 /* accepted in a row, then the others get a turn */
#define ACCEPT_PAUSE  (100 * NSEC_PER_MSEC)
#define WARN_EVERY    (60 * NSEC_PER_SEC)

static int socket_open(const struct net_address *a)
{
	return socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static const struct sockaddr *address_sa(const struct net_address *a)
{
	return (const struct sockaddr *)&a->sa;
}

static void socket_set(int fd, int level, int option)
{
	static const int on = 1;

	(void)setsockopt(fd, level, option, &on, sizeof(on));
}

/* Nobody answers at the socket: it was left by a process that is gone. */
static bool unix_is_stale(const struct net_address *a)
{
	int fd = socket_open(a);
	bool stale = fd >= 0 && connect(fd, address_sa(a), a->n) < 0 && errno == ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return stale;
}

static void unix_remove_stale(const struct net_address *a)
{
	const char *path = ((const struct sockaddr_un *)&a->sa)->sun_path;
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && unix_is_stale(a))
		(void)unlink(path);
}

static void socket_prepare(int fd, const struct net_address *a)
{
	if (a->sa.ss_family == AF_UNIX) {
		unix_remove_stale(a);
		return;
	}
	socket_set(fd, SOL_SOCKET, SO_REUSEADDR);
	if (a->sa.ss_family == AF_INET6)
		socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY);
}

static err net_error(const char *what, const struct net_address *a)
{
	int cause = errno;
	BUF(text, 160);

	net_address_print(&text, a);
	switch (cause) {
	case EADDRINUSE:
		return err_note(E_EXISTS, "%s " STR_FMT ": address in use", what, STR_ARG(buf_str(&text)));
	case EACCES:
	case EPERM:
		return err_note(E_DENIED, "%s " STR_FMT ": permission denied", what, STR_ARG(buf_str(&text)));
	case ENOENT:
		return err_note(E_NOT_FOUND, "%s " STR_FMT ": no such socket", what, STR_ARG(buf_str(&text)));
	case EMFILE:
	case ENFILE:
	case EADDRNOTAVAIL:
		return err_note(E_IO, "%s " STR_FMT ": %s", what, STR_ARG(buf_str(&text)), strerrordesc_np(cause));
	case ETIMEDOUT:
		return err_note(E_TIMEOUT, "%s " STR_FMT ": no answer in time", what, STR_ARG(buf_str(&text)));
	default:
		return err_note(E_CLOSED, "%s " STR_FMT ": %s", what, STR_ARG(buf_str(&text)), strerrordesc_np(cause));
	}
}

err net_listen(const struct net_address *a, int *fd)
{
	int s = socket_open(a);

	if (s < 0)
		return net_error("socket for", a);
	socket_prepare(s, a);
	if (bind(s, address_sa(a), a->n) < 0 || listen(s, BACKLOG) < 0) {
		err e = net_error("listen on", a);

		close(s);
		return e;
	}
	*fd = s;
	return OK;
}

/* Once a listener: connections inherit TCP_NODELAY from it (a Unix socket has no such option). */
static void listener_prepare(struct rt_fd *listener)
{
	if (listener->exclusive)
		return;
	listener->exclusive = true;
	socket_set(listener->fd, IPPROTO_TCP, TCP_NODELAY);
}

static bool accept_is_out_of_resources(int cause)
{
	return cause == EMFILE || cause == ENFILE || cause == ENOBUFS || cause == ENOMEM;
}

/* Anything else is the fault of one connection, gone before it was accepted: the next one may be well. */
static bool accept_is_over(int cause)
{
	return cause == EBADF || cause == EINVAL || cause == ENOTSOCK || cause == EFAULT || cause == EOPNOTSUPP;
}

static err accept_pause(int cause, nsec deadline)
{
	static _Thread_local nsec quiet_until;
	nsec until = rt_after(ACCEPT_PAUSE);

	if (rt_now() >= quiet_until) {
		LOG(WARN, "net.accept", LOG_Z("error", strerrordesc_np(cause)));
		quiet_until = rt_after(WARN_EVERY);
	}
	if (until <= deadline)
		return rt_sleep_until(until);

	err e = rt_sleep_until(deadline);

	return e == OK ? err_note(E_TIMEOUT, "timed out") : e;
}

static err accept_wait(struct rt_fd *listener, int cause, nsec deadline)
{
	if (cause == EAGAIN || cause == EWOULDBLOCK)
		return rt_fd_wait_readable(listener, deadline);
	if (accept_is_out_of_resources(cause))
		return accept_pause(cause, deadline);
	if (accept_is_over(cause))
		return err_note(E_IO, "accept: %s", strerrordesc_np(cause));
	return OK;
}

err net_accept(struct rt_fd *listener, int *fd, struct net_address *peer, nsec deadline)
{
	listener_prepare(listener);
	if (++listener->streak > ACCEPT_STREAK) {
		listener->streak = 0;
		rt_yield();
	}
	for (;;) {
		peer->n = sizeof(peer->sa);
		*fd = accept4(listener->fd, (struct sockaddr *)&peer->sa, &peer->n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (*fd >= 0)
			return OK;

		err e = accept_wait(listener, errno, deadline);

		if (e != OK)
			return e;
	}
}

static err connect_finish(struct rt_fd *f, const struct net_address *to, nsec deadline)
{
	err e = rt_fd_wait_writable(f, deadline);
	int cause = 0;
	socklen_t n = sizeof(cause);

	if (e == E_TIMEOUT)
		cause = ETIMEDOUT;
	else if (e != OK)
		return e;
	else if (getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &cause, &n) == 0 && cause == 0)
		return OK;
	errno = cause;
	return net_error("connect to", to);
}

/* The port is chosen when the other end is known: two connections to different ends may share one. */
static err connect_from(int fd, const struct net_address *source)
{
	BUF(text, 160);

	socket_set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
	if (bind(fd, address_sa(source), source->n) == 0)
		return OK;
	int cause = errno;
	net_address_host(&text, source);
	return err_note(E_IO, "connect from " STR_FMT ": %s", STR_ARG(buf_str(&text)), strerrordesc_np(cause));
}

static err connect_begin(struct rt_fd *f, const struct net_address *to, const struct net_address *source, nsec deadline)
{
	err e = source == NULL || source->n == 0 ? OK : connect_from(f->fd, source);

	if (e != OK)
		return e;
	if (to->sa.ss_family != AF_UNIX)
		socket_set(f->fd, IPPROTO_TCP, TCP_NODELAY);
	if (connect(f->fd, address_sa(to), to->n) == 0)
		return OK;
	return errno == EINPROGRESS ? connect_finish(f, to, deadline) : net_error("connect to", to);
}

err net_connect(const struct net_address *to, const struct net_address *source, int *fd, nsec deadline)
{
	struct rt_fd f = {.fd = socket_open(to)};

	if (f.fd < 0)
		return net_error("socket for", to);
	err e = connect_begin(&f, to, source, deadline);
	if (e == OK)
		*fd = rt_fd_release(&f);
	else
		rt_fd_close(&f);
	return e;
}

/* A datagram socket is told whom it is for, and chooses its own address by that. */
err net_source(const struct net_address *to, struct net_address *out)
{
	int fd = socket(to->sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*out = (struct net_address){.n = sizeof(out->sa)};
	bool found = fd >= 0 && connect(fd, (const struct sockaddr *)&to->sa, to->n) == 0 &&
	             getsockname(fd, (struct sockaddr *)&out->sa, &out->n) == 0;
	if (fd >= 0)
		close(fd);
	return found ? OK : E_CLOSED;
}

static bool can_bind(const struct net_address *a)
{
	struct net_address any_port = *a;
	int fd = socket(a->sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (a->sa.ss_family == AF_INET)
		((struct sockaddr_in *)&any_port.sa)->sin_port = 0;
	else
		((struct sockaddr_in6 *)&any_port.sa)->sin6_port = 0;
	bool can = fd >= 0 && bind(fd, address_sa(&any_port), any_port.n) == 0;
	if (fd >= 0)
		close(fd);
	return can;
}

/* Sockets get no address that is another machine's, unless the administrator lets them have any: then also those that nobody has (RFC 1112 4, RFC 6666). */
bool net_is_local(const struct net_address *a)
{
	struct net_address nobody = {0};
	str text = a->sa.ss_family == AF_INET ? STR("240.0.0.1:0") : STR("[100::1]:0");

	return a->sa.ss_family != AF_UNIX && can_bind(a) && net_address_parse(text, &nobody) == OK &&
	       !can_bind(&nobody);
}
