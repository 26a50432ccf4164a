/* SPDX-License-Identifier: ISC */
/* Waiting for descriptors. A registration ends when the last copy of the descriptor is closed, which may be in
 * another process that it was passed to: events therefore carry a key that is looked up, never a pointer.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "rt/loop.h"

void rt_fd_init(struct rt_fd *f, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	*f = (struct rt_fd){.fd = fd};
	if (flags >= 0 && (flags & O_NONBLOCK) == 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static struct fd_slot *fd_slot(struct rt_loop *l, int fd)
{
	size_t i = (size_t)fd;

	return i < l->slot_count ? &l->slots[i] : NULL;
}

static bool fd_slots_reserve(struct rt_loop *l, int fd)
{
	size_t count = l->slot_count ? l->slot_count : 64;
	struct fd_slot *grown;

	if (fd_slot(l, fd))
		return true;
	while (count <= (size_t)fd)
		count *= 2;
	grown = reallocarray(l->slots, count, sizeof(*grown));
	if (grown == NULL)
		return false;
	for (size_t i = l->slot_count; i < count; i++)
		grown[i] = (struct fd_slot){0};
	l->slots = grown;
	l->slot_count = count;
	return true;
}

static bool fd_is_registered(struct rt_loop *l, const struct rt_fd *f)
{
	struct fd_slot *slot = fd_slot(l, f->fd);

	return f->events && slot && slot->f == f; /* not by a loop that has ended */
}

static err fd_control(struct rt_loop *l, struct rt_fd *f, int op, uint32_t events)
{
	struct epoll_event ev = {.events = events};

	ev.data.u64 = (uint64_t)l->slots[f->fd].generation << 32 | (uint32_t)f->fd;
	if (epoll_ctl(l->epoll_fd, op, f->fd, &ev) < 0)
		return err_note(E_IO, "epoll_ctl: %s", strerrordesc_np(errno));
	f->events = events;
	return OK;
}

static err fd_register(struct rt_loop *l, struct rt_fd *f, uint32_t want)
{
	uint32_t always = EPOLLET | (f->exclusive ? EPOLLEXCLUSIVE : EPOLLRDHUP);

	if (l->simulated)
		return err_note(E_IO, "descriptors cannot be waited for under simulation");
	if (fd_is_registered(l, f))
		return want & ~f->events ? fd_control(l, f, EPOLL_CTL_MOD, f->events | want) : OK;
	if (!fd_slots_reserve(l, f->fd))
		return err_note(E_MEMORY, "no memory to watch a descriptor");
	l->slots[f->fd] = (struct fd_slot){f, l->slots[f->fd].generation + 1};
	return fd_control(l, f, EPOLL_CTL_ADD, want | always);
}

static err fd_wait(struct rt_fd *f, uint32_t event, bool *ready, struct co **waiter, nsec deadline)
{
	err e = OK;

	if (f->fd < 0)
		return err_note(E_CLOSED, "descriptor is closed");
	f->streak = 0;
	if (!*ready)
		e = fd_register(loop_current, f, event);
	if (e == OK && !*ready) {
		assert(*waiter == NULL);
		*waiter = rt_self();
		e = co_wait(CO_BLOCKED, deadline);
		if (e == E_CLOSED) /* f may be gone */
			return err_note(E_CLOSED, "descriptor was closed");
		*waiter = NULL;
	}
	*ready = false;
	return e;
}

err rt_fd_wait_readable(struct rt_fd *f, nsec deadline)
{
	return fd_wait(f, EPOLLIN, &f->readable, &f->reader, deadline);
}

err rt_fd_wait_writable(struct rt_fd *f, nsec deadline)
{
	return fd_wait(f, EPOLLOUT, &f->writable, &f->writer, deadline);
}

static void fd_edge(bool *ready, struct co *const *waiter)
{
	*ready = true;
	if (*waiter)
		co_resume(*waiter, OK);
}

void fd_event(struct rt_loop *l, uint64_t key, uint32_t events)
{
	struct fd_slot *slot = fd_slot(l, (int)(uint32_t)key);

	if (slot == NULL || slot->f == NULL || slot->generation != key >> 32)
		return;

	struct rt_fd *f = slot->f;
	bool writer_waits = f->writer != NULL;

	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		f->hangup = true;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		fd_edge(&f->readable, &f->reader);
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		fd_edge(&f->writable, &f->writer);
	/* A Unix socket tells of room after each read of the peer: not wanted while nobody waits for it. */
	if ((events & EPOLLOUT) && !writer_waits && f->events)
		(void)!fd_control(l, f, EPOLL_CTL_MOD, f->events & ~(uint32_t)EPOLLOUT);
}

/* A waiter that is ready already must not touch the struct again either. */
static void fd_fail(struct co *waiter)
{
	if (waiter == NULL)
		return;
	co_resume(waiter, E_CLOSED);
	waiter->result = E_CLOSED;
}

static void fd_forget(struct rt_fd *f)
{
	struct rt_loop *l = loop_current;

	if (l && fd_is_registered(l, f))
		l->slots[f->fd].f = NULL;
	f->events = 0;
	fd_fail(f->reader);
	fd_fail(f->writer);
	f->reader = f->writer = NULL;
}

void rt_fd_close(struct rt_fd *f)
{
	if (f->fd < 0)
		return;
	fd_forget(f);
	close(f->fd);
	f->fd = -1;
}

int rt_fd_release(struct rt_fd *f)
{
	int fd = f->fd;

	if (f->events && loop_current)
		(void)epoll_ctl(loop_current->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	fd_forget(f);
	f->fd = -1;
	return fd;
}
