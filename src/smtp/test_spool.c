/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <stdlib.h>
#include <unistd.h>

#include "rt/file.h"
#include "smtp/spool.h"

static struct body_budget budget(uint64_t cap)
{
	return (struct body_budget){.cap = cap};
}

static void fill(struct spool *s, size_t n)
{
	static char piece[10000];

	memset(piece, 'x', sizeof(piece));
	for (size_t given = 0; given < n;) {
		size_t part = n - given < sizeof(piece) ? n - given : sizeof(piece);
		spool_append(s, str_make(piece, part));
		given += part;
	}
}

static void test_small_stays_in_memory(void **state UNUSED)
{
	struct body_budget b = budget(1 << 20);
	struct spool s = spool_begin(&b, 1 << 20, 0);
	struct body body;

	spool_append(&s, STR("one "));
	spool_append(&s, STR("two"));
	assert_int_equal(b.used, 7);
	assert_int_equal(spool_finish(&s, &body), OK);
	assert_str(body.bytes, "one two");
	assert_int_equal(body.fd, -1);
	spool_end(&s);
	assert_int_equal(b.used, 0);
}

static void test_empty(void **state UNUSED)
{
	struct body_budget b = budget(1 << 20);
	struct spool s = spool_begin(&b, 1 << 20, 0);
	struct body body;

	assert_int_equal(spool_finish(&s, &body), OK);
	assert_int_equal(body.bytes.n, 0);
	assert_int_equal(body.fd, -1);
	spool_end(&s);
}

static void assert_sized(size_t n, bool file)
{
	struct body_budget b = budget(1 << 20);
	struct spool s = spool_begin(&b, 1 << 20, n);
	struct body body;

	fill(&s, n);
	assert_int_equal(spool_finish(&s, &body), OK);
	assert_int_equal(body.fd >= 0, file);
	if (file) {
		char *back = malloc(n);
		assert_int_equal(lseek(body.fd, 0, SEEK_END), (off_t)n);
		assert_int_equal(file_read_at(body.fd, back, n, 0), OK);
		assert_int_equal(back[0] == 'x' && back[n - 1] == 'x', true);
		assert_true(write(body.fd, "y", 1) < 0); /* sealed */
		free(back);
	} else {
		assert_int_equal(body.bytes.n, n);
	}
	assert_int_equal(b.used, n);
	spool_end(&s);
	assert_int_equal(b.used, 0);
}

static void test_large_goes_to_a_file(void **state UNUSED)
{
	assert_sized(BODY_INLINE_MAX, false);
	assert_sized(BODY_INLINE_MAX + 1, true);
	assert_sized(5 * BODY_INLINE_MAX + 17, true);
}

static void test_over_the_limit(void **state UNUSED)
{
	struct body_budget b = budget(1 << 20);
	struct spool s = spool_begin(&b, 50000, 0);
	struct body body;

	fill(&s, 50000);
	assert_int_equal(s.fault, OK);
	fill(&s, 1);
	assert_int_equal(s.fault, E_LIMIT);
	assert_int_equal(b.used, 0);
	fill(&s, 300000);
	assert_int_equal(s.size, 350001);
	assert_int_equal(spool_finish(&s, &body), E_LIMIT);
	assert_int_equal(err_info()->reply, 552);
	spool_end(&s);
}

static void test_over_the_budget(void **state UNUSED)
{
	struct body_budget b = budget(10000);
	struct spool one = spool_begin(&b, 50000, 0), two = spool_begin(&b, 50000, 0);
	struct body body;

	fill(&one, 9000);
	fill(&two, 2000);
	assert_int_equal(spool_finish(&two, &body), E_TEMP);
	assert_int_equal(err_info()->reply, 452);
	assert_int_equal(b.used, 9000);
	assert_int_equal(spool_finish(&one, &body), OK);
	spool_end(&two);
	spool_end(&one);
	assert_int_equal(b.used, 0);
}

/* What a coroutine saw; compared after the loop, as cmocka leaves by longjmp. */
struct waiting {
	struct body_budget budget;
	nsec in_vain, until_room;
	err fault;
};

static void give_back_later(void *arg)
{
	struct waiting *w = arg;

	if (rt_sleep_until(rt_after(3 * NSEC_PER_SEC)) == OK)
		w->budget.used = 0;
}

static void wait_for_room(void *arg)
{
	struct waiting *w = arg;
	struct spool s = spool_begin(&w->budget, 50000, 0);
	nsec start = rt_now();

	spool_wait_for_room(&s, 100, rt_after(NSEC_PER_SEC));
	w->in_vain = rt_now() - start;
	rt_spawn(give_back_later, w, "give back");
	spool_wait_for_room(&s, 100, rt_after(60 * NSEC_PER_SEC));
	w->until_room = rt_now() - start;
	spool_append(&s, STR("x"));
	w->fault = s.fault;
	spool_end(&s);
}

static void test_waits_for_room(void **state UNUSED)
{
	struct waiting w = {.budget = {.used = 10000, .cap = 10000}};

	assert_int_equal(rt_run_simulated(1, wait_for_room, &w), OK);
	assert_true(w.in_vain >= NSEC_PER_SEC && w.in_vain < 2 * NSEC_PER_SEC);
	assert_true(w.until_room >= 4 * NSEC_PER_SEC && w.until_room < 6 * NSEC_PER_SEC);
	assert_int_equal(w.fault, OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_stays_in_memory), cmocka_unit_test(test_empty),
		cmocka_unit_test(test_large_goes_to_a_file),  cmocka_unit_test(test_over_the_limit),
		cmocka_unit_test(test_over_the_budget),       cmocka_unit_test(test_waits_for_room),
	};

	return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
