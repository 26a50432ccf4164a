/* SPDX-License-Identifier: ISC */
/* Descriptors go over the SEQPACKET socket, one a message, each with a ticket. They leave before their frame and in the order of the
 * frames, and a Unix socket delivers at once: when a frame is there, its descriptors are. A ticket that is skipped belongs to
 * a call that was given up between its descriptor and its frame. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/connection.h"

union control {
	char space[CMSG_SPACE(sizeof(int))];
	struct cmsghdr head; /* for its alignment */
};

void descriptors_close(struct record_fds *fds)
{
	for (; fds->taken < fds->n; fds->taken++)
		close(fds->fd[fds->taken]);
}

static bool send_one(int socket, int fd, uint64_t ticket)
{
	union control control = {{0}};
	struct iovec iov = {&ticket, sizeof(ticket)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control};

	m.msg_controllen = sizeof(control);
	struct cmsghdr *head = CMSG_FIRSTHDR(&m);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	return sendmsg(socket, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(ticket);
}

err connection_send_descriptor(struct connection *c, int fd, nsec deadline)
{
	while (!send_one(c->descriptors.fd, fd, c->ticket_out)) {
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ETOOMANYREFS)
			return err_note(E_TEMP, "cannot hand a descriptor over: %s", strerrordesc_np(errno));
		err e = rt_fd_wait_writable(&c->descriptors, deadline);
		if (e != OK || !c->alive)
			return e != OK && e != E_CLOSED ? e : link_away();
	}
	c->ticket_out++;
	return OK;
}

/* The descriptor of one message; -1: there is none that fits. */
static int receive_one(int socket, uint64_t *ticket)
{
	union control control = {{0}};
	struct iovec iov = {ticket, sizeof(*ticket)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control};

	m.msg_controllen = CMSG_LEN(sizeof(int)); /* with its padding there would be room for a second descriptor */
	ssize_t n = recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *head = n < 0 ? NULL : CMSG_FIRSTHDR(&m);
	int fd = -1;

	if (head == NULL || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS ||
	    head->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	if (n == (ssize_t)sizeof(*ticket) && (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int receive_ticket(struct connection *c)
{
	for (;;) {
		uint64_t ticket;
		int fd = receive_one(c->descriptors.fd, &ticket);

		if (fd < 0 || ticket == c->ticket_in) {
			c->ticket_in++;
			return fd;
		}
		close(fd);
		if (ticket > c->ticket_in)
			return -1;
	}
}

bool connection_take_descriptors(struct connection *c, const struct frame *f, struct record_fds *fds)
{
	*fds = (struct record_fds){0};
	if (f->fds_n == 0)
		return true;
	if (c->descriptors.fd < 0 || f->ticket < c->ticket_in)
		return false;
	c->ticket_in = f->ticket;
	while (fds->n < f->fds_n) {
		int fd = receive_ticket(c);

		if (fd < 0) {
			descriptors_close(fds);
			return false;
		}
		fds->fd[fds->n++] = fd;
	}
	return true;
}
