/* SPDX-License-Identifier: ISC */
/* A disk that is full or fails: nothing torn, the right answer, and service goes on afterwards. The system calls that write are this program's own,
 * for SQLite too: its library finds these before libc's. */
#include "store/fixture.h"

#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "store/mailbox_name.h"
#include "store/move.h"
#include "store/state.h"
#include "store/writer.h"

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

/* --- a read fails while a batch is prepared --- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static const char left_key[] = "left behind";

/* The batch gathers behind it. */
static err gate_apply(struct writer *w UNUSED, struct job *job UNUSED)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return OK;
}

/* As SQLite itself does when the disk fails, of a statement that only reads too. */
static err losing_prepare(struct writer *w, struct job *job UNUSED)
{
	db_rollback(writer_db(w));
	return err_set(E_TEMP, 451, "4.3.0", "a read failed");
}

static err never_apply(struct writer *w UNUSED, struct job *job UNUSED)
{
	return err_note(E_PERM, "it was not prepared");
}

static err leave_apply(struct writer *w, struct job *job UNUSED)
{
	struct query q = db_query(writer_db(w), "INSERT INTO meta (key, value) VALUES (?, 1)");

	query_put_str(&q, str_from(left_key));
	return query_run(&q);
}

struct asking {
	struct fixture *f;
	const struct job_kind *kind;
	err result;
};

static void ask_writer(void *arg)
{
	struct asking *x = arg;
	struct job job = {.kind = x->kind};

	x->result = writer_do(x->f->store->writer, &job);
}

static uint64_t left_behind(struct fixture *f)
{
	struct query q = db_query(f->store->db, "SELECT count(*) FROM meta WHERE key = ?");
	uint64_t n = 0;

	query_put_str(&q, str_from(left_key));
	assert_int_equal(query_one(&q, &n, NULL), OK);
	return n;
}

static void lost_transaction(struct fixture *f)
{
	static const struct job_kind wait = {.apply = gate_apply};
	static const struct job_kind loses = {.prepare = losing_prepare, .apply = never_apply};
	static const struct job_kind leaves = {.apply = leave_apply};
	struct asking all[] = {{f, &wait, OK}, {f, &loses, OK}, {f, &leaves, OK}};

	start(f);
	size_t before = rt_count();
	pthread_mutex_lock(&gate);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		assert_non_null(rt_spawn(ask_writer, &all[i], "asking"));
	rt_yield();
	rt_yield();
	pthread_mutex_unlock(&gate);
	while (rt_count() > before)
		rt_yield();
	assert_int_equal(all[1].result, E_TEMP);
	assert_int_equal(left_behind(f), all[2].result == OK);
	assert_int_equal(all[2].result, OK); /* by itself */
	expect_recovered(f);
}

/* Of what is said to have failed nothing is there, though the others' transaction was gone when they were applied. */
static void test_transaction_is_lost_in_prepare(void **state UNUSED)
{
	fixture_run(lost_transaction);
}

/* --- moves --- */

static uint64_t number_of(struct fixture *f, const char *sql)
{
	ARENA(a, 1 << 20);
	uint64_t n = UINT64_MAX;

	assert_true(str_to_u64(str_take(fixture_lines(f, sql, &a), 1), 9, &n));
	return n;
}

static void expect_where(struct fixture *f, uint64_t junk, uint64_t moved)
{
	assert_int_equal(box_count(f, "alice@example.org"), 1 - moved);
	assert_int_equal(number_of(f, "SELECT messages FROM mailbox WHERE name = 'Junk'"), moved);
	assert_int_equal(number_of(f, "SELECT count(*) FROM lesson WHERE account = 1"), moved);
	assert_int_equal(number_of(f, "SELECT count(*) FROM change WHERE what = 1"), moved);
	assert_int_equal(number_of(f, "SELECT mailbox FROM ledger WHERE side = 1"), moved ? junk : 1);
	assert_sound(f);
}

/* Where it was, and nothing learned; when the fault is over it works. */
static void move_with(struct fixture *f, int *errno_of, int with, err expected)
{
	const uint64_t uid = 1;
	uint64_t junk = 0;
	ARENA(a, 1 << 20);

	start(f);
	assert_int_equal(mailbox_ensure(f->store, 1, STR("Junk"), &junk), OK);
	struct move m = {.account = 1, .from = 1, .to = junk, .uids = &uid, .n = 1, .by = STR("a test")};
	*errno_of = with;
	assert_int_equal(store_move(f->store, &m, &a), expected);
	memset(&fault, 0, sizeof(fault));
	expect_where(f, junk, 0);
	fixture_close(f);
	fixture_open(f);
	expect_where(f, junk, 0);
	assert_int_equal(store_move(f->store, &m, &a), OK);
	assert_int_equal(m.moved_n, 1);
	assert_int_equal(m.moved[0].uid, 1);
	expect_where(f, junk, 1);
	fixture_close(f);
	fixture_open(f);
	expect_where(f, junk, 1);
}

static void move_full(struct fixture *f)
{
	move_with(f, &fault.write, ENOSPC, E_FULL);
}

static void move_unsynced(struct fixture *f)
{
	move_with(f, &fault.sync, EIO, E_TEMP);
}

static void move_uncommitted(struct fixture *f)
{
	move_with(f, &fault.log_write, EIO, E_TEMP);
}

static void test_moves(void **state UNUSED)
{
	fixture_run(move_full);
	fixture_run(move_unsynced);
	fixture_run(move_uncommitted);
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
		cmocka_unit_test(test_transaction_is_lost_in_prepare),
		cmocka_unit_test(test_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
