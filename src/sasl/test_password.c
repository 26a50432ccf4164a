/* SPDX-License-Identifier: ISC */
#include "sasl/password.h"

#include <time.h>

#include "base/test.h"

static void hashes_and_verifies(void **state)
{
	(void)state;
	BUF(first, 400);
	BUF(second, 400);

	assert_int_equal(password_hash(STR("pão de ló"), &first), OK);
	assert_int_equal(password_hash(STR("pão de ló"), &second), OK);
	assert_true(str_starts(buf_str(&first), STR("$y$")));
	assert_false(str_equal(buf_str(&first), buf_str(&second))); /* salted */
	assert_true(password_verify(STR("pão de ló"), buf_str(&first)));
	assert_false(password_verify(STR("pão de lo"), buf_str(&first)));
	assert_false(password_verify(STR("pão de ló "), buf_str(&first)));
}

static void reads_hashes_of_others(void **state)
{
	(void)state;
	/* sha512crypt.c of U. Drepper, test vector; bcrypt of libxcrypt's test-crypt-bcrypt */
	assert_true(password_verify(STR("Hello world!"),
	                            STR("$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJu"
	                                "esI68u4OTLiBFdcbYEdFCoEOfaS35inz1")));
	assert_true(password_verify(STR("U*U"), STR("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")));
}

static void refuses_what_libcrypt_cannot_take(void **state)
{
	(void)state;
	char longest[PASSWORD_MAX + 1];
	BUF(hash, 400);
	BUF(small, 8);

	memset(longest, 'x', sizeof(longest));
	assert_int_equal(password_hash(STR(""), &hash), E_SYNTAX);
	assert_int_equal(password_hash(STR("a\0b"), &hash), E_SYNTAX);
	assert_int_equal(password_hash(str_make(longest, PASSWORD_MAX + 1), &hash), E_SYNTAX);
	assert_int_equal(hash.n, 0);
	assert_int_equal(password_hash(STR("a"), &small), E_LIMIT);
	assert_int_equal(password_hash(str_make(longest, PASSWORD_MAX), &hash), OK);
	assert_true(password_verify(str_make(longest, PASSWORD_MAX), buf_str(&hash)));
	assert_false(password_verify(str_make(longest, PASSWORD_MAX - 1), buf_str(&hash)));
	assert_false(password_verify(str_make(longest, PASSWORD_MAX + 1), buf_str(&hash)));
}

static void unknown_hashes_never_match(void **state)
{
	(void)state;
	static const char *const hashes[] = {
		"", "x", "*", "*0", "!", "ab", "abJnggxhB/yWI", "$", "$y$", "$y$j9T$", "$nosuch$salt$hash", "a"};

	for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
		assert_false(password_verify(STR("a"), str_from(hashes[i])));
		assert_false(password_verify(STR(""), str_from(hashes[i])));
	}
	assert_false(password_verify(STR("a"), STR("$y$\0")));
}

static int64_t cpu_time_of(str password, str hash)
{
	struct timespec t0, t1;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t0);
	assert_false(password_verify(password, hash));
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t1);
	return (t1.tv_sec - t0.tv_sec) * 1000000000LL + t1.tv_nsec - t0.tv_nsec;
}

/* Half and twice: enough to tell 20 ms from nothing, whatever else the machine does. */
static void unknown_accounts_cost_the_same(void **state)
{
	(void)state;
	BUF(hash, 400);

	assert_int_equal(password_hash(STR("right"), &hash), OK);
	int64_t wrong = cpu_time_of(STR("wrong"), buf_str(&hash));
	int64_t unknown = cpu_time_of(STR("wrong"), STR(""));
	int64_t other = cpu_time_of(STR("wrong"), STR("{SSHA}whatever"));
	assert_in_range(unknown, wrong / 2, wrong * 2);
	assert_in_range(other, wrong / 2, wrong * 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_and_verifies),
		cmocka_unit_test(reads_hashes_of_others),
		cmocka_unit_test(refuses_what_libcrypt_cannot_take),
		cmocka_unit_test(unknown_hashes_never_match),
		cmocka_unit_test(unknown_accounts_cost_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
