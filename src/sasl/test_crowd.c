/* SPDX-License-Identifier: ISC */
#include "sasl/crowd.h"

#include "base/test.h"

enum { MEMBERS = 40 };

static struct crowd_member members[MEMBERS];
static struct crowd_member *evicted[MEMBERS];
static size_t evicted_n;

static void note(struct crowd_member *m)
{
	assert_null(m->client);
	evicted[evicted_n++] = m;
}

static struct crowd crowd_of(size_t max, size_t share, enum crowd_leaves leaves)
{
	struct crowd c;

	memset(members, 0, sizeof(members));
	evicted_n = 0;
	crowd_init(&c, max, share, leaves, note);
	return c;
}

static void disperse(struct crowd *c)
{
	for (size_t i = 0; i < MEMBERS; i++)
		crowd_leave(c, &members[i]);
	assert_int_equal(c->n, 0);
	assert_null(c->first);
	crowd_free(c);
}

static void enter(struct crowd *c, size_t from, size_t n, const char *client)
{
	for (size_t i = from; i < from + n; i++)
		assert_int_equal(crowd_enter(c, &members[i], str_from(client)), OK);
}

static void share_of_a_client(void **state)
{
	(void)state;
	struct crowd c = crowd_of(100, 3, CROWD_OLDEST);

	enter(&c, 0, 3, "a");
	enter(&c, 10, 3, "b");
	assert_int_equal(evicted_n, 0);
	enter(&c, 3, 2, "a");
	assert_int_equal(evicted_n, 2);
	assert_ptr_equal(evicted[0], &members[0]);
	assert_ptr_equal(evicted[1], &members[1]);
	crowd_leave(&c, &members[3]);
	enter(&c, 5, 1, "a");
	assert_int_equal(evicted_n, 2);
	enter(&c, 20, 10, ""); /* nobody counts it */
	assert_int_equal(evicted_n, 2);
	disperse(&c);
}

static void newest_is_turned_away(void **state)
{
	(void)state;
	struct crowd c = crowd_of(100, 3, CROWD_NEWEST);

	enter(&c, 0, 3, "a");
	assert_int_equal(crowd_enter(&c, &members[3], STR("a")), E_BUSY);
	assert_null(members[3].client);
	assert_int_equal(evicted_n, 0);
	assert_int_equal(c.n, 3);
	disperse(&c);
}

static void who_has_most_makes_room(void **state)
{
	(void)state;
	struct crowd c = crowd_of(10, 8, CROWD_OLDEST);

	enter(&c, 0, 2, "a");
	enter(&c, 10, 7, "b");
	enter(&c, 20, 1, "c");
	assert_int_equal(evicted_n, 0);
	enter(&c, 21, 1, "d");
	assert_int_equal(evicted_n, 1);
	assert_ptr_equal(evicted[0], &members[10]);
	enter(&c, 22, 4, "e"); /* up to a tie, in which who came first loses */
	assert_int_equal(evicted_n, 5);
	assert_ptr_equal(evicted[3], &members[13]);
	assert_ptr_equal(evicted[4], &members[22]);
	assert_int_equal(c.n, 10);
	disperse(&c);
}

static void everybody_once(void **state)
{
	(void)state;
	struct crowd c = crowd_of(3, 2, CROWD_OLDEST);

	enter(&c, 0, 1, "a");
	enter(&c, 1, 1, "b");
	enter(&c, 2, 1, "c");
	enter(&c, 3, 1, "d");
	assert_ptr_equal(evicted[0], &members[0]);
	disperse(&c);
}

static void clients_take_turns(void **state)
{
	(void)state;
	struct crowd c = crowd_of(100, 10, CROWD_NEWEST);
	static const size_t order[] = {0, 10, 20, 1, 11, 2, 3};

	enter(&c, 0, 4, "a");
	enter(&c, 10, 2, "b");
	enter(&c, 20, 1, "c");
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		assert_ptr_equal(crowd_next(&c), &members[order[i]]);
	assert_null(crowd_next(&c));
	disperse(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(share_of_a_client),       cmocka_unit_test(newest_is_turned_away),
		cmocka_unit_test(who_has_most_makes_room), cmocka_unit_test(everybody_once),
		cmocka_unit_test(clients_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
