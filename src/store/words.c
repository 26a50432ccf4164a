/* SPDX-License-Identifier: ISC */
#include "store/words.h"

#include "base/cursor.h"
#include "spam/model.h"
#include "spam/tokens.h"

enum { NOT_YET, AS_WANTED, AS_SPAM }; /* lesson.learned */
#define TABLE_MAX (1u << 30)

/* --- lessons --- */

err lesson_put(struct db *db, const struct lesson *l, uint64_t now)
{
	struct query q = db_query(
		db, "INSERT INTO lesson (account, digest, message, spam, learned, at) VALUES (?, ?, ?, ?, 0, ?)"
		    " ON CONFLICT (account, digest) DO UPDATE SET message = excluded.message,"
		    " spam = excluded.spam, at = excluded.at");

	query_put_num(&q, l->account);
	query_put_str(&q, l->digest);
	query_put_num(&q, l->message);
	query_put_num(&q, l->spam);
	query_put_num(&q, now);
	return query_run(&q);
}

err lesson_put_both(struct db *db, const struct lesson *l, uint64_t now)
{
	struct lesson all = *l;
	err e = lesson_put(db, l, now);

	all.account = 0;
	return e == OK && l->account != 0 ? lesson_put(db, &all, now) : e;
}

/* `due`: it is to be learned, and as what; `learned`: as what it was before. */
static err read_lesson(struct db *db, uint64_t account, str digest, uint64_t *due, uint64_t *learned)
{
	struct query q = db_query(db, "SELECT spam, learned FROM lesson WHERE account = ? AND digest = ?");

	*due = NOT_YET;
	query_put_num(&q, account);
	query_put_str(&q, digest);
	if (query_row(&q)) {
		uint64_t wanted = query_num(&q) != 0 ? AS_SPAM : AS_WANTED;

		*learned = query_num(&q);
		*due = wanted != *learned ? wanted : NOT_YET;
	}
	return query_end(&q);
}

static err set_learned(struct db *db, uint64_t account, str digest, uint64_t as)
{
	struct query q = db_query(db, "UPDATE lesson SET learned = ? WHERE account = ? AND digest = ?");

	query_put_num(&q, as);
	query_put_num(&q, account);
	query_put_str(&q, digest);
	return query_run(&q);
}

/* One more of one kind; with `back`, one less of the other. */
struct change {
	uint64_t account;
	uint64_t good, bad, good_back, bad_back;
};

static void put_change(struct query *q, const struct change *c)
{
	query_put_num(q, c->good);
	query_put_num(q, c->bad);
	query_put_num(q, c->good);
	query_put_num(q, c->good_back);
	query_put_num(q, c->bad);
	query_put_num(q, c->bad_back);
}

/* What is seldom may have been forgotten since it was counted: nothing falls below 0. */
static err count_token(struct db *db, const struct change *c, uint64_t hash)
{
	struct query q = db_query(db, "INSERT INTO token (account, hash, good, bad) VALUES (?, ?, ?, ?)"
	                              " ON CONFLICT (account, hash) DO UPDATE SET"
	                              " good = max(0, token.good + ? - ?), bad = max(0, token.bad + ? - ?)");

	query_put_num(&q, c->account);
	query_put_num(&q, hash);
	put_change(&q, c);
	return query_run(&q);
}

static err count_message(struct db *db, const struct change *c)
{
	struct query q = db_query(db, "INSERT INTO learned (account, version, good, bad) VALUES (?, 1, ?, ?)"
	                              " ON CONFLICT (account) DO UPDATE SET version = learned.version + 1,"
	                              " good = max(0, learned.good + ? - ?), bad = max(0, learned.bad + ? - ?)");

	query_put_num(&q, c->account);
	put_change(&q, c);
	return query_run(&q);
}

static err learn_for(struct db *db, uint64_t account, str digest, str tokens)
{
	uint64_t as = NOT_YET, learned = NOT_YET;
	struct cursor c = cursor_of(str_take(tokens, TOKENS_MAX * sizeof(uint64_t)));
	err e = read_lesson(db, account, digest, &as, &learned);

	if (e != OK || as == NOT_YET)
		return e;
	const struct change change = {.account = account,
	                              .good = as == AS_WANTED,
	                              .bad = as == AS_SPAM,
	                              .good_back = learned == AS_WANTED,
	                              .bad_back = learned == AS_SPAM};
	while (cursor_left(&c) >= sizeof(uint64_t) && e == OK)
		e = count_token(db, &change, cursor_le64(&c));
	if (e == OK)
		e = count_message(db, &change);
	return e == OK ? set_learned(db, account, digest, as) : e;
}

err lesson_learn(struct db *db, uint64_t account, str digest, str tokens)
{
	err e = learn_for(db, 0, digest, tokens);

	return e == OK && account != 0 ? learn_for(db, account, digest, tokens) : e;
}

static err forget(struct db *db, const char *literal, uint64_t account, str digest)
{
	struct query q = db_query(db, literal);

	query_put_num(&q, account);
	query_put_str(&q, digest);
	return query_run(&q);
}

err lesson_give_up(struct db *db, uint64_t account, str digest)
{
	err e = forget(db, "DELETE FROM lesson WHERE account IN (?, 0) AND digest = ? AND learned = 0", account,
	               digest);

	if (e != OK)
		return e;
	return forget(db, "UPDATE lesson SET spam = learned - 1 WHERE account IN (?, 0) AND digest = ?", account,
	              digest);
}

/* --- tables --- */

static err read_messages(struct db *db, uint64_t account, uint64_t *version, struct model_counts *messages)
{
	struct query q = db_query(db, "SELECT version, good, bad FROM learned WHERE account = ?");

	*version = 0;
	query_put_num(&q, account);
	if (query_row(&q)) {
		*version = query_num(&q);
		messages->good = (uint32_t)query_num(&q);
		messages->bad = (uint32_t)query_num(&q);
	}
	return query_end(&q);
}

err words_version(struct db *db, uint64_t account, uint64_t *version)
{
	struct model_counts ignored;

	return read_messages(db, account, version, &ignored);
}

static err count_tokens(struct db *db, uint64_t account, uint64_t *n)
{
	struct query q = db_query(db, "SELECT count(*) FROM token WHERE account = ? AND good + bad > 0");

	query_put_num(&q, account);
	return query_one(&q, n, NULL);
}

static err add_tokens(struct db *db, uint64_t account, struct model_builder *b)
{
	struct query q = db_query(db, "SELECT hash, good, bad FROM token WHERE account = ? AND good + bad > 0");
	err e = OK;

	query_put_num(&q, account);
	while (e == OK && query_row(&q)) {
		uint64_t hash = query_num(&q);
		struct model_counts counts = {.good = (uint32_t)query_num(&q)};

		counts.bad = (uint32_t)query_num(&q);
		e = model_add(b, hash, counts);
	}
	err end = query_end(&q);
	return e == OK ? end : e;
}

static err build(struct db *db, uint64_t account, uint64_t *version, struct buf *out)
{
	struct model_counts messages = {0};
	uint64_t tokens = 0;
	err e = read_messages(db, account, version, &messages);

	if (e != OK || *version == 0)
		return e;
	e = count_tokens(db, account, &tokens);
	struct model_builder b = {.size = model_size(tokens)};
	b.memory = buf_reserve(out, b.size);
	if (e == OK && b.memory == NULL)
		return err_note(E_MEMORY, "no memory for a table of words");
	if (e == OK)
		e = model_begin(&b, tokens, messages);
	if (e == OK)
		e = add_tokens(db, account, &b);
	buf_commit(out, b.size);
	return e;
}

err words_table(struct db *db, uint64_t account, uint64_t *version, struct buf *out)
{
	err e = db_begin_read(db);

	if (e == OK)
		e = build(db, account, version, out);
	db_rollback(db);
	return e;
}
