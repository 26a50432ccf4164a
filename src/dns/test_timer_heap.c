/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <stdlib.h>

#include "dns/timer_heap.h"

enum { COUNT = 500 };

static void in_order(void **state UNUSED)
{
	struct timer_heap h = {0};
	struct timer_entry e[COUNT] = {0};
	nsec last = 0;
	size_t seen = 0;

	srand(1);
	assert_true(timer_heap_reserve(&h, COUNT));
	for (size_t i = 0; i < COUNT; i++)
		timer_heap_set(&h, &e[i], rand() % 1000);
	for (size_t i = 0; i < COUNT; i += 2) /* moved */
		timer_heap_set(&h, &e[i], rand() % 1000);
	for (size_t i = 0; i < COUNT; i += 5) { /* taken out, twice */
		timer_heap_remove(&h, &e[i]);
		timer_heap_remove(&h, &e[i]);
	}
	assert_int_equal(h.n, COUNT - COUNT / 5);
	while (timer_heap_first(&h) != NULL) {
		struct timer_entry *first = timer_heap_first(&h);

		assert_true(first->at >= last);
		last = first->at;
		timer_heap_remove(&h, first);
		assert_int_equal(first->place, 0);
		seen++;
	}
	assert_int_equal(seen, COUNT - COUNT / 5);
	timer_heap_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(in_order)};

	return cmocka_run_group_tests_name("timer_heap", tests, NULL, NULL);
}
