/* SPDX-License-Identifier: ISC */
/* What the store's tests share: a store in a folder of its own, with a loop around it. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include "base/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "rt/file.h"
#include "store/db.h"
#include "store/rebuild.h"
#include "store/segment.h"
#include "store/store.h"

struct fixture {
	char path[128];
	struct config *config;
	struct store *store;
	void (*test)(struct fixture *f);
	unsigned sessions; /* names of mailbox sessions */
};

#define FIXTURE_CONFIG                                                                                               \
	"version 1\nhostname mail.example.org\ndomain example.org\ndomain example.net { catchall alice@example.org " \
	"}\n"

UNUSED static struct config *fixture_config(const char *more)
{
	struct config_faults faults = {.text = BUF_INIT(1 << 16)};
	BUF(text, 1 << 16);

	buf_printf(&text, "%s%s", FIXTURE_CONFIG, more);
	struct config *c = config_parse(buf_str(&text), "test", &faults);
	if (c == NULL)
		fail_msg("configuration: " STR_FMT, STR_ARG(buf_str(&faults.text)));
	buf_free(&faults.text);
	return c;
}

UNUSED static void fixture_open(struct fixture *f)
{
	err e = store_open(f->path, f->config, &f->store);

	if (e != OK)
		fail_msg("store_open: %s", err_info()->text);
}

UNUSED static void fixture_close(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
}

UNUSED static void fixture_configure(struct fixture *f, const char *more)
{
	config_release(f->config);
	f->config = fixture_config(more);
	if (f->store != NULL)
		store_configure(f->store, f->config);
}

UNUSED static void fixture_main(void *arg)
{
	struct fixture *f = arg;

	f->test(f);
	if (f->store != NULL)
		fixture_close(f);
}

UNUSED static void fixture_remove(const char *path)
{
	char command[400];

	snprintf(command, sizeof(command), "rm -rf '%s' '%s.other'", path, path);
	assert_int_equal(system(command), 0);
}

/* Runs the test in a loop, with f->path a new folder and no store open. What belongs beside it goes to PATH.other. */
UNUSED static void fixture_run(void (*test)(struct fixture *f))
{
	struct fixture f = {.test = test};

	log_to(-1);
	snprintf(f.path, sizeof(f.path), "/tmp/pombo-store-XXXXXX");
	assert_non_null(mkdtemp(f.path));
	f.config = fixture_config("");
	assert_int_equal(rt_run(fixture_main, &f), OK);
	config_release(f.config);
	fixture_remove(f.path);
}

/* --- the command line's way in: words parted by blanks --- */

UNUSED static err admin_try(struct fixture *f, const char *words, const char *resume, struct admin_reply *r,
                            struct arena *a)
{
	struct word list[16];
	struct admin_request q = {.words = list, .secret = STR("password $hash$\n"), .resume = str_from(resume)};
	str rest = str_from(words);

	for (str w = str_word(&rest); w.n > 0; w = str_word(&rest))
		list[q.words_n++].text = w;
	*r = (struct admin_reply){0};
	return store_admin(f->store, &q, r, a);
}

UNUSED static void admin_do(struct fixture *f, const char *words)
{
	ARENA(a, 16 << 20);
	struct admin_reply r;

	if (admin_try(f, words, "", &r, &a) != OK)
		fail_msg("%s: %s", words, err_info()->text);
}

UNUSED static err admin_result(struct fixture *f, const char *words)
{
	ARENA(a, 16 << 20);
	struct admin_reply r;

	return admin_try(f, words, "", &r, &a);
}

UNUSED static const struct cell *cell_of(const struct row *row, const char *name)
{
	for (size_t i = 0; i < row->cells_n; i++)
		if (str_equal(row->cells[i].name, str_from(name)))
			return &row->cells[i];
	fail_msg("there is no cell %s", name);
	return NULL;
}

/* Pages of a verb: how many rows in all; the first row of the first page is left in *first (may be NULL). */
UNUSED static size_t admin_count(struct fixture *f, const char *words)
{
	char resume[64] = "";
	size_t n = 0;

	for (;;) {
		ARENA(a, 16 << 20);
		struct admin_reply r;
		if (admin_try(f, words, resume, &r, &a) != OK)
			fail_msg("%s: %s", words, err_info()->text);
		n += r.rows_n;
		if (r.more.n == 0)
			return n;
		snprintf(resume, sizeof(resume), "%.*s", STR_ARG(r.more));
	}
}

UNUSED static uint64_t admin_number(struct fixture *f, const char *words, const char *cell)
{
	ARENA(a, 16 << 20);
	struct admin_reply r;

	if (admin_try(f, words, "", &r, &a) != OK)
		fail_msg("%s: %s", words, err_info()->text);
	assert_true(r.rows_n > 0);
	return cell_of(&r.rows[0], cell)->number;
}

/* --- mail --- */

struct sending {
	const char *protocol, *sender, *body; /* "LMTP": an answer for each; else all or none */
	const char *rcpts;                    /* parted by blanks */
	uint64_t id;                          /* 0: a new one */
	uint64_t account;                     /* who submits it */
	const char *author;                   /* whom it says it is from, beside the sender; NULL: nobody */
	const char *client;                   /* NULL: 192.0.2.1 */
	uint64_t flags;                       /* beside what the protocol says */
	uint64_t hold_until, deliver_by, by_mode, priority;
	struct range *drop;
	size_t drop_n;
	struct judgement *judgement;   /* NULL: none */
	uint64_t dispositions[8];      /* of each recipient */
	uint64_t codes[8], replies[8]; /* answers */
};

UNUSED static err send_mail(struct fixture *f, struct sending *m)
{
	ARENA(a, 16 << 20);
	struct origin origin = {.session = STR("s1"),
	                        .client = m->client == NULL ? STR("192.0.2.1") : str_from(m->client),
	                        .helo = STR("client.example"),
	                        .protocol = str_from(m->protocol)};
	struct rcpt rcpts[8];
	struct rcpt_check_request check = {.sender = str_from(m->sender)};
	struct rcpt_check_reply checked = {0};
	struct rcpt_query author = {m->author == NULL ? STR_NONE : str_from(m->author)};
	struct accept_request q = {.origin = &origin,
	                           .origin_n = 1,
	                           .account = m->account,
	                           .sender = str_from(m->sender),
	                           .drop = m->drop,
	                           .drop_n = m->drop_n,
	                           .flags = m->flags |
	                                    (str_equal(origin.protocol, STR("LMTP")) ? 0 : MESSAGE_ALL_OR_NONE),
	                           .hold_until = m->hold_until,
	                           .deliver_by = m->deliver_by,
	                           .by_mode = m->by_mode,
	                           .priority = m->priority,
	                           .rcpts = rcpts,
	                           .message_id = STR("<m1@example.com>"),
	                           .subject = STR("hello"),
	                           .headers = STR("Received: by mail.example.org\r\n"),
	                           .judgement = m->judgement,
	                           .judgement_n = m->judgement != NULL,
	                           .authors = &author,
	                           .authors_n = m->author != NULL,
	                           .body = BODY_OF(str_from(m->body))};
	struct accept_reply r = {0};
	str rest = str_from(m->rcpts);

	for (str w = str_word(&rest); w.n > 0; w = str_word(&rest), q.rcpts_n++)
		rcpts[q.rcpts_n] = (struct rcpt){.address = w,
		                                 .orcpt = STR(""),
		                                 .notify = DSN_FAILURE,
		                                 .disposition = m->dispositions[q.rcpts_n]};
	if (m->id == 0) {
		assert_int_equal(store_rcpt_check(f->store, "edge-0", &check, &checked, &a), OK);
		m->id = checked.id;
	}
	q.id = m->id;
	err e = store_accept(f->store, "edge-0", &q, &r, &a);
	for (size_t i = 0; e == OK && i < r.answers_n; i++) {
		m->codes[i] = r.answers[i].code;
		m->replies[i] = r.answers[i].reply;
	}
	return e;
}

/* From a program of this machine, to anywhere. */
UNUSED static uint64_t send_out(struct fixture *f, const char *sender, const char *rcpts)
{
	struct sending m = {
		.protocol = "ESMTP", .sender = sender, .body = "\r\nx\r\n", .rcpts = rcpts, .flags = MESSAGE_LOCAL};

	if (send_mail(f, &m) != OK)
		fail_msg("accept: %s", err_info()->text);
	for (size_t i = 0; i < ARRAY_LEN(m.codes); i++)
		assert_int_equal(m.codes[i], OK);
	return m.id;
}

/* Rows of one text column, a line each. */
UNUSED static str fixture_lines(struct fixture *f, const char *sql, struct arena *a)
{
	char path[200];
	struct db *db;
	BUF(out, 1 << 20);

	snprintf(path, sizeof(path), "%s/pombo.db", f->path);
	assert_int_equal(db_open(path, DB_READ, &db), OK);
	struct query q = db_query(db, sql);
	while (query_row(&q)) {
		buf_put(&out, query_str(&q));
		buf_putc(&out, '\n');
	}
	if (query_end(&q) != OK)
		fail_msg("%s: %s", sql, err_info()->text);
	db_close(db);
	return arena_str(a, buf_str(&out));
}

/* Changes the database of a store that is closed meanwhile. */
UNUSED static void fixture_change(struct fixture *f, const char *sql)
{
	char path[200];
	struct db *db;

	fixture_close(f);
	snprintf(path, sizeof(path), "%s/pombo.db", f->path);
	assert_int_equal(db_open(path, DB_WRITE, &db), OK);
	if (db_script(db, sql) != OK)
		fail_msg("%s: %s", sql, err_info()->text);
	db_close(db);
	fixture_open(f);
}

/* The database is lost, and made anew from the segments. */
UNUSED static struct rebuild_result fixture_rebuild(struct fixture *f)
{
	struct rebuild_result r;
	char path[200];

	fixture_close(f);
	snprintf(path, sizeof(path), "%s/pombo.db", f->path);
	assert_int_equal(unlink(path), 0);
	if (rebuild_run(f->path, &r) != OK)
		fail_msg("rebuild: %s", err_info()->text);
	fixture_open(f);
	return r;
}

/* Accepted, or the test fails. The id. */
UNUSED static uint64_t send_ok(struct fixture *f, const char *rcpts, const char *body)
{
	struct sending m = {.protocol = "ESMTP", .sender = "bob@example.com", .body = body, .rcpts = rcpts};

	if (send_mail(f, &m) != OK)
		fail_msg("accept: %s", err_info()->text);
	assert_int_equal(m.codes[0], OK);
	return m.id;
}

UNUSED static struct rcpt_answer rcpt_answer(struct fixture *f, const char *address, uint64_t size, struct arena *a)
{
	struct rcpt_query query = {str_from(address)};
	struct rcpt_check_request q = {.sender = STR("bob@example.com"), .size = size, .rcpts = &query, .rcpts_n = 1};
	struct rcpt_check_reply r = {0};

	assert_int_equal(store_rcpt_check(f->store, "edge-0", &q, &r, a), OK);
	assert_int_equal(r.answers_n, 1);
	return r.answers[0];
}

UNUSED static uint64_t account_id(struct fixture *f, const char *user)
{
	ARENA(a, 1 << 20);
	struct credential_request q = {.user = str_from(user)};
	struct credential_reply r = {0};

	assert_int_equal(store_credential(f->store, &q, &r, &a), OK);
	return r.account;
}

/* --- mailboxes --- */

struct box {
	char session[32];
	struct arena arena;
	struct mailbox_open_reply list;
};

UNUSED static err box_open(struct fixture *f, const char *user, bool exclusive, struct box *b)
{
	*b = (struct box){.arena = ARENA_INIT(64 << 20)};
	snprintf(b->session, sizeof(b->session), "box-%u", ++f->sessions);
	struct grant_request grant = {
		.edge = STR("edge-0"), .session = str_from(b->session), .account = account_id(f, user)};
	assert_int_equal(store_grant(f->store, &grant), OK);
	struct mailbox_open_request q = {str_from(b->session), grant.account, STR("INBOX"), exclusive};
	return store_mailbox_open(f->store, "edge-0", &q, &b->list, &b->arena);
}

UNUSED static void box_close(struct fixture *f, struct box *b)
{
	struct session_end_request q = {str_from(b->session)};

	assert_int_equal(store_session_end(f->store, "edge-0", &q), OK);
	arena_free(&b->arena);
}

UNUSED static err box_read(struct fixture *f, struct box *b, uint64_t uid, uint64_t offset, uint64_t length,
                           struct mailbox_read_reply *r)
{
	struct mailbox_read_request q = {str_from(b->session), b->list.mailbox, uid, offset, length};

	*r = (struct mailbox_read_reply){0};
	return store_mailbox_read(f->store, "edge-0", &q, r, &b->arena);
}

UNUSED static str box_message(struct fixture *f, struct box *b, size_t i)
{
	struct mailbox_read_reply r;

	if (box_read(f, b, b->list.entries[i].uid, 0, BODY_INLINE_MAX, &r) != OK)
		fail_msg("read: %s", err_info()->text);
	assert_int_equal(r.size, b->list.entries[i].size);
	return r.bytes;
}

UNUSED static err box_expunge(struct fixture *f, struct box *b, uint64_t uid)
{
	struct uid list = {uid};
	struct mailbox_expunge_request q = {str_from(b->session), b->list.mailbox, &list, 1};

	return store_mailbox_expunge(f->store, "edge-0", &q);
}

UNUSED static size_t box_count(struct fixture *f, const char *user)
{
	struct box b;

	assert_int_equal(box_open(f, user, false, &b), OK);
	size_t n = b.list.entries_n;
	box_close(f, &b);
	return n;
}

/* Everything adds up. */
UNUSED static void assert_sound(struct fixture *f)
{
	assert_int_equal(admin_count(f, "store verify"), 0);
	assert_int_equal(admin_number(f, "balance", "lost"), 0);
}

#endif
