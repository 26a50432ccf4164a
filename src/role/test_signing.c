/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "role/signing.h"
#include "rt/private_key.h"
#include "rt/signature_key.h"

#define DIGEST STR("thirty-two octets of a digest...")

struct made {
	struct buf key, chain;
};

static struct certificate make(struct made *m, uint64_t number)
{
	*m = (struct made){BUF_INIT(1 << 16), BUF_INIT(1 << 16)};
	assert_int_equal(private_key_make(STR("mail.example.org"), &m->key, &m->chain), OK);
	return (struct certificate){.chain = buf_str(&m->chain), .secret = buf_str(&m->key), .key = number};
}

static void unmake(struct made *m)
{
	buf_free(&m->key);
	buf_free(&m->chain);
}

static err ask(const struct signing *s, uint64_t number)
{
	struct sign_reply r = {0};
	ARENA(a, 4096);
	err e = signing_serve(s, &(struct sign_request){number, TLS_SIGN_ECDSA, DIGEST}, &r, &a);

	assert_true((e == OK) == (r.signature.n > 0));
	return e;
}

static void handshakes_that_began_before_a_change_end(void **state UNUSED)
{
	struct signing s = {0};
	struct made made[3];

	assert_int_equal(ask(&s, 0), E_NOT_FOUND);
	for (uint64_t i = 0; i < ARRAY_LEN(made); i++) {
		struct certificate c = make(&made[i], i);

		assert_int_equal(
			signing_replace(&s, &(struct certify_request){.certificates = &c, .certificates_n = 1}), OK);
		assert_int_equal(ask(&s, i), OK);
	}
	assert_int_equal(ask(&s, 1), OK);
	assert_int_equal(ask(&s, 0), E_NOT_FOUND);
	signing_free(&s);
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		unmake(&made[i]);
}

static void what_cannot_be_used_changes_nothing(void **state UNUSED)
{
	struct signing s = {0};
	struct made good, other;
	struct certificate two[] = {make(&good, 1), make(&other, 2)};

	assert_int_equal(signing_replace(&s, &(struct certify_request){.certificates = two, .certificates_n = 1}), OK);
	two[1].secret = buf_str(&good.key); /* not its own */
	assert_int_equal(signing_replace(&s, &(struct certify_request){.certificates = two, .certificates_n = 2}),
	                 E_SYNTAX);
	assert_int_equal(ask(&s, 1), OK);
	assert_int_equal(ask(&s, 2), E_NOT_FOUND);
	signing_free(&s);
	unmake(&good);
	unmake(&other);
}

/* Whoever signs mail cannot sign handshakes, and the other way round. */
static void keys_of_domains(void **state UNUSED)
{
	struct signing s = {0};
	struct made made;
	BUF(pem, 1 << 16);
	ARENA(a, 4096);
	struct sign_reply r = {0};
	struct certificate c = make(&made, 1);

	assert_int_equal(signature_key_make(true, &pem), OK);
	struct domain_key k = {.key = 2, .secret = buf_str(&pem)};
	const struct certify_request q = {
		.certificates = &c, .certificates_n = 1, .domain_keys = &k, .domain_keys_n = 1};
	assert_int_equal(signing_replace(&s, &q), OK);
	assert_int_equal(signing_serve_domain(&s, &(struct sign_request){2, SIGN_DIGEST, DIGEST}, &r, &a), OK);
	assert_int_equal(r.signature.n, 64);
	assert_int_equal(signing_serve_domain(&s, &(struct sign_request){2, TLS_SIGN_ECDSA, DIGEST}, &r, &a), E_DENIED);
	assert_int_equal(signing_serve_domain(&s, &(struct sign_request){1, SIGN_DIGEST, DIGEST}, &r, &a), E_NOT_FOUND);
	assert_int_equal(signing_serve(&s, &(struct sign_request){2, SIGN_DIGEST, DIGEST}, &r, &a), E_NOT_FOUND);
	assert_int_equal(ask(&s, 1), OK);
	signing_free(&s);
	buf_free(&pem);
	unmake(&made);
}

/* Thousands of them come in parts, others later on. */
static void keys_of_domains_in_parts(void **state UNUSED)
{
	struct signing s = {0};
	BUF(pem, 1 << 16);
	ARENA(a, 8192);
	struct sign_reply r = {0};

	assert_int_equal(signature_key_make(true, &pem), OK);
	struct domain_key k[] = {{.key = 9, .secret = buf_str(&pem)},
	                         {.key = 3, .secret = buf_str(&pem)},
	                         {.key = 5, .secret = buf_str(&pem)}};
	const struct certify_request first = {.domain_keys = k, .domain_keys_n = 1, .part = CERTIFY_PART};
	struct certify_request last = {.domain_keys = k + 1, .domain_keys_n = 1, .part = CERTIFY_ALL, .from = 1};
	const struct certify_request more = {.domain_keys = k + 1, .domain_keys_n = 2, .part = CERTIFY_MORE};
	const struct sign_request by[] = {{9, SIGN_DIGEST, DIGEST}, {3, SIGN_DIGEST, DIGEST}, {5, SIGN_DIGEST, DIGEST}};

	assert_int_equal(signing_replace(&s, &last), E_SYNTAX);
	assert_int_equal(signing_replace(&s, &first), OK);
	assert_int_equal(signing_replace(&s, &first), OK); /* from the beginning, after a call that was lost */
	assert_int_equal(signing_serve_domain(&s, &by[0], &r, &a), E_NOT_FOUND);
	assert_int_equal(signing_replace(&s, &last), OK);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(signing_serve_domain(&s, &by[i], &r, &a), i < 2 ? OK : E_NOT_FOUND);
	assert_int_equal(signing_replace(&s, &more), OK);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(signing_serve_domain(&s, &by[i], &r, &a), OK);
	last.from = 0;
	assert_int_equal(signing_replace(&s, &last), OK);
	assert_int_equal(signing_replace(&s, &last), OK);
	assert_int_equal(signing_serve_domain(&s, &by[0], &r, &a), E_NOT_FOUND);
	signing_free(&s);
	buf_free(&pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_domains),
		cmocka_unit_test(keys_of_domains_in_parts),
		cmocka_unit_test(handshakes_that_began_before_a_change_end),
		cmocka_unit_test(what_cannot_be_used_changes_nothing),
	};

	return cmocka_run_group_tests_name("signing", tests, NULL, NULL);
}
