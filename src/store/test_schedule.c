/* SPDX-License-Identifier: ISC */
/* Who is served when: destinations take turns, windows open and close, deliverers are not kept from where they are needed. */
#include "base/test.h"
#include "store/queue.h"
#include "store/schedule.h"

#include <stdio.h>
#include <stdlib.h>

enum { DESTINATIONS = 4, NOW = 1000000 };

/* Rows of a destination: messages that are due at `due`, each given out once. */
static struct world {
	struct schedule schedule;
	struct {
		char name[16];
		uint64_t lane, due, left, fails; /* fails: what cannot be attempted any more, first */
	} mail[DESTINATIONS];
	unsigned fills;
	err fault;
} world;

/* A row that was given out is leased, and not seen again. */
static err fill(void *ctx, const struct lane *lane, uint64_t from UNUSED, uint64_t limit, struct page *out)
{
	struct world *w = ctx;

	w->fills++;
	out->next = SCHEDULE_NEVER;
	if (w->fault != OK)
		return w->fault;
	for (size_t i = 0; i < DESTINATIONS; i++) {
		if (lane->number != w->mail[i].lane || !str_equal(lane->destination->name, str_from(w->mail[i].name)))
			continue;
		for (; w->mail[i].fails > 0 && out->n < SCHEDULE_PAGE; w->mail[i].fails--)
			out->messages[out->n++] = 1000 + i;
		if (w->mail[i].due > limit) {
			out->next = w->mail[i].left > 0 ? w->mail[i].due : SCHEDULE_NEVER;
			break;
		}
		out->due = w->mail[i].due;
		for (; w->mail[i].left > 0 && out->n < SCHEDULE_PAGE; w->mail[i].left--)
			out->messages[out->n++] = i;
		if (w->mail[i].left > 0)
			out->next = w->mail[i].due;
	}
	return OK;
}

static int setup(void **state UNUSED)
{
	memset(&world, 0, sizeof(world));
	schedule_init(&world.schedule, 20);
	world.schedule.fill = fill;
	world.schedule.ctx = &world;
	return 0;
}

static int teardown(void **state UNUSED)
{
	schedule_free(&world.schedule);
	return 0;
}

static void mail_of(size_t i, const char *name, uint64_t lane, uint64_t n, uint64_t due)
{
	snprintf(world.mail[i].name, sizeof(world.mail[i].name), "%s", name);
	world.mail[i].lane = lane;
	world.mail[i].due = due;
	world.mail[i].left = n;
	assert_int_equal(schedule_due(&world.schedule, str_from(name), lane, due, NOW), OK);
}

static void mail(size_t i, const char *name, uint64_t n, uint64_t due)
{
	mail_of(i, name, 0, n, due);
}

static void wait_for(struct waiter *w, const char *name)
{
	*w = (struct waiter){0};
	assert_int_equal(schedule_wait(&world.schedule, w, str_from(name)), OK);
}

static void expect_given(struct waiter *w, const char *name, uint64_t now)
{
	assert_ptr_equal(schedule_serve(&world.schedule, now), w);
	assert_true(w->over);
	assert_non_null(w->given);
	assert_str(w->given->name, name);
}

static void expect_nobody(uint64_t now)
{
	assert_null(schedule_serve(&world.schedule, now));
}

static void settle(struct waiter *w, uint64_t now)
{
	schedule_reached(&world.schedule, w->given);
	schedule_lease_end(&world.schedule, w->lane, SCHEDULE_NEVER, now);
}

static void destinations_take_turns(void **state UNUSED)
{
	struct waiter w[6];

	mail(0, "a", 1000, 10);
	mail(1, "b", 3, 20);
	mail(2, "c", 1, 30);
	for (size_t i = 0; i < ARRAY_LEN(w); i++)
		wait_for(&w[i], "");
	expect_given(&w[0], "a", NOW);
	expect_given(&w[1], "b", NOW);
	expect_given(&w[2], "c", NOW);
	expect_given(&w[3], "a", NOW);
	expect_given(&w[4], "b", NOW);
	expect_given(&w[5], "a", NOW);
	expect_nobody(NOW);
	assert_int_equal(w[0].message, 0);
	assert_int_equal(w[0].due, 10);
}

/* Ten thousand messages of one sender are one turn of three. */
static void senders_take_turns(void **state UNUSED)
{
	struct waiter w[9];

	mail_of(0, "a", 7, 10000, 10);
	mail_of(1, "a", 8, 2, 20);
	mail_of(2, "a", 9, 3, 30);
	schedule_find(&world.schedule, STR("a"))->window = 20;
	for (size_t i = 0; i < ARRAY_LEN(w); i++) {
		static const uint64_t expected[] = {0, 1, 2, 0, 1, 2, 0, 2, 0};

		wait_for(&w[i], i % 2 == 0 ? "a" : "");
		expect_given(&w[i], "a", NOW);
		assert_int_equal(w[i].message, expected[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(w); i++)
		settle(&w[i], NOW);
	assert_ptr_equal(w[0].lane->next, w[0].lane); /* who has no more mail is forgotten */
}

/* Who is put off is not looked for again and again, and does not hold up the others. */
static void a_sender_of_later_waits(void **state UNUSED)
{
	struct waiter w;

	mail_of(0, "a", 1, 1, NOW + 500);
	mail_of(1, "a", 2, 1, 10);
	mail_of(2, "a", 3, 1, NOW + 300);
	wait_for(&w, "");
	expect_given(&w, "a", NOW);
	assert_int_equal(w.message, 1);
	wait_for(&w, "");
	expect_nobody(NOW);
	assert_int_equal(world.fills, 1);
	assert_int_equal(schedule_next(&world.schedule), NOW + 300);
	expect_given(&w, "a", NOW + 300);
	assert_int_equal(w.message, 2);
	wait_for(&w, "");
	expect_nobody(NOW + 499);
	expect_given(&w, "a", NOW + 500);
	assert_int_equal(w.message, 0);
}

/* A window of five, one more with each success, and never more than is allowed. */
static void windows_grow(void **state UNUSED)
{
	struct waiter w[40];
	size_t given = 0;

	mail(0, "a", 1000, 10);
	for (size_t i = 0; i < ARRAY_LEN(w); i++)
		wait_for(&w[i], "");
	while (schedule_serve(&world.schedule, NOW) != NULL)
		given++;
	assert_int_equal(given, SCHEDULE_WINDOW);
	settle(&w[0], NOW); /* 4 leases, a window of 6 */
	expect_given(&w[5], "a", NOW);
	expect_given(&w[6], "a", NOW);
	expect_nobody(NOW);
	for (size_t i = 1; i < 30; i++) {
		settle(&w[i], NOW);
		while (schedule_serve(&world.schedule, NOW) != NULL)
			;
	}
	assert_int_equal(schedule_find(&world.schedule, STR("a"))->window, 20);
	assert_in_range(schedule_find(&world.schedule, STR("a"))->leases, 1, 20);
	for (size_t i = 30; i < ARRAY_LEN(w); i++)
		schedule_leave(&world.schedule, &w[i], NOW);
}

static void one_probe_after_a_failure(void **state UNUSED)
{
	struct waiter w[8];
	struct destination *d;

	mail(0, "a", 100, 10);
	for (size_t i = 0; i < ARRAY_LEN(w); i++)
		wait_for(&w[i], "");
	for (size_t i = 0; i < 5; i++)
		expect_given(&w[i], "a", NOW);
	d = w[0].given;
	schedule_block(d, NOW + 1000);
	for (size_t i = 0; i < 5; i++)
		schedule_lease_end(&world.schedule, w[i].lane, NOW + 1000, NOW);
	expect_nobody(NOW);
	assert_int_equal(schedule_next(&world.schedule), NOW + 1000);
	expect_nobody(NOW + 999);
	expect_given(&w[5], "a", NOW + 1000);
	expect_nobody(NOW + 1000);
	assert_int_equal(schedule_next(&world.schedule), SCHEDULE_NEVER);
	settle(&w[5], NOW + 2000);
	expect_given(&w[6], "a", NOW + 2000);
	expect_given(&w[7], "a", NOW + 2000);
}

/* Who was put off because of the host is to be looked for once it is back, if there is anybody. */
static void a_host_that_is_back(void **state UNUSED)
{
	struct waiter w;
	struct destination *d;

	mail(0, "a", 2, 10);
	wait_for(&w, "");
	expect_given(&w, "a", NOW);
	d = w.given;
	assert_false(schedule_reached(&world.schedule, d)); /* it never was away */
	schedule_block(d, NOW + 1000);
	schedule_lease_end(&world.schedule, w.lane, SCHEDULE_NEVER, NOW);
	mail(0, "a", 1, 10);
	assert_int_equal(schedule_due(&world.schedule, STR("a"), 1, NOW + 5000, NOW), OK);
	wait_for(&w, "");
	expect_given(&w, "a", NOW + 1000);
	assert_true(schedule_reached(&world.schedule, d));
	assert_true(d->back);
	d->back = false;
	assert_false(schedule_reached(&world.schedule, d));
	schedule_block(d, NOW + 3000);
	d->lanes->due = d->lanes->next->due = SCHEDULE_NEVER;
	assert_false(schedule_reached(&world.schedule, d)); /* nobody waits */
	schedule_lease_end(&world.schedule, w.lane, SCHEDULE_NEVER, NOW + 4000);
	assert_int_equal(world.schedule.by_name.count, 0);
}

/* What needs no attempt is not kept waiting by a host that is not reached. */
static void what_is_over_is_leased_while_blocked(void **state UNUSED)
{
	struct waiter w[4];

	mail(0, "a", 100, 10);
	for (size_t i = 0; i < ARRAY_LEN(w); i++)
		wait_for(&w[i], "");
	schedule_block(schedule_find(&world.schedule, STR("a")), NOW + 1000);
	assert_int_equal(schedule_due(&world.schedule, STR("a"), 0, 10, NOW), OK);
	expect_nobody(NOW);
	world.mail[0].fails = 2;
	assert_int_equal(schedule_due(&world.schedule, STR("a"), 0, QUEUE_DUE_EXPIRED, NOW), OK);
	expect_given(&w[0], "a", NOW);
	expect_given(&w[1], "a", NOW);
	assert_int_equal(w[0].message, 1000);
	expect_nobody(NOW);
	assert_int_equal(schedule_next(&world.schedule), NOW + 1000);
	schedule_unblock(&world.schedule, STR("a"), NOW);
	expect_nobody(NOW); /* a window of one */
	schedule_lease_end(&world.schedule, w[0].lane, SCHEDULE_NEVER, NOW);
	schedule_lease_end(&world.schedule, w[1].lane, SCHEDULE_NEVER, NOW);
	expect_given(&w[2], "a", NOW);
	assert_int_equal(w[2].message, 0);
	expect_nobody(NOW);
	schedule_leave(&world.schedule, &w[3], NOW);
}

/* What had been read ahead when the host failed is not lost. */
static void a_page_is_given_up_when_blocked(void **state UNUSED)
{
	struct waiter w;

	mail(0, "a", 10, 10);
	wait_for(&w, "");
	expect_given(&w, "a", NOW);
	assert_int_equal(world.mail[0].left, 0); /* nine are in the page */
	schedule_block(w.given, NOW + 1000);
	schedule_lease_end(&world.schedule, w.lane, SCHEDULE_NEVER, NOW);
	assert_int_equal(schedule_find(&world.schedule, STR("a"))->lanes->due, 10);
	assert_int_equal(schedule_next(&world.schedule), NOW + 1000);
}

static void mail_of_later_waits(void **state UNUSED)
{
	struct waiter w;

	mail(0, "a", 1, NOW + 500);
	mail(1, "b", 1, NOW + 300);
	mail(2, "c", 1, NOW + 400);
	wait_for(&w, "");
	expect_nobody(NOW);
	assert_int_equal(schedule_next(&world.schedule), NOW + 300);
	expect_nobody(NOW + 299);
	expect_given(&w, "b", NOW + 300);
	wait_for(&w, "");
	expect_given(&w, "c", NOW + 600);
	wait_for(&w, "");
	expect_given(&w, "a", NOW + 600);
}

/* Who has a connection is served before those who would have to make one. */
static void own_before_any(void **state UNUSED)
{
	struct waiter any, own;

	wait_for(&any, "");
	wait_for(&own, "a");
	mail(0, "a", 1, 10);
	expect_given(&own, "a", NOW);
	expect_nobody(NOW);
	schedule_leave(&world.schedule, &any, NOW);
}

static void not_for_ever_while_others_wait(void **state UNUSED)
{
	struct waiter w;
	unsigned row = 0;

	mail(0, "a", 1000, 10);
	mail(1, "b", 1, 10);
	for (;;) {
		wait_for(&w, "a");
		assert_ptr_equal(schedule_serve(&world.schedule, NOW), &w);
		if (w.given == NULL)
			break;
		settle(&w, NOW);
		row++;
	}
	assert_int_equal(row, SCHEDULE_IN_A_ROW);
	wait_for(&w, "");
	assert_ptr_equal(schedule_serve(&world.schedule, NOW), &w);
	assert_non_null(w.given);
}

static void for_ever_while_nobody_else_has_mail(void **state UNUSED)
{
	struct waiter w;

	mail(0, "a", 1000, 10);
	for (unsigned i = 0; i < 3 * SCHEDULE_IN_A_ROW; i++) {
		wait_for(&w, "a");
		expect_given(&w, "a", NOW);
		settle(&w, NOW);
	}
}

/* A connection that idles is worth less than mail that nobody takes; one deliverer is enough for it. */
static void who_idles_is_called_away(void **state UNUSED)
{
	struct waiter one, two;

	wait_for(&one, "a");
	wait_for(&two, "b");
	expect_nobody(NOW);
	mail(2, "c", 2, 10);
	assert_ptr_equal(schedule_serve(&world.schedule, NOW), &one);
	assert_null(one.given);
	expect_nobody(NOW);
	assert_false(two.over);
	wait_for(&one, "");
	expect_given(&one, "c", NOW);
	schedule_leave(&world.schedule, &two, NOW);
}

static void the_unused_are_forgotten(void **state UNUSED)
{
	struct waiter w;
	char name[32];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "host-%u", i);
		mail(0, name, 1, 10);
		wait_for(&w, "");
		expect_given(&w, name, NOW);
		assert_int_equal(world.schedule.by_name.count, 1);
		settle(&w, NOW);
		assert_int_equal(world.schedule.by_name.count, 0);
	}
	wait_for(&w, "x");
	assert_int_equal(world.schedule.by_name.count, 1);
	schedule_leave(&world.schedule, &w, NOW);
	assert_int_equal(world.schedule.by_name.count, 0);
	/* One that is blocked is remembered until then. */
	mail(0, "y", 1, 10);
	wait_for(&w, "");
	expect_given(&w, "y", NOW);
	schedule_block(w.given, NOW + 1000);
	schedule_lease_end(&world.schedule, w.lane, SCHEDULE_NEVER, NOW);
	assert_int_equal(world.schedule.by_name.count, 1);
	expect_nobody(NOW + 1000);
	assert_int_equal(world.schedule.by_name.count, 0);
}

static void a_fault_is_waited_out(void **state UNUSED)
{
	struct waiter w;

	mail(0, "a", 1, 10);
	wait_for(&w, "");
	world.fault = E_IO;
	expect_nobody(NOW);
	expect_nobody(NOW + 1);
	assert_int_equal(world.fills, 1);
	world.fault = OK;
	assert_in_range(schedule_next(&world.schedule), NOW + 1000000, NOW + 60000000);
	expect_given(&w, "a", schedule_next(&world.schedule));
}

static void many_are_in_order(void **state UNUSED)
{
	uint64_t last = 0;
	char name[32];

	for (uint64_t i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "host-%llu", (unsigned long long)i);
		assert_int_equal(schedule_due(&world.schedule, str_from(name), 0, NOW + 1 + i * 7919 % 2003, NOW), OK);
		if (i % 3 == 0)
			assert_int_equal(schedule_due(&world.schedule, str_from(name), 0, NOW + 1 + i * 13 % 97, NOW),
			                 OK);
	}
	while (world.schedule.heap_n > 0) {
		struct destination *d = world.schedule.heap[0];

		assert_true(d->at >= last);
		last = d->at;
		d->lanes->due = SCHEDULE_NEVER;
		schedule_unblock(&world.schedule, d->name, NOW);
	}
	assert_int_equal(world.schedule.by_name.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(destinations_take_turns),
		TEST(senders_take_turns),
		TEST(a_sender_of_later_waits),
		TEST(windows_grow),
		TEST(one_probe_after_a_failure),
		TEST(a_host_that_is_back),
		TEST(what_is_over_is_leased_while_blocked),
		TEST(a_page_is_given_up_when_blocked),
		TEST(mail_of_later_waits),
		TEST(own_before_any),
		TEST(not_for_ever_while_others_wait),
		TEST(for_ever_while_nobody_else_has_mail),
		TEST(who_idles_is_called_away),
		TEST(the_unused_are_forgotten),
		TEST(a_fault_is_waited_out),
		TEST(many_are_in_order),
	};

	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
