/* SPDX-License-Identifier: ISC */
/* Questions about tokens, to a server that answers from memory, under a simulated clock. */
#include "oauth/validator.h"

#include <stdio.h>

#include "base/log.h"
#include "base/test.h"
#include "oauth/tokens.h"

#define HEAD       "version 1\nhostname mail.example.org\ndomain example.org\n"
#define INTROSPECT HEAD "oauth introspect https://idp.example:8443/introspect client \"mail:1\" secret-file /s\n"
#define JWKS       HEAD "oauth jwks http://localhost/keys issuer https://idp.example audience mail\n"

static struct world {
	struct validator *v;
	err result;       /* of a request */
	const char *body; /* of its answer */
	size_t asked;
	char url[100], user[50], password[50], form[400], addresses[200];
} w;

static void keep(char *to, size_t size, str s)
{
	snprintf(to, size, STR_FMT, STR_ARG(s));
}

static err fetch(const struct http_request *q, str *body, struct arena *a, nsec deadline)
{
	BUF(addresses, 200);

	assert_in_range(deadline, rt_now() + 1, rt_after(10 * NSEC_PER_SEC));
	w.asked++;
	keep(w.url, sizeof(w.url), q->url);
	keep(w.user, sizeof(w.user), q->user);
	keep(w.password, sizeof(w.password), q->password);
	keep(w.form, sizeof(w.form), q->method_body);
	for (size_t i = 0; i < q->addresses_n; i++) {
		net_address_print(&addresses, &q->addresses[i]);
		buf_putc(&addresses, ' ');
	}
	keep(w.addresses, sizeof(w.addresses), buf_str(&addresses));
	if (w.result != OK)
		return err_note(w.result, "as the test wants it");
	*body = arena_str(a, str_from(w.body));
	return OK;
}

static err resolve(void *ctx UNUSED, const struct resolve_request *q, struct resolve_reply *r, struct arena *a,
                   nsec deadline UNUSED)
{
	static const char four[] = "\xc0\x00\x02\x07", six[] = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07";

	assert_str(q->name, "idp.example");
	r->canonical = q->name;
	r->records = arena_array(a, 1, sizeof(*r->records));
	r->records[0].data = q->type == DNS_A ? str_make(four, 4) : str_make(six, 16);
	r->records_n = 1;
	return OK;
}

static void configure(const char *text, const char *secret)
{
	struct config_faults faults = {.text = BUF_INIT(64 << 10)};
	struct config *c = config_parse(str_from(text), "f", &faults);
	const struct setup_files files = {.authorities = STR("PEM"), .secret = str_from(secret)};

	if (c == NULL)
		fail_msg("refused: " STR_FMT, STR_ARG(buf_str(&faults.text)));
	assert_int_equal(validator_configure(w.v, c, &files), OK);
	config_release(c);
	buf_free(&faults.text);
}

static err ask(const char *token, const char *user, const char *why)
{
	struct token_reply r;
	ARENA(a, 1 << 16);
	err e = validator_ask(w.v, &(struct token_request){str_from(token)}, &r, &a);

	if (e != OK)
		return e;
	assert_int_equal(r.valid, user != NULL);
	assert_str(r.user, user == NULL ? "" : user);
	assert_str(r.why, why);
	return OK;
}

static void good(const char *token)
{
	assert_int_equal(ask(token, "alice@example.org", ""), OK);
}

static void bad(const char *token, const char *why)
{
	assert_int_equal(ask(token, NULL, why), OK);
}

static void away(const char *token, const char *why)
{
	assert_int_equal(ask(token, NULL, NULL), E_TEMP);
	assert_int_equal(err_info()->reply, 454);
	assert_string_equal(err_info()->text, why);
}

static void (*story)(void);

static void tell(void *arg UNUSED)
{
	w.v = validator_new(&(struct outside){.resolver = {.ask = resolve}, .fetch = fetch});
	assert_non_null(w.v);
	story();
	validator_free(w.v);
}

static void play(void (*s)(void))
{
	w = (struct world){0};
	story = s;
	log_to(-1);
	assert_int_equal(rt_run_simulated(1, tell, NULL), OK);
}

#define ACTIVE "{\"active\":true,\"email\":\"alice@example.org\"}"

static void introspection_story(void)
{
	away("t", "nobody is configured who knows tokens");
	configure(INTROSPECT, "sec ret\r\nmore");
	w.body = ACTIVE;
	good("t+");
	assert_string_equal(w.url, "https://idp.example:8443/introspect");
	assert_string_equal(w.user, "mail%3A1");
	assert_string_equal(w.password, "sec%20ret");
	assert_string_equal(w.form, "token_type_hint=access_token&token=t%2B");
	assert_string_equal(w.addresses, "[2001:db8::7]:8443 192.0.2.7:8443 ");
	w.body = "{\"active\":false}";
	bad("u", "the token is not active");
	bad("u", "the token is not active");
	assert_int_equal(w.asked, 3);
	w.body = "<html>";
	away("u", "the answer about a token is no JSON: '[' or '{' expected near '<'");
	w.result = E_NOT_FOUND;
	away("u", "as the test wants it");
	w.result = E_LIMIT;
	away("u", "as the test wants it");
	configure(INTROSPECT, NULL);
	away("u", "the secret-file of oauth cannot be read");
}

static void introspection(void **state UNUSED)
{
	play(introspection_story);
}

static void cache_story(void)
{
	char soon[200];

	configure(INTROSPECT, "secret");
	w.body = ACTIVE;
	good("t");
	w.body = "{\"active\":false}";
	assert_int_equal(rt_sleep_until(rt_after(59 * NSEC_PER_SEC)), OK);
	configure(INTROSPECT, "secret"); /* a reload that changes nothing */
	good("t");
	assert_int_equal(w.asked, 1);
	assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_SEC)), OK);
	bad("t", "the token is not active"); /* it was revoked */
	snprintf(soon, sizeof(soon), "{\"active\":true,\"email\":\"alice@example.org\",\"exp\":%lld}",
	         (long long)rt_wall() / 1000000 + 10);
	w.body = soon;
	good("t");
	w.body = "{\"active\":false}";
	assert_int_equal(rt_sleep_until(rt_after(9 * NSEC_PER_SEC)), OK);
	good("t");
	assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_SEC)), OK);
	bad("t", "the token is not active"); /* it had expired */
	w.body = ACTIVE;
	good("t");
	w.body = "{\"active\":false}";
	configure(INTROSPECT, "another"); /* what was learned with other rules does not count */
	bad("t", "the token is not active");
	configure(HEAD "oauth introspect https://idp.example/i client c secret-file /s cache off\n", "secret");
	w.body = ACTIVE;
	good("t");
	w.body = "{\"active\":false}";
	bad("t", "the token is not active");
}

static void answers_count_for_a_while(void **state UNUSED)
{
	play(cache_story);
}

static void jwks_story(void)
{
	configure(JWKS, NULL);
	w.body = token_keys;
	bad("opaque", "the token is no JWT");
	bad(token_none, "the token's algorithm is not allowed");
	bad(token_hs256, "the token's algorithm is not allowed");
	assert_int_equal(w.asked, 0);
	good(token_rs256);
	assert_string_equal(w.url, "http://localhost/keys");
	assert_string_equal(w.addresses, "127.0.0.1:80 [::1]:80 ");
	assert_string_equal(w.user, "");
	assert_string_equal(w.form, "");
	good(token_eddsa);
	bad(token_foreign, "the token's signature is wrong");
	assert_int_equal(w.asked, 1);
	bad(token_new, "no key is known that the token may be signed with");
	w.body = token_other_keys;
	good(token_new);
	configure(HEAD "oauth jwks http://localhost/keys issuer https://idp.example audience other\n", NULL);
	bad(token_new, "the token is for another audience");
	configure(HEAD "oauth jwks http://localhost/keys issuer https://other.example audience mail\n", NULL);
	bad(token_new, "the token is of another issuer");
	configure(JWKS, NULL);
	w.result = E_TIMEOUT;
	away(token_new, "the keys of the issuer cannot be fetched");
	configure(HEAD, NULL);
	away(token_new, "nobody is configured who knows tokens");
}

static void signed_tokens(void **state UNUSED)
{
	play(jwks_story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(introspection), cmocka_unit_test(answers_count_for_a_while),
	                                   cmocka_unit_test(signed_tokens)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
