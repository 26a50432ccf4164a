/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "role/keys_folder.h"

enum { SOMEBODY = 65534 };

static char data[] = "/tmp/pombo-test-XXXXXX";
static struct config config;
static const struct folder_owner somebody = {.uid = SOMEBODY, .gid = SOMEBODY};

static uid_t owner_of(const char *name)
{
	ARENA(a, 4096);
	struct stat st;

	assert_int_equal(lstat(arena_z(&a, arena_printf(&a, "%s/%s", data, name)), &st), 0);
	return st.st_uid;
}

static void make_key(const char *within, const char *name)
{
	int keys, folder;

	assert_int_equal(keys_folder_open(&config, &keys), OK);
	assert_int_equal(keys_folder_open_within(keys, within, &folder), OK);
	assert_int_equal(keys_folder_write(folder, name, STR("secret")), OK);
	close(folder);
	close(keys);
}

static void the_server_keeps_them(void **state UNUSED)
{
	make_key("dkim", "one");
	assert_int_equal(owner_of("keys"), geteuid());
	assert_int_equal(owner_of("keys/dkim/one"), geteuid());
	/* a command changes nothing that is there */
	assert_int_equal(keys_folder_give(&config, &somebody), OK);
	assert_int_equal(owner_of("keys"), geteuid());
}

static void a_command_makes_them_for_the_server(void **state UNUSED)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(keys_folder_give(&config, &somebody), OK);
	make_key("dkim", "one");
	assert_int_equal(owner_of("keys"), SOMEBODY);
	assert_int_equal(owner_of("keys/dkim"), SOMEBODY);
	assert_int_equal(owner_of("keys/dkim/one"), SOMEBODY);
	/* a server that is root */
	assert_int_equal(keys_folder_take(&config), OK);
	assert_int_equal(owner_of("keys"), 0);
}

static void no_link_is_followed(void **state UNUSED)
{
	ARENA(a, 4096);
	int keys;

	assert_int_equal(symlink("/etc", arena_z(&a, arena_printf(&a, "%s/keys", data))), 0);
	assert_int_equal(keys_folder_open(&config, &keys), E_IO);
	assert_int_equal(keys_folder_give(&config, &somebody), OK); /* it is there */
	assert_int_equal(keys_folder_take(&config), OK);            /* it is root's */
	assert_int_equal(lchown(arena_z(&a, arena_printf(&a, "%s/keys", data)), geteuid() == 0 ? SOMEBODY : geteuid(),
	                        getegid()),
	                 0);
	assert_int_equal(keys_folder_take(&config), geteuid() == 0 ? E_IO : OK);
}

static int begin(void **state UNUSED)
{
	snprintf(data, sizeof(data), "/tmp/pombo-test-XXXXXX");
	config.data = str_from(mkdtemp(data));
	return config.data.n > 0 ? 0 : -1;
}

static int end(void **state UNUSED)
{
	ARENA(a, 4096);

	return system(arena_z(&a, arena_printf(&a, "rm -rf %s", data)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_server_keeps_them, begin, end),
		cmocka_unit_test_setup_teardown(a_command_makes_them_for_the_server, begin, end),
		cmocka_unit_test_setup_teardown(no_link_is_followed, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
