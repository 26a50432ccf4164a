/* SPDX-License-Identifier: ISC */
/* When keys are fetched, under a simulated clock. */
#include "oauth/keyset.h"

#include "base/log.h"
#include "base/test.h"
#include "oauth/tokens.h"

#define HOUR (3600 * NSEC_PER_SEC)

static struct world {
	struct keyset keys;
	const char *published; /* NULL: the issuer is away */
	nsec takes;
	size_t fetched, done, good;
} w;

static err fetch(void *ctx UNUSED, struct jwks **out)
{
	w.fetched++;
	if (w.takes > 0 && rt_sleep_until(rt_after(w.takes)) != OK)
		return E_CANCELLED;
	return w.published == NULL ? err_note(E_TEMP, "as the test wants it") : jwks_read(str_from(w.published), out);
}

static const struct keyset_source source = {NULL, fetch};

static err verify(const char *token)
{
	ARENA(a, 1 << 17);
	struct jwt t;

	assert_int_equal(jwt_read(str_from(token), &a, &t), OK);
	err e = keyset_verify(&w.keys, &t, &source);
	jwt_free(&t);
	return e;
}

static void wait_for(nsec time)
{
	assert_int_equal(rt_sleep_until(rt_after(time)), OK);
}

static void (*story)(void);

static void tell(void *arg UNUSED)
{
	keyset_init(&w.keys);
	story();
	keyset_free(&w.keys);
}

static void play(void (*s)(void))
{
	w = (struct world){.published = token_keys};
	story = s;
	log_to(-1);
	assert_int_equal(rt_run_simulated(1, tell, NULL), OK);
}

static void refresh_story(void)
{
	assert_int_equal(verify(token_rs256), OK);
	assert_int_equal(verify(token_es256), OK);
	assert_int_equal(verify(token_foreign), E_DENIED);
	assert_int_equal(w.fetched, 1);
	wait_for(HOUR);
	assert_int_equal(verify(token_rs256), OK);
	assert_int_equal(w.fetched, 2);
	w.published = NULL; /* the issuer is away: what is known counts for a day, and it is asked once a minute */
	wait_for(HOUR);
	assert_int_equal(verify(token_rs256), OK);
	assert_int_equal(verify(token_rs256), OK);
	assert_int_equal(w.fetched, 3);
	wait_for(60 * NSEC_PER_SEC);
	assert_int_equal(verify(token_rs256), OK);
	assert_int_equal(w.fetched, 4);
	wait_for(23 * HOUR);
	assert_int_equal(verify(token_rs256), E_TEMP);
	assert_int_equal(err_info()->reply, 454);
	w.published = token_other_keys;
	wait_for(60 * NSEC_PER_SEC);
	assert_int_equal(verify(token_rs256), E_DENIED);
	assert_int_equal(verify(token_new), OK);
}

static void keys_are_renewed(void **state UNUSED)
{
	play(refresh_story);
}

static void unknown_story(void)
{
	assert_int_equal(verify(token_new), E_DENIED);
	assert_int_equal(w.fetched, 2);
	w.published = token_other_keys; /* new keys are known at once */
	assert_int_equal(verify(token_new), OK);
	assert_int_equal(w.fetched, 3);
	assert_int_equal(verify(token_new), OK);
	assert_int_equal(w.fetched, 3);
	for (int i = 0; i < 10; i++) /* but no token makes us ask again and again */
		assert_int_equal(verify(token_rs256), E_DENIED);
	assert_int_equal(w.fetched, 4);
	wait_for(60 * NSEC_PER_SEC);
	for (int i = 0; i < 10; i++)
		assert_int_equal(verify(token_rs256), E_DENIED);
	assert_int_equal(w.fetched, 5);
	wait_for(600 * NSEC_PER_SEC);
	w.published = token_keys; /* a token without a name of its key */
	assert_int_equal(verify(token_no_kid), OK);
	assert_int_equal(w.fetched, 6);
}

static void unknown_keys(void **state UNUSED)
{
	play(unknown_story);
}

static void away_story(void)
{
	w.published = NULL;
	assert_int_equal(verify(token_rs256), E_TEMP);
	assert_int_equal(verify(token_rs256), E_TEMP);
	assert_int_equal(w.fetched, 1);
	wait_for(2 * NSEC_PER_SEC);
	w.published = "<html>";
	assert_int_equal(verify(token_rs256), E_TEMP);
	assert_int_equal(w.fetched, 2);
	wait_for(2 * NSEC_PER_SEC);
	w.published = token_keys;
	assert_int_equal(verify(token_rs256), OK);
	keyset_forget(&w.keys);
	assert_int_equal(verify(token_rs256), OK);
	assert_int_equal(w.fetched, 4);
}

static void an_issuer_that_is_away(void **state UNUSED)
{
	play(away_story);
}

static void one_of_many(void *arg UNUSED)
{
	w.good += verify(token_rs256) == OK;
	w.done++;
}

/* Those who come meanwhile have the same answer, and do not wait one after the other. */
static void together_story(void)
{
	w.takes = 10 * NSEC_PER_SEC;
	for (int i = 0; i < 50; i++)
		assert_non_null(rt_spawn(one_of_many, NULL, "verify"));
	wait_for(11 * NSEC_PER_SEC);
	assert_int_equal(w.done, 50);
	assert_int_equal(w.good, 50);
	assert_int_equal(w.fetched, 1);
	keyset_forget(&w.keys);
	w.published = NULL;
	for (int i = 0; i < 50; i++)
		assert_non_null(rt_spawn(one_of_many, NULL, "verify"));
	wait_for(11 * NSEC_PER_SEC);
	assert_int_equal(w.done, 100);
	assert_int_equal(w.fetched, 2);
}

static void many_at_once(void **state UNUSED)
{
	play(together_story);
}

/* Keys of an issuer who is no longer ours are not taken. */
static void forgotten_story(void)
{
	w.takes = 10 * NSEC_PER_SEC;
	assert_non_null(rt_spawn(one_of_many, NULL, "verify"));
	wait_for(5 * NSEC_PER_SEC);
	keyset_forget(&w.keys);
	wait_for(6 * NSEC_PER_SEC);
	assert_int_equal(w.done, 1);
	assert_int_equal(w.good, 0);
	assert_null(w.keys.jwks);
}

static void forgotten_meanwhile(void **state UNUSED)
{
	play(forgotten_story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(keys_are_renewed), cmocka_unit_test(unknown_keys),
	                                   cmocka_unit_test(an_issuer_that_is_away), cmocka_unit_test(many_at_once),
	                                   cmocka_unit_test(forgotten_meanwhile)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
