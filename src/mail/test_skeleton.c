/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "mail/skeleton.h"

static struct arena memory;

static int begin(void **state UNUSED)
{
	memory = ARENA_INIT(1 << 20);
	return 0;
}

static int end(void **state UNUSED)
{
	arena_free(&memory);
	return 0;
}

static void same_address(const char *a, const char *b, bool want)
{
	str x = skeleton_address(&memory, str_from(a)), y = skeleton_address(&memory, str_from(b));

	if (str_equal(x, y) != want)
		fail_msg("%s: " STR_FMT ", %s: " STR_FMT, a, STR_ARG(x), b, STR_ARG(y));
}

static void same_name(const char *a, const char *b, bool want)
{
	str x = skeleton_name(&memory, str_from(a)), y = skeleton_name(&memory, str_from(b));

	if (str_equal(x, y) != want)
		fail_msg("%s: " STR_FMT ", %s: " STR_FMT, a, STR_ARG(x), b, STR_ARG(y));
}

static void test_addresses(void **state UNUSED)
{
	same_address("info@paypal.example", "INFO@PAYPAL.EXAMPLE", true);
	same_address("info@paypal.example", "info@paypa1.example", true);
	same_address("info@paypal.example", "lnfo@paypaI.example", true);
	same_address("info@paypal.example", "info@p\xd0\xb0ypal.example", true); /* a Cyrillic a */
	same_address("info@paypal.example", "info@xn--pypal-4ve.example", true); /* the same in A-labels */
	same_address("info@microsoft.example", "info@rnicr0s0ft.example", true);
	same_address("info@wave.example", "info@vvave.example", true);
	same_address("info@example.com", "info@ex\xc3\xa1mple.com", true);
	same_address("info@example.com", "info@example\xe2\x80\x8b.com", true); /* a blank of no width */
	same_address("info@example.com", "info@\xef\xbd\x85xample.com", true);  /* full width */
	same_address("info@example.com",
	             "info@example\xe3\x80\x82"
	             "com",
	             true); /* an ideographic full stop */
	same_address("info@paypal.example", "info@paypol.example", false);
	same_address("info@example.com", "info@example.org", false);
	same_address("info@example.com", "info.example@com", false);
	same_address("a@example.com", "b@example.com", false);
	same_address("a@example.com", "example.com", false);
}

static void test_names(void **state UNUSED)
{
	same_name("Smith, John", "john smith", true);
	same_name("J\xc3\xb6rg M\xc3\xbcller", "Mu\xcc\x88ller, Jorg", true);
	same_name("PayPal Service", "P\xd0\xb0yPaI  \"Service\"", true);
	same_name("Anna (work)", "work anna", true);
	same_name("IBM", "ibm", true);
	same_name("Stra\xc3\x9f"
	          "e",
	          "STRASSE", true);
	same_name("\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd", "\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd", true);
	same_name("\xe5\xb1\xb1\xe7\x94\xb0 \xe5\xa4\xaa\xe9\x83\x8e",
	          "\xe5\xa4\xaa\xe9\x83\x8e \xe5\xb1\xb1\xe7\x94\xb0", true);
	same_name("John Smith", "John Smyth", false);
	same_name("John Smith", "John", false);
	assert_str(skeleton_name(&memory, STR("Zoe, 'Abel' 42")), "42 abel zoe");
	assert_str(skeleton_name(&memory, STR("-- ... !")), "");
	assert_str(skeleton_name(&memory, STR_NONE), "");
	assert_str(skeleton_address(&memory, STR("")), "");
	assert_str(skeleton_name(&memory, STR("\xff\xfe\xc3")), "");
	assert_str(skeleton_name(&memory, STR("a\0b\xff")), "ab");
}

static void test_bounds(void **state UNUSED)
{
	char large[20000];
	ARENA(small, 10);

	memset(large, 'x', sizeof(large));
	assert_true(skeleton_address(&memory, str_make(large, sizeof(large))).n <= 32 << 10);
	for (size_t i = 0; i < sizeof(large); i += 2)
		large[i] = ' ';
	assert_true(skeleton_name(&memory, str_make(large, sizeof(large))).n > 0);
	assert_null(skeleton_address(&small, STR("somebody@example.com")).p);
	assert_null(skeleton_name(&small, STR("Somebody Else")).p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_addresses, begin, end),
		cmocka_unit_test_setup_teardown(test_names, begin, end),
		cmocka_unit_test_setup_teardown(test_bounds, begin, end),
	};

	return cmocka_run_group_tests_name("skeleton", tests, NULL, NULL);
}
