/* SPDX-License-Identifier: ISC */
#include "filter/fake.h"
#include "filter/keyring.h"

#define DAY (86400 * 1000000ULL)

static struct domain_key old_rsa = {STR("example.org"),           STR("old"), STR("rsa"), 1, 1 * DAY,
                                    STR("v=DKIM1; k=rsa; p=OLD"), STR_NONE};
static struct domain_key new_rsa = {STR("example.org"),           STR("new"), STR("rsa"), 2, 2 * DAY,
                                    STR("v=DKIM1; k=rsa; p=NEW"), STR_NONE};
static struct domain_key newest_rsa = {STR("example.org"),       STR("newest"), STR("rsa"), 3, 3 * DAY,
                                       STR("v=DKIM1; p=NEWEST"), STR_NONE};
static struct domain_key ed = {
	STR("example.org"), STR("ed"), STR("ed25519"), 4, 1 * DAY, STR("v=DKIM1; k=ed25519; p=ED"), STR_NONE};

static struct keyring *ring_of(struct fake *f, const struct domain_key *keys, size_t n)
{
	struct domain_key copies[4];
	const struct certify_request q = {.domain_keys = copies, .domain_keys_n = n};
	struct keyring *k;

	memcpy(copies, keys, n * sizeof(*keys));
	assert_int_equal(keyring_new(&f->resolver, f->link, &k), OK);
	assert_int_equal(keyring_replace(k, &q), OK);
	assert_int_equal(keyring_start(k), OK);
	return k;
}

static void wait_a_moment(void)
{
	assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_SEC)), OK);
}

static void end(struct fake *f, struct keyring *k)
{
	keyring_stop(k);
	keyring_free(k);
	fake_end(f);
}

static void expect_picked(struct keyring *k, unsigned algorithms, const char *first, const char *second)
{
	struct dkim_key keys[KEYRING_KEYS_MAX];
	const char *const expected[] = {first, second};
	ARENA(a, 1 << 16);
	size_t n = keyring_pick(k, STR("example.org"), algorithms, &a, keys);

	assert_int_equal(n, (first != NULL) + (second != NULL));
	for (size_t i = 0; i < n; i++)
		assert_str(keys[i].selector, expected[i]);
}

static void none_published_run(void *arg UNUSED)
{
	const struct domain_key keys[] = {new_rsa, old_rsa, ed};
	struct fake f;

	fake_begin(&f, (const char *const[]){NULL});
	struct keyring *k = ring_of(&f, keys, 3);
	expect_picked(k, DKIM_RSA | DKIM_ED25519, "old", "ed");
	wait_a_moment();
	expect_picked(k, DKIM_RSA | DKIM_ED25519, "old", "ed");
	expect_picked(k, DKIM_RSA, "old", NULL);
	expect_picked(k, DKIM_ED25519, "ed", NULL);
	expect_picked(k, 0, NULL, NULL);
	end(&f, k);
}

/* Of those that are there the newest; one of the same name with another key is not there. */
static void the_newest_published_run(void *arg UNUSED)
{
	const struct domain_key keys[] = {old_rsa, new_rsa, newest_rsa};
	struct fake f;

	fake_begin(&f, (const char *const[]){"old._domainkey.example.org TXT v=DKIM1;p=OLD",
	                                     "new._domainkey.example.org TXT v=DKIM1; k=rsa; p=N EW",
	                                     "newest._domainkey.example.org TXT v=DKIM1; p=OTHER", NULL});
	struct keyring *k = ring_of(&f, keys, 3);
	wait_a_moment();
	expect_picked(k, DKIM_RSA | DKIM_ED25519, "new", NULL);
	vector_zone_line(&f.dns, "newest._domainkey.example.org TXT v=DKIM1; p=NEWEST");
	expect_picked(k, DKIM_RSA | DKIM_ED25519, "new", NULL);
	assert_int_equal(rt_sleep_until(rt_after(120 * NSEC_PER_SEC)), OK);
	expect_picked(k, DKIM_RSA | DKIM_ED25519, "newest", NULL);
	end(&f, k);
}

/* New keys are looked up at once; what was known of the others is known still. */
static void replaced_run(void *arg UNUSED)
{
	const struct domain_key keys[] = {old_rsa, new_rsa};
	struct domain_key more[] = {old_rsa, new_rsa, newest_rsa};
	const struct certify_request q = {.domain_keys = more, .domain_keys_n = 3};
	struct fake f;

	fake_begin(&f, (const char *const[]){"new._domainkey.example.org TXT p=NEW",
	                                     "newest._domainkey.example.org TXT p=NEWEST", NULL});
	struct keyring *k = ring_of(&f, keys, 2);
	wait_a_moment();
	assert_int_equal(keyring_replace(k, &q), OK);
	expect_picked(k, DKIM_RSA, "new", NULL);
	wait_a_moment();
	expect_picked(k, DKIM_RSA, "newest", NULL);
	end(&f, k);
}

/* Thousands of keys come in parts, used when the last is there; what is made later comes beside them. */
static void parts_run(void *arg UNUSED)
{
	struct domain_key keys[] = {old_rsa, new_rsa, ed};
	const struct certify_request first = {.domain_keys = keys, .domain_keys_n = 1, .part = CERTIFY_PART};
	const struct certify_request last = {
		.domain_keys = keys + 1, .domain_keys_n = 1, .part = CERTIFY_ALL, .from = 1};
	const struct certify_request more = {.domain_keys = keys + 2, .domain_keys_n = 1, .part = CERTIFY_MORE};
	struct fake f;

	fake_begin(&f, (const char *const[]){"new._domainkey.example.org TXT p=NEW", NULL});
	struct keyring *k = ring_of(&f, keys, 0);
	assert_int_equal(keyring_replace(k, &last), E_SYNTAX);
	assert_int_equal(keyring_replace(k, &first), OK);
	expect_picked(k, DKIM_RSA | DKIM_ED25519, NULL, NULL);
	assert_int_equal(keyring_replace(k, &last), OK);
	wait_a_moment();
	expect_picked(k, DKIM_RSA | DKIM_ED25519, "new", NULL);
	assert_int_equal(keyring_replace(k, &more), OK);
	assert_int_equal(keyring_replace(k, &more), OK);
	expect_picked(k, DKIM_RSA | DKIM_ED25519, "new", "ed");
	end(&f, k);
}

static void signing_run(void *arg UNUSED)
{
	const struct domain_key keys[] = {old_rsa};
	struct dkim_key picked[KEYRING_KEYS_MAX];
	struct fake f;
	BUF(out, 4096);
	ARENA(a, 1 << 16);

	fake_begin(&f, (const char *const[]){NULL});
	struct keyring *k = ring_of(&f, keys, 1);
	assert_int_equal(keyring_pick(k, STR("example.org"), DKIM_RSA, &a, picked), 1);
	assert_int_equal(picked[0].sign(picked[0].ctx, STR("0123456789abcdef0123456789abcdef"), &out), OK);
	assert_str(buf_str(&out), "signature by 1");
	assert_int_equal(keyring_pick(k, STR("other.example"), DKIM_RSA, &a, picked), 0);
	f.keys_away = true;
	assert_int_equal(picked[0].sign(picked[0].ctx, STR("0123456789abcdef0123456789abcdef"), &out), E_NOT_FOUND);
	end(&f, k);
}

SIMULATED(none_published)
SIMULATED(the_newest_published)
SIMULATED(replaced)
SIMULATED(parts)
SIMULATED(signing)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_published), cmocka_unit_test(the_newest_published),
		cmocka_unit_test(replaced),       cmocka_unit_test(parts),
		cmocka_unit_test(signing),
	};

	return cmocka_run_group_tests_name("keyring", tests, NULL, NULL);
}
