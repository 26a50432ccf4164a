/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/stack.h"

/* How many of the pages of a stack are in memory. */
static size_t resident(char *stack)
{
	unsigned char pages[STACK_SIZE / 4096];
	size_t n = 0;

	assert_int_equal(mincore(stack, STACK_SIZE, pages), 0);
	for (size_t i = 0; i < sizeof(pages); i++)
		n += pages[i] & 1;
	return n;
}

static void test_newest_is_reused_first(void **state UNUSED)
{
	struct stack_pool pool = {0};
	char *a = stack_take(&pool), *b = stack_take(&pool);

	assert_non_null(a);
	assert_non_null(b);
	stack_give(&pool, a);
	stack_give(&pool, b);
	assert_ptr_equal(stack_take(&pool), b);
	assert_ptr_equal(stack_take(&pool), a);
	stack_pool_close(&pool);
}

static void test_trim_keeps_what_is_above(void **state UNUSED)
{
	struct stack_pool pool = {0};
	char *stack = stack_take(&pool);

	assert_non_null(stack);
	memset(stack + 4096, 'x', STACK_SIZE - 4096);
	assert_int_equal(resident(stack), STACK_SIZE / 4096 - 1);
	stack_trim(stack, stack + STACK_SIZE - 5000);
	assert_int_equal(resident(stack), 2);
	assert_int_equal(stack[STACK_SIZE - 5000], 'x');
	stack_pool_close(&pool);
}

static void test_unused_stacks_give_memory_back(void **state UNUSED)
{
	enum { COUNT = 100 };
	struct stack_pool pool = {0};
	char *stacks[COUNT];
	size_t pages = 0;

	for (size_t i = 0; i < COUNT; i++) {
		stacks[i] = stack_take(&pool);
		assert_non_null(stacks[i]);
		stacks[i][STACK_SIZE - 1] = 'x';
	}
	for (size_t i = 0; i < COUNT; i++)
		stack_give(&pool, stacks[i]);
	stack_pool_trim(&pool);
	assert_true(stack_pool_wants_trim(&pool)); /* used since the last time: not yet */
	stack_pool_trim(&pool);
	assert_false(stack_pool_wants_trim(&pool));
	for (size_t i = 0; i < COUNT; i++)
		pages += resident(stacks[i]);
	assert_in_range(pages, 1, 8);
	stack_pool_close(&pool);
}

static void overrun(void)
{
	static const struct rlimit no_core = {0, 0};
	struct stack_pool pool = {0};
	char *stack = stack_take(&pool);

	signal(SIGSEGV, SIG_DFL);
	setrlimit(RLIMIT_CORE, &no_core);
	if (stack)
		*(volatile char *)(stack + 100) = 'x';
	_exit(0);
}

static void test_guard_page(void **state UNUSED)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		overrun();
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_newest_is_reused_first),
		cmocka_unit_test(test_trim_keeps_what_is_above),
		cmocka_unit_test(test_unused_stacks_give_memory_back),
		cmocka_unit_test(test_guard_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
