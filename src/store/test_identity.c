/* SPDX-License-Identifier: ISC */
/* What an account may write as, what it may send, and that what is dropped of a message is gone. */
#include "store/fixture.h"
#include "store/identity.h"

static uint64_t log_in(struct fixture *f, const char *user)
{
	struct grant_request q = {.edge = STR("edge-0"), .session = STR("s1"), .account = account_id(f, user)};

	assert_int_equal(store_grant(f->store, &q), OK);
	return q.account;
}

static uint64_t start(struct fixture *f)
{
	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	admin_do(f, "account add carol@example.org");
	return log_in(f, "alice@example.org");
}

/* As the reverse-path. */
static struct rcpt_answer check(struct fixture *f, uint64_t account, const char *address, struct arena *a)
{
	struct rcpt_query query = {STR("alice@example.org")};
	struct rcpt_check_request q = {
		.session = STR("s1"), .account = account, .sender = str_from(address), .rcpts = &query, .rcpts_n = 1};
	struct rcpt_check_reply r = {0};

	assert_int_equal(store_rcpt_check(f->store, "edge-0", &q, &r, a), OK);
	assert_int_equal(r.answers_n, 1);
	return r.answers[0];
}

static void allowed(struct fixture *f, uint64_t account, const char *address)
{
	ARENA(a, 1 << 20);

	if (check(f, account, address, &a).code != OK)
		fail_msg("%s is refused", address);
}

static void refused(struct fixture *f, uint64_t account, const char *address, const char *text)
{
	ARENA(a, 1 << 20);
	struct rcpt_answer r = check(f, account, address, &a);

	if (r.code != E_DENIED || r.reply != 550 || !str_equal(r.status, STR("5.7.1")))
		fail_msg("%s: %d", address, (int)r.reply);
	assert_str(r.text, text);
}

static void own_addresses(struct fixture *f)
{
	uint64_t alice = start(f);

	allowed(f, alice, "alice@example.org");
	allowed(f, alice, "Alice@EXAMPLE.org");
	allowed(f, alice, "\"alice\"@example.org");
	allowed(f, alice, "alice+lists@example.org");
	refused(f, alice, "carol@example.org",
	        "You are not carol@example.org; write as alice@example.org, *@example.net");
	refused(f, alice, "nobody@example.org",
	        "You are not nobody@example.org; write as alice@example.org, *@example.net");
	refused(f, alice, "alice@example.com",
	        "You are not alice@example.com; write as alice@example.org, *@example.net");
	refused(f, alice, "alice@[192.0.2.1]",
	        "You are not alice@[192.0.2.1]; write as alice@example.org, *@example.net");
	refused(f, alice, "nonsense", "You are not nonsense; write as alice@example.org, *@example.net");
	admin_do(f, "account add alice+own@example.org");
	refused(f, alice, "alice+own@example.org",
	        "You are not alice+own@example.org; write as alice@example.org, *@example.net");
}

static void test_own_addresses(void **state UNUSED)
{
	fixture_run(own_addresses);
}

static void aliases(struct fixture *f)
{
	uint64_t alice = start(f);

	admin_do(f, "alias add sales@example.org alice@example.org carol@example.org");
	admin_do(f, "alias add boss@example.org carol@example.org");
	admin_do(f, "alias add all@example.org sales@example.org");
	allowed(f, alice, "sales@example.org");
	allowed(f, alice, "sales+x@example.org");
	refused(f, alice, "boss@example.org",
	        "You are not boss@example.org; write as alice@example.org, sales@example.org, *@example.net");
	refused(f, alice, "all@example.org",
	        "You are not all@example.org; write as alice@example.org, sales@example.org, *@example.net");
}

static void test_aliases(void **state UNUSED)
{
	fixture_run(aliases);
}

static void catchall(struct fixture *f)
{
	uint64_t alice = start(f);

	allowed(f, alice, "anybody@example.net");
	admin_do(f, "account add somebody@example.net");
	refused(f, alice, "somebody@example.net",
	        "You are not somebody@example.net; write as alice@example.org, *@example.net");
	refused(f, log_in(f, "carol@example.org"), "anybody@example.net",
	        "You are not anybody@example.net; write as carol@example.org");
}

static void test_catchall(void **state UNUSED)
{
	fixture_run(catchall);
}

static void granted(struct fixture *f)
{
	uint64_t alice = start(f);

	admin_do(f, "account identity add alice@example.org Boss@example.org");
	admin_do(f, "account identity add alice@example.org me@elsewhere.example");
	admin_do(f, "account identity add carol@example.org *@example.net");
	allowed(f, alice, "boss@example.org");
	allowed(f, alice, "BOSS+x@example.org");
	allowed(f, alice, "me@elsewhere.example");
	refused(f, alice, "me+x@elsewhere.example",
	        "You are not me+x@elsewhere.example; write as alice@example.org, me@elsewhere.example, "
	        "boss@example.org, "
	        "*@example.net");
	admin_do(f, "account add boss@example.org"); /* somebody else's, and granted all the same */
	allowed(f, alice, "boss@example.org");
	uint64_t carol = log_in(f, "carol@example.org");
	allowed(f, carol, "anybody@example.net");
	refused(f, carol, "anybody@elsewhere.example",
	        "You are not anybody@elsewhere.example; write as carol@example.org, *@example.net");
	assert_int_equal(admin_count(f, "account identity list alice@example.org"), 2);
	assert_int_equal(admin_result(f, "account identity add alice@example.org boss@example.org"), E_EXISTS);
	assert_int_equal(admin_result(f, "account identity add alice@example.org *@elsewhere.example"), E_PERM);
	assert_int_equal(admin_result(f, "account identity add nobody@example.org x@example.org"), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "account identity list nobody@example.org"), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "account identity add alice@example.org"), E_SYNTAX);
	assert_int_equal(admin_result(f, "account identity add alice@example.org nonsense"), E_SYNTAX);
	assert_int_equal(admin_result(f, "account identity"), E_SYNTAX);
	admin_do(f, "account identity remove alice@example.org boss@example.org");
	assert_int_equal(admin_result(f, "account identity remove alice@example.org boss@example.org"), E_NOT_FOUND);
	alice = log_in(f, "alice@example.org");
	refused(f, alice, "boss@example.org",
	        "You are not boss@example.org; write as alice@example.org, me@elsewhere.example, *@example.net");
	admin_do(f, "account remove alice@example.org");
	admin_do(f, "account add alice@example.org");
	assert_int_equal(admin_count(f, "account identity list alice@example.org"), 0);
}

static void test_granted_identities(void **state UNUSED)
{
	fixture_run(granted);
}

static void capability(struct fixture *f)
{
	ARENA(a, 1 << 20);
	uint64_t alice = start(f), carol = account_id(f, "carol@example.org");
	struct rcpt_check_request q = {.session = STR("s1"), .account = carol};
	struct rcpt_check_reply r = {0};
	struct sending m = {.protocol = "ESMTPA",
	                    .sender = "carol@example.org",
	                    .body = "\r\nx\r\n",
	                    .rcpts = "alice@example.org",
	                    .account = carol};

	assert_int_equal(store_rcpt_check(f->store, "edge-0", &q, &r, &a), E_DENIED);
	q.account = alice;
	assert_int_equal(store_rcpt_check(f->store, "edge-1", &q, &r, &a), E_DENIED);
	assert_int_equal(send_mail(f, &m), E_DENIED);
	assert_int_equal(box_count(f, "alice@example.org"), 0);
}

static void test_only_for_who_is_logged_in(void **state UNUSED)
{
	fixture_run(capability);
}

/* Who else it says it is from, asked when it is here. */
static void authors(struct fixture *f)
{
	struct sending m = {.protocol = "ESMTPA",
	                    .sender = "",
	                    .body = "\r\nx\r\n",
	                    .rcpts = "carol@example.org",
	                    .author = "carol@example.org"};

	m.account = start(f);
	assert_int_equal(send_mail(f, &m), E_DENIED);
	assert_int_equal(err_info()->reply, 550);
	assert_string_equal(err_info()->status, "5.7.1");
	assert_string_equal(err_info()->text,
	                    "You are not carol@example.org; write as alice@example.org, *@example.net");
	m.id = 0;
	m.author = "alice+lists@example.org";
	assert_int_equal(send_mail(f, &m), OK);
	m.id = m.account = 0; /* a program of this machine */
	m.flags = MESSAGE_LOCAL;
	m.author = "carol@example.org";
	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(box_count(f, "carol@example.org"), 2);
	assert_sound(f);
}

static void test_authors(void **state UNUSED)
{
	fixture_run(authors);
}

static void limit(struct fixture *f)
{
	struct sending m = {.protocol = "ESMTPA",
	                    .sender = "alice@example.org",
	                    .body = "\r\nx\r\n",
	                    .rcpts = "alice@example.org carol@example.org"};

	m.account = start(f);
	fixture_configure(f, "limit messages-per-hour 5\n");
	for (int i = 0; i < 2; i++, m.id = 0)
		assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(send_mail(f, &m), E_LIMIT);
	assert_int_equal(err_info()->reply, 450);
	m.id = 0;
	m.rcpts = "nobody@example.org";
	assert_int_equal(send_mail(f, &m), OK); /* refused, and so not counted */
	assert_int_equal(m.codes[0], E_PERM);
	m.id = 0;
	m.rcpts = "carol@example.org";
	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(box_count(f, "carol@example.org"), 3);
	assert_sound(f);
}

static void test_limit(void **state UNUSED)
{
	fixture_run(limit);
}

/* What is in the mailbox: the notice is written while others go on. */
static str notice_of(struct fixture *f, const char *user, size_t n, struct box *b)
{
	for (int i = 0; i < 1000 && box_count(f, user) < n; i++)
		assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_MSEC)), OK);
	assert_int_equal(box_open(f, user, false, b), OK);
	assert_int_equal(b->list.entries_n, n);
	return box_message(f, b, n - 1);
}

static void noticed(struct fixture *f)
{
	struct box b;
	struct sending m = {
		.protocol = "ESMTPA", .sender = "carol@example.org", .body = "\r\nx\r\n", .rcpts = "bob@example.com"};

	(void)start(f);
	admin_do(f, "alias add postmaster@example.org alice@example.org chief@example.com");
	m.account = log_in(f, "carol@example.org");
	fixture_configure(f, "limit messages-per-hour 1\n");
	assert_int_equal(send_mail(f, &m), OK);
	for (int i = 0; i < 3; i++, m.id = 0)
		assert_int_equal(send_mail(f, &m), E_LIMIT);
	str text = notice_of(f, "carol@example.org", 1, &b);
	assert_true(str_starts(text, STR("Return-Path: <>\r\nDelivered-To: carol@example.org\r\nDate: ")));
	assert_true(str_contains(
		text, STR("\r\nFrom: postmaster@example.org\r\nTo: carol@example.org,\r\n\tpostmaster@example.org\r\n"
	                  "Subject: Too much mail from carol@example.org\r\nMessage-ID: <")));
	assert_true(str_contains(text, STR("\r\nAuto-Submitted: auto-generated\r\n")));
	assert_true(str_contains(text, STR("\r\n\r\ncarol@example.org\r\nhas sent mail to 1 recipients")));
	box_close(f, &b);
	(void)notice_of(f, "alice@example.org", 1, &b);
	box_close(f, &b);
	assert_int_equal(admin_number(f, "balance", "queued"), 2); /* the message, and the notice for the chief */
	assert_sound(f);
}

static void test_a_limit_that_is_hit_is_told(void **state UNUSED)
{
	fixture_run(noticed);
}

/* Programs of this machine are counted by their user, root is not. */
static void local_limit(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct origin origin = {
		.session = STR("s1"), .client = STR("unix"), .protocol = STR("ESMTP"), .login = STR("uid=1000")};
	struct rcpt rcpt = {.address = STR("bob@example.com")};
	struct accept_request q = {.origin = &origin,
	                           .origin_n = 1,
	                           .sender = STR("alice@example.org"),
	                           .rcpts = &rcpt,
	                           .rcpts_n = 1,
	                           .flags = MESSAGE_LOCAL,
	                           .body = BODY_OF(STR("\r\nx\r\n"))};
	struct accept_reply r = {0};
	struct box b;

	(void)start(f);
	fixture_configure(f, "limit messages-per-hour 1\n");
	q.id = send_ok(f, "carol@example.org", "x\r\n");
	for (int i = 0; i < 3; i++)
		(void)rcpt_answer(f, "alice@example.org", 0, &a); /* takes ids */
	q.id++;
	assert_int_equal(store_accept(f->store, "edge-0", &q, &r, &a), OK);
	q.id++;
	assert_int_equal(store_accept(f->store, "edge-0", &q, &r, &a), E_LIMIT);
	origin.login = STR("uid=0");
	for (int i = 0; i < 2; i++, q.id++)
		assert_int_equal(store_accept(f->store, "edge-0", &q, &r, &a), OK);
	assert_true(str_contains(notice_of(f, "alice@example.org", 1, &b), STR("\r\nuid=1000\r\nhas sent")));
	box_close(f, &b);
	assert_sound(f);
}

static void test_programs_have_a_limit(void **state UNUSED)
{
	fixture_run(local_limit);
}

static void dropped(struct fixture *f)
{
	struct range ranges[] = {{0, 3}, {5, 2}};
	struct sending m = {.protocol = "ESMTP",
	                    .sender = "bob@example.com",
	                    .body = "abcdefghij\r\n",
	                    .rcpts = "alice@example.org",
	                    .drop = ranges,
	                    .drop_n = 2};
	struct box b;

	start(f);
	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	assert_true(str_ends(box_message(f, &b, 0), STR("Received: by mail.example.org\r\ndehij\r\n")));
	box_close(f, &b);
	m.id = 0;
	ranges[1].offset = 2; /* overlaps */
	assert_int_equal(send_mail(f, &m), E_PERM);
	ranges[1] = (struct range){5, UINT64_MAX};
	assert_int_equal(send_mail(f, &m), E_PERM);
	assert_sound(f);
}

static void test_what_is_dropped_is_gone(void **state UNUSED)
{
	fixture_run(dropped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_addresses),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_catchall),
		cmocka_unit_test(test_only_for_who_is_logged_in),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_authors),
		cmocka_unit_test(test_what_is_dropped_is_gone),
		cmocka_unit_test(test_granted_identities),
		cmocka_unit_test(test_a_limit_that_is_hit_is_told),
		cmocka_unit_test(test_programs_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
