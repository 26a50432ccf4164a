/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt/file.h"

static char folder[] = "/tmp/test-file-XXXXXX";
static char path[64];

static int setup(void **state UNUSED)
{
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int teardown(void **state UNUSED)
{
	unlink(path);
	return rmdir(folder); /* fails when a temporary file was left */
}

static void test_replace_and_read(void **state UNUSED)
{
	struct stat st;
	BUF(content, 100000);

	assert_int_equal(file_replace(path, STR("first"), 0600), OK);
	assert_int_equal(file_read_whole(path, &content), OK);
	assert_str(buf_str(&content), "first");
	assert_int_equal(file_replace(path, STR(""), 0640), OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(file_replace("/nonexistent/file", STR("x"), 0600), E_NOT_FOUND);
	assert_int_equal(file_sync_dir(folder), OK);
	assert_int_equal(file_sync_dir(path), E_IO);
}

static void test_read_whole(void **state UNUSED)
{
	char big[50000];
	BUF(all, sizeof(big));
	BUF(little, sizeof(big) - 1);

	memset(big, 'b', sizeof(big));
	assert_int_equal(file_replace(path, str_make(big, sizeof(big)), 0600), OK);
	assert_int_equal(file_read_whole(path, &all), OK);
	assert_true(str_equal(buf_str(&all), str_make(big, sizeof(big))));
	assert_int_equal(file_read_whole(path, &little), E_LIMIT);
	assert_int_equal(file_read_whole("/nonexistent", &little), E_NOT_FOUND);
	assert_int_equal(file_read_whole(folder, &little), E_IO);
}

static void test_write_gathers(void **state UNUSED)
{
	char text[20] = {0};
	struct iovec iov[] = {{"", 0}, {"abc", 3}, {"", 0}, {"defg", 4}, {"", 0}};
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, iov, 5, 2), OK);
	assert_int_equal(file_sync(fd), OK);
	assert_int_equal(file_read_at(fd, text, 7, 2), OK);
	assert_string_equal(text, "abcdefg");
	assert_int_equal(file_read_at(fd, text, 8, 2), E_END);
	/* Just written: in memory, unless the file system does not tell. */
	err cached = file_read_cached(fd, text, 7, 2);
	assert_true(cached == OK || cached == E_BUSY);
	assert_int_equal(file_read_cached(fd, text, 8, 2), E_BUSY);
	assert_int_equal(file_write_all(fd, NULL, 0, 0), OK);
	close(fd);
	assert_int_equal(file_read_at(fd, text, 1, 0), E_IO);
}

/* The limit cuts the first write short; the rest of it cannot be written. */
static void test_full(void **state UNUSED)
{
	struct rlimit old, small;
	char block[3000] = {0};
	struct iovec iov[] = {{block, sizeof(block)}, {block, sizeof(block)}};
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_IGN);
	small = old;
	small.rlim_cur = 4000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(file_write_all(fd, iov, 2, 0), E_FULL);
	assert_int_equal(file_replace(path, str_make(block, sizeof(block)), 0600), OK);
	small.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(file_replace(path, str_make(block, sizeof(block)), 0600), E_FULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	close(fd);
}

static void test_sealed_memory(void **state UNUSED)
{
	struct iovec iov = {"sealed", 6};
	char text[7] = {0};
	int fd = -1;

	assert_int_equal(file_memfd("test", &fd), OK);
	assert_int_equal(file_write_all(fd, &iov, 1, 0), OK);
	assert_int_equal(file_seal(fd), OK);
	iov = (struct iovec){"broken", 6};
	assert_int_equal(file_write_all(fd, &iov, 1, 0), E_IO);
	assert_true(ftruncate(fd, 1) < 0);
	assert_int_equal(file_read_at(fd, text, 6, 0), OK);
	assert_string_equal(text, "sealed");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replace_and_read), cmocka_unit_test(test_read_whole),
		cmocka_unit_test(test_write_gathers),    cmocka_unit_test(test_full),
		cmocka_unit_test(test_sealed_memory),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
