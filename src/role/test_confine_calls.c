/* SPDX-License-Identifier: ISC */
/* Each filter is applied to a process of its own, which then tries what it must not do. */
#include "base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "role/confine_calls.h"

#define DIED      1000 /* by SIGSYS */
#define NO_FILTER 99   /* there is none here: an old kernel, a container that forbids it, valgrind */

static const char *const roles[] = {"edge", "filter", "keys", "oauth", "resolve", "send", "store"};

/* What `fn` returns under the filter of a role; DIED. */
static int as_role(const char *role, int (*fn)(void))
{
	BUF(missing, 100);
	unsigned needs;
	int status;

	assert_true(confine_needs(role, &needs));
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_DUMPABLE, 0); /* no core file of what is killed */
		_exit(confine_calls(needs, &missing) != OK || missing.n > 0 ? NO_FILTER : fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? DIED : -WTERMSIG(status);
	return WEXITSTATUS(status);
}

static int result(long r)
{
	return r < 0 ? errno : 0;
}

/* --- what everybody does --- */

static int use_memory_and_descriptors(void)
{
	char *p = malloc(1 << 20), *grown = p == NULL ? NULL : realloc(p, 8 << 20);
	int ends[2], fd = memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (grown == NULL || fd < 0 || write(fd, "octets", 6) != 6 || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) != 0)
		return 1;
	free(grown);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || send(ends[0], "x", 1, MSG_NOSIGNAL) != 1)
		return 2;
	return read(ends[1], (char[1]){0}, 1) == 1 && prctl(PR_SET_NAME, "name") == 0 ? 0 : 3;
}

static int abort_ourselves(void)
{
	signal(SIGABRT, SIG_DFL);
	abort();
}

static void test_everybody(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		assert_int_equal(as_role(roles[i], use_memory_and_descriptors), 0);
		assert_int_equal(as_role(roles[i], abort_ourselves), -SIGABRT);
	}
}

/* --- what nobody does --- */

static int start_a_program(void)
{
	return result(execl("/bin/true", "true", NULL));
}

static int trace_the_parent(void)
{
	return result(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int read_the_parent(void)
{
	return result(syscall(SYS_process_vm_readv, getppid(), NULL, 0L, NULL, 0L, 0L));
}

static int take_packets(void)
{
	return result(socket(AF_PACKET, SOCK_RAW, 0));
}

static int leave_for_another_namespace(void)
{
	return result(unshare(CLONE_NEWUSER));
}

static int use_a_ring(void)
{
	return result(syscall(SYS_io_uring_setup, 1L, NULL));
}

static int become_another(void)
{
	return result(setuid(0));
}

static int signal_the_parent(void)
{
	return result(kill(getppid(), 0));
}

static int make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 1;
	return mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0 ? 2 : errno;
}

static int ask_the_name_service(void)
{
	return result(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int start_a_process(void)
{
	return fork() == -1 ? 0 : 1;
}

static void test_nobody(void **state UNUSED)
{
	int (*const deadly[])(void) = {
		start_a_program, trace_the_parent, read_the_parent, take_packets, leave_for_another_namespace,
		become_another};

	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		for (size_t k = 0; k < ARRAY_LEN(deadly); k++)
			assert_int_equal(as_role(roles[i], deadly[k]), DIED);
		assert_int_equal(as_role(roles[i], signal_the_parent), ENOSYS);
		assert_int_equal(as_role(roles[i], use_a_ring), ENOSYS);
		assert_int_equal(as_role(roles[i], make_code), EACCES);
		assert_int_equal(as_role(roles[i], ask_the_name_service), EACCES);
		assert_int_equal(as_role(roles[i], start_a_process), 0);
	}
}

/* --- what some do --- */

static int open_a_file(void)
{
	return result(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int connect_out(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(1)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? errno : result(connect(fd, (const struct sockaddr *)&to, sizeof(to)));
}

static int connect_what_is_open(void)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	return result(connect(STDIN_FILENO, &nobody, sizeof(nobody)));
}

static int open_datagrams(void)
{
	return result(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int accept_a_client(void)
{
	return result(accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC)); /* no socket: ENOTSOCK, EBADF */
}

static void *nothing(void *arg)
{
	return arg;
}

static int start_a_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0 ? 0 : 1;
}

static void test_files(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		assert_int_equal(as_role(roles[i], open_a_file), strcmp(roles[i], "store") == 0 ? 0 : EACCES);
}

static bool has(const char *role, unsigned need)
{
	unsigned needs;

	assert_true(confine_needs(role, &needs));
	return (needs & need) != 0;
}

static void test_connections(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		bool out = has(roles[i], NEED_SERVERS);
		assert_int_equal(as_role(roles[i], connect_out), out ? ECONNREFUSED : DIED);
		assert_int_equal(as_role(roles[i], connect_what_is_open) == DIED, !out);
		assert_int_equal(as_role(roles[i], accept_a_client) == ENOSYS, !has(roles[i], NEED_CLIENTS));
	}
	assert_int_equal(as_role("resolve", open_datagrams), 0);
	assert_int_equal(as_role("send", open_datagrams), 0);
	assert_int_equal(as_role("filter", open_datagrams), ENOSYS);
	assert_int_equal(as_role("edge", open_datagrams), DIED);
}

static void test_threads(void **state UNUSED)
{
	assert_int_equal(as_role("store", start_a_thread), 0);
	assert_int_equal(as_role("edge", start_a_thread), 1);
}

static void test_unknown_role(void **state UNUSED)
{
	unsigned needs;

	assert_false(confine_needs("butler", &needs));
}

/* --- the monitor --- */

static int monitor(int (*fn)(void))
{
	BUF(missing, 100);
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(confine_calls(NEED_PROCESSES, &missing) != OK || missing.n > 0 ? NO_FILTER : fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? DIED : WEXITSTATUS(status);
}

static void test_monitor(void **state UNUSED)
{
	assert_int_equal(monitor(start_a_program), 0);
	assert_int_equal(monitor(open_a_file), 0);
	assert_int_equal(monitor(start_a_thread), 0);
	assert_int_equal(monitor(read_the_parent), DIED);
	assert_int_equal(monitor(leave_for_another_namespace), DIED);
	assert_int_equal(monitor(use_a_ring), ENOSYS);
}

static int do_nothing(void)
{
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everybody),   cmocka_unit_test(test_nobody),  cmocka_unit_test(test_files),
		cmocka_unit_test(test_connections), cmocka_unit_test(test_threads), cmocka_unit_test(test_unknown_role),
		cmocka_unit_test(test_monitor),
	};
	if (as_role("keys", do_nothing) != NO_FILTER)
		return cmocka_run_group_tests(tests, NULL, NULL);
	puts("1..0 # SKIP system calls cannot be filtered here");
	return 0;
}
