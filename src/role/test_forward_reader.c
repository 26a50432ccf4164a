/* SPDX-License-Identifier: ISC */
/* A user's file: which is read, which is not, and what tells one state from another. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "role/forward_reader.h"

static char home[] = "/tmp/pombo-forward-XXXXXX", path[64], other[64];

static void write_file(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(name, mode), 0);
}

static err read_file(struct buf *out)
{
	buf_reset(out);
	return forward_file_read(home, getuid(), out);
}

static void expect(err e, const char *why)
{
	BUF(text, 128 << 10);

	assert_int_equal(read_file(&text), e);
	assert_string_equal(err_info()->text, why);
}

static void test_what_is_read(void **state UNUSED)
{
	BUF(text, 128 << 10);

	unlink(path);
	expect(E_NOT_FOUND, "there is none");
	write_file(path, "bob\n", 0644);
	assert_int_equal(read_file(&text), OK);
	assert_str(buf_str(&text), "bob\n");
	chmod(path, 0600);
	assert_int_equal(read_file(&text), OK);
	chmod(path, 0620);
	expect(E_DENIED, "others may write it");
	chmod(path, 0602);
	expect(E_DENIED, "others may write it");
	chmod(path, 0600);
	chmod(home, 01777);
	expect(E_DENIED, "anybody may write its folder");
	chmod(home, 0755);
	assert_int_equal(forward_file_read(home, getuid() + 1, &text), getuid() == 0 ? OK : E_DENIED);
	if (getuid() == 0) {
		assert_int_equal(chown(path, 12345, 0), 0);
		expect(E_DENIED, "it belongs to somebody else");
	}
	unlink(path);
	write_file(other, "bob\n", 0600);
	assert_int_equal(symlink(other, path), 0);
	expect(E_DENIED, "it is a link");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect(E_DENIED, "it is no ordinary file");
	unlink(path);
	write_file(path, "bob\n", 0600);
	assert_int_equal(truncate(path, (64 << 10) + 1), 0);
	expect(E_LIMIT, "it is larger than 64 KiB");
}

static uint64_t stamp(void)
{
	uint64_t s = 1;

	assert_true(forward_file_stamp(home, &s));
	return s;
}

static void test_stamps(void **state UNUSED)
{
	uint64_t s;

	unlink(path);
	assert_int_equal(stamp(), 0);
	write_file(path, "bob\n", 0600);
	uint64_t first = stamp();
	assert_true(first > 1);
	assert_int_equal(stamp(), first);
	chmod(home, 0777);
	assert_true(stamp() != first);
	chmod(home, 0755);
	assert_int_equal(stamp(), first);
	write_file(path, "bob, carol\n", 0600);
	assert_true(stamp() != first);
	unlink(path);
	assert_int_equal(stamp(), 0);
	assert_false(forward_file_stamp("/nowhere/at/all", &s));
}

static int set_up(void **state UNUSED)
{
	if (mkdtemp(home) == NULL || chmod(home, 0755) != 0)
		return 1;
	snprintf(path, sizeof(path), "%s/.forward", home);
	snprintf(other, sizeof(other), "%s/other", home);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	unlink(path);
	unlink(other);
	return rmdir(home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_read),
		cmocka_unit_test(test_stamps),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
