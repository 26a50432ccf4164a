/* SPDX-License-Identifier: ISC */
#include "rt/file.h"
#include "store/fixture.h"
#include "base/encode.h"

static void start(struct fixture *f)
{
	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	admin_do(f, "account add carol@example.org");
}

static void accounts(struct fixture *f)
{
	ARENA(a, 16 << 20);
	struct admin_reply r;

	start(f);
	assert_int_equal(admin_result(f, "account add Alice@Example.org"), E_EXISTS);
	assert_int_equal(admin_result(f, "account add alice@example.com"), E_PERM);
	assert_int_equal(admin_result(f, "account add \"a\\ b\"@example.org"), E_SYNTAX);
	assert_int_equal(admin_result(f, "account add"), E_SYNTAX);
	assert_int_equal(admin_result(f, "account paint alice@example.org"), E_SYNTAX);
	assert_int_equal(admin_result(f, "account show dave@example.org"), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "account passwd dave@example.org"), E_NOT_FOUND);
	assert_int_equal(admin_count(f, "account list"), 2);
	admin_do(f, "account disable carol@example.org");
	assert_int_equal(admin_try(f, "account show carol@example.org", "", &r, &a), OK);
	assert_str(cell_of(&r.rows[0], "address")->text, "carol@example.org");
	assert_str(cell_of(&r.rows[0], "state")->text, "disabled");
	struct credential_request q = {.user = STR("alice")}; /* the first domain is meant */
	struct credential_reply credential = {0};
	assert_int_equal(store_credential(f->store, &q, &credential, &a), OK);
	assert_int_equal(credential.credentials_n, 1);
	assert_str(credential.credentials[0].hash, "$hash$");
	assert_str(credential.address, "alice@example.org");
	q.user = STR("dave@example.org");
	credential = (struct credential_reply){0};
	assert_int_equal(store_credential(f->store, &q, &credential, &a), OK);
	assert_int_equal(credential.account, 0);
}

static void test_accounts(void **state UNUSED)
{
	fixture_run(accounts);
}

static void remove_account(struct fixture *f)
{
	struct box b;

	start(f);
	send_ok(f, "alice@example.org carol@example.org", "x\r\n");
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	uint64_t validity = b.list.uidvalidity;
	assert_int_equal(admin_result(f, "account remove alice@example.org"), E_BUSY);
	admin_do(f, "account remove alice@example.org force");
	struct mailbox_read_reply r;
	assert_int_equal(box_read(f, &b, 1, 0, 10, &r), E_DENIED); /* the session lost it */
	box_close(f, &b);
	assert_int_equal(admin_count(f, "account list"), 1);
	assert_int_equal(admin_number(f, "balance", "mailbox"), 2); /* what happened, happened */
	assert_sound(f);
	admin_do(f, "account add alice@example.org");
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	assert_int_equal(b.list.entries_n, 0);
	assert_true(b.list.uidvalidity > validity);
	box_close(f, &b);
}

static void test_remove(void **state UNUSED)
{
	fixture_run(remove_account);
}

static void pages(struct fixture *f)
{
	char words[100];

	fixture_open(f);
	for (int i = 0; i < 1100; i++) {
		snprintf(words, sizeof(words), "account add u%d@example.org", i);
		admin_do(f, words);
	}
	assert_int_equal(admin_count(f, "account list"), 1100);
}

static void test_lists_come_in_pages(void **state UNUSED)
{
	fixture_run(pages);
}

static void traces(struct fixture *f)
{
	ARENA(a, 16 << 20);
	struct admin_reply r;
	char id[ID_TEXT_MAX], words[100];

	start(f);
	admin_do(f, "alias add team@example.org alice@example.org carol@example.org");
	uint64_t first = send_ok(f, "team@example.org", "x\r\n");
	send_ok(f, "carol@example.org", "x\r\n");
	snprintf(words, sizeof(words), "trace %.*s", STR_ARG(id_text(first, id)));
	assert_int_equal(admin_try(f, words, "", &r, &a), OK);
	assert_int_equal(r.rows_n, 5); /* received, two debits, two credits */
	assert_str(cell_of(&r.rows[0], "from")->text, "bob@example.com");
	assert_str(cell_of(&r.rows[0], "helo")->text, "client.example");
	assert_str(cell_of(&r.rows[1], "event")->text, "accepted");
	assert_str(cell_of(&r.rows[1], "original")->text, "team@example.org");
	assert_str(cell_of(&r.rows[2], "event")->text, "mailbox");
	assert_str(cell_of(&r.rows[2], "account")->text, "alice@example.org");
	assert_int_equal(cell_of(&r.rows[2], "uid")->number, 1);
	assert_int_equal(admin_count(f, "trace bob@example.com"), 8);
	assert_int_equal(admin_count(f, "trace Team@example.org"), 5);
	assert_int_equal(admin_count(f, "trace alice@example.org"), 5);
	assert_int_equal(admin_count(f, "trace <m1@example.com>"), 8);
	assert_int_equal(admin_count(f, "trace m1@example.com"), 8);
	assert_int_equal(admin_count(f, "trace nobody@example.com"), 0);
	assert_int_equal(admin_result(f, "trace 0"), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "trace"), E_SYNTAX);
	assert_int_equal(admin_number(f, "balance", "accepted"), 3);
	assert_int_equal(admin_number(f, "balance since 9000000000000000", "accepted"), 0);
}

static void test_trace_and_balance(void **state UNUSED)
{
	fixture_run(traces);
}

static void long_trace(struct fixture *f)
{
	start(f);
	for (int i = 0; i < 600; i++)
		send_ok(f, "alice@example.org", "x\r\n");
	assert_int_equal(admin_count(f, "trace bob@example.com"), 1800);
}

static void test_a_long_trace_comes_in_pages(void **state UNUSED)
{
	fixture_run(long_trace);
}

/* --- verify --- */

static void flip(struct fixture *f, off_t at)
{
	char path[200], c;

	snprintf(path, sizeof(path), "%s/bodies/0000000001", f->path);
	int fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c = (char)(c ^ 1);
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

/* Where `text` stands last in the segment; behind the records there may be zeros. */
static off_t last_of(struct fixture *f, const char *text)
{
	char path[200];
	BUF(file, 1 << 24);

	snprintf(path, sizeof(path), "%s/bodies/0000000001", f->path);
	assert_int_equal(file_read_whole(path, &file), OK);
	for (size_t at = file.n; at > 0; at--)
		if (str_starts(str_drop(buf_str(&file), at), str_from(text)))
			return (off_t)at;
	fail_msg("\"%s\" is not in the segment", text);
	return 0;
}

static void verifies(struct fixture *f)
{
	ARENA(a, 16 << 20);
	struct admin_reply r;

	start(f);
	send_ok(f, "alice@example.org", "one\r\n");
	uint64_t second = send_ok(f, "alice@example.org carol@example.org", "two\r\n");
	assert_int_equal(admin_count(f, "store verify"), 0);
	char id[ID_TEXT_MAX];
	off_t body = last_of(f, "two\r\n");
	flip(f, body);
	assert_int_equal(admin_try(f, "store verify", "", &r, &a), OK);
	assert_int_equal(r.rows_n, 1);
	assert_true(str_equal(cell_of(&r.rows[0], "id")->text, id_text(second, id)));
	flip(f, body);
	assert_int_equal(admin_count(f, "store verify"), 0);
	/* the ledger, the counters */
	fixture_change(f, "DELETE FROM ledger WHERE side = 1 AND rcpt = 1");
	assert_int_equal(admin_number(f, "balance", "lost"), 1);
	assert_true(admin_count(f, "store verify") > 0);
	fixture_change(
		f,
		"DELETE FROM ledger WHERE side = 0 AND rcpt = 1; UPDATE mailbox SET octets = octets + 1 WHERE id = 1");
	assert_int_equal(admin_number(f, "balance", "lost"), 0);
	assert_true(admin_count(f, "store verify") > 0);
}

static void test_verify(void **state UNUSED)
{
	fixture_run(verifies);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accounts),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_lists_come_in_pages),
		cmocka_unit_test(test_trace_and_balance),
		cmocka_unit_test(test_a_long_trace_comes_in_pages),
		cmocka_unit_test(test_verify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
