/* SPDX-License-Identifier: ISC */
#include "role/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "role/process.h"

#define LINK_BUFFER   (1 << 20) /* octets a socket of a link holds; the default is 20 bodies of 10 KiB */
#define FIRST_FREE_FD 10        /* beyond those the child is given */

extern char **environ;

/* Root may exceed the system's limit, others get what it allows. */
static void widen(int fd)
{
	const int size = LINK_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

err link_sockets_open(struct link_sockets *s)
{
	*s = (struct link_sockets){{-1, -1}, {-1, -1}};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->stream) != 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s->descriptors) != 0) {
		err e = err_note(E_IO, "socketpair: %s", strerrordesc_np(errno));
		link_sockets_close(s, 0);
		link_sockets_close(s, 1);
		return e;
	}
	widen(s->stream[0]);
	widen(s->stream[1]);
	return OK;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void link_sockets_close(struct link_sockets *s, int end)
{
	close_one(&s->stream[end]);
	close_one(&s->descriptors[end]);
}

/* `from` becomes the child's descriptor `to`. */
struct hand_over {
	int from, to;
};

static int arrange(posix_spawn_file_actions_t *actions, const struct hand_over *fds, size_t n)
{
	int failed = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	failed |= posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	for (size_t i = 0; i < n; i++)
		failed |= posix_spawn_file_actions_adddup2(actions, fds[i].from, fds[i].to);
	int last = fds[n - 1].to > STDERR_FILENO ? fds[n - 1].to : STDERR_FILENO;
	failed |= posix_spawn_file_actions_addclosefrom_np(actions, last + 1);
	return failed;
}

/* The child's signals are as in a fresh process: the monitor's own mask is none of its business. */
static int arrange_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	return posix_spawnattr_setsigmask(attributes, &none) | posix_spawnattr_setsigdefault(attributes, &all) |
	       posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int spawn(char *const argv[], const struct hand_over *fds, size_t n, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	int failed = arrange(&actions, fds, n) | arrange_signals(&attributes);
	if (!failed)
		failed = posix_spawn(pid, "/proc/self/exe", &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

/* With both descriptors out of the way of the numbers they get. */
static err spawn_with(const char *name, char *const argv[], struct hand_over first, struct hand_over second, pid_t *pid)
{
	struct hand_over fds[] = {{fcntl(first.from, F_DUPFD_CLOEXEC, FIRST_FREE_FD), first.to},
	                          {fcntl(second.from, F_DUPFD_CLOEXEC, FIRST_FREE_FD), second.to}};
	int failed = fds[0].from < 0 || fds[1].from < 0 ? errno : spawn(argv, fds, ARRAY_LEN(fds), pid);

	close_one(&fds[0].from);
	close_one(&fds[1].from);
	return failed == 0 ? OK : err_note(E_IO, "cannot start %s: %s", name, strerrordesc_np(failed));
}

err spawn_role(const char *name, const char *role, unsigned index, int stream_fd, int descriptors_fd, pid_t *pid)
{
	char title[48], role_word[24], number[16], option[] = "--role";
	char *const argv[] = {title, option, role_word, number, NULL};

	snprintf(title, sizeof(title), "pombo: %s", name);
	snprintf(role_word, sizeof(role_word), "%s", role);
	snprintf(number, sizeof(number), "%u", index);
	return spawn_with(name, argv, (struct hand_over){stream_fd, PROCESS_STREAM_FD},
	                  (struct hand_over){descriptors_fd, PROCESS_DESCRIPTORS_FD}, pid);
}

err spawn_helper(const char *name, const char *option, int in, int out)
{
	char title[48], word[24];
	char *const argv[] = {title, word, NULL};
	pid_t pid;

	snprintf(title, sizeof(title), "pombo: %s", name);
	snprintf(word, sizeof(word), "%s", option);
	return spawn_with(name, argv, (struct hand_over){in, STDIN_FILENO}, (struct hand_over){out, STDOUT_FILENO},
	                  &pid);
}
