/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "role/folder.h"
#include "role/listeners.h"

static char base[] = "/tmp/pombo-test-XXXXXX";

static struct config *config_of(const char *user, const char *folder, const char *more)
{
	struct config_faults faults = {.text = BUF_INIT(4096)};
	BUF(text, 4096);

	buf_printf(&text, "version 1\nhostname mail.example.org\ndomain example.org\nuser %s\ndata %s/%s\n%s", user,
	           base, folder, more);
	struct config *c = config_parse(buf_str(&text), "test", &faults);
	if (c == NULL)
		fail_msg(STR_FMT, STR_ARG(buf_str(&faults.text)));
	buf_free(&faults.text);
	return c;
}

static void test_owner(void **state UNUSED)
{
	struct folder_owner owner;
	struct config *missing = config_of("no-such-user", "x", ""), *root = config_of("root", "x", "");

	assert_int_equal(folder_owner(missing, &owner), OK);
	assert_true(owner.fallback == (geteuid() == 0));
	assert_int_equal(folder_owner(root, &owner), OK); /* root is not what root gives itself up for */
	assert_true(geteuid() != 0 || owner.uid != 0);
	config_release(missing);
	config_release(root);
}

static void test_prepare(void **state UNUSED)
{
	struct config *c = config_of("nobody", "a/b/data", "");
	struct folder_owner owner;
	ARENA(a, 4096);
	const char *path = arena_z(&a, c->data);
	struct stat st;

	assert_int_equal(folder_owner(c, &owner), OK);
	assert_int_equal(folder_prepare(c, &owner), OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(st.st_uid, owner.uid);
	/* somebody changed it */
	assert_int_equal(chmod(path, 0755), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(path, 0, 0), 0);
	assert_int_equal(folder_prepare(c, &owner), OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(st.st_uid, owner.uid);
	config_release(c);
}

static void test_prepare_fails(void **state UNUSED)
{
	struct config *c = config_of("nobody", "file/data", "");
	struct folder_owner owner;
	ARENA(a, 4096);
	FILE *f = fopen(arena_z(&a, arena_printf(&a, "%s/file", base)), "w");

	assert_non_null(f);
	fclose(f);
	assert_int_equal(folder_owner(c, &owner), OK);
	assert_int_equal(folder_prepare(c, &owner), E_IO);
	assert_non_null(strstr(err_info()->text, "/file"));
	config_release(c);
}

/* --- sockets --- */

static struct config *listening(const char *first, const char *second)
{
	char lines[300];

	snprintf(lines, sizeof(lines), "listen smtp %s\nlisten lmtp unix:%s/%s\n", first, base, second);
	return config_of("nobody", "data", lines);
}

static bool exists(const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	return access(path, F_OK) == 0;
}

static void test_listeners(void **state UNUSED)
{
	struct config *one = listening("127.0.0.1:0", "one.sock"), *two = listening("127.0.0.1:0", "two.sock");
	struct listeners old, now;

	assert_int_equal(listeners_open(one, NULL, NULL, &old), OK);
	assert_int_equal(old.n, 2);
	assert_true(exists("one.sock"));
	struct stat st;
	assert_int_equal(stat(old.items[1].text + strlen("unix:"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	int kept = old.items[0].fd, gone = old.items[1].fd;
	assert_int_equal(listeners_open(two, NULL, &old, &now), OK);
	assert_int_equal(now.items[0].fd, kept); /* moved, not bound again */
	assert_int_equal(old.items[0].fd, -1);
	assert_int_equal(old.items[1].fd, gone);
	assert_true(listeners_have(&old, &now.items[0]));
	assert_false(listeners_have(&old, &now.items[1]));
	listeners_close(&old);
	assert_false(exists("one.sock"));
	assert_true(exists("two.sock"));
	listeners_close(&now);
	assert_false(exists("two.sock"));
	config_release(one);
	config_release(two);
}

static void test_listeners_fail_whole(void **state UNUSED)
{
	struct config *one = listening("127.0.0.1:0", "one.sock"),
		      *bad = listening("192.0.2.1:25", "no/such/folder.sock");
	struct listeners old, now;

	assert_int_equal(listeners_open(one, NULL, NULL, &old), OK);
	assert_true(listeners_open(bad, NULL, &old, &now) != OK);
	assert_non_null(strstr(err_info()->text, "192.0.2.1:25"));
	assert_int_equal(now.n, 0);
	assert_true(old.items[0].fd >= 0 && old.items[1].fd >= 0);
	listeners_close(&old);
	config_release(one);
	config_release(bad);
}

static void test_control(void **state UNUSED)
{
	struct config *c = config_of("nobody", "data", "");
	struct net_address address;
	struct folder_owner owner;
	char path[300];
	struct stat st;
	int fd;

	assert_int_equal(folder_owner(c, &owner), OK);
	assert_int_equal(folder_prepare(c, &owner), OK);
	assert_int_equal(listeners_open_control(c, &owner, &fd), OK);
	snprintf(path, sizeof(path), "%s/data/control.sock", base);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_uid, owner.uid);
	close(fd);
	listeners_remove_control(c);
	assert_false(exists("data/control.sock"));
	memset(path, 'x', 200);
	assert_int_equal(listeners_control_address(str_make(path, 200), &address), E_LIMIT);
	config_release(c);
}

static int set_up(void **state UNUSED)
{
	return mkdtemp(base) == NULL;
}

static int tear_down(void **state UNUSED)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", base);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_prepare),
		cmocka_unit_test(test_prepare_fails),
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_listeners_fail_whole),
		cmocka_unit_test(test_control),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
