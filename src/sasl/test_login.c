/* SPDX-License-Identifier: ISC */
/* Logins against a store that answers from memory, under a simulated clock. */
#include "sasl/login.h"

#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/test.h"
#include "sasl/password.h"

struct world {
	void (*story)(struct world *w);
	err credential, grant; /* what the store's calls return */
	uint64_t disabled;
	str hash; /* of alice */
	size_t grants, credentials;
	struct link_service service;
	struct link *server, *client;
	struct login_service *logins;
	size_t denied, busy; /* of attempts made at once */
};

static str alice_hash, changed_hash;

static err serve_credential(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	struct world *w = ctx;
	const struct credential_request *q = request;
	struct credential_reply *r = reply;

	(void)from, (void)arena;
	w->credentials++;
	if (w->credential != OK)
		return err_note(w->credential, "as the test wants it");
	if (!str_equal(q->user, STR("alice@example.org")))
		return err_note(E_NOT_FOUND, "no such account");
	*r = (struct credential_reply){.account = 5, .address = q->user, .hash = w->hash, .disabled = w->disabled};
	return OK;
}

static err serve_grant(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	struct world *w = ctx;
	const struct grant_request *q = request;

	(void)from, (void)reply, (void)arena;
	assert_int_equal(q->account, 5);
	assert_str(q->edge, "edge-0");
	assert_str(q->session, "s1");
	if (w->grant != OK)
		return err_note(w->grant, "as the test wants it");
	w->grants++;
	return OK;
}

static void tell(void *arg)
{
	struct world *w = arg;
	struct stream *a, *b;

	w->service = (struct link_service){
		.ctx = w, .handlers = {[CALL_credential] = serve_credential, [CALL_grant] = serve_grant}};
	w->server = link_new("keys", &w->service);
	w->client = link_new("store", NULL);
	assert_true(stream_pair(&a, &b, 1 << 16, false));
	assert_int_equal(link_attach_stream(w->server, a), OK);
	assert_int_equal(link_attach_stream(w->client, b), OK);
	w->logins = login_service_new(w->client);
	assert_non_null(w->logins);
	w->story(w);
	login_service_free(w->logins);
	link_free(w->client);
	link_free(w->server);
}

static void play(void (*story)(struct world *w))
{
	struct world w = {.story = story, .hash = alice_hash};

	log_to(-1);
	assert_int_equal(rt_run_simulated(1, tell, &w), OK);
}

static err login(struct world *w, const char *client, const char *user, const char *password)
{
	struct login_request q = {.session = STR("s1"),
	                          .client = str_from(client),
	                          .service = STR("pop3"),
	                          .mechanism = STR("PLAIN"),
	                          .user = str_from(user),
	                          .password = str_from(password)};
	struct login_reply r = {0};
	ARENA(a, 1 << 16);
	err e = login_serve(w->logins, "edge-0", &q, &r, &a);

	if (e == OK) {
		assert_int_equal(r.account, 5);
		assert_str(r.address, "alice@example.org");
	}
	return e;
}

#define ALICE "alice@example.org"

static void answers_story(struct world *w)
{
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), OK);
	assert_int_equal(w->grants, 1);
	assert_int_equal(login(w, "192.0.2.1", ALICE, "wrong"), E_DENIED);
	assert_int_equal(err_info()->reply, 535);
	assert_string_equal(err_info()->status, "5.7.8");
	assert_int_equal(login(w, "192.0.2.1", "nobody@example.org", "right"), E_DENIED);
	assert_int_equal(login(w, "192.0.2.1", ALICE, ""), E_DENIED);
	w->credential = E_SYNTAX;
	assert_int_equal(login(w, "192.0.2.1", "<>", "right"), E_DENIED);
	w->credential = E_TEMP;
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), E_TEMP);
	w->credential = OK;
	w->grant = E_DENIED;
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), E_TEMP);
	w->grant = OK;
	w->disabled = 1;
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), E_DENIED);
	assert_int_equal(w->grants, 1);
}

static void answers(void **state)
{
	(void)state;
	play(answers_story);
}

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t cost(struct world *w, const char *user, const char *password, err want)
{
	int64_t before = cpu_ns();

	assert_int_equal(login(w, "127.0.0.1", user, password), want);
	return cpu_ns() - before;
}

static void remembered_story(struct world *w)
{
	int64_t first = cost(w, ALICE, "right", OK);

	assert_true(cost(w, ALICE, "right", OK) < first / 4);
	assert_true(cost(w, ALICE, "wrong", E_DENIED) > first / 4);
	assert_true(cost(w, ALICE, "right", OK) < first / 4);
	w->disabled = 1; /* costs the same, whoever knows the password */
	assert_true(cost(w, ALICE, "right", E_DENIED) > first / 4);
	w->disabled = 0;
	w->hash = changed_hash; /* the password is changed */
	assert_int_equal(login(w, "127.0.0.1", ALICE, "right"), E_DENIED);
	w->hash = alice_hash;
	assert_int_equal(rt_sleep_until(rt_after(301 * NSEC_PER_SEC)), OK);
	assert_true(cost(w, ALICE, "right", OK) > first / 4);
	assert_int_equal(w->credentials, 7);
}

static void right_passwords_are_remembered(void **state)
{
	(void)state;
	play(remembered_story);
}

static void unknown_costs_the_same_story(struct world *w)
{
	int64_t wrong = cost(w, ALICE, "wrong", E_DENIED);
	int64_t unknown = cost(w, "nobody@example.org", "wrong", E_DENIED);

	assert_in_range(unknown, wrong / 2, wrong * 2);
}

static void unknown_users_cost_the_same(void **state)
{
	(void)state;
	play(unknown_costs_the_same_story);
}

static nsec time_of_failure(struct world *w, const char *client)
{
	nsec before = rt_now();

	assert_int_equal(login(w, client, ALICE, "wrong"), E_DENIED);
	return rt_now() - before;
}

static void guessing_story(struct world *w)
{
	nsec slept = 0;

	for (int i = 0; i < 5; i++)
		assert_int_equal(time_of_failure(w, "192.0.2.1"), 0);
	for (int i = 0; i < 15; i++) {
		nsec took = time_of_failure(w, "192.0.2.1");
		assert_in_range(took, NSEC_PER_SEC / 2, 5 * NSEC_PER_SEC);
		slept += took;
	}
	assert_in_range(slept, 10 * NSEC_PER_SEC, 60 * NSEC_PER_SEC);
	while (login(w, "192.0.2.1", ALICE, "wrong") == E_DENIED) /* what was paid off while we slept */
		continue;
	size_t asked = w->credentials;
	int64_t before = cpu_ns();
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), E_BUSY);
	assert_int_equal(err_info()->reply, 454);
	assert_string_equal(err_info()->status, "4.7.0");
	assert_true(cpu_ns() - before < 5000000);
	assert_int_equal(w->credentials, asked);
	assert_int_equal(login(w, "192.0.2.2", ALICE, "right"), OK); /* others are not held up */
	assert_int_equal(time_of_failure(w, "192.0.2.2"), 0);
	assert_int_equal(rt_sleep_until(rt_after(13 * NSEC_PER_SEC)), OK);
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), OK);
	assert_int_equal(rt_sleep_until(rt_after(240 * NSEC_PER_SEC)), OK);
	assert_int_equal(time_of_failure(w, "192.0.2.1"), 0);
}

static void guessing_is_slowed_down(void **state)
{
	(void)state;
	play(guessing_story);
}

static void loopback_story(struct world *w)
{
	static const char *const clients[] = {"127.0.0.1", "127.9.9.9", "::1", "unix"};

	for (int i = 0; i < 24; i++)
		assert_int_equal(time_of_failure(w, clients[i % 4]), 0);
}

static void loopback_is_not(void **state)
{
	(void)state;
	play(loopback_story);
}

static void networks_story(struct world *w)
{
	BUF(client, 64);

	for (int i = 0; i < 5; i++) {
		buf_reset(&client);
		buf_printf(&client, "2001:db8:0:7::%d", i + 1);
		buf_putc(&client, '\0');
		assert_int_equal(time_of_failure(w, client.p), 0);
	}
	assert_true(time_of_failure(w, "2001:db8:0:7:ffff::1") > 0);
	assert_int_equal(time_of_failure(w, "2001:db8:0:8::1"), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(time_of_failure(w, "not an address"), 0);
	assert_true(time_of_failure(w, "not an address") > 0);
}

static void an_ipv6_network_counts_as_one(void **state)
{
	(void)state;
	play(networks_story);
}

static void one_of_many(void *arg)
{
	struct world *w = arg;
	err e = login(w, "192.0.2.9", ALICE, "wrong");

	w->denied += e == E_DENIED;
	w->busy += e == E_BUSY;
}

/* Whoever asks 60 times at once is not looked at 60 times. */
static void at_once_story(struct world *w)
{
	for (size_t i = 0; i < 60; i++)
		assert_non_null(rt_spawn(one_of_many, w, "guess"));
	assert_int_equal(rt_sleep_until(rt_after(100 * NSEC_PER_SEC)), OK);
	assert_int_equal(w->denied + w->busy, 60);
	assert_in_range(w->denied, 20, 22);
}

static void guesses_at_once(void **state)
{
	(void)state;
	play(at_once_story);
}

/* What a client types cannot forge a line, nor a client's address in front of the real one. */
static void log_story(struct world *w)
{
	int pipe_fds[2];
	char text[1000];

	assert_int_equal(pipe(pipe_fds), 0);
	log_to(pipe_fds[1]);
	assert_int_equal(login(w, "192.0.2.1", "x\n client=192.0.2.7", "secret"), E_DENIED);
	log_to(-1);
	close(pipe_fds[1]);
	ssize_t n = read(pipe_fds[0], text, sizeof(text));
	close(pipe_fds[0]);
	assert_true(n > 0);
	str line = str_make(text, (size_t)n);
	assert_true(str_contains(
		line, STR(" ev=login.failed client=192.0.2.1 service=pop3 sid=s1 user=\"x\\x0a client=192.0.2.7\"\n")));
	assert_int_equal(str_find(line, '\n'), line.n - 1);
	assert_false(str_contains(line, STR("secret")));
}

static void failures_are_logged(void **state)
{
	(void)state;
	play(log_story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(right_passwords_are_remembered),
		cmocka_unit_test(unknown_users_cost_the_same),
		cmocka_unit_test(guessing_is_slowed_down),
		cmocka_unit_test(loopback_is_not),
		cmocka_unit_test(an_ipv6_network_counts_as_one),
		cmocka_unit_test(guesses_at_once),
		cmocka_unit_test(failures_are_logged),
	};
	BUF(hash, 400);
	BUF(changed, 400);

	if (password_hash(STR("right"), &hash) != OK || password_hash(STR("another"), &changed) != OK)
		return 1;
	alice_hash = buf_str(&hash);
	changed_hash = buf_str(&changed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
