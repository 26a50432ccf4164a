/* SPDX-License-Identifier: ISC */
/* How many deliverers one host may have. */
#include "base/test.h"
#include "relay/places.h"

static struct net_address address(const char *text)
{
	struct net_address a;

	assert_int_equal(net_address_parse(str_from(text), &a), OK);
	return a;
}

static void test_a_host_has_so_many(void **state UNUSED)
{
	struct net_address one = address("192.0.2.1:25"), same = address("192.0.2.1:587"), other = address("192.0.2.2:25");
	struct place *a, *b, *c, *d;
	struct places p;

	places_init(&p);
	assert_int_equal(place_take(&p, &one, 2, &a), OK);
	assert_int_equal(place_take(&p, &same, 2, &b), OK);
	assert_int_equal(place_take(&p, &one, 2, &c), E_BUSY);
	assert_int_equal(place_take(&p, &other, 2, &c), OK);
	place_give(&p, a);
	assert_int_equal(place_take(&p, &one, 2, &d), OK);
	place_give(&p, b);
	place_give(&p, c);
	place_give(&p, d);
	place_give(&p, NULL);
	assert_int_equal(p.by_host.count, 0);
	places_free(&p);
}

static void test_a_network_is_a_host(void **state UNUSED)
{
	struct net_address one = address("[2001:db8::1]:25"), near = address("[2001:db8::ffff:1]:25"),
			   far = address("[2001:db8:0:1::1]:25");
	struct place *a, *b;
	struct places p;

	places_init(&p);
	assert_int_equal(place_take(&p, &one, 1, &a), OK);
	assert_int_equal(place_take(&p, &near, 1, &b), E_BUSY);
	assert_int_equal(place_take(&p, &far, 1, &b), OK);
	place_give(&p, a);
	place_give(&p, b);
	places_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_host_has_so_many),
		cmocka_unit_test(test_a_network_is_a_host),
	};

	return cmocka_run_group_tests_name("places", tests, NULL, NULL);
}
