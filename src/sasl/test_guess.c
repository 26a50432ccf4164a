/* SPDX-License-Identifier: ISC */
/* Who waits and who is refused, under a simulated clock. */
#include "sasl/guess.h"

#include <stdio.h>

#include "base/test.h"

#define MINUTE  (60 * NSEC_PER_SEC)
#define ALICE   "alice@example.org"
#define ACCOUNT 5

struct world {
	struct guess guess;
	struct arena memory;
	size_t overloaded;
};

static struct guesser who(struct world *w, const char *client, const char *name)
{
	struct net_address address;
	str key = guess_key(str_from(client), &address);
	uint64_t account = strcmp(name, ALICE) == 0 ? ACCOUNT : 0;

	/* the bytes of an address live in it */
	return guess_of(&w->guess, arena_str(&w->memory, key), str_from(name), account, &w->memory);
}

/* An attempt, which takes `seconds` of waiting. */
static err attempt(struct world *w, const char *client, const char *name, bool right, nsec *took)
{
	struct guesser g = who(w, client, name);
	nsec before = rt_now();
	err e = guess_wait(&w->guess, &g);

	*took = rt_now() - before;
	if (e != OK)
		return e;
	if (right)
		guess_succeeded(&w->guess, &g, ACCOUNT);
	else
		(void)guess_failed(&w->guess, &g);
	return OK;
}

static void many_addresses_fail(struct world *w, const char *name, int n)
{
	static int next;
	nsec took;

	for (int i = 0; i < n; i++, next++) {
		char client[32];

		snprintf(client, sizeof(client), "10.%d.%d.1", next / 250, next % 250);
		(void)!attempt(w, client, name, false, &took);
	}
}

static void an_attacked_account(struct world *w)
{
	nsec took;

	assert_int_equal(attempt(w, "192.0.2.7", ALICE, true, &took), OK); /* yesterday */
	for (int i = 0; i < 10; i++) {
		many_addresses_fail(w, ALICE, 1);
		many_addresses_fail(w, "nobody@example.org", 1);
	}
	/* a stranger waits, and in the same way at an account that nobody has */
	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? ALICE : "nobody@example.org";
		assert_int_equal(attempt(w, i == 0 ? "198.51.100.1" : "198.51.100.2", name, false, &took), OK);
		assert_int_equal(took, NSEC_PER_SEC / 2);
	}
	many_addresses_fail(w, "nobody@example.org", 300);
	assert_int_equal(attempt(w, "198.51.100.3", "nobody@example.org", true, &took), E_BUSY);
	many_addresses_fail(w, ALICE, 300);
	assert_int_equal(attempt(w, "198.51.100.3", ALICE, true, &took), E_BUSY);
	assert_int_equal(err_info()->reply, 454);
	/* the owner does not */
	assert_int_equal(attempt(w, "192.0.2.7", ALICE, true, &took), OK);
	assert_int_equal(took, 0);
	assert_int_equal(attempt(w, "192.0.2.200", ALICE, true, &took), OK);
	assert_int_equal(took, 0);
	/* nor anybody at another account */
	assert_int_equal(attempt(w, "198.51.100.3", "bob@example.org", true, &took), OK);
	assert_int_equal(took, 0);
	/* and one stranger is let in a minute later */
	assert_int_equal(rt_sleep_until(rt_after(MINUTE)), OK);
	assert_int_equal(attempt(w, "198.51.100.3", ALICE, true, &took), OK);
	assert_int_equal(attempt(w, "198.51.100.3", ALICE, true, &took), OK); /* who is none any more */
	assert_int_equal(took, 0);
}

/* Somebody behind the same address tries passwords. */
static void a_neighbour(struct world *w)
{
	nsec took;

	assert_int_equal(attempt(w, "192.0.2.7", ALICE, true, &took), OK);
	for (int i = 0; i < 60; i++)
		(void)!attempt(w, "192.0.2.7", "bob@example.org", false, &took);
	assert_int_equal(attempt(w, "192.0.2.7", "bob@example.org", false, &took), E_BUSY);
	assert_int_equal(attempt(w, "192.0.2.7", "carol@example.org", false, &took), E_BUSY);
	assert_int_equal(attempt(w, "192.0.2.7", ALICE, true, &took), OK);
	assert_int_equal(took, 0);
}

/* A client with an old password: it is slowed down, as an address is, and neither the others behind it nor the account. */
static void an_old_password(struct world *w)
{
	nsec took;

	assert_int_equal(attempt(w, "192.0.2.7", ALICE, true, &took), OK);
	for (int i = 0; i < 60; i++)
		(void)!attempt(w, "192.0.2.7", ALICE, false, &took);
	assert_int_equal(attempt(w, "192.0.2.7", ALICE, true, &took), E_BUSY);
	assert_int_equal(attempt(w, "192.0.2.7", "bob@example.org", true, &took), OK);
	assert_int_equal(took, 0);
	assert_int_equal(attempt(w, "198.51.100.3", ALICE, true, &took), OK);
	assert_int_equal(took, 0);
	assert_int_equal(rt_sleep_until(rt_after(12 * NSEC_PER_SEC)), OK);
	assert_int_equal(attempt(w, "192.0.2.7", ALICE, true, &took), OK);
	assert_int_equal(took, 5 * NSEC_PER_SEC);
}

struct one {
	struct world *w;
	const char *client;
};

static void wait_for(void *arg)
{
	struct one *x = arg;
	struct guesser g = who(x->w, x->client, "bob@example.org");

	if (guess_wait(&x->w->guess, &g) == E_BUSY && strcmp(x->client, "192.0.2.7") == 0)
		x->w->overloaded++;
}

/* Nobody takes all the places in which one waits. */
static void places_to_wait(struct world *w)
{
	struct one one = {w, "192.0.2.7"}, other = {w, "192.0.2.8"};
	nsec took;

	for (int i = 0; i < 5; i++) {
		assert_int_equal(attempt(w, one.client, "x", false, &took), OK);
		assert_int_equal(attempt(w, other.client, "x", false, &took), OK);
	}
	for (int i = 0; i < 50; i++)
		assert_non_null(rt_spawn(wait_for, &one, "one"));
	rt_yield();
	assert_int_equal(w->overloaded, 30);
	assert_int_equal(w->guess.delayed.n, 20);
	assert_int_equal(attempt(w, other.client, "y", false, &took), OK);
	assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_SEC)), OK);
	assert_int_equal(w->guess.delayed.n, 0);
	assert_int_equal(w->overloaded, 30);
}

static void exceptions(struct world *w)
{
	static const char *const clients[] = {"127.0.0.1", "127.9.9.9", "::1", "unix"};
	nsec took;

	for (int i = 0; i < 200; i++) {
		assert_int_equal(attempt(w, clients[i % 4], ALICE, false, &took), OK);
		assert_int_equal(took, 0);
	}
	assert_int_equal(attempt(w, "192.0.2.7", ALICE, true, &took), OK);
	assert_int_equal(took, 0);
}

/* Once, in the moment in which it happens. */
static void it_is_told(struct world *w)
{
	int told = 0;

	for (int i = 0; i < 200; i++) {
		char client[32];

		snprintf(client, sizeof(client), "10.0.%d.1", i);
		struct guesser g = who(w, client, ALICE);
		if (guess_check(&w->guess, &g) == OK)
			told += guess_failed(&w->guess, &g);
	}
	assert_int_equal(told, 1);
}

struct play {
	struct world *world;
	void (*story)(struct world *w);
};

static void tell(void *arg)
{
	struct play *p = arg;

	p->story(p->world);
}

static void play(void (*story)(struct world *w))
{
	struct world w = {.memory = ARENA_INIT(1 << 20)};
	struct play p = {&w, story};

	guess_init(&w.guess);
	assert_int_equal(rt_run_simulated(1, tell, &p), OK);
	guess_free(&w.guess);
	arena_free(&w.memory);
}

#define TEST(name)                            \
	static void test_##name(void **state) \
	{                                     \
		(void)state;                  \
		play(name);                   \
	}

TEST(an_attacked_account)
TEST(a_neighbour)
TEST(an_old_password)
TEST(places_to_wait)
TEST(exceptions)
TEST(it_is_told)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_attacked_account), cmocka_unit_test(test_a_neighbour),
		cmocka_unit_test(test_an_old_password),     cmocka_unit_test(test_places_to_wait),
		cmocka_unit_test(test_exceptions),          cmocka_unit_test(test_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
