/* SPDX-License-Identifier: ISC */
/* Lessons: messages that somebody says are spam or wanted, given to a filter, their words counted once, taken back, and told as a table. */
#include "base/encode.h"
#include "spam/model.h"
#include "store/fixture.h"
#include "store/fixture_queue.h"
#include "store/lesson.h"

static struct lesson_reply ask(struct fixture *f, const char *from, uint64_t done, str tokens, uint64_t wait_ms,
                               struct arena *a)
{
	struct lesson_request q = {.done = done, .tokens = tokens, .wait_ms = wait_ms};
	struct lesson_reply r = {0};

	if (store_lesson(f->store, from, &q, &r, a) != OK)
		fail_msg("lesson: %s", err_info()->text);
	return r;
}

/* Words of one letter. */
static str tokens_of_letters(const char *letters, struct arena *a)
{
	BUF(out, 1 << 10);

	for (; *letters != '\0'; letters++)
		buf_le64(&out, (uint64_t)(unsigned char)*letters | 0x8000000000000000);
	return arena_str(a, buf_str(&out));
}

/* Learns all that is due; the last message that was handed out. */
static str learn_all(struct fixture *f, const char *letters, struct arena *a)
{
	struct lesson_reply r = ask(f, "filter-0", 0, STR(""), 0, a);
	str last = STR("");

	while (r.lesson != 0) {
		last = arena_str(a, r.body.bytes);
		r = ask(f, "filter-0", r.lesson, tokens_of_letters(letters, a), 0, a);
	}
	return last;
}

#define WORDS                                                                                                         \
	"SELECT account || ' ' || char(hash & 127) || ' ' || good || ' ' || bad FROM token ORDER BY account, hash & " \
	"127"
#define LEARNED "SELECT account || ' ' || good || ' ' || bad FROM learned ORDER BY account"

static uint64_t teach(struct fixture *f, const char *who, const char *as, uint64_t id)
{
	char words[200], text[ID_TEXT_MAX];

	snprintf(words, sizeof(words), "spam learn %s %s " STR_FMT, who, as, STR_ARG(id_text(id, text)));
	return admin_number(f, words, "lessons");
}

static void learned(struct fixture *f)
{
	ARENA(a, 16 << 20);

	start(f);
	uint64_t id = send_ok(f, "alice@example.org", "Subject: cheap\r\n\r\nx\r\n");
	assert_int_equal(teach(f, "alice@example.org", "spam", id), 1);
	assert_true(str_ends(learn_all(f, "ab", &a), STR("Subject: cheap\r\n\r\nx\r\n")));
	expect_lines(f, LEARNED, "0 0 1\n1 0 1\n");
	expect_lines(f, WORDS, "0 a 0 1\n0 b 0 1\n1 a 0 1\n1 b 0 1\n");

	/* The same again changes nothing. */
	teach(f, "alice@example.org", "spam", id);
	teach(f, "all", "spam", id);
	learn_all(f, "ab", &a);
	expect_lines(f, LEARNED, "0 0 1\n1 0 1\n");

	/* The other way round takes back the first. */
	teach(f, "alice@example.org", "wanted", id);
	learn_all(f, "ab", &a);
	expect_lines(f, LEARNED, "0 1 0\n1 1 0\n");
	expect_lines(f, WORDS, "0 a 1 0\n0 b 1 0\n1 a 1 0\n1 b 1 0\n");

	/* Of all alone. */
	uint64_t other = send_ok(f, "alice@example.org", "Subject: dear\r\n\r\ny\r\n");
	teach(f, "all", "wanted", other);
	learn_all(f, "bc", &a);
	expect_lines(f, LEARNED, "0 2 0\n1 1 0\n");
	assert_int_equal(admin_number(f, "spam status", "words"), 3);
	assert_int_equal(admin_count(f, "spam status"), 2);
	assert_int_equal(admin_result(f, "spam learn all spam <no@such>"), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "spam learn bob@example.org spam 1"), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "spam learn all nothing 1"), E_SYNTAX);
	assert_int_equal(admin_number(f, "spam learn all spam m1@example.com", "lessons"), 2);
	assert_sound(f);
	admin_do(f, "account remove alice@example.org force");
	expect_lines(
		f,
		"SELECT count(*) FROM token WHERE account = 1 UNION ALL SELECT count(*) FROM lesson WHERE account = 1",
		"0\n0\n");
}

static void test_learned(void **state UNUSED)
{
	fixture_run(learned);
}

/* --- handing out --- */

struct waiter {
	struct fixture *f;
	uint64_t lesson;
	bool ended;
};

static void wait_for_lesson(void *arg)
{
	struct waiter *w = arg;
	ARENA(a, 1 << 20);

	w->lesson = ask(w->f, "filter-1", 0, STR(""), 10000, &a).lesson;
	w->ended = true;
}

static void handed_out(struct fixture *f)
{
	ARENA(a, 16 << 20);
	struct waiter w = {.f = f};

	start(f);
	uint64_t id = send_ok(f, "alice@example.org", "Subject: cheap\r\n\r\nx\r\n");
	assert_int_equal(ask(f, "filter-0", 0, STR(""), 10, &a).lesson, 0);
	assert_non_null(rt_spawn(wait_for_lesson, &w, "waiter"));
	rt_yield();
	assert_false(w.ended);
	teach(f, "all", "spam", id);
	for (int i = 0; i < 5000 && !w.ended; i++)
		assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_MSEC)), OK);
	assert_true(w.lesson != 0);

	/* Nobody else gets it, until whoever has it is gone, or asks for another. */
	assert_int_equal(ask(f, "filter-0", 0, STR(""), 0, &a).lesson, 0);
	lessons_process_gone(f->store, "filter-1");
	uint64_t again = ask(f, "filter-0", 0, STR(""), 0, &a).lesson;
	assert_true(again != 0 && again != w.lesson);
	/* Not his any more. */
	assert_int_equal(ask(f, "filter-1", w.lesson, tokens_of_letters("a", &a), 0, &a).lesson, 0);
	expect_lines(f, LEARNED, "");
	/* A third time, and no more: whoever has it dies of it. */
	assert_true(ask(f, "filter-0", 0, STR(""), 0, &a).lesson != 0);
	assert_int_equal(ask(f, "filter-0", 0, STR(""), 0, &a).lesson, 0);
	expect_lines(f, "SELECT count(*) FROM lesson", "0\n");

	/* Without words it is over. */
	teach(f, "all", "spam", id);
	uint64_t empty = ask(f, "filter-0", 0, STR(""), 0, &a).lesson;
	assert_int_equal(ask(f, "filter-0", empty, STR(""), 0, &a).lesson, 0);
	expect_lines(f, "SELECT count(*) FROM lesson", "0\n");
}

static void test_handed_out(void **state UNUSED)
{
	fixture_run(handed_out);
}

/* Lessons that were handed out, given back, and taken back by whoever gave them: others are handed out all the same. */
static void taken_back(struct fixture *f)
{
	ARENA(a, 16 << 20);
	char body[64];

	start(f);
	for (int i = 0; i < 70; i++) {
		snprintf(body, sizeof(body), "number %d\r\n", i);
		teach(f, "all", "spam", send_ok(f, "alice@example.org", body));
		assert_true(ask(f, "filter-0", 0, STR(""), 0, &a).lesson != 0);
		lessons_process_gone(f->store, "filter-0");
		fixture_change(f, "DELETE FROM lesson");
	}
}

static void test_taken_back(void **state UNUSED)
{
	fixture_run(taken_back);
}

/* A large message comes as a file; one that is gone meanwhile is passed over. */
static void bodies(struct fixture *f)
{
	ARENA(a, 16 << 20);
	BUF(large, 1 << 20);
	struct box b;

	start(f);
	buf_puts(&large, "Subject: large\r\n\r\n");
	for (int i = 0; i < 20000; i++)
		buf_puts(&large, "1234567890\r\n");
	buf_putc(&large, '\0');
	uint64_t id = send_ok(f, "alice@example.org", large.p), gone = send_ok(f, "alice@example.org", "\r\ngone\r\n");
	teach(f, "all", "spam", gone);
	teach(f, "all", "wanted", id);
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	assert_int_equal(box_expunge(f, &b, 2), OK);
	box_close(f, &b);
	fixture_change(f, "UPDATE message SET segment = 0 WHERE items = 0");
	struct lesson_reply r = ask(f, "filter-0", 0, STR(""), 0, &a);
	assert_true(r.lesson != 0 && r.body.fd >= 0);
	close(r.body.fd);
	assert_int_equal(ask(f, "filter-0", r.lesson, tokens_of_letters("a", &a), 0, &a).lesson, 0);
	expect_lines(f, LEARNED, "0 1 0\n");
}

static void test_bodies(void **state UNUSED)
{
	fixture_run(bodies);
}

/* --- by command, and tables --- */

static err words_by_command(struct fixture *f, const char *who, const char *as, const char *digest, str tokens)
{
	ARENA(a, 1 << 20);
	struct word words[] = {{STR("spam")}, {STR("words")}, {str_from(who)}, {str_from(as)}, {str_from(digest)}};
	struct admin_request q = {.words = words, .words_n = 5, .secret = tokens};
	struct admin_reply r = {0};

	return store_admin(f->store, &q, &r, &a);
}

static struct model_reply table(struct fixture *f, uint64_t account, uint64_t version, struct arena *a)
{
	struct model_request q = {.account = account, .version = version};
	struct model_reply r = {0};

	if (store_model(f->store, &q, &r, a) != OK)
		fail_msg("model: %s", err_info()->text);
	return r;
}

static void tables(struct fixture *f)
{
	ARENA(a, 16 << 20);
	struct model m;
	uint64_t letter_a = 'a' | 0x8000000000000000;

	start(f);
	assert_int_equal(table(f, 0, 0, &a).version, 0);
	assert_int_equal(words_by_command(f, "all", "spam", "d1", tokens_of_letters("ab", &a)), OK);
	assert_int_equal(words_by_command(f, "all", "spam", "d1", tokens_of_letters("ab", &a)), OK);
	assert_int_equal(words_by_command(f, "alice@example.org", "wanted", "d2", tokens_of_letters("a", &a)), OK);
	struct model_reply r = table(f, 0, 0, &a);
	assert_int_equal(r.version, 2);
	assert_int_equal(model_open(r.table.bytes, &m), OK);
	assert_int_equal(m.messages.good, 1);
	assert_int_equal(m.messages.bad, 1);
	assert_int_equal(model_find(&m, letter_a).good, 1);
	assert_int_equal(model_find(&m, letter_a).bad, 1);
	assert_int_equal(table(f, 0, 2, &a).table.bytes.n, 0);
	r = table(f, 1, 0, &a);
	assert_int_equal(r.version, 1);
	assert_int_equal(model_open(r.table.bytes, &m), OK);
	assert_int_equal(model_find(&m, letter_a).good, 1);
	assert_int_equal(model_find(&m, letter_a).bad, 0);
	assert_int_equal(words_by_command(f, "all", "spam", "d3", STR("1234567")), E_SYNTAX);
	assert_int_equal(words_by_command(f, "all", "spam", "d3", STR("")), E_SYNTAX);
	assert_int_equal(words_by_command(f, "all", "spam", "", tokens_of_letters("ab", &a)), OK);
}

static void test_tables(void **state UNUSED)
{
	fixture_run(tables);
}

/* What an administrator does to the quarantine is learned. */
static void quarantine(struct fixture *f)
{
	ARENA(a, 16 << 20);
	struct sending m = {.protocol = "ESMTP",
	                    .sender = "bob@example.com",
	                    .body = "\r\nbad\r\n",
	                    .rcpts = "alice@example.org",
	                    .dispositions = {DISPOSITION_QUARANTINE}};
	struct sending n = m;

	start(f);
	n.body = "\r\ngood\r\n";
	n.sender = "carol@example.com";
	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(send_mail(f, &n), OK);
	admin_do(f, "quarantine drop sender=bob@example.com");
	expect_lines(f, "SELECT account || ' ' || spam FROM lesson", "0 1\n");
	assert_true(str_ends(learn_all(f, "a", &a), STR("bad\r\n")));
	admin_do(f, "quarantine release all");
	assert_true(str_ends(learn_all(f, "b", &a), STR("good\r\n")));
	expect_lines(f, WORDS, "0 a 0 1\n0 b 1 0\n");
}

static void test_quarantine(void **state UNUSED)
{
	fixture_run(quarantine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learned), cmocka_unit_test(test_handed_out),
		cmocka_unit_test(test_taken_back), cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_tables),  cmocka_unit_test(test_quarantine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
