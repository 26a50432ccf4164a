/* SPDX-License-Identifier: ISC */
/* A disk that is full or fails: nothing torn, the right answer, and service goes on afterwards. The system calls that write are this program's own,
 * for SQLite too: its library finds these before libc's. */
#include "store/fixture.h"

#include <errno.h>
#include <sys/syscall.h>

int fdatasync(int fd);
ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t at);
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at);

static struct {
	int sync, write, log_write; /* errno to fail with, 0: works */
	unsigned syncs;
} fault;

int fdatasync(int fd)
{
	fault.syncs++;
	if (fault.sync != 0) {
		errno = fault.sync;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

/* Of segments: a part is written before it fails. */
ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t at)
{
	if (fault.write != 0 && at >= SEGMENT_HEADER) {
		(void)!pwrite(fd, "torn", 4, at);
		errno = fault.write;
		return -1;
	}
	return syscall(SYS_pwritev, fd, iov, count, at, 0);
}

/* Of SQLite. */
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	if (fault.log_write != 0) {
		errno = fault.log_write;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, p, n, at);
}

static void start(struct fixture *f)
{
	memset(&fault, 0, sizeof(fault));
	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	send_ok(f, "alice@example.org", "before\r\n");
}

static void expect_refused(struct fixture *f, err e, int reply)
{
	struct sending m = {.protocol = "ESMTP", .sender = "", .body = "refused\r\n", .rcpts = "alice@example.org"};

	for (int i = 0; i < 3; i++) {
		m.id = 0;
		assert_int_equal(send_mail(f, &m), e);
		assert_int_equal(err_info()->reply, reply);
	}
}

/* Works again; what was refused is nowhere; a restart changes nothing. */
static void expect_recovered(struct fixture *f)
{
	struct box b;

	memset(&fault, 0, sizeof(fault));
	send_ok(f, "alice@example.org", "after\r\n");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
		assert_int_equal(b.list.entries_n, 2);
		assert_true(str_ends(box_message(f, &b, 0), STR("before\r\n")));
		assert_true(str_ends(box_message(f, &b, 1), STR("after\r\n")));
		box_close(f, &b);
		assert_sound(f);
		fixture_close(f);
		fixture_open(f);
	}
}

static void full_segment(struct fixture *f)
{
	start(f);
	fault.write = ENOSPC;
	expect_refused(f, E_FULL, 452);
	expect_recovered(f);
}

static void test_no_space_for_the_segment(void **state UNUSED)
{
	fixture_run(full_segment);
}

static void broken_segment(struct fixture *f)
{
	start(f);
	fault.write = EIO;
	expect_refused(f, E_TEMP, 451);
	expect_recovered(f);
}

static void test_segment_cannot_be_written(void **state UNUSED)
{
	fixture_run(broken_segment);
}

static void broken_sync(struct fixture *f)
{
	start(f);
	fault.sync = EIO;
	expect_refused(f, E_TEMP, 451);
	expect_recovered(f);
}

static void test_sync_fails(void **state UNUSED)
{
	fixture_run(broken_sync);
}

static void full_log(struct fixture *f)
{
	start(f);
	fault.log_write = ENOSPC;
	expect_refused(f, E_FULL, 452);
	expect_recovered(f);
}

static void test_no_space_for_the_log(void **state UNUSED)
{
	fixture_run(full_log);
}

static void broken_log(struct fixture *f)
{
	start(f);
	fault.log_write = EIO;
	expect_refused(f, E_TEMP, 451);
	expect_recovered(f);
}

static void test_log_cannot_be_written(void **state UNUSED)
{
	fixture_run(broken_log);
}

/* Messages share syncs: with one writer and many senders there are far fewer syncs than messages. */
static void one_sender(void *arg)
{
	struct fixture *f = arg;

	send_ok(f, "alice@example.org", "many\r\n");
}

static void shared_syncs(struct fixture *f)
{
	start(f);
	fault.syncs = 0;
	size_t before = rt_count();
	for (int i = 0; i < 50; i++)
		assert_non_null(rt_spawn(one_sender, f, "sender"));
	while (rt_count() > before)
		rt_yield();
	assert_in_range(fault.syncs, 2, 20);
	assert_int_equal(box_count(f, "alice@example.org"), 51);
}

static void test_syncs_are_shared(void **state UNUSED)
{
	fixture_run(shared_syncs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_space_for_the_segment),
		cmocka_unit_test(test_segment_cannot_be_written),
		cmocka_unit_test(test_sync_fails),
		cmocka_unit_test(test_no_space_for_the_log),
		cmocka_unit_test(test_log_cannot_be_written),
		cmocka_unit_test(test_syncs_are_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
