/* SPDX-License-Identifier: ISC */
/* Logins against a store that answers from memory, under a simulated clock. */
#include "sasl/service.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/log.h"
#include "base/test.h"
#include "sasl/credential.h"
#include "sasl/password.h"
#include "sasl/plain.h"
#include "sasl/scram.h"

struct world {
	void (*story)(struct world *w);
	err credential, grant; /* what the store's calls return */
	uint64_t disabled;
	struct credential held[6]; /* by alice */
	size_t held_n;
	size_t grants, refusals, credentials, notes;
	str by;                    /* the credential of the last grant */
	struct login_network home; /* as the store keeps it, of the last grant that said one */
	char home_octets[16];
	struct link_service service;
	struct link *server, *client;
	struct sasl_service *logins;
	size_t denied, busy; /* of attempts made at once */
};

static str alice_hash, changed_hash, alice_sha256, alice_sha1, phone_sha256;

static err serve_credential(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	struct world *w = ctx;
	const struct credential_request *q = request;
	struct credential_reply *r = reply;

	(void)from, (void)arena;
	w->credentials++;
	if (w->credential != OK)
		return err_note(w->credential, "as the test wants it");
	*r = (struct credential_reply){.secret = STR("of the store"), .address = q->user};
	if (q->user.n == 0 && str_equal(q->certificate, STR("0123")))
		r->address = STR("alice@example.org");
	if (!str_equal(r->address, STR("alice@example.org")))
		return OK;
	r->account = 5;
	r->disabled = w->disabled;
	r->credentials = w->held;
	r->credentials_n = w->held_n;
	r->networks = &w->home;
	r->networks_n = w->home.network.n > 0;
	return OK;
}

static bool is_valid(const struct world *w, const struct grant_request *q)
{
	for (size_t i = 0; i < w->held_n; i++)
		if (str_equal(w->held[i].name, q->credential) && str_equal(w->held[i].hash, q->hash))
			return w->disabled == 0;
	return false;
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
	if (!is_valid(w, q)) {
		w->refusals++;
		return err_note(E_DENIED, "not by this");
	}
	w->grants++;
	w->notes += q->note_use;
	if (q->network.n > 0) {
		memcpy(w->home_octets, q->network.p, q->network.n);
		w->home = (struct login_network){str_make(w->home_octets, q->network.n), (uint64_t)rt_wall()};
	}
	w->by = q->credential.n == 0 ? STR("") : str_equal(q->credential, STR("phone")) ? STR("phone") : STR("?");
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
	w->logins = sasl_service_new(w->client, NULL);
	assert_non_null(w->logins);
	sasl_service_configure(w->logins, &(struct config){.scram_plus = PERMISSION_ALLOW});
	w->story(w);
	sasl_service_free(w->logins);
	link_free(w->client);
	link_free(w->server);
}

static void play(void (*story)(struct world *w))
{
	struct world w = {.story = story,
	                  .held = {{.kind = STR(CREDENTIAL_PASSWORD), .hash = alice_hash},
	                           {.kind = STR(CREDENTIAL_SHA1), .hash = alice_sha1},
	                           {.kind = STR(CREDENTIAL_SHA256), .hash = alice_sha256},
	                           {.name = STR("phone"), .kind = STR(CREDENTIAL_SHA256), .hash = phone_sha256}},
	                  .held_n = 4};

	log_to(-1);
	assert_int_equal(rt_run_simulated(1, tell, &w), OK);
}

static err call(struct world *w, struct auth_request q, struct auth_reply *r, struct arena *a)
{
	q.session = STR("s1");
	q.service = STR("pop3");
	*r = (struct auth_reply){0};
	return sasl_serve(w->logins, "edge-0", &q, r, a);
}

static err login(struct world *w, const char *client, const char *user, const char *password)
{
	BUF(message, PLAIN_MAX);
	struct auth_reply r;
	ARENA(a, 1 << 16);

	assert_int_equal(plain_compose(str_from(user), str_from(password), &message), OK);
	err e = call(w,
	             (struct auth_request){.client = str_from(client),
	                                   .mechanism = STR("plain"),
	                                   .tls = 1,
	                                   .response = buf_str(&message),
	                                   .has_response = 1},
	             &r, &a);
	if (e == OK) {
		assert_int_equal(r.state, AUTH_DONE);
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
	assert_int_equal(login(w, "192.0.2.1", ALICE, ""), E_SYNTAX);
	assert_int_equal(err_info()->reply, 501);
	w->credential = E_TEMP;
	assert_int_equal(login(w, "192.0.2.2", ALICE, "phone"), E_TEMP);
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
	w->held[0].hash = changed_hash; /* the password is changed */
	assert_int_equal(login(w, "127.0.0.1", ALICE, "right"), E_DENIED);
	w->held[0].hash = alice_hash;
	assert_int_equal(rt_sleep_until(rt_after(301 * NSEC_PER_SEC)), OK);
	assert_true(cost(w, ALICE, "right", OK) > first / 4);
	assert_int_equal(w->credentials, 5);
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

static nsec time_of_failure(struct world *w, const char *client, const char *user)
{
	nsec before = rt_now();

	assert_int_equal(login(w, client, user, "wrong"), E_DENIED);
	return rt_now() - before;
}

static void guessing_story(struct world *w)
{
	nsec slept = 0;

	for (int i = 0; i < 5; i++)
		assert_int_equal(time_of_failure(w, "192.0.2.1", ALICE), 0);
	for (int i = 0; i < 15; i++) {
		nsec took = time_of_failure(w, "192.0.2.1", ALICE);
		assert_in_range(took, NSEC_PER_SEC / 2, 5 * NSEC_PER_SEC);
		slept += took;
	}
	assert_in_range(slept, 10 * NSEC_PER_SEC, 60 * NSEC_PER_SEC);
	while (login(w, "192.0.2.1", ALICE, "wrong") == E_DENIED) /* what was paid off while we slept */
		continue;
	int64_t before = cpu_ns();
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), E_BUSY);
	assert_int_equal(err_info()->reply, 454);
	assert_string_equal(err_info()->status, "4.7.0");
	assert_true(cpu_ns() - before < 5000000);
	assert_int_equal(login(w, "192.0.2.2", ALICE, "right"), OK); /* others are not held up */
	assert_int_equal(time_of_failure(w, "192.0.2.2", ALICE), 0);
	assert_int_equal(rt_sleep_until(rt_after(13 * NSEC_PER_SEC)), OK);
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), OK);
	assert_int_equal(rt_sleep_until(rt_after(240 * NSEC_PER_SEC)), OK);
	assert_int_equal(time_of_failure(w, "192.0.2.1", ALICE), 0);
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
		assert_int_equal(time_of_failure(w, clients[i % 4], ALICE), 0);
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
		assert_int_equal(time_of_failure(w, client.p, ALICE), 0);
	}
	assert_true(time_of_failure(w, "2001:db8:0:7:ffff::1", ALICE) > 0);
	assert_int_equal(time_of_failure(w, "2001:db8:0:8::1", ALICE), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(time_of_failure(w, "not an address", "bob@example.org"), 0);
	assert_true(time_of_failure(w, "not an address", "bob@example.org") > 0);
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
	assert_true(str_contains(line, STR(" ev=login.failed client=192.0.2.1 service=pop3 sid=s1 mechanism=PLAIN "
	                                   "user=\"x\\x0a client=192.0.2.7\"\n")));
	assert_int_equal(str_find(line, '\n'), line.n - 1);
	assert_false(str_contains(line, STR("secret")));
}

static void failures_are_logged(void **state)
{
	(void)state;
	play(log_story);
}

/* --- app passwords --- */

#define INVENTED "abcde-fghij-kmnpq-rstuv"

static void app_passwords_story(struct world *w)
{
	assert_int_equal(login(w, "127.0.0.1", ALICE, "right"), OK);
	assert_str(w->by, "");
	int64_t first = cost(w, ALICE, INVENTED, OK);
	assert_str(w->by, "phone");
	assert_true(cost(w, ALICE, INVENTED, OK) < first / 4);
	assert_str(w->by, "phone");
	assert_int_equal(w->notes, 2); /* not every time */
	assert_int_equal(rt_sleep_until(rt_after(301 * NSEC_PER_SEC)), OK);
	w->held[3].used = (uint64_t)rt_wall();
	assert_int_equal(login(w, "127.0.0.1", ALICE, INVENTED), OK);
	assert_int_equal(w->notes, 2);
	w->held_n = 3; /* removed */
	assert_int_equal(login(w, "127.0.0.1", ALICE, INVENTED), E_DENIED);
}

static void app_passwords(void **state)
{
	(void)state;
	play(app_passwords_story);
}

/* What is remembered saves a question, and the store has the last word: the very next login. */
static void asked_once_story(struct world *w)
{
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), OK);
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), OK);
	assert_int_equal(login(w, "192.0.2.1", ALICE, INVENTED), OK);
	assert_int_equal(login(w, "192.0.2.9", ALICE, INVENTED), OK); /* the same network */
	assert_str(w->by, "phone");
	assert_int_equal(w->credentials, 2);
	assert_int_equal(w->notes, 2);
	assert_int_equal(login(w, "192.0.3.1", ALICE, "right"), OK); /* strangers have their turn */
	assert_int_equal(w->credentials, 3);
	w->held_n--; /* the phone's is removed, or over */
	assert_int_equal(login(w, "192.0.2.1", ALICE, INVENTED), E_DENIED);
	assert_int_equal(err_info()->reply, 535);
	w->held_n++;
	assert_int_equal(login(w, "192.0.2.1", ALICE, INVENTED), OK);
	w->held[0].hash = changed_hash;
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), E_DENIED);
	w->held[0].hash = alice_hash;
	w->disabled = 1;
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), E_DENIED);
	w->disabled = 0;
	assert_int_equal(w->refusals, 3);
	w->grant = E_TEMP;
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), E_TEMP);
	w->grant = OK;
	w->credentials = 0;
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), OK);
	assert_int_equal(w->credentials, 0);
	sasl_service_configure(w->logins, &(struct config){0}); /* a name without domain may be somebody else's now */
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), OK);
	assert_int_equal(w->credentials, 1);
}

static void the_store_is_asked_once(void **state)
{
	(void)state;
	play(asked_once_story);
}

/* --- an account that others try --- */

static void attack(struct world *w)
{
	for (int i = 0; i < 200; i++) {
		BUF(client, 20);

		buf_printf(&client, "10.0.%d.1", i);
		buf_putc(&client, '\0');
		err e = login(w, client.p, ALICE, "wrong");
		assert_true(e == E_DENIED || (i > 60 && e == E_BUSY));
	}
}

static void attacked_story(struct world *w)
{
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), OK);
	attack(w);
	assert_int_equal(login(w, "198.51.100.1", ALICE, "right"), E_BUSY);
	nsec before = rt_now();
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), OK);
	assert_int_equal(login(w, "192.0.2.99", ALICE, "right"), OK);
	assert_int_equal(rt_now() - before, 0);
}

static void owners_are_not_locked_out(void **state)
{
	(void)state;
	play(attacked_story);
}

/* The store knows where its owner was. */
static void attacked_anew_story(struct world *w)
{
	assert_int_equal(login(w, "192.0.2.1", ALICE, "right"), OK);
	assert_str(w->home.network, "c00002");
	sasl_service_free(w->logins);
	w->logins = sasl_service_new(w->client, NULL);
	assert_non_null(w->logins);
	attack(w);
	assert_int_equal(login(w, "198.51.100.1", ALICE, "right"), E_BUSY);
	assert_int_equal(login(w, "192.0.2.99", ALICE, "right"), OK);
}

static void nor_after_a_restart(void **state)
{
	(void)state;
	play(attacked_anew_story);
}

/* What was typed in another form of Unicode. */
static void normal_form_story(struct world *w)
{
	assert_int_equal(login(w, "127.0.0.1", "\xef\xbd\x81lice@example.org", "r\xc2\xadight"), OK);
	assert_int_equal(login(w, "127.0.0.1", ALICE, "right\xc2\xa0"), E_DENIED);
}

static void normal_form(void **state)
{
	(void)state;
	play(normal_form_story);
}

/* --- exchanges --- */

static err begin(struct world *w, const char *mechanism, str response, struct auth_reply *r, struct arena *a)
{
	return call(w,
	            (struct auth_request){.client = STR("192.0.2.1"),
	                                  .mechanism = str_from(mechanism),
	                                  .tls = 1,
	                                  .response = response,
	                                  .has_response = response.p != NULL},
	            r, a);
}

static err next(struct world *w, str response, struct auth_reply *r, struct arena *a)
{
	return call(w,
	            (struct auth_request){.client = STR("192.0.2.1"),
	                                  .mechanism = STR("x"),
	                                  .tls = 1,
	                                  .step = AUTH_NEXT,
	                                  .response = response,
	                                  .has_response = 1},
	            r, a);
}

static void exchanges_story(struct world *w)
{
	ARENA(a, 1 << 20);
	struct auth_reply r;

	assert_int_equal(begin(w, "PLAIN", STR_NONE, &r, &a), OK);
	assert_int_equal(r.state, AUTH_CONTINUE);
	assert_int_equal(r.challenge.n, 0);
	assert_int_equal(next(w, STR("\0" ALICE "\0right"), &r, &a), OK);
	assert_int_equal(r.state, AUTH_DONE);
	assert_int_equal(next(w, STR("\0" ALICE "\0right"), &r, &a), E_BUSY); /* it is over */
	assert_int_equal(begin(w, "PLAIN", STR(ALICE "\0" ALICE "\0right"), &r, &a), OK);
	assert_int_equal(begin(w, "PLAIN", STR("bob@example.org\0" ALICE "\0right"), &r, &a), E_DENIED);
	assert_int_equal(begin(w, "LOGIN", STR_NONE, &r, &a), OK);
	assert_str(r.challenge, "Username:");
	assert_int_equal(next(w, STR(ALICE), &r, &a), OK);
	assert_str(r.challenge, "Password:");
	assert_int_equal(next(w, STR("right"), &r, &a), OK);
	assert_int_equal(r.state, AUTH_DONE);
	assert_int_equal(begin(w, "LOGIN", STR(ALICE), &r, &a), OK);
	assert_str(r.challenge, "Password:");
	assert_int_equal(next(w, STR("wrong"), &r, &a), E_DENIED);
	assert_int_equal(begin(w, "LOGIN", STR(""), &r, &a), E_SYNTAX);
	assert_int_equal(begin(w, "GSSAPI", STR_NONE, &r, &a), E_PERM);
	assert_int_equal(err_info()->reply, 504);
	assert_int_equal(begin(w, "SCRAM-SHA-1", STR_NONE, &r, &a), E_PERM);        /* not allowed */
	assert_int_equal(begin(w, "SCRAM-SHA-256-PLUS", STR_NONE, &r, &a), E_PERM); /* no binding */
	assert_int_equal(call(w, (struct auth_request){.client = STR("192.0.2.1"), .mechanism = STR("PLAIN")}, &r, &a),
	                 E_PERM);
	assert_int_equal(w->grants, 3);
}

static void exchanges(void **state)
{
	(void)state;
	play(exchanges_story);
}

/* Nothing is left of an exchange that was cancelled, began anew, took too long or whose process is gone. */
static void left_overs_story(struct world *w)
{
	ARENA(a, 1 << 20);
	struct auth_reply r;

	for (int i = 0; i < 4; i++) {
		assert_int_equal(begin(w, "LOGIN", STR(ALICE), &r, &a), OK);
		if (i == 0)
			assert_int_equal(call(w, (struct auth_request){.step = AUTH_CANCEL}, &r, &a), OK);
		else if (i == 1)
			assert_int_equal(begin(w, "PLAIN", STR("x"), &r, &a), E_SYNTAX);
		else if (i == 2)
			assert_int_equal(rt_sleep_until(rt_after(61 * NSEC_PER_SEC)), OK);
		else
			sasl_service_process_gone(w->logins, "edge-0");
		assert_int_equal(next(w, STR("right"), &r, &a), E_BUSY);
		assert_int_equal(err_info()->reply, 454);
	}
	assert_int_equal(begin(w, "LOGIN", STR(ALICE), &r, &a), OK);
	sasl_service_process_gone(w->logins, "edge-");
	assert_int_equal(next(w, STR("right"), &r, &a), OK); /* that was another's */
	assert_int_equal(w->grants, 1);
}

static void left_overs(void **state)
{
	(void)state;
	play(left_overs_story);
}

static err call_as(struct world *w, const char *client, size_t session, bool first, struct auth_reply *r,
                   struct arena *a)
{
	char name[20];
	struct auth_request q = {.client = str_from(client),
	                         .mechanism = STR("LOGIN"),
	                         .tls = 1,
	                         .step = first ? AUTH_BEGIN : AUTH_NEXT,
	                         .response = first ? STR_NONE : STR(ALICE),
	                         .has_response = !first};

	snprintf(name, sizeof(name), "s%zu", session);
	q.session = str_from(name);
	return sasl_serve(w->logins, "edge-0", &q, r, a);
}

/* Who begins a thousand exchanges and ends none is in his own way. */
static void too_many_story(struct world *w)
{
	ARENA(a, 1 << 20);
	struct auth_reply r;

	assert_int_equal(call_as(w, "192.0.2.1", 9000, true, &r, &a), OK);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(call_as(w, "192.0.2.2", i, true, &r, &a), OK);
	assert_int_equal(call_as(w, "192.0.2.2", 999, false, &r, &a), OK);
	assert_int_equal(call_as(w, "192.0.2.2", 980, false, &r, &a), OK);
	assert_int_equal(call_as(w, "192.0.2.2", 979, false, &r, &a), E_BUSY);
	for (size_t i = 1000; i < 3000; i++) { /* from a hundred addresses */
		BUF(client, 20);

		buf_printf(&client, "10.0.0.%zu", i % 100);
		buf_putc(&client, '\0');
		assert_int_equal(call_as(w, client.p, i, true, &r, &a), OK);
	}
	assert_int_equal(call_as(w, "192.0.2.1", 9000, false, &r, &a), OK);
	assert_str(r.challenge, "Password:");
}

static void too_many(void **state)
{
	(void)state;
	play(too_many_story);
}

/* --- EXTERNAL --- */

static err external(struct world *w, str name, const char *certificate, struct auth_reply *r, struct arena *a)
{
	return call(w,
	            (struct auth_request){.client = STR("192.0.2.1"),
	                                  .mechanism = STR("EXTERNAL"),
	                                  .tls = 1,
	                                  .response = name,
	                                  .has_response = name.p != NULL,
	                                  .certificate = str_from(certificate)},
	            r, a);
}

static void external_story(struct world *w)
{
	ARENA(a, 1 << 20);
	struct auth_reply r;

	w->held[w->held_n++] =
		(struct credential){.name = STR("0123"), .kind = STR(CREDENTIAL_CERTIFICATE), .hash = STR("0123")};
	assert_int_equal(external(w, STR(ALICE), "", &r, &a), E_PERM); /* none was shown */
	assert_int_equal(external(w, STR(ALICE), "4567", &r, &a), E_DENIED);
	assert_int_equal(err_info()->reply, 535);
	assert_int_equal(external(w, STR("bob@example.org"), "0123", &r, &a), E_DENIED);
	assert_int_equal(external(w, STR(ALICE "\n"), "0123", &r, &a), E_SYNTAX);
	assert_int_equal(external(w, STR(ALICE), "0123", &r, &a), OK);
	assert_int_equal(r.state, AUTH_DONE);
	assert_int_equal(external(w, STR_NONE, "0123", &r, &a), OK);
	assert_int_equal(r.state, AUTH_CONTINUE);
	assert_int_equal(next(w, STR(ALICE), &r, &a), OK);
	assert_int_equal(r.state, AUTH_DONE);
	assert_int_equal(external(w, STR(""), "0123", &r, &a), OK); /* the store says whose it is */
	assert_str(r.address, ALICE);
	assert_int_equal(external(w, STR(""), "4567", &r, &a), E_DENIED);
	assert_int_equal(login(w, "192.0.2.1", ALICE, "0123"), E_DENIED); /* it is no password */
	w->disabled = 1;
	assert_int_equal(external(w, STR(ALICE), "0123", &r, &a), E_DENIED);
	assert_int_equal(w->grants, 3);
}

static void external_certificates(void **state)
{
	(void)state;
	play(external_story);
}

/* --- SCRAM: the client's half --- */

struct scram_client {
	const char *mechanism, *user, *password, *header;
	enum crypto_hash hash;
	struct auth_binding *bindings;
	size_t bindings_n;
	str salt; /* that the server gave */
};

static void parse_challenge(str challenge, str *nonce, str *salt)
{
	str part, rest;

	assert_true(str_cut(challenge, ',', nonce, &rest));
	assert_true(str_cut(rest, ',', &part, &rest));
	*salt = str_drop(part, 2);
}

/* RFC 5802 3 */
static void prove(const struct scram_client *c, str salt, str auth_message, struct buf *final)
{
	struct crypto_digest salted, key, stored, signature;
	BUF(octets, 100);

	assert_int_equal(base64_decode(&octets, salt), OK);
	assert_int_equal(crypto_pbkdf2(c->hash, str_from(c->password), buf_str(&octets), SCRAM_ROUNDS, &salted), OK);
	assert_int_equal(crypto_hmac(c->hash, crypto_digest_str(&salted), STR("Client Key"), &key), OK);
	assert_int_equal(crypto_hash(c->hash, crypto_digest_str(&key), &stored), OK);
	assert_int_equal(crypto_hmac(c->hash, crypto_digest_str(&stored), auth_message, &signature), OK);
	for (size_t i = 0; i < key.n; i++)
		key.bytes[i] ^= signature.bytes[i];
	buf_puts(final, ",p=");
	base64_encode(final, crypto_digest_str(&key));
}

static err scram_login(struct world *w, struct scram_client *c, struct arena *a)
{
	BUF(first, 400);
	BUF(channel, 400);
	BUF(final, 1000);
	BUF(message, 2000);
	struct auth_reply r;
	struct auth_request q = {.client = STR("192.0.2.1"),
	                         .mechanism = str_from(c->mechanism),
	                         .tls = 1,
	                         .has_response = 1,
	                         .bindings = c->bindings,
	                         .bindings_n = c->bindings_n};
	str nonce, salt;

	buf_printf(&first, "%sn=%s,r=clientnonce", c->header, c->user);
	q.response = buf_str(&first);
	err e = call(w, q, &r, a);
	if (e != OK)
		return e;
	parse_challenge(r.challenge, &nonce, &salt);
	c->salt = salt;
	buf_puts(&channel, c->header);
	if (c->bindings_n > 0 && c->header[0] == 'p')
		buf_put(&channel, c->bindings[0].data);
	buf_puts(&final, "c=");
	base64_encode(&final, buf_str(&channel));
	buf_printf(&final, "," STR_FMT, STR_ARG(nonce));
	buf_printf(&message, "n=%s,r=clientnonce," STR_FMT "," STR_FMT, c->user, STR_ARG(r.challenge),
	           STR_ARG(buf_str(&final)));
	prove(c, salt, buf_str(&message), &final);
	e = next(w, buf_str(&final), &r, a);
	if (e != OK)
		return e;
	assert_int_equal(r.state, AUTH_CONTINUE);
	assert_true(str_starts(r.challenge, STR("v=")));
	e = next(w, STR(""), &r, a);
	assert_int_equal(r.state, AUTH_DONE);
	return e;
}

static void scram_story(struct world *w)
{
	struct config config = {.scram_plus = PERMISSION_ALLOW};
	struct auth_binding binding = {STR("tls-exporter"), STR("\x01\x02")};
	struct scram_client c = {"SCRAM-SHA-256", ALICE, "right", "n,,", CRYPTO_SHA256, NULL, 0, STR_NONE};
	ARENA(a, 1 << 20);

	assert_int_equal(scram_login(w, &c, &a), OK);
	assert_str(w->by, "");
	c.password = INVENTED;
	assert_int_equal(scram_login(w, &c, &a), OK);
	assert_str(w->by, "phone");
	c.password = "wrong";
	assert_int_equal(scram_login(w, &c, &a), E_DENIED);
	c.password = "right";
	c.header = "y,,";
	assert_int_equal(scram_login(w, &c, &a), OK); /* -PLUS was not offered, the client is right */
	c.bindings = &binding;
	c.bindings_n = 1;
	assert_int_equal(scram_login(w, &c, &a), E_DENIED); /* it was */
	c.mechanism = "SCRAM-SHA-256-PLUS";
	c.header = "p=tls-exporter,,";
	assert_int_equal(scram_login(w, &c, &a), OK);
	config.scram_plus = PERMISSION_REFUSE;
	sasl_service_configure(w->logins, &config);
	assert_int_equal(scram_login(w, &c, &a), E_PERM);
	c.mechanism = "SCRAM-SHA-256";
	c.header = "y,,";
	assert_int_equal(scram_login(w, &c, &a), OK); /* it is not offered, the client is right again */
	config.scram_plus = PERMISSION_ALLOW;
	c.mechanism = "SCRAM-SHA-1";
	c.header = "n,,";
	c.hash = CRYPTO_SHA1;
	assert_int_equal(scram_login(w, &c, &a), E_PERM);
	config.scram_sha1 = PERMISSION_ALLOW;
	sasl_service_configure(w->logins, &config);
	assert_int_equal(scram_login(w, &c, &a), OK);
	w->disabled = 1;
	assert_int_equal(scram_login(w, &c, &a), E_DENIED);
	assert_int_equal(w->grants, 6);
}

static void scram(void **state)
{
	(void)state;
	play(scram_story);
}

/* Who asks for a stranger's salt gets one, always the same, and cannot tell it from a real one. */
static void strangers_story(struct world *w)
{
	struct scram_client c = {"SCRAM-SHA-256", "nobody@example.org", "right", "n,,", CRYPTO_SHA256, NULL, 0,
	                         STR_NONE};
	ARENA(a, 1 << 20);

	assert_int_equal(scram_login(w, &c, &a), E_DENIED);
	str salt = c.salt;
	assert_int_equal(scram_login(w, &c, &a), E_DENIED);
	assert_true(str_equal(c.salt, salt));
	c.user = "nobody2@example.org";
	assert_int_equal(scram_login(w, &c, &a), E_DENIED);
	assert_false(str_equal(c.salt, salt));
	assert_int_equal(c.salt.n, salt.n);
	w->held_n = 1; /* an account without a verifier, as it was before there were any */
	c.user = ALICE;
	assert_int_equal(scram_login(w, &c, &a), E_DENIED);
	assert_int_equal(c.salt.n, salt.n);
	assert_int_equal(w->grants, 0);
}

static void strangers(void **state)
{
	(void)state;
	play(strangers_story);
}

static str verifier(enum crypto_hash hash, str password, struct buf *out)
{
	struct scram_verifier v;

	assert_int_equal(scram_verifier_make(hash, password, STR("0123456789abcdef"), SCRAM_ROUNDS, &v), OK);
	scram_verifier_print(&v, out);
	return buf_str(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(right_passwords_are_remembered),
		cmocka_unit_test(the_store_is_asked_once),
		cmocka_unit_test(unknown_users_cost_the_same),
		cmocka_unit_test(guessing_is_slowed_down),
		cmocka_unit_test(loopback_is_not),
		cmocka_unit_test(an_ipv6_network_counts_as_one),
		cmocka_unit_test(guesses_at_once),
		cmocka_unit_test(failures_are_logged),
		cmocka_unit_test(app_passwords),
		cmocka_unit_test(owners_are_not_locked_out),
		cmocka_unit_test(nor_after_a_restart),
		cmocka_unit_test(normal_form),
		cmocka_unit_test(exchanges),
		cmocka_unit_test(left_overs),
		cmocka_unit_test(too_many),
		cmocka_unit_test(external_certificates),
		cmocka_unit_test(scram),
		cmocka_unit_test(strangers),
	};
	BUF(hash, 400);
	BUF(changed, 400);
	BUF(sha256, 400);
	BUF(sha1, 400);
	BUF(phone, 400);

	if (password_hash(STR("right"), &hash) != OK || password_hash(STR("another"), &changed) != OK)
		return 1;
	alice_hash = buf_str(&hash);
	changed_hash = buf_str(&changed);
	alice_sha256 = verifier(CRYPTO_SHA256, STR("right"), &sha256);
	alice_sha1 = verifier(CRYPTO_SHA1, STR("right"), &sha1);
	phone_sha256 = verifier(CRYPTO_SHA256, STR(INVENTED), &phone);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
