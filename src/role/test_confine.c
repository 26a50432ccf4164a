/* SPDX-License-Identifier: ISC */
/* Confinement is for good, so each test happens in a process of its own; what it could not do it says by its exit status. */
#include "base/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "role/confine.h"
#include "role/confine_needs.h"
#include "role/folder.h"
#include "role/notify.h"

static char base[] = "/tmp/pombo-test-XXXXXX";
static struct config *config;

static const struct row *report(struct arena *a)
{
	struct security_reply reply;

	return security_report("test-0", &reply, a) == OK ? &reply.rows[0] : NULL;
}

static const struct cell *cell(const struct row *row, const char *name)
{
	for (size_t i = 0; row != NULL && i < row->cells_n; i++)
		if (str_equal(row->cells[i].name, str_from(name)))
			return &row->cells[i];
	return NULL;
}

static bool says(const struct row *row, const char *name, const char *text)
{
	const struct cell *c = cell(row, name);

	return c != NULL && str_equal(c->text, str_from(text));
}

static int in_a_process(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Confined as this role, in a process of its own. */
static bool confine_as(const struct role_type *type)
{
	BUF(missing, 1000);

	return confine(config, type, &missing) == OK;
}

static int confine_filter(void)
{
	ARENA(a, 64 << 10);
	bool root = geteuid() == 0;

	if (!confine_as(&role_filter))
		return 1;
	const struct row *row = report(&a);
	if (!says(row, "new-privileges", "no") || !says(row, "capabilities", "no") ||
	    cell(row, "max-core")->number != 0)
		return 2;
	if (!says(row, "calls-filtered", "yes")) /* nor may this kernel, or container, have any of the rest */
		return root && open("/etc/passwd", O_RDONLY) >= 0 ? 7 : 0;
	if (!says(row, "opens", "none") || !says(row, "connects", "outward") || !says(row, "starts", "none"))
		return 3;
	if (open("/etc/passwd", O_RDONLY) >= 0 || open("/made", O_CREAT | O_WRONLY, 0600) >= 0 ||
	    mkdir("/made", 0700) == 0 || opendir("/") != NULL)
		return 4;
	if (fork() != -1)
		return 5;
	if (root && (!says(row, "root", "empty") || !says(row, "dumpable", "no") || cell(row, "uid")->number == 0))
		return 6;
	return 0;
}

static void test_filter(void **state UNUSED)
{
	assert_int_equal(in_a_process(confine_filter), 0);
}

static pid_t worked_in;

static void note_thread(void *arg UNUSED)
{
	worked_in = gettid();
}

/* Its threads are there, and there will be no more processes. */
static void confine_send_in_a_loop(void *arg)
{
	int *fault = arg;

	if (!confine_as(&role_send)) {
		*fault = 2;
		return;
	}
	rt_work(note_thread, NULL);
	if (worked_in == gettid())
		*fault = 3;
	if (fork() != -1)
		*fault = 4;
}

static int confine_send(void)
{
	int fault = 0;

	return rt_run(confine_send_in_a_loop, &fault) == OK ? fault : 1;
}

static void test_send(void **state UNUSED)
{
	assert_int_equal(in_a_process(confine_send), 0);
}

/* The data folder is its root, or, started by nobody in particular, what it sees of the system. */
static int confine_store(void)
{
	char made[300];
	bool root = geteuid() == 0;

	snprintf(made, sizeof(made), STR_FMT "/pombo.db", STR_ARG(root ? STR_NONE : config->data));
	if (!confine_as(&role_store))
		return 1;
	if (!root && confined.landlock == 0)
		return 0;
	if (open("/etc/passwd", O_RDONLY) >= 0 || open("/tmp/pombo-made", O_CREAT | O_WRONLY, 0600) >= 0)
		return 2;
	return open(made, O_CREAT | O_WRONLY, 0600) >= 0 ? 0 : 3;
}

static void test_store(void **state UNUSED)
{
	assert_int_equal(in_a_process(confine_store), 0);
}

static int confine_where_root_owns_the_folder(void)
{
	BUF(missing, 1000);
	ARENA(a, 4096);

	if (geteuid() != 0)
		return 0;
	if (chown(arena_z(&a, config->data), 0, 0) != 0)
		return 1;
	return confine(config, &role_store, &missing) == E_PERM ? 0 : 2;
}

static void test_never_as_root(void **state UNUSED)
{
	assert_int_equal(in_a_process(confine_where_root_owns_the_folder), 0);
}

static void test_report(void **state UNUSED)
{
	ARENA(a, 64 << 10);
	const struct row *row = report(&a);

	assert_true(says(row, "process", "test-0"));
	assert_true(says(row, "root", "whole system"));
	assert_true(says(row, "new-privileges", "yes"));
	assert_int_equal(cell(row, "pid")->number, getpid());
}

static void test_notify(void **state UNUSED)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char got[100] = "";

	notify_ready(); /* nobody to tell */
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", base);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	notify_ready();
	assert_int_equal(recv(fd, got, sizeof(got), 0), 7);
	assert_memory_equal(got, "READY=1", 7);
	notify_reloading();
	assert_true(recv(fd, got, sizeof(got), 0) > 20);
	assert_memory_equal(got, "RELOADING=1\nMONOTONIC_USEC=", 27);
	notify_stopping();
	assert_int_equal(recv(fd, got, sizeof(got), 0), 10);
	unsetenv("NOTIFY_SOCKET");
	close(fd);
}

static int set_up(void **state UNUSED)
{
	struct config_faults faults = {.text = BUF_INIT(4096)};
	struct folder_owner owner;
	char text[300];
	int fd;

	if (mkdtemp(base) == NULL)
		return 1;
	snprintf(text, sizeof(text),
	         "version 1\nhostname mail.example.org\ndomain example.org\nuser nobody\ndata %s/data\n", base);
	config = config_parse(str_from(text), "test", &faults);
	if (config == NULL || folder_owner(config, &owner) != OK || folder_prepare(config, &owner) != OK)
		return 1;
	snprintf(text, sizeof(text), "%s/data/in-data", base);
	fd = open(text, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	return fd < 0;
}

static int tear_down(void **state UNUSED)
{
	char command[100];

	config_release(config);
	snprintf(command, sizeof(command), "rm -rf %s", base);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter),        cmocka_unit_test(test_send),   cmocka_unit_test(test_store),
		cmocka_unit_test(test_never_as_root), cmocka_unit_test(test_report), cmocka_unit_test(test_notify),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
