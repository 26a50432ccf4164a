/* SPDX-License-Identifier: ISC */
/* Logins with tokens, against a store and somebody who knows tokens that answer from memory, under a simulated clock. */
#include "base/log.h"
#include "base/test.h"
#include "sasl/service.h"

#define ALICE "alice@example.org"

struct world {
	void (*story)(struct world *w);
	err token;           /* what the call returns */
	const char *belongs; /* to whom the token "good" does */
	nsec takes;          /* to answer */
	uint64_t disabled;
	size_t asked, credentials, grants, at_once, most_at_once, done;
	struct link_service for_store, for_oauth;
	struct link *store, *store_end, *oauth, *oauth_end;
	struct sasl_service *logins;
};

static err serve_credential(void *ctx, struct link *from UNUSED, const void *request, void *reply,
                            struct arena *a UNUSED)
{
	struct world *w = ctx;
	const struct credential_request *q = request;
	struct credential_reply *r = reply;
	bool alice = str_equal_nocase(q->user, STR(ALICE)) || str_equal(q->user, STR("alice"));
	bool bob = str_equal(q->user, STR("bob@example.org"));

	w->credentials++;
	*r = (struct credential_reply){.secret = STR("of the store"), .address = q->user};
	if (alice)
		r->address = STR(ALICE);
	r->account = alice ? 5 : bob ? 6 : 0;
	r->disabled = alice && w->disabled;
	return OK;
}

static err serve_grant(void *ctx, struct link *from UNUSED, const void *request, void *reply UNUSED,
                       struct arena *a UNUSED)
{
	struct world *w = ctx;
	const struct grant_request *q = request;

	assert_int_equal(q->account, 5);
	assert_int_equal(q->note_use, 0);
	w->grants++;
	return OK;
}

static err serve_token(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a UNUSED)
{
	struct world *w = ctx;
	const struct token_request *q = request;
	struct token_reply *r = reply;

	w->asked++;
	if (++w->at_once > w->most_at_once)
		w->most_at_once = w->at_once;
	if (w->takes > 0)
		(void)!rt_sleep_until(rt_after(w->takes));
	w->at_once--;
	if (w->token != OK)
		return err_note(w->token, "as the test wants it");
	r->valid = str_equal(q->token, STR("good"));
	r->user = str_from(w->belongs);
	r->why = STR("as the test wants it");
	return OK;
}

static void connect_links(struct link **client, struct link **server, const char *name, struct link_service *service)
{
	struct stream *a, *b;

	*server = link_new("keys", service);
	*client = link_new(name, NULL);
	assert_true(stream_pair(&a, &b, 1 << 16, false));
	assert_int_equal(link_attach_stream(*server, a), OK);
	assert_int_equal(link_attach_stream(*client, b), OK);
}

static void tell(void *arg)
{
	struct world *w = arg;
	const struct config config = {.oauth = {.kind = OAUTH_JWKS, .issuer = STR("https://idp.example")}};

	w->for_store = (struct link_service){
		.ctx = w, .handlers = {[CALL_credential] = serve_credential, [CALL_grant] = serve_grant}};
	w->for_oauth = (struct link_service){.ctx = w, .handlers = {[CALL_token] = serve_token}};
	connect_links(&w->store, &w->store_end, "store", &w->for_store);
	connect_links(&w->oauth, &w->oauth_end, "oauth", &w->for_oauth);
	w->logins = sasl_service_new(w->store, w->oauth);
	assert_non_null(w->logins);
	sasl_service_configure(w->logins, &config);
	w->story(w);
	sasl_service_free(w->logins);
	link_free(w->store);
	link_free(w->store_end);
	link_free(w->oauth);
	link_free(w->oauth_end);
}

static void play(void (*story)(struct world *w))
{
	struct world w = {.story = story, .belongs = ALICE};

	log_to(-1);
	assert_int_equal(rt_run_simulated(1, tell, &w), OK);
}

static err call(struct world *w, const char *mechanism, uint64_t step, str response, struct auth_reply *r,
                struct arena *a)
{
	struct auth_request q = {.session = STR("s1"),
	                         .service = STR("pop3"),
	                         .client = STR("192.0.2.1"),
	                         .mechanism = str_from(mechanism),
	                         .tls = 1,
	                         .step = step,
	                         .response = response,
	                         .has_response = response.p != NULL};

	*r = (struct auth_reply){0};
	return sasl_serve(w->logins, "edge-0", &q, r, a);
}

static err login(struct world *w, const char *mechanism, str message)
{
	struct auth_reply r;
	ARENA(a, 1 << 16);
	err e = call(w, mechanism, AUTH_BEGIN, message, &r, &a);

	if (e == OK && r.state == AUTH_DONE) {
		assert_int_equal(r.account, 5);
		assert_str(r.address, ALICE);
	}
	if (e != OK || r.state == AUTH_DONE)
		return e;
	bool older = str_equal_nocase(str_from(mechanism), STR("XOAUTH2"));
	assert_str(r.challenge, older ? "{\"status\":\"401\",\"schemes\":\"bearer\"}"
	                              : "{\"status\":\"invalid_token\",\"openid-configuration\":"
	                                "\"https://idp.example/.well-known/openid-configuration\"}");
	e = call(w, mechanism, AUTH_NEXT, older ? STR("") : STR("\1"), &r, &a);
	assert_int_equal(e, E_DENIED);
	assert_int_equal(err_info()->reply, 535);
	assert_string_equal(err_info()->status, "5.7.8");
	return e;
}

#define BEARER(name, token) STR("n," name ",\1auth=Bearer " token "\1\1")
#define OLDER(name, token)  STR("user=" name "\1auth=Bearer " token "\1\1")

static void good_story(struct world *w)
{
	assert_int_equal(login(w, "OAUTHBEARER", BEARER("", "good")), OK);
	assert_int_equal(w->credentials, 1);
	assert_int_equal(login(w, "oauthbearer", BEARER("a=" ALICE, "good")), OK);
	assert_int_equal(w->credentials, 2);
	assert_int_equal(login(w, "XOAUTH2", OLDER(ALICE, "good")), OK);
	assert_int_equal(login(w, "XOAUTH2", OLDER("alice", "good")), OK); /* another name of the same account */
	w->belongs = "Alice@Example.org";
	assert_int_equal(login(w, "XOAUTH2", OLDER(ALICE, "good")), OK);
	assert_int_equal(w->grants, 5);
}

static void good(void **state UNUSED)
{
	play(good_story);
}

static void refused_story(struct world *w)
{
	assert_int_equal(login(w, "OAUTHBEARER", BEARER("", "bad")), E_DENIED);
	assert_int_equal(login(w, "XOAUTH2", OLDER(ALICE, "bad")), E_DENIED);
	assert_int_equal(login(w, "OAUTHBEARER", BEARER("a=bob@example.org", "good")), E_DENIED);
	assert_int_equal(login(w, "OAUTHBEARER", BEARER("a=nobody@example.org", "good")), E_DENIED);
	w->belongs = "nobody@example.org";
	assert_int_equal(login(w, "OAUTHBEARER", BEARER("", "good")), E_DENIED);
	assert_int_equal(rt_sleep_until(rt_after(600 * NSEC_PER_SEC)), OK);
	w->belongs = ALICE;
	w->disabled = 1;
	assert_int_equal(login(w, "OAUTHBEARER", BEARER("", "good")), E_DENIED);
	size_t asked = w->asked;
	assert_int_equal(login(w, "OAUTHBEARER", STR("n,,\1auth=\1\1")), E_DENIED); /* RFC 7628 4.3: a question */
	assert_int_equal(w->asked, asked);
	assert_int_equal(w->grants, 0);
}

static void refused(void **state UNUSED)
{
	play(refused_story);
}

static void malformed_story(struct world *w)
{
	struct auth_reply r;
	ARENA(a, 1 << 16);

	assert_int_equal(login(w, "OAUTHBEARER", STR("\1")), E_SYNTAX);
	assert_int_equal(err_info()->reply, 501);
	assert_int_equal(login(w, "XOAUTH2", STR("user=a")), E_SYNTAX);
	assert_int_equal(call(w, "OAUTHBEARER", AUTH_BEGIN, STR_NONE, &r, &a), OK); /* without an initial response */
	assert_int_equal(r.state, AUTH_CONTINUE);
	assert_int_equal(r.challenge.n, 0);
	assert_int_equal(call(w, "OAUTHBEARER", AUTH_NEXT, BEARER("", "good"), &r, &a), OK);
	assert_int_equal(r.state, AUTH_DONE);
	sasl_service_configure(w->logins, &(struct config){0});
	assert_int_equal(login(w, "OAUTHBEARER", BEARER("", "good")), E_PERM);
	assert_int_equal(err_info()->reply, 504);
}

static void malformed(void **state UNUSED)
{
	play(malformed_story);
}

/* Whoever cannot be asked is no fault of the client's: it is not counted, and it may come back. */
static void away_story(struct world *w)
{
	w->token = E_TEMP;
	for (int i = 0; i < 30; i++) {
		nsec before = rt_now();

		assert_int_equal(login(w, "OAUTHBEARER", BEARER("", "good")), E_TEMP);
		assert_int_equal(err_info()->reply, 454);
		assert_string_equal(err_info()->status, "4.7.0");
		assert_int_equal(rt_now(), before);
	}
	w->token = OK;
	assert_int_equal(login(w, "OAUTHBEARER", BEARER("", "good")), OK);
	link_detach(w->oauth_end);
	assert_int_equal(login(w, "OAUTHBEARER", BEARER("", "good")), E_TEMP);
	w->token = OK;
}

static void away(void **state UNUSED)
{
	play(away_story);
}

static void guessing_story(struct world *w)
{
	nsec before = rt_now();

	for (int i = 0; i < 5; i++)
		assert_int_equal(login(w, "OAUTHBEARER", BEARER("", "bad")), E_DENIED);
	assert_int_equal(rt_now(), before);
	assert_int_equal(login(w, "OAUTHBEARER", BEARER("", "bad")), E_DENIED);
	assert_true(rt_now() > before);
	while (login(w, "OAUTHBEARER", BEARER("", "bad")) == E_DENIED)
		continue;
	size_t asked = w->asked;
	assert_int_equal(login(w, "OAUTHBEARER", BEARER("", "good")), E_BUSY);
	assert_int_equal(w->asked, asked);
}

static void guessing_is_slowed_down(void **state UNUSED)
{
	play(guessing_story);
}

static void one_of_many(void *arg)
{
	struct world *w = arg;
	struct auth_reply r;
	struct auth_request q = {.service = STR("pop3"),
	                         .client = STR("127.0.0.1"),
	                         .mechanism = STR("OAUTHBEARER"),
	                         .tls = 1,
	                         .response = BEARER("", "good"),
	                         .has_response = 1};
	ARENA(a, 1 << 16);

	q.session = arena_printf(&a, "s%zu", w->asked);
	if (sasl_serve(w->logins, "edge-0", &q, &r, &a) == OK)
		w->done++;
}

/* Some are asked about at a time, and all have their turn. */
static void many_story(struct world *w)
{
	w->takes = NSEC_PER_SEC;
	for (int i = 0; i < 120; i++)
		assert_non_null(rt_spawn(one_of_many, w, "login"));
	assert_int_equal(rt_sleep_until(rt_after(20 * NSEC_PER_SEC)), OK);
	assert_int_equal(w->done, 120);
	assert_int_equal(w->most_at_once, 50);
}

static void many_at_once(void **state UNUSED)
{
	play(many_story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(good),
	                                   cmocka_unit_test(refused),
	                                   cmocka_unit_test(malformed),
	                                   cmocka_unit_test(away),
	                                   cmocka_unit_test(guessing_is_slowed_down),
	                                   cmocka_unit_test(many_at_once)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
