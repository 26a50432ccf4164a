/* SPDX-License-Identifier: ISC */
#include "base/date.h"
#include "base/test.h"
#include "cli/queue.h"

static void periods(void **state UNUSED)
{
	ARENA(a, 1 << 16);

	assert_str(queue_period(&a, -5), "0s");
	assert_str(queue_period(&a, 59 * USEC_PER_SEC + 999999), "59s");
	assert_str(queue_period(&a, 60 * USEC_PER_SEC), "1m");
	assert_str(queue_period(&a, 3600 * USEC_PER_SEC), "1h");
	assert_str(queue_period(&a, 47 * 3600 * USEC_PER_SEC), "1d");
	assert_str(queue_period(&a, 48 * 3600 * USEC_PER_SEC), "2d");
}

#define TEXT(n, t)                                                          \
	{                                                                   \
		.name = {(n), sizeof(n) - 1}, .text = {(t), sizeof(t) - 1 } \
	}

static void expect(struct cell *cells, size_t n, const char *const *want)
{
	ARENA(a, 1 << 16);
	struct row from = {cells, n}, to;
	struct cell columns[QUEUE_COLUMNS];
	int64_t now;

	assert_true(date_parse_rfc3339(STR("2026-11-21T21:00:00Z"), &now));
	queue_columns(&a, &from, now, columns, &to);
	assert_int_equal(to.cells_n, QUEUE_COLUMNS);
	for (size_t i = 0; i < QUEUE_COLUMNS; i++)
		assert_str(to.cells[i].text, want[i]);
}

static void columns(void **state UNUSED)
{
	struct cell waiting[] = {TEXT("id", "1A"),
	                         TEXT("received", "2026-11-21T20:15:00.000Z"),
	                         TEXT("sender", ""),
	                         TEXT("recipient", "bob@example.com"),
	                         TEXT("destination", "example.com"),
	                         TEXT("state", "waiting"),
	                         TEXT("due", "2026-11-21T21:05:00.000Z"),
	                         TEXT("reply", "450 later")};
	struct cell held[] = {TEXT("id", "1A"), TEXT("sender", "a@b.example"), TEXT("state", "held"), TEXT("due", "")};
	struct cell late[] = {TEXT("due", "2026-11-21T20:59:00.000Z")};

	expect(waiting, ARRAY_LEN(waiting),
	       (const char *const[]){"1A", "45m", "<>", "bob@example.com", "example.com", "in 5m", "450 later"});
	expect(held, ARRAY_LEN(held), (const char *const[]){"1A", "", "a@b.example", "", "", "held", ""});
	expect(late, ARRAY_LEN(late), (const char *const[]){"", "", "<>", "", "", "now", ""});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(periods),
		cmocka_unit_test(columns),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
