/* SPDX-License-Identifier: ISC */
/* pombo mailbox list, show, move */
#include "store/admin.h"
#include "store/mailbox_name.h"
#include "store/move.h"
#include "store/route.h"
#include "store/trust.h"

enum { PAGE = 500, RANGES_MAX = 10000 };

/* Uids from the first up to the last. */
struct range_of_uids {
	uint64_t first, last;
};

struct mailbox_verb {
	uint64_t account, mailbox;
	struct range_of_uids *ranges;
	size_t ranges_n;
	uint64_t *uids; /* of a page */
	size_t uids_n;
};

/* --- whose, and which --- */

static err read_account(struct admin *x, str word, uint64_t *account)
{
	struct admin_address address;
	struct route_target t = {0};
	bool disabled;
	err e = admin_our_address(x, word, &address);

	if (e == OK)
		e = route_account(x->store->db, address.local, address.domain, &t, &disabled);
	*account = t.account;
	return e == E_NOT_FOUND ? err_note(E_NOT_FOUND, "there is no account " STR_FMT, STR_ARG(address.text)) : e;
}

static err no_mailbox(str name, const char *hint)
{
	return err_note(E_NOT_FOUND, "there is no mailbox " STR_FMT "%s", STR_ARG(name), hint);
}

static err read_mailbox(struct admin *x, uint64_t account, str word, uint64_t *mailbox)
{
	str name;
	err e = mailbox_name_check(word, &name);

	if (e == OK)
		e = mailbox_find(x->store->db, account, name, mailbox);
	return e == OK && *mailbox == 0 ? no_mailbox(name, "") : e;
}

/* --- list --- */

static err list_read(struct admin *x, struct db *db)
{
	const struct mailbox_verb *v = x->state;
	static const char *const names[] = {"messages", "octets", "uidvalidity", "uidnext"};
	struct query q = db_query(db, "SELECT id, name, messages, octets, uidvalidity, uidnext FROM mailbox"
	                              " WHERE account = ? AND id > ? ORDER BY id");
	uint64_t last = 0;

	query_put_num(&q, v->account);
	query_put_num(&q, admin_resume(x));
	while (query_row(&q)) {
		if (admin_full(x)) {
			admin_more(x, last);
			break;
		}
		struct row *row = admin_row(x);
		last = query_num(&q);
		admin_str(x, row, "mailbox", query_str(&q));
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			admin_num(x, row, names[i], query_num(&q));
	}
	return query_end(&q);
}

static err run(struct admin *x, struct mailbox_verb *v, err (*fn)(struct admin *x, struct db *db))
{
	x->state = v;
	err e = admin_read(x, fn);
	x->state = NULL;
	return e;
}

err mailbox_list(struct admin *x)
{
	struct mailbox_verb v = {0};

	if (x->request->words_n != 3)
		return admin_usage("mailbox list ADDRESS");
	err e = read_account(x, admin_word(x, 2), &v.account);
	return e == OK ? run(x, &v, list_read) : e;
}

/* --- show --- */

static void item_row(struct admin *x, struct query *q)
{
	static const char *const texts[] = {"sender", "subject", "message-id"};
	struct row *row = admin_row(x);
	BUF(keywords, 256);

	admin_num(x, row, "uid", query_num(q));
	admin_id(x, row, "id", query_num(q));
	admin_time(x, row, "received", query_num(q));
	admin_num(x, row, "size", query_num(q));
	trust_keywords(&keywords, query_num(q));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		admin_str(x, row, texts[i], query_str(q));
	admin_str(x, row, "keywords", buf_str(&keywords));
}

static err show_read(struct admin *x, struct db *db)
{
	const struct mailbox_verb *v = x->state;
	struct query q = db_query(
		db, "SELECT i.uid, i.uid, i.message, i.received, i.size, i.flags, m.sender, m.subject, m.message_id"
		    " FROM item i JOIN message m ON m.id = i.message WHERE i.mailbox = ? AND i.uid > ? ORDER BY i.uid");
	uint64_t last = 0;

	query_put_num(&q, v->mailbox);
	query_put_num(&q, admin_resume(x));
	while (query_row(&q)) {
		if (admin_full(x)) {
			admin_more(x, last);
			break;
		}
		last = query_num(&q);
		item_row(x, &q);
	}
	return query_end(&q);
}

err mailbox_show(struct admin *x)
{
	struct mailbox_verb v = {0};

	if (x->request->words_n != 4)
		return admin_usage("mailbox show ADDRESS MAILBOX");
	err e = read_account(x, admin_word(x, 2), &v.account);
	if (e == OK)
		e = read_mailbox(x, v.account, admin_word(x, 3), &v.mailbox);
	return e == OK ? run(x, &v, show_read) : e;
}

/* --- move --- */

static const char usage_of_move[] = "mailbox move ADDRESS MAILBOX TO-MAILBOX there|create UID...";

static err last_uid(struct admin *x, uint64_t mailbox, uint64_t *uid)
{
	struct query q = db_query(x->store->db, "SELECT coalesce(max(uid), 0) FROM item WHERE mailbox = ?");

	query_put_num(&q, mailbox);
	return query_one(&q, uid, NULL);
}

/* RFC 9051 9, seq-number: '*' is the last one there is. */
static bool read_uid(str word, uint64_t last, uint64_t *uid)
{
	*uid = last;
	return str_equal(word, STR("*")) || (str_to_u64(word, UINT32_MAX, uid) && *uid > 0);
}

/* 3, 3:7, 7:3, 5:*, * or all. */
static err read_range(str word, uint64_t last, struct range_of_uids *r)
{
	uint64_t first = 1, end = UINT32_MAX;
	str before, behind;
	bool sound = true;

	if (!str_equal(word, STR("all"))) {
		bool two = str_cut(word, ':', &before, &behind);

		sound = read_uid(before, last, &first) && read_uid(two ? behind : before, last, &end);
	}
	*r = first <= end ? (struct range_of_uids){first, end} : (struct range_of_uids){end, first};
	return sound ? OK
	             : err_note(E_SYNTAX, STR_FMT " is no uid: say 3, 3:7, 3:*, * (the last one) or all",
	                        STR_ARG(word));
}

/* Each word may be several: "1:3,7". */
static err read_ranges(struct admin *x, struct mailbox_verb *v)
{
	uint64_t last = 0;
	err e = last_uid(x, v->mailbox, &last);

	v->ranges = arena_array(x->arena, RANGES_MAX, sizeof(*v->ranges));
	if (v->ranges == NULL)
		return err_note(E_MEMORY, "no memory to move messages");
	for (size_t i = 6; i < x->request->words_n && e == OK; i++) {
		str rest = admin_word(x, i), word;
		bool more = true;

		while (more && e == OK && v->ranges_n < RANGES_MAX) {
			more = str_cut(rest, ',', &word, &rest);
			e = read_range(word, last, &v->ranges[v->ranges_n++]);
		}
		if (e == OK && more)
			e = err_note(E_LIMIT, "too many uids are named; say ranges");
	}
	return e;
}

static bool is_meant(const struct mailbox_verb *v, uint64_t uid)
{
	for (size_t i = 0; i < v->ranges_n; i++)
		if (uid >= v->ranges[i].first && uid <= v->ranges[i].last)
			return true;
	return false;
}

/* The next ones in order: each page of the answer moves as many as it can tell. */
static err find_uids(struct admin *x, struct db *db)
{
	struct mailbox_verb *v = x->state;
	struct query q = db_query(db, "SELECT uid FROM item WHERE mailbox = ? AND uid > ? ORDER BY uid");
	uint64_t last = admin_resume(x);

	v->uids = arena_array(x->arena, PAGE, sizeof(*v->uids));
	if (v->uids == NULL) {
		(void)!query_end(&q);
		return err_note(E_MEMORY, "no memory to move messages");
	}
	query_put_num(&q, v->mailbox);
	query_put_num(&q, last);
	while (query_row(&q)) {
		uint64_t uid = query_num(&q);

		if (!is_meant(v, uid))
			continue;
		if (v->uids_n == PAGE) {
			admin_more(x, last);
			break;
		}
		v->uids[v->uids_n++] = last = uid;
	}
	return query_end(&q);
}

/* INBOX and Junk are every account's; others are made when that is said. */
static err find_target(struct admin *x, const struct mailbox_verb *v, uint64_t *to)
{
	bool create = str_equal(admin_word(x, 5), STR("create"));
	str name;
	err e = mailbox_name_check(admin_word(x, 4), &name);

	if (e == OK && !create && !str_equal(admin_word(x, 5), STR("there")))
		e = admin_usage(usage_of_move);
	if (e != OK)
		return e;
	if (create || str_equal(name, MAILBOX_JUNK))
		return mailbox_ensure(x->store, v->account, name, to);
	e = mailbox_find(x->store->db, v->account, name, to);
	return e == OK && *to == 0 ? no_mailbox(name, "; --create makes it") : e;
}

static void moved_rows(struct admin *x, const struct move *m)
{
	static const char *const learned[] = {"", "spam", "wanted"};

	for (size_t i = 0; i < m->moved_n; i++) {
		struct row *row = admin_row(x);

		admin_num(x, row, "uid", m->moved[i].from_uid);
		admin_num(x, row, "new-uid", m->moved[i].uid);
		admin_id(x, row, "id", m->moved[i].message);
		admin_str(x, row, "learned", str_from(m->moved[i].learned ? learned[m->lesson] : ""));
	}
}

/* A page that moved nothing for others were faster is no end. */
static err move_page(struct admin *x, struct mailbox_verb *v)
{
	struct move m = {.account = v->account, .from = v->mailbox, .by = STR("the administrator")};
	err e = run(x, v, find_uids);

	if (e == OK && v->uids_n == 0 && x->request->resume.n == 0)
		return err_note(E_NOT_FOUND, "no message there has such a uid");
	if (e == OK)
		e = find_target(x, v, &m.to);
	if (e == OK && m.to == m.from)
		return err_note(E_SYNTAX, "they are there already");
	m.uids = v->uids;
	m.n = v->uids_n;
	if (e == OK)
		e = store_move(x->store, &m, x->arena);
	if (e == OK)
		moved_rows(x, &m);
	return e;
}

err mailbox_move(struct admin *x)
{
	struct mailbox_verb v = {0};

	if (x->request->words_n < 7)
		return admin_usage(usage_of_move);
	err e = read_account(x, admin_word(x, 2), &v.account);
	if (e == OK)
		e = read_mailbox(x, v.account, admin_word(x, 3), &v.mailbox);
	if (e == OK)
		e = read_ranges(x, &v);
	return e == OK ? move_page(x, &v) : e;
}
