/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "rt/rt.h"

/* Most tests run under both loops. Assertions are made outside of coroutines or on values only: cmocka leaves by
 * longjmp. */
static void run(void (*fn)(void *), void *arg)
{
	assert_int_equal(rt_run(fn, arg), OK);
}

static void simulate(void (*fn)(void *), void *arg)
{
	assert_int_equal(rt_run_simulated(1, fn, arg), OK);
}

static void both(void (*fn)(void *), void (*check)(void))
{
	simulate(fn, NULL);
	check();
	run(fn, NULL);
	check();
}

static char trace[256];

static void note(const char *z)
{
	strncat(trace, z, sizeof(trace) - strlen(trace) - 1);
}

static int reset(void **state UNUSED)
{
	trace[0] = '\0';
	return 0;
}

/* Switching and spawning. */

static void say(void *arg)
{
	note(arg);
	rt_yield();
	note(arg);
}

static void spawn_three(void *arg UNUSED)
{
	rt_spawn(say, "a", "a");
	rt_spawn(say, "b", "b");
	rt_spawn(say, "c", "c");
	note("0");
}

static void check_turns(void)
{
	assert_string_equal(trace, "0abcabc");
	trace[0] = '\0';
}

static void test_coroutines_take_turns(void **state UNUSED)
{
	both(spawn_three, check_turns);
}

static double sum;

static void compute(void *arg)
{
	double mine = *(const double *)arg;

	for (int i = 0; i < 10; i++) {
		mine *= 1.5;
		rt_yield();
	}
	sum += mine;
}

static void compute_two(void *arg UNUSED)
{
	static const double one = 1, two = 2;

	rt_spawn(compute, (void *)&one, "one");
	rt_spawn(compute, (void *)&two, "two");
}

static void test_registers_survive(void **state UNUSED)
{
	double want = 3;

	for (int i = 0; i < 10; i++)
		want *= 1.5;
	sum = 0;
	run(compute_two, NULL);
	assert_true(sum > want - 0.01 && sum < want + 0.01);
}

static void nothing(void *arg)
{
	++*(size_t *)arg;
}

static void sleep_and_count(void *arg)
{
	(void)!rt_sleep_until(rt_after(NSEC_PER_MSEC));
	++*(size_t *)arg;
}

static void spawn_many(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		if (rt_spawn(sleep_and_count, arg, "one of many") == NULL)
			return;
	}
	if (rt_count() == 2001)
		++*(size_t *)arg;
}

static void test_two_thousand(void **state UNUSED)
{
	size_t count = 0;

	run(spawn_many, &count);
	assert_int_equal(count, 2001);
}

static void spawn_in_turn(void *arg)
{
	for (int i = 0; i < 5000; i++) {
		rt_spawn(nothing, arg, "short");
		rt_yield();
	}
}

static void test_stacks_are_reused(void **state UNUSED)
{
	size_t count = 0;

	run(spawn_in_turn, &count);
	assert_int_equal(count, 5000);
}

static void deep(volatile char *above, int depth)
{
	volatile char frame[1024];

	frame[0] = *above;
	if (depth > 0)
		deep(frame, depth - 1);
}

static void go_deep_then_sleep(void *arg)
{
	volatile char c = 1;
	char keep[600];

	memset(keep, 'k', sizeof(keep));
	deep(&c, 40);
	(void)!rt_sleep_until(rt_after(600 * NSEC_PER_MSEC)); /* trimmed meanwhile */
	deep(&c, 40);
	for (size_t i = 0; i < sizeof(keep); i++)
		*(size_t *)arg += keep[i] == 'k';
}

static void test_trimmed_stack_keeps_what_is_used(void **state UNUSED)
{
	size_t kept = 0;

	run(go_deep_then_sleep, &kept);
	assert_int_equal(kept, 600);
}

/* Errors belong to the coroutine. */

static void set_error(void *arg)
{
	err_note(E_LIMIT, "error of %s", (const char *)arg);
	rt_yield();
	note(err_info()->text);
	note(";");
}

static void set_two_errors(void *arg UNUSED)
{
	rt_spawn(set_error, "a", "a");
	rt_spawn(set_error, "b", "b");
}

static void test_each_has_its_error(void **state UNUSED)
{
	run(set_two_errors, NULL);
	assert_string_equal(trace, "error of a;error of b;");
}

/* Sleeping and deadlines. */

static void sleep_digit(void *arg)
{
	const char *digit = arg;

	(void)!rt_sleep_until(rt_after((*digit - '0') * 3 * NSEC_PER_MSEC));
	note(digit);
}

static void sleep_all(void *arg UNUSED)
{
	static char digits[] = "5\0001\0004\0002\0009\0003\0007\0006\0008";

	for (size_t i = 0; i < sizeof(digits); i += 2)
		rt_spawn(sleep_digit, digits + i, "sleeper");
}

static void check_order(void)
{
	assert_string_equal(trace, "123456789");
	trace[0] = '\0';
}

static void test_timers_in_order(void **state UNUSED)
{
	both(sleep_all, check_order);
}

static nsec woke_at[300], due_at[300];

static void sleep_random(void *arg)
{
	size_t i = (size_t)arg;

	due_at[i] = rt_after((nsec)(rt_random_u64() % 1000000));
	if (i % 3 == 0) /* a wait that ends early leaves the heap from its middle */
		(void)!rt_park(due_at[i] + NSEC_PER_SEC);
	else
		(void)!rt_sleep_until(due_at[i]);
	woke_at[i] = rt_now();
}

static void sleep_randomly(void *arg UNUSED)
{
	struct co *co[300];

	for (size_t i = 0; i < 300; i++)
		co[i] = rt_spawn(sleep_random, (void *)i, "random");
	rt_yield();
	for (size_t i = 0; i < 300; i += 3)
		rt_wake(co[i]);
}

static void test_many_random_timers(void **state UNUSED)
{
	simulate(sleep_randomly, NULL);
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(woke_at[i], i % 3 ? due_at[i] : 0);
}

static void park_twice(void *arg)
{
	err *got = arg;

	got[0] = rt_park(rt_after(5 * NSEC_PER_MSEC));
	rt_wake(rt_self());
	rt_wake(rt_self());
	got[1] = rt_park(RT_NEVER);                /* remembered */
	got[2] = rt_park(rt_after(NSEC_PER_MSEC)); /* once */
}

static void test_wake_is_remembered_once(void **state UNUSED)
{
	err got[3];

	simulate(park_twice, got);
	assert_int_equal(got[0], E_TIMEOUT);
	assert_int_equal(got[1], OK);
	assert_int_equal(got[2], E_TIMEOUT);
}

static void wake_after(void *arg)
{
	(void)!rt_sleep_until(rt_after(NSEC_PER_MSEC));
	rt_wake(arg);
}

static void wake_during_sleep(void *arg)
{
	err *got = arg;

	rt_spawn(wake_after, rt_self(), "waker");
	got[0] = rt_sleep_until(rt_after(3 * NSEC_PER_MSEC));
	got[1] = rt_now() >= 3 * NSEC_PER_MSEC ? OK : E_IO;
	got[2] = rt_park(RT_NEVER); /* the wake that came during the sleep */
}

static void test_wake_does_not_end_a_sleep(void **state UNUSED)
{
	err got[3];

	simulate(wake_during_sleep, got);
	assert_int_equal(got[0], OK);
	assert_int_equal(got[1], OK);
	assert_int_equal(got[2], OK);
}

/* Cancelling. */

static void cleanup_note(int *what UNUSED)
{
	note("cleanup ");
}

static void wait_for_ever(void *arg)
{
	CLEANUP(cleanup_note) int guarded UNUSED = 0;
	err *got = arg;

	got[0] = rt_park(RT_NEVER);
	got[1] = rt_sleep_until(rt_after(NSEC_PER_SEC));
	got[2] = rt_cancelled() ? OK : E_IO;
}

static void cancel_it(void *arg)
{
	struct co *co = rt_spawn(wait_for_ever, arg, "waits");

	rt_yield();
	rt_cancel(co);
}

static void test_cancel_unwinds(void **state UNUSED)
{
	err got[3];

	run(cancel_it, got);
	assert_int_equal(got[0], E_CANCELLED);
	assert_int_equal(got[1], E_CANCELLED);
	assert_int_equal(got[2], OK);
	assert_string_equal(trace, "cleanup ");
}

static void stop_with_waiters(void *arg)
{
	rt_spawn(wait_for_ever, arg, "waits");
	rt_spawn(wait_for_ever, arg, "waits");
	rt_stop();
	rt_yield();
	note("stopped ");
}

static void test_stop_cancels_all(void **state UNUSED)
{
	err got[3];

	run(stop_with_waiters, got);
	assert_string_equal(trace, "stopped cleanup cleanup ");
}

/* The simulated clock. */

static void sleep_ten_days(void *arg)
{
	nsec ten_days = 10 * 24 * 3600 * NSEC_PER_SEC;
	int64_t wall = rt_wall();

	(void)!rt_sleep_until(rt_after(ten_days));
	*(bool *)arg = rt_now() == ten_days && rt_wall() - wall == ten_days / 1000;
}

static void test_simulated_days_pass_at_once(void **state UNUSED)
{
	bool right = false;

	simulate(sleep_ten_days, &right);
	assert_true(right);
}

static void test_deadlock_is_found(void **state UNUSED)
{
	err got[3];

	assert_int_equal(rt_run_simulated(1, wait_for_ever, got), E_BUSY);
	assert_int_equal(got[0], E_CANCELLED);
	assert_string_equal(trace, "cleanup ");
}

static void draw(void *arg)
{
	rt_random(arg, 24);
}

static void test_seed_decides(void **state UNUSED)
{
	unsigned char a[24], b[24], c[24];

	assert_int_equal(rt_run_simulated(7, draw, a), OK);
	assert_int_equal(rt_run_simulated(7, draw, b), OK);
	assert_int_equal(rt_run_simulated(8, draw, c), OK);
	assert_memory_equal(a, b, 24);
	assert_memory_not_equal(a, c, 24);
	run(draw, b);
	assert_memory_not_equal(a, b, 24);
}

static void test_deadlines_saturate(void **state UNUSED)
{
	assert_true(rt_after(RT_NEVER) == RT_NEVER);
}

/* Round ends. */

static void hook(void *arg)
{
	note("hook");
	note(arg);
}

static struct rt_round hook_a = {.fn = hook, .arg = "a "}, hook_b = {.fn = hook, .arg = "b "};

static void queue_hook(void *arg)
{
	note(arg);
	rt_at_round_end(&hook_a);
	rt_at_round_end(&hook_b);
	rt_at_round_end(&hook_a);
}

static void queue_hooks(void *arg UNUSED)
{
	rt_spawn(queue_hook, "x ", "x");
	rt_spawn(queue_hook, "y ", "y");
	rt_yield();
	rt_at_round_end(&hook_b);
	note("z ");
}

static void test_hooks_run_once_a_round(void **state UNUSED)
{
	run(queue_hooks, NULL);
	assert_string_equal(trace, "x y hooka hookb z hookb ");
}

static void wake_main(void *arg)
{
	rt_wake(arg);
}

static void park_until_hook(void *arg)
{
	struct rt_round wakes = {.fn = wake_main, .arg = rt_self()};

	rt_at_round_end(&wakes);
	*(err *)arg = rt_park(RT_NEVER);
}

static void test_hook_may_wake(void **state UNUSED)
{
	err got = E_IO;

	run(park_until_hook, &got);
	assert_int_equal(got, OK);
}

/* Threads. */

struct poke {
	struct rt_loop *loop;
	struct co *co[8];
};

static void *poke_all(void *arg)
{
	struct poke *p = arg;

	for (size_t i = 0; i < ARRAY_LEN(p->co); i++)
		rt_wake_from_thread(p->loop, p->co[i]);
	return NULL;
}

static void wait_for_thread(void *arg)
{
	rt_park_uncancelled();
	note(arg);
}

static void start_poker(void *arg UNUSED)
{
	static char names[] = "a\0b\0c\0d\0e\0f\0g\0h";
	struct poke p = {.loop = rt_loop()};
	pthread_t thread;

	for (size_t i = 0; i < ARRAY_LEN(p.co); i++)
		p.co[i] = rt_spawn(wait_for_thread, names + 2 * i, "waits for thread");
	rt_cancel(p.co[3]); /* has no effect on such a wait */
	if (pthread_create(&thread, NULL, poke_all, &p) != 0)
		return;
	while (rt_count() > 1)
		(void)!rt_sleep_until(rt_after(NSEC_PER_MSEC));
	pthread_join(thread, NULL);
}

static void test_threads_wake(void **state UNUSED)
{
	run(start_poker, NULL);
	assert_string_equal(trace, "abcdefgh");
}

struct ping {
	struct rt_loop *loop;
	struct co *co;
	int left;
	pthread_mutex_t lock;
	pthread_cond_t turn;
	bool asked;
};

static void *answer(void *arg)
{
	struct ping *p = arg;

	for (int left = p->left; left > 0; left--) {
		pthread_mutex_lock(&p->lock);
		while (!p->asked)
			pthread_cond_wait(&p->turn, &p->lock);
		p->asked = false;
		pthread_mutex_unlock(&p->lock);
		rt_wake_from_thread(p->loop, p->co);
	}
	return NULL;
}

static void ping_pong(void *arg)
{
	struct ping *p = arg;
	pthread_t thread;

	p->loop = rt_loop();
	p->co = rt_self();
	if (pthread_create(&thread, NULL, answer, p) != 0)
		return;
	for (int n = p->left; n > 0; n--) {
		pthread_mutex_lock(&p->lock);
		p->asked = true;
		pthread_cond_signal(&p->turn);
		pthread_mutex_unlock(&p->lock);
		rt_park_uncancelled();
		p->left--;
	}
	pthread_join(thread, NULL);
}

static void test_no_wake_is_lost(void **state UNUSED)
{
	struct ping p = {.left = 5000, .lock = PTHREAD_MUTEX_INITIALIZER, .turn = PTHREAD_COND_INITIALIZER};

	run(ping_pong, &p);
	assert_int_equal(p.left, 0);
}

/* Worker pool. */

static void work(void *arg)
{
	*(int *)arg += 1;
	err_note(E_FULL, "from the worker");
}

static void do_work(void *arg)
{
	for (int i = 0; i < 10; i++)
		rt_work(work, arg);
	note(err_info()->text);
}

static void work_in_many(void *arg)
{
	int *numbers = arg;

	for (int i = 0; i < 20; i++)
		rt_spawn(do_work, numbers + i, "worker's client");
}

static void test_workers(void **state UNUSED)
{
	int numbers[20] = {0};

	run(work_in_many, numbers);
	for (int i = 0; i < 20; i++)
		assert_int_equal(numbers[i], 10);
	assert_memory_equal(trace, "from the worker", 15);
}

static void test_work_in_place(void **state UNUSED)
{
	int number = 0;

	simulate(do_work, &number);
	assert_int_equal(number, 10);
	rt_work(work, &number);
	assert_int_equal(number, 11);
}

static void cancel_worker(void *arg)
{
	struct co *co = rt_spawn(do_work, arg, "worker's client");

	rt_yield();
	rt_cancel(co);
}

static void test_work_is_finished_when_cancelled(void **state UNUSED)
{
	int number = 0;

	run(cancel_worker, &number);
	assert_int_equal(number, 10);
}

/* Descriptors. */

struct wire {
	int fds[2];
	struct rt_fd f;
	err got[4];
};

static void read_soon(void *arg)
{
	struct wire *w = arg;
	char c;

	w->got[0] = rt_fd_wait_readable(&w->f, rt_after(5 * NSEC_PER_SEC));
	w->got[1] = read(w->f.fd, &c, 1) == 1 && c == 'x' ? OK : E_IO;
	w->got[2] = rt_fd_wait_readable(&w->f, rt_after(5 * NSEC_PER_MSEC));
	w->got[3] = rt_fd_wait_readable(&w->f, RT_NEVER);
}

static void wires(void *arg)
{
	struct wire *w = arg;

	if (pipe(w->fds) != 0)
		return;
	rt_fd_init(&w->f, w->fds[0]);
	rt_spawn(read_soon, w, "reader");
	rt_yield();
	if (write(w->fds[1], "x", 1) != 1)
		return;
	(void)!rt_sleep_until(rt_after(20 * NSEC_PER_MSEC));
	rt_fd_close(&w->f);
	rt_fd_close(&w->f);
	close(w->fds[1]);
}

static void test_descriptor_waits(void **state UNUSED)
{
	struct wire w;

	run(wires, &w);
	assert_int_equal(w.got[0], OK);
	assert_int_equal(w.got[1], OK);
	assert_int_equal(w.got[2], E_TIMEOUT);
	assert_int_equal(w.got[3], E_CLOSED);
	assert_int_equal(w.f.fd, -1);
}

/* A descriptor that somebody else keeps open goes on to be reported after it was closed here. */
static void close_with_copy(void *arg)
{
	struct wire *w = arg;

	if (pipe(w->fds) != 0)
		return;

	int copy = dup(w->fds[0]);

	rt_fd_init(&w->f, w->fds[0]);
	w->got[0] = rt_fd_wait_readable(&w->f, rt_after(NSEC_PER_MSEC));
	rt_fd_close(&w->f);
	memset(&w->f, 0x5a, sizeof(w->f));
	w->got[1] = write(w->fds[1], "x", 1) == 1 ? OK : E_IO;
	(void)!rt_sleep_until(rt_after(5 * NSEC_PER_MSEC));
	w->got[2] = ((unsigned char *)&w->f)[0] == 0x5a ? OK : E_IO;
	close(copy);
	close(w->fds[1]);
}

static void test_stale_events_are_dropped(void **state UNUSED)
{
	struct wire w;

	run(close_with_copy, &w);
	assert_int_equal(w.got[0], E_TIMEOUT);
	assert_int_equal(w.got[1], OK);
	assert_int_equal(w.got[2], OK);
}

/* A descriptor may outlive a loop, and be waited for in the next. */
static void wait_a_moment(void *arg)
{
	struct wire *w = arg;

	w->got[0] = rt_fd_wait_readable(&w->f, rt_after(NSEC_PER_MSEC));
}

static void test_descriptor_in_the_next_loop(void **state UNUSED)
{
	struct wire w = {0};

	assert_int_equal(pipe(w.fds), 0);
	rt_fd_init(&w.f, w.fds[0]);
	run(wait_a_moment, &w);
	assert_int_equal(w.got[0], E_TIMEOUT);
	assert_int_equal(write(w.fds[1], "x", 1), 1);
	run(wait_a_moment, &w);
	assert_int_equal(w.got[0], OK);
	rt_fd_close(&w.f);
	close(w.fds[1]);
}

/* A file is always ready: there is nothing to wait for, however often. */
static void wait_for_file(void *arg)
{
	struct wire *w = arg;

	rt_fd_init(&w->f, open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	w->got[0] = rt_fd_wait_readable(&w->f, RT_NEVER);
	w->got[1] = rt_fd_wait_readable(&w->f, RT_NEVER);
	rt_fd_close(&w->f);
}

static void test_files_cannot_be_waited_for(void **state UNUSED)
{
	struct wire w = {0};

	run(wait_for_file, &w);
	assert_int_equal(w.got[0], E_IO);
	assert_int_equal(w.got[1], E_IO);
}

static void wait_simulated(void *arg)
{
	struct rt_fd f = {.fd = 0};

	*(err *)arg = rt_fd_wait_readable(&f, RT_NEVER);
}

static void test_no_descriptors_in_simulation(void **state UNUSED)
{
	err got = OK;

	simulate(wait_simulated, &got);
	assert_int_equal(got, E_IO);
}

/* Signals. */

static void wait_for_signals(void *arg)
{
	static const int wanted[] = {SIGUSR1, SIGUSR2};
	int *got = arg;

	if (rt_signal_wait(wanted, 2, &got[0], rt_after(NSEC_PER_MSEC)) == E_TIMEOUT)
		got[0] = -1;
	kill(getpid(), SIGUSR2);
	if (rt_signal_wait(wanted, 2, &got[1], RT_NEVER) != OK)
		got[1] = -1;
}

static void test_signals(void **state UNUSED)
{
	int got[2] = {0};

	run(wait_for_signals, got);
	assert_int_equal(got[0], -1);
	assert_int_equal(got[1], SIGUSR2);
}

/* What wants a large stack. */

static void touch_a_megabyte(void *arg)
{
	volatile char large[1 << 20];

	for (size_t i = 0; i < sizeof(large); i += 4096)
		large[i] = 1;
	*(int *)arg += large[4096];
}

static void go_deep(void *arg UNUSED)
{
	int touched = 0;

	rt_deep(touch_a_megabyte, &touched);
	rt_yield();
	rt_deep(touch_a_megabyte, &touched);
	note(touched == 2 ? "deep" : "shallow");
	(void)!err_note(E_BUSY, "kept");
	note(err_info()->code == E_BUSY ? "" : "lost");
}

static void check_deep(void)
{
	assert_string_equal(trace, "deep");
	trace[0] = '\0';
}

static void test_deep_calls(void **state UNUSED)
{
	both(go_deep, check_deep);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_coroutines_take_turns),
		TEST(test_registers_survive),
		TEST(test_two_thousand),
		TEST(test_stacks_are_reused),
		TEST(test_trimmed_stack_keeps_what_is_used),
		TEST(test_each_has_its_error),
		TEST(test_timers_in_order),
		TEST(test_many_random_timers),
		TEST(test_wake_is_remembered_once),
		TEST(test_wake_does_not_end_a_sleep),
		TEST(test_cancel_unwinds),
		TEST(test_stop_cancels_all),
		TEST(test_simulated_days_pass_at_once),
		TEST(test_deadlock_is_found),
		TEST(test_seed_decides),
		TEST(test_deadlines_saturate),
		TEST(test_hooks_run_once_a_round),
		TEST(test_hook_may_wake),
		TEST(test_threads_wake),
		TEST(test_no_wake_is_lost),
		TEST(test_workers),
		TEST(test_work_in_place),
		TEST(test_work_is_finished_when_cancelled),
		TEST(test_descriptor_waits),
		TEST(test_stale_events_are_dropped),
		TEST(test_descriptor_in_the_next_loop),
		TEST(test_files_cannot_be_waited_for),
		TEST(test_no_descriptors_in_simulation),
		TEST(test_signals),
		TEST(test_deep_calls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
