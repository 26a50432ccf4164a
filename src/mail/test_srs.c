/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/date.h"
#include "mail/address.h"
#include "mail/srs.h"

#define DAY    (86400 * USEC_PER_SEC)
#define NOW    (20000 * DAY + 5)
#define SECRET STR("0123456789abcdef")

static str local_of(str address)
{
	struct address a;

	assert_int_equal(address_parse(address, true, &a), OK);
	return a.local;
}

static str forward(struct arena *a, const char *sender)
{
	return srs_forward(SECRET, str_from(sender), STR("ours.example"), NOW, a);
}

static void assert_returns(const char *sender)
{
	ARENA(a, 64 << 10);
	str back, there = forward(&a, sender);

	assert_true(str_ends(there, STR("@ours.example")));
	assert_int_equal(srs_reverse(SECRET, local_of(there), NOW, &back, &a), OK);
	assert_str(back, sender);
	/* Looked up by its key: without quotes, in lower case. */
	assert_int_equal(srs_reverse(SECRET, arena_lower(&a, address_unquote(&a, local_of(there))), NOW, &back, &a),
	                 OK);
	assert_true(str_equal_nocase(back, str_from(sender)));
}

static void test_there_and_back(void **state UNUSED)
{
	assert_returns("alice@example.com");
	assert_returns("Alice.B+c=d@Example.COM");
	assert_returns("\"a b\"@example.com");
	assert_returns("\"a\\\"b\\\\c\"@example.com");
	assert_returns("\"@\"@example.com");
	assert_returns("\"\"@example.com");
	assert_returns("j\xc3\xbcrgen@b\xc3\xbc"
	               "cher.example");
	assert_returns("x@[192.0.2.1]");
	assert_returns("x@[IPv6:2001:db8::1]");
	assert_returns("SRS9=x@example.com");
	assert_returns("SRS1=nothing@example.com");
	assert_returns("SRS1=x=no-.domain==x@example.com");
}

static void test_form(void **state UNUSED)
{
	ARENA(a, 64 << 10);
	str there = forward(&a, "alice@example.com");

	assert_true(str_starts(there, STR("SRS0=")));
	assert_true(str_ends(there, STR("=RA=example.com=alice@ours.example")));
	assert_int_equal(there.n, sizeof("SRS0=hhhhhh=RA=example.com=alice@ours.example") - 1);
	assert_true(str_starts(forward(&a, "\"a b\"@example.com"), STR("\"SRS0=")));
}

static void test_a_sender_of_ours_stays(void **state UNUSED)
{
	ARENA(a, 64 << 10);

	assert_str(forward(&a, "alice@Ours.example"), "alice@Ours.example");
}

/* What others have rewritten before leads back over the first of them, however many there were. */
static void test_rewritten_by_others(void **state UNUSED)
{
	ARENA(a, 64 << 10);
	str back, there = forward(&a, "SRS0=abcd=YZ=example.com=alice@first.example");

	assert_true(str_starts(there, STR("SRS1=")));
	assert_true(str_ends(there, STR("=first.example==abcd=YZ=example.com=alice@ours.example")));
	assert_int_equal(srs_reverse(SECRET, local_of(there), NOW, &back, &a), OK);
	assert_str(back, "SRS0=abcd=YZ=example.com=alice@first.example");

	there = forward(&a, "SRS1=XXXX=first.example=-abcd=YZ=example.com=alice@second.example");
	assert_true(str_ends(there, STR("=first.example=-abcd=YZ=example.com=alice@ours.example")));
	assert_int_equal(srs_reverse(SECRET, local_of(there), NOW, &back, &a), OK);
	assert_str(back, "SRS0-abcd=YZ=example.com=alice@first.example");
}

static void test_too_old(void **state UNUSED)
{
	ARENA(a, 64 << 10);
	str back, local = local_of(forward(&a, "alice@example.com"));

	assert_int_equal(srs_reverse(SECRET, local, NOW + SRS_DAYS * DAY, &back, &a), OK);
	assert_int_equal(srs_reverse(SECRET, local, NOW - DAY, &back, &a), OK);
	assert_int_equal(srs_reverse(SECRET, local, NOW - 2 * DAY, &back, &a), E_DENIED);
	assert_int_equal(srs_reverse(SECRET, local, NOW + (SRS_DAYS + 1) * DAY, &back, &a), E_DENIED);
	assert_int_equal(err_info()->reply, 550);
	assert_string_equal(err_info()->status, "5.7.1");
}

static void test_forged(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	str back, local = local_of(forward(&a, "alice@example.com"));
	char *p = arena_z(&a, local);

	assert_int_equal(srs_reverse(STR("another"), local, NOW, &back, &a), E_DENIED);
	for (size_t i = sizeof("SRS0=") - 1; i < local.n; i++) {
		char was = p[i];
		p[i] = was == 'x' ? 'y' : 'x';
		assert_int_not_equal(srs_reverse(SECRET, str_make(p, local.n), NOW, &back, &a), OK);
		p[i] = was;
	}
	assert_int_equal(srs_reverse(SECRET, str_make(p, local.n), NOW, &back, &a), OK);
	assert_int_equal(srs_reverse(SECRET, STR("SRS1=AAAAAA=example.com==x"), NOW, &back, &a), E_DENIED);
	assert_int_equal(srs_reverse(SECRET, STR("SRS0=A=AA=example.com=x"), NOW, &back, &a), E_DENIED);
}

static void test_not_ours_in_form(void **state UNUSED)
{
	static const char *const others[] = {"alice",         "",
	                                     "SRS0",          "SRS0=",
	                                     "SRS0=a",        "SRS0=a=bc=d",
	                                     "SRS0==bc=d=e",  "SRS0=a=b=c=d",
	                                     "SRS0+a=bc=d=e", "SRS1=a=b",
	                                     "SRS1=a=b=c",    "SRS1=a==c",
	                                     "SRS1-a=b==c",   "SRS2=a=bc=d=e",
	                                     "\"\""};
	ARENA(a, 64 << 10);
	str back;

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (srs_reverse(SECRET, str_from(others[i]), NOW, &back, &a) != E_NOT_FOUND)
			fail_msg("%s", others[i]);
}

#define TEN "xxxxxxxxxx"

static void test_length(void **state UNUSED)
{
	ARENA(a, 64 << 10);

	/* More than 64 octets, but a path of at most 256. */
	assert_returns(TEN TEN TEN TEN TEN TEN "@example.com");
	assert_returns("u@" TEN TEN TEN TEN TEN "." TEN TEN TEN TEN TEN "." TEN TEN TEN TEN TEN "." TEN TEN TEN TEN TEN
	               ".com");
	assert_int_equal(forward(&a, TEN TEN "@" TEN TEN TEN TEN TEN "." TEN TEN TEN TEN TEN "." TEN TEN TEN TEN TEN
	                                     "." TEN TEN TEN TEN TEN ".com")
	                         .n,
	                 0);
	assert_int_equal(forward(&a, "no address").n, 0);
	ARENA(small, 16);
	assert_int_equal(forward(&small, "alice@example.com").n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_a_sender_of_ours_stays),
		cmocka_unit_test(test_rewritten_by_others),
		cmocka_unit_test(test_too_old),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_not_ours_in_form),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
