/* SPDX-License-Identifier: ISC */
/* App passwords, what a login sees of them, and stores of version 1. */
#include "base/encode.h"
#include "sasl/scram.h"
#include "store/credential.h"
#include "store/fixture.h"
#include "store/schema.h"

#define ALICE "alice@example.org"

static void held(struct fixture *f, struct credential_reply *r, struct arena *a)
{
	struct credential_request q = {.user = STR(ALICE)};

	*r = (struct credential_reply){0};
	assert_int_equal(store_credential(f->store, &q, r, a), OK);
}

static void app_passwords(struct fixture *f)
{
	struct credential_reply c;
	struct admin_reply r;
	ARENA(a, 16 << 20);

	fixture_open(f);
	admin_do(f, "account add " ALICE);
	assert_int_equal(admin_try(f, "account app-password add " ALICE " phone", "", &r, &a), OK);
	assert_str(cell_of(&r.rows[0], "expires")->text, "never");
	assert_int_equal(admin_result(f, "account app-password add " ALICE " phone"), E_EXISTS);
	assert_int_equal(admin_result(f, "account app-password add bob@example.org phone"), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "account app-password add " ALICE), E_SYNTAX);
	assert_int_equal(admin_result(f, "account app-password add " ALICE " old 0"), E_SYNTAX);
	admin_do(f, "account app-password add " ALICE " old 1");
	assert_int_equal(admin_count(f, "account app-password list " ALICE), 2);
	held(f, &c, &a);
	assert_int_equal(c.credentials_n, 3);
	assert_int_equal(rt_sleep_until(rt_after(1100 * NSEC_PER_MSEC)), OK);
	held(f, &c, &a);
	assert_int_equal(c.credentials_n, 2); /* the old one has expired */
	assert_str(c.credentials[1].name, "phone");
	admin_do(f, "account passwd " ALICE); /* which leaves the others */
	held(f, &c, &a);
	assert_int_equal(c.credentials_n, 2);
	admin_do(f, "account app-password remove " ALICE " phone");
	assert_int_equal(admin_result(f, "account app-password remove " ALICE " phone"), E_NOT_FOUND);
	held(f, &c, &a);
	assert_int_equal(c.credentials_n, 1);
	assert_true(c.secret.n > 0);
	str secret = c.secret;
	fixture_close(f);
	fixture_open(f);
	held(f, &c, &a);
	assert_true(str_equal(c.secret, secret));
	fixture_close(f);
}

static void test_app_passwords(void **state UNUSED)
{
	fixture_run(app_passwords);
}

#define PRINT  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define COLONS "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF"

static uint64_t whose(struct fixture *f, const char *user, const char *fingerprint)
{
	struct credential_request q = {.user = str_from(user), .certificate = str_from(fingerprint)};
	struct credential_reply r = {0};
	ARENA(a, 1 << 20);

	assert_int_equal(store_credential(f->store, &q, &r, &a), OK);
	assert_true(r.secret.n > 0);
	for (size_t i = 0; i < r.credentials_n; i++)
		if (str_equal(r.credentials[i].kind, STR("certificate")) &&
		    str_equal(r.credentials[i].hash, str_from(fingerprint)))
			return r.account;
	return 0;
}

static void certificates(struct fixture *f)
{
	fixture_open(f);
	admin_do(f, "account add " ALICE);
	admin_do(f, "account add bob@example.org");
	admin_do(f, "account certificate add " ALICE " " COLONS);
	assert_int_equal(admin_result(f, "account certificate add " ALICE " " PRINT), E_EXISTS);
	assert_int_equal(admin_result(f, "account certificate add " ALICE " 0123"), E_SYNTAX);
	assert_int_equal(admin_result(f, "account certificate add carol@example.org " PRINT), E_NOT_FOUND);
	assert_int_equal(admin_count(f, "account certificate list " ALICE), 1);
	assert_int_equal(admin_count(f, "account app-password list " ALICE), 0);
	assert_int_equal(whose(f, ALICE, PRINT), 1);
	assert_int_equal(whose(f, "", PRINT), 1);
	assert_int_equal(whose(f, "bob@example.org", PRINT), 0);
	assert_int_equal(whose(f, "", "0123"), 0);
	/* of both: it has to be said who it is */
	admin_do(f, "account certificate add bob@example.org " PRINT);
	assert_int_equal(whose(f, "", PRINT), 0);
	assert_int_equal(whose(f, "bob@example.org", PRINT), 2);
	/* an app password of that name is another thing */
	admin_do(f, "account app-password add " ALICE " " PRINT);
	admin_do(f, "account app-password remove " ALICE " " PRINT);
	admin_do(f, "account passwd " ALICE);
	assert_int_equal(whose(f, ALICE, PRINT), 1);
	admin_do(f, "account certificate remove " ALICE " " PRINT);
	assert_int_equal(admin_result(f, "account certificate remove " ALICE " " PRINT), E_NOT_FOUND);
	assert_int_equal(whose(f, "", PRINT), 2);
	admin_do(f, "account certificate add " ALICE " " PRINT " 1");
	assert_int_equal(rt_sleep_until(rt_after(1100 * NSEC_PER_MSEC)), OK);
	assert_int_equal(whose(f, ALICE, PRINT), 0);
	admin_do(f, "account remove bob@example.org");
	fixture_close(f);
}

static void test_certificates(void **state UNUSED)
{
	fixture_run(certificates);
}

static void not_too_many(struct fixture *f)
{
	fixture_open(f);
	admin_do(f, "account add " ALICE);
	for (int i = 0; i <= CREDENTIALS_PER_ACCOUNT; i++) {
		char words[100];
		snprintf(words, sizeof(words), "account app-password add " ALICE " n%d", i);
		assert_int_equal(admin_result(f, words), i < CREDENTIALS_PER_ACCOUNT ? OK : E_LIMIT);
	}
	admin_do(f, "account remove " ALICE);
	admin_do(f, "account add " ALICE);
	assert_int_equal(admin_count(f, "account app-password list " ALICE), 0);
	fixture_close(f);
}

static void test_not_too_many(void **state UNUSED)
{
	fixture_run(not_too_many);
}

static void use_is_noted(struct fixture *f)
{
	struct grant_request q = {.edge = STR("edge-0"), .session = STR("s"), .account = 1, .credential = STR("")};
	struct credential_reply c;
	ARENA(a, 16 << 20);

	fixture_open(f);
	admin_do(f, "account add " ALICE);
	held(f, &c, &a);
	q.account = c.account;
	assert_int_equal(store_grant(f->store, &q), OK);
	held(f, &c, &a);
	assert_int_equal(c.credentials[0].used, 0);
	q.note_use = 1;
	assert_int_equal(store_grant(f->store, &q), OK);
	held(f, &c, &a);
	assert_in_range(c.credentials[0].used, (uint64_t)rt_wall() - 60000000, (uint64_t)rt_wall());
	admin_do(f, "account disable " ALICE);
	assert_int_equal(store_grant(f->store, &q), E_DENIED);
	q.hash = c.credentials[0].hash;
	assert_int_equal(store_grant(f->store, &q), E_DENIED);
	q.hash = STR_NONE;
	q.account = 1000;
	assert_int_equal(store_grant(f->store, &q), E_DENIED);
	fixture_close(f);
}

static bool has_network(const struct credential_reply *c, str network)
{
	for (size_t i = 0; i < c->networks_n; i++)
		if (str_equal(c->networks[i].network, network))
			return true;
	return false;
}

/* The last sixteen, until the account is removed. */
static void networks_are_kept(struct fixture *f)
{
	struct grant_request q = {.edge = STR("edge-0"), .session = STR("s"), .credential = STR("")};
	struct credential_reply c;
	char network[8];
	ARENA(a, 16 << 20);

	fixture_open(f);
	admin_do(f, "account add " ALICE);
	held(f, &c, &a);
	assert_int_equal(c.networks_n, 0);
	q.account = c.account;
	for (int i = 10; i < 28; i++) {
		snprintf(network, sizeof(network), "c000%02d", i == 27 ? 12 : i);
		q.network = str_from(network);
		assert_int_equal(store_grant(f->store, &q), OK);
	}
	fixture_close(f);
	fixture_open(f);
	held(f, &c, &a);
	assert_int_equal(c.networks_n, 16);
	assert_false(has_network(&c, STR("c00010")));
	assert_true(has_network(&c, STR("c00011")));
	assert_str(c.networks[15].network, "c00012");
	assert_in_range(c.networks[15].at, (uint64_t)rt_wall() - 60000000, (uint64_t)rt_wall());
	admin_do(f, "account remove " ALICE);
	admin_do(f, "account add " ALICE);
	held(f, &c, &a);
	assert_int_equal(c.networks_n, 0);
	fixture_close(f);
}

static void test_networks_are_kept(void **state UNUSED)
{
	fixture_run(networks_are_kept);
}

/* What proved it must be valid at that moment. */
static void valid_when_granted(struct fixture *f)
{
	struct grant_request q = {.edge = STR("edge-0"), .session = STR("s"), .hash = STR("$hash$")};
	struct credential_reply c;
	ARENA(a, 16 << 20);

	fixture_open(f);
	admin_do(f, "account add " ALICE);
	admin_do(f, "account app-password add " ALICE " phone");
	admin_do(f, "account app-password add " ALICE " old 1");
	held(f, &c, &a);
	q.account = c.account;
	for (size_t i = 0; i < c.credentials_n; i++) {
		q.credential = c.credentials[i].name;
		assert_int_equal(store_grant(f->store, &q), OK);
	}
	q.credential = STR("old");
	q.hash = STR("another");
	assert_int_equal(store_grant(f->store, &q), E_DENIED);
	q.hash = STR("$hash$");
	assert_int_equal(rt_sleep_until(rt_after(1100 * NSEC_PER_MSEC)), OK);
	assert_int_equal(store_grant(f->store, &q), E_DENIED);
	q.credential = STR("phone");
	admin_do(f, "account app-password remove " ALICE " phone");
	assert_int_equal(store_grant(f->store, &q), E_DENIED);
	q.credential = STR("");
	assert_int_equal(store_grant(f->store, &q), OK);
	fixture_close(f);
}

static void test_valid_when_granted(void **state UNUSED)
{
	fixture_run(valid_when_granted);
}

static void test_use_is_noted(void **state UNUSED)
{
	fixture_run(use_is_noted);
}

/* One salt for all credentials of an account, and a new one each time for who has none. */
static void salts(struct fixture *f)
{
	struct scram_verifier v;
	struct word words[] = {{STR("account")}, {STR("passwd")}, {STR(ALICE)}};
	struct admin_request q = {.words = words, .words_n = ARRAY_LEN(words)};
	struct admin_reply r;
	BUF(lines, 1000);
	ARENA(a, 16 << 20);

	fixture_open(f);
	admin_do(f, "account add " ALICE);
	assert_int_equal(admin_try(f, "account salt " ALICE, "", &r, &a), OK);
	str one = cell_of(&r.rows[0], "salt")->text;
	assert_int_equal(admin_try(f, "account salt " ALICE, "", &r, &a), OK);
	assert_false(str_equal(cell_of(&r.rows[0], "salt")->text, one));
	assert_int_equal(scram_verifier_make(CRYPTO_SHA256, STR("x"), STR("salt"), 4096, &v), OK);
	buf_puts(&lines, "scram-sha-256 ");
	scram_verifier_print(&v, &lines);
	q.secret = buf_str(&lines);
	r = (struct admin_reply){0};
	assert_int_equal(store_admin(f->store, &q, &r, &a), OK);
	assert_int_equal(admin_try(f, "account salt " ALICE, "", &r, &a), OK);
	assert_str(cell_of(&r.rows[0], "salt")->text, "c2FsdA==");
	q.secret = STR("secret x\n"); /* no kind that a command may set */
	assert_int_equal(store_admin(f->store, &q, &r, &a), E_SYNTAX);
	fixture_close(f);
}

static void test_salts(void **state UNUSED)
{
	fixture_run(salts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_app_passwords),      cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_not_too_many),       cmocka_unit_test(test_networks_are_kept),
		cmocka_unit_test(test_use_is_noted),       cmocka_unit_test(test_salts),
		cmocka_unit_test(test_valid_when_granted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
