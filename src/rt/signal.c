/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "rt/rt.h"

static err signal_read(struct rt_fd *f, int *got, nsec deadline)
{
	struct signalfd_siginfo info;

	while (read(f->fd, &info, sizeof(info)) != (ssize_t)sizeof(info)) {
		if (errno != EAGAIN && errno != EINTR)
			return err_note(E_IO, "signalfd: %s", strerrordesc_np(errno));

		err e = rt_fd_wait_readable(f, deadline);

		if (e != OK)
			return e;
	}
	*got = (int)info.ssi_signo;
	return OK;
}

/* What arrives between two calls stays pending, as it is blocked. */
err rt_signal_wait(const int *signals, size_t n, int *got, nsec deadline)
{
	struct rt_fd f;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < n; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);

	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd < 0)
		return err_note(E_IO, "signalfd: %s", strerrordesc_np(errno));
	rt_fd_init(&f, fd);

	err e = signal_read(&f, got, deadline);

	rt_fd_close(&f);
	return e;
}
