/* SPDX-License-Identifier: ISC */
/* pombo spam learn, words, status */
#include "base/encode.h"
#include "base/log.h"
#include "spam/tokens.h"
#include "store/admin.h"
#include "store/lesson.h"
#include "store/route.h"

enum { MESSAGES_MAX = 10000, DIGEST_MAX = 64 };

struct teaching {
	uint64_t account;
	bool spam;
	size_t at; /* of the first word behind these */
	uint64_t *messages;
	size_t n;
};

static bool read_kind(str word, bool *spam)
{
	*spam = str_equal(word, STR("spam"));
	return *spam || str_equal(word, STR("wanted"));
}

static err read_account(struct admin *x, str word, uint64_t *account)
{
	struct admin_address address;
	struct route_target t = {0};
	bool disabled;

	*account = 0;
	if (str_equal(word, STR("all")))
		return OK;
	err e = admin_our_address(x, word, &address);
	if (e == OK)
		e = route_account(x->store->db, address.local, address.domain, &t, &disabled);
	*account = t.account;
	return e == E_NOT_FOUND ? err_note(E_NOT_FOUND, "there is no account " STR_FMT, STR_ARG(address.text)) : e;
}

/* [ADDRESS|all] spam|wanted */
static err read_who(struct admin *x, struct teaching *t, const char *usage)
{
	err e = OK;

	t->at = 2;
	if (!read_kind(admin_word(x, 2), &t->spam)) {
		e = read_account(x, admin_word(x, 2), &t->account);
		t->at = 3;
		if (e == OK && !read_kind(admin_word(x, 3), &t->spam))
			e = admin_usage(usage);
	}
	t->at++;
	return e == OK && x->request->words_n <= t->at ? admin_usage(usage) : e;
}

/* By our id, or by a Message-ID: all that have it. */
static err find_messages(struct admin *x, struct db *db, str word)
{
	struct teaching *t = x->state;
	struct query q =
		db_query(db, "SELECT id FROM message WHERE id = ? OR message_id = ? OR message_id = '<' || ? || '>'"
	                     " ORDER BY id DESC LIMIT ?");
	uint64_t id = 0;

	if (str_find(word, '@') == word.n && !id_parse(word, &id))
		id = 0;
	query_put_num(&q, id);
	query_put_str(&q, word);
	query_put_str(&q, word);
	query_put_num(&q, MESSAGES_MAX);
	while (t->n < MESSAGES_MAX && query_row(&q))
		t->messages[t->n++] = query_num(&q);
	return query_end(&q);
}

static err find_all(struct admin *x, struct db *db)
{
	const struct teaching *t = x->state;
	err e = OK;

	for (size_t i = t->at; i < x->request->words_n && e == OK; i++)
		e = find_messages(x, db, admin_word(x, i));
	return e;
}

static err answer(struct admin *x, const struct teaching *t, uint64_t n)
{
	LOG(INFO, "spam.learn", LOG_NUM("account", t->account), LOG_Z("as", t->spam ? "spam" : "wanted"),
	    LOG_NUM("messages", n));
	admin_num(x, admin_row(x), "lessons", n);
	return OK;
}

err spam_learn(struct admin *x)
{
	struct teaching t = {.messages = arena_array(x->arena, MESSAGES_MAX, sizeof(uint64_t))};
	err e = t.messages == NULL ? err_note(E_MEMORY, "no memory to learn")
	                           : read_who(x, &t, "spam learn ADDRESS|all spam|wanted ID|MESSAGE-ID...");

	x->state = &t;
	if (e == OK)
		e = admin_read(x, find_all);
	x->state = NULL;
	if (e == OK)
		e = store_lesson_add(x->store, t.account, t.messages, &t.n, t.spam);
	if (e == OK && t.n == 0)
		e = err_note(E_NOT_FOUND, "there is no such message");
	return e == OK ? answer(x, &t, t.n) : e;
}

err spam_words(struct admin *x)
{
	static const char usage[] = "spam words ADDRESS|all spam|wanted DIGEST (store/lesson.h)";
	struct teaching t = {0};
	str tokens = x->request->secret;
	err e = read_who(x, &t, usage);
	str digest = admin_word(x, t.at);

	if (e == OK && (digest.n > DIGEST_MAX || x->request->words_n != t.at + 1))
		return admin_usage(usage);
	if (e == OK && (tokens.n == 0 || tokens.n % sizeof(uint64_t) != 0 || tokens.n > TOKENS_MAX * sizeof(uint64_t)))
		return err_note(E_SYNTAX, "a message has 1 to %d words, 8 octets each", (int)TOKENS_MAX);
	if (e == OK)
		e = store_lesson_words(x->store, t.account, digest, t.spam, tokens);
	return e == OK ? answer(x, &t, 1) : e;
}

static err status_read(struct admin *x, struct db *db)
{
	struct query q =
		db_query(db, "SELECT l.account, coalesce(a.local || '@' || a.domain, 'all'), l.good, l.bad,"
	                     " (SELECT count(*) FROM token t WHERE t.account = l.account),"
	                     " (SELECT count(*) FROM lesson s WHERE s.account = l.account AND s.learned <> s.spam + 1)"
	                     " FROM (SELECT account, good, bad FROM learned UNION ALL SELECT 0, 0, 0 WHERE NOT EXISTS"
	                     " (SELECT 1 FROM learned WHERE account = 0)) AS l LEFT JOIN account a ON a.id = l.account"
	                     " WHERE l.account >= ? ORDER BY l.account");

	query_put_num(&q, admin_resume(x));
	while (query_row(&q)) {
		uint64_t account = query_num(&q);

		if (admin_full(x)) {
			admin_more(x, account);
			break;
		}
		struct row *row = admin_row(x);
		admin_str(x, row, "account", query_str(&q));
		admin_num(x, row, "wanted", query_num(&q));
		admin_num(x, row, "spam", query_num(&q));
		admin_num(x, row, "words", query_num(&q));
		admin_num(x, row, "waiting", query_num(&q));
	}
	return query_end(&q);
}

err spam_status(struct admin *x)
{
	return admin_read(x, status_read);
}
