/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim_key_cache.h"

#include "base/buf.h"
#include "base/encode.h"
#include "base/test.h"

static struct dkim_key_cache *cache;

static int begin(void **state UNUSED)
{
	return dkim_key_cache_new(&cache) == OK ? 0 : -1;
}

static int end(void **state UNUSED)
{
	dkim_key_cache_free(cache);
	return 0;
}

/* A record of Ed25519, another for each `n`. */
static const struct dkim_public *take(struct dkim_key_cache *c, unsigned n, const char *more)
{
	char key[32] = {0};
	const struct dkim_public *k;
	BUF(text, 512);

	key[0] = (char)n;
	key[1] = (char)(n >> 8);
	buf_printf(&text, "v=DKIM1; k=ed25519; %sp=", more);
	base64_encode(&text, str_make(key, sizeof(key)));
	assert_int_equal(dkim_public_take(c, buf_str(&text), &k), OK);
	return k;
}

static void test_the_same(void **state UNUSED)
{
	const struct dkim_public *a = take(cache, 1, ""), *b = take(cache, 1, ""), *c = take(cache, 2, "");

	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	assert_non_null(a->key);
	assert_true(a->record.ed25519);
	assert_int_equal(dkim_key_cache_counts(cache).kept, 2);
	assert_int_equal(dkim_key_cache_counts(cache).hits, 1);
	assert_int_equal(dkim_key_cache_counts(cache).reads, 2);
	dkim_public_release(a);
	dkim_public_release(b);
	dkim_public_release(c);
}

/* The record says more than the key: another record is another entry. */
static void test_flags(void **state UNUSED)
{
	const struct dkim_public *plain = take(cache, 1, ""), *testing = take(cache, 1, "t=y:s; ");

	assert_false(plain->record.testing || plain->record.strict);
	assert_true(testing->record.testing && testing->record.strict);
	dkim_public_release(plain);
	dkim_public_release(testing);
}

static void assert_why(struct dkim_key_cache *c, const char *text, const char *why)
{
	const struct dkim_public *k;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(dkim_public_take(c, str_from(text), &k), OK);
		assert_null(k->key);
		assert_str(k->why, why);
		dkim_public_release(k);
	}
}

static void test_no_key(void **state UNUSED)
{
	struct dkim_key_cache *with[] = {cache, NULL};

	for (size_t i = 0; i < ARRAY_LEN(with); i++) {
		assert_why(with[i], "v=DKIM1; p=", "the key has been revoked");
		assert_why(with[i], "v=DKIM1; k=ed25519; p=AAAA", "no public key of Ed25519");
		assert_why(with[i], "v=DKIM2; p=AAAA", "the key record is of another version");
	}
	assert_why(cache, "v=DKIM1", "the key record has no p=");
	assert_int_equal(dkim_key_cache_counts(cache).kept, 4);
}

/* What is held outlives its place; what was used last stays. */
static void test_bounded(void **state UNUSED)
{
	const struct dkim_public *held = take(cache, 0, "");

	for (unsigned i = 1; i <= DKIM_KEY_CACHE_MAX; i++) {
		dkim_public_release(take(cache, i, ""));
		dkim_public_release(take(cache, 1, ""));
	}
	assert_int_equal(dkim_key_cache_counts(cache).kept, DKIM_KEY_CACHE_MAX);
	assert_int_equal(dkim_key_cache_counts(cache).reads, DKIM_KEY_CACHE_MAX + 1);
	assert_int_equal(signature_public_bits(held->key), 256);
	const struct dkim_public *again = take(cache, 0, "");
	assert_ptr_not_equal(held, again);
	assert_int_equal(dkim_key_cache_counts(cache).reads, DKIM_KEY_CACHE_MAX + 2);
	dkim_public_release(held);
	dkim_public_release(again);
}

static void test_not_remembered(void **state UNUSED)
{
	const struct dkim_public *a = take(NULL, 1, ""), *b = take(NULL, 1, "");

	assert_ptr_not_equal(a, b);
	dkim_public_release(a);
	dkim_public_release(b);
	dkim_key_cache_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_same, begin, end),
		cmocka_unit_test_setup_teardown(test_flags, begin, end),
		cmocka_unit_test_setup_teardown(test_no_key, begin, end),
		cmocka_unit_test_setup_teardown(test_bounded, begin, end),
		cmocka_unit_test(test_not_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
