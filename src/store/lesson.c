/* SPDX-License-Identifier: ISC */
#include "store/lesson.h"

#include <stdlib.h>

#include "base/encode.h"
#include "base/log.h"
#include "rt/crypto.h"
#include "store/stored.h"

enum { OUT_MAX = 64, DIGEST_MAX = 65, FROM_MAX = 32, TRIES = 3, LOOK_MAX = OUT_MAX + 1, WRITER_SHARE = 3 };
#define WAIT_MAX (600 * NSEC_PER_SEC)

/* A lesson that a filter has. It stays when it was given back, so that it is known how often it was tried. */
struct out {
	uint64_t id; /* 0: nobody has it */
	uint64_t account, message;
	unsigned tries;
	char from[FROM_MAX], digest[DIGEST_MAX];
};

/* Somebody who waits for a lesson; on his stack. */
struct waiting {
	struct co *co;
	struct waiting *next;
};

struct lessons {
	struct out out[OUT_MAX];
	size_t out_n;
	uint64_t last_id;
	struct waiting *waiting;
};

err lessons_open(struct store *s)
{
	s->lessons = calloc(1, sizeof(*s->lessons));
	return s->lessons == NULL ? err_note(E_MEMORY, "no memory for lessons") : OK;
}

void lessons_free(struct store *s)
{
	free(s->lessons);
	s->lessons = NULL;
}

void lessons_wake(struct store *s)
{
	for (struct waiting *w = s->lessons == NULL ? NULL : s->lessons->waiting; w != NULL; w = w->next)
		rt_wake(w->co);
}

void lessons_close(struct store *s)
{
	lessons_wake(s);
}

/* --- who has which --- */

static void set_text(char *to, size_t size, str from)
{
	from = str_take(from, size - 1);
	memcpy(to, from.p, from.n);
	to[from.n] = '\0';
}

static struct out *find_out(struct lessons *l, uint64_t account, str digest)
{
	for (size_t i = 0; i < l->out_n; i++)
		if (l->out[i].account == account && str_equal(str_from(l->out[i].digest), digest))
			return &l->out[i];
	return NULL;
}

static void forget(struct lessons *l, struct out *o)
{
	*o = l->out[--l->out_n];
}

static void give_back_of(struct lessons *l, str from)
{
	for (size_t i = 0; i < l->out_n; i++)
		if (str_equal(str_from(l->out[i].from), str_take(from, FROM_MAX - 1)))
			l->out[i].id = 0;
}

void lessons_process_gone(struct store *s, const char *from)
{
	give_back_of(s->lessons, str_from(from));
	lessons_wake(s);
}

/* --- adding --- */

struct adding {
	struct store *store;
	struct lesson *list;
	size_t n;
	str tokens; /* of the only one, when they are known */
	uint64_t now;
};

static err add_apply(struct writer *w, struct job *job)
{
	const struct adding *x = job->data;
	err e = OK;

	for (size_t i = 0; i < x->n && e == OK; i++) {
		const struct lesson *l = &x->list[i];

		e = lesson_put_both(writer_db(w), l, x->now);
		if (e == OK && x->tokens.n > 0)
			e = lesson_learn(writer_db(w), l->account, l->digest, x->tokens);
	}
	return e;
}

static err add_all(struct adding *x)
{
	static const struct job_kind kind = {.apply = add_apply};
	struct job job = {.kind = &kind, .data = x};

	x->now = (uint64_t)rt_wall();
	err e = x->n == 0 ? OK : writer_do(x->store->writer, &job);
	lessons_wake(x->store);
	return e;
}

struct digesting {
	struct store *store;
	struct lesson *list;
	size_t n;
	struct arena *arena;
	err result;
};

static err digest_of(struct digesting *x, struct db *db, struct lesson *l, struct buf *memory)
{
	BUF(hex, DIGEST_MAX);
	struct crypto_digest d;
	str body;
	err e = stored_read(x->store->readers, db, l->message, memory, &body);

	if (e == OK)
		e = crypto_hash(CRYPTO_SHA256, body, &d);
	if (e != OK)
		return e;
	hex_encode(&hex, crypto_digest_str(&d));
	l->digest = arena_str(x->arena, buf_str(&hex));
	return x->arena->full ? err_note(E_MEMORY, "no memory for lessons") : OK;
}

/* In a worker thread. */
static void read_digests(void *arg)
{
	struct digesting *x = arg;
	BUF(memory, SEGMENT_RECORD_MAX);
	struct db *db;
	size_t kept = 0;

	x->result = readers_take(x->store->readers, &db);
	if (x->result != OK)
		return;
	for (size_t i = 0; i < x->n && x->result == OK; i++) {
		x->result = digest_of(x, db, &x->list[i], &memory);
		if (x->result == OK)
			x->list[kept++] = x->list[i];
		else if (x->result == E_END || x->result == E_SYNTAX)
			x->result = OK;
	}
	x->n = kept;
	readers_give(x->store->readers, db);
}

err lessons_read(struct store *s, struct lesson *list, size_t *n, struct arena *a)
{
	struct digesting x = {.store = s, .list = list, .n = *n, .arena = a};

	rt_work(read_digests, &x);
	*n = x.n;
	return x.result;
}

err store_lesson_add(struct store *s, uint64_t account, const uint64_t *messages, size_t *n, bool spam)
{
	ARENA(a, 64 << 20);
	struct lesson *list = arena_array(&a, *n, sizeof(*list));

	if (list == NULL)
		return err_note(E_MEMORY, "no memory for lessons");
	for (size_t i = 0; i < *n; i++)
		list[i] = (struct lesson){.account = account, .message = messages[i], .spam = spam};
	err e = lessons_read(s, list, n, &a);
	struct adding x = {.store = s, .list = list, .n = *n};
	return e == OK ? add_all(&x) : e;
}

err store_lesson_words(struct store *s, uint64_t account, str digest, bool spam, str tokens)
{
	struct lesson l = {.account = account, .digest = digest, .spam = spam};
	struct adding x = {.store = s, .list = &l, .n = 1, .tokens = tokens};

	return add_all(&x);
}

/* --- handing out --- */

struct taking {
	struct store *store;
	const struct lesson_request *request;
	struct lesson_reply *reply;
	struct arena *arena;
	str from;
	struct out *out;
	err result;
};

/* The oldest that nobody has. */
static err find_due(struct taking *x, struct lesson *due, bool *found)
{
	struct query q = db_query(x->store->db, "SELECT account, digest, message FROM lesson WHERE learned <> spam + 1"
	                                        " ORDER BY at, account DESC LIMIT ?");

	*found = false;
	query_put_num(&q, LOOK_MAX);
	while (!*found && query_row(&q)) {
		uint64_t account = query_num(&q);
		str digest = query_str(&q);
		const struct out *o = find_out(x->store->lessons, account, digest);

		if (o != NULL && o->id != 0)
			continue;
		*found = true;
		*due = (struct lesson){
			.account = account, .digest = arena_str(x->arena, digest), .message = query_num(&q)};
	}
	return query_end(&q);
}

/* One that was given back and is not due any more is not asked for again: its place is had by others. NULL: too many are out. */
static struct out *free_place(struct lessons *l)
{
	if (l->out_n < OUT_MAX)
		return &l->out[l->out_n++];
	for (size_t i = 0; i < l->out_n; i++)
		if (l->out[i].id == 0)
			return &l->out[i];
	return NULL;
}

/* NULL: too many are out already. */
static struct out *take_out(struct taking *x, const struct lesson *due)
{
	struct lessons *l = x->store->lessons;
	struct out *o = find_out(l, due->account, due->digest);

	if (o == NULL) {
		o = free_place(l);
		if (o == NULL)
			return NULL;
		*o = (struct out){.account = due->account};
		set_text(o->digest, sizeof(o->digest), due->digest);
	}
	o->id = ++l->last_id;
	o->message = due->message;
	o->tries++;
	set_text(o->from, sizeof(o->from), x->from);
	return o;
}

struct ending {
	uint64_t account;
	str digest, tokens;
	bool learned;
};

static err end_apply(struct writer *w, struct job *job)
{
	const struct ending *x = job->data;

	return x->learned ? lesson_learn(writer_db(w), x->account, x->digest, x->tokens)
	                  : lesson_give_up(writer_db(w), x->account, x->digest);
}

static err end_lesson(struct store *s, struct ending x)
{
	static const struct job_kind kind = {.apply = end_apply};
	struct job job = {.kind = &kind, .data = &x};

	return writer_do(s->writer, &job);
}

static err read_body(struct taking *x, uint64_t message, struct db *db)
{
	BUF(memory, SEGMENT_RECORD_MAX);
	str body;
	err e = stored_read(x->store->readers, db, message, &memory, &body);

	return e == OK ? body_make("lesson", body, x->arena, &x->reply->body) : e;
}

struct reading {
	struct taking *taking;
	uint64_t message;
};

static void read_in_thread(void *arg)
{
	const struct reading *r = arg;
	struct taking *x = r->taking;
	struct db *db;

	x->result = readers_take(x->store->readers, &db);
	if (x->result != OK)
		return;
	x->result = read_body(x, r->message, db);
	readers_give(x->store->readers, db);
}

/* A lesson with its message; when that is gone, or nobody can read it, the lesson is over and *again is set. */
static err hand_out(struct taking *x, const struct lesson *due, bool *again)
{
	struct out *o = take_out(x, due);

	if (o == NULL)
		return OK;
	const uint64_t id = o->id;
	struct reading r = {x, due->message};
	bool over = o->tries > TRIES;
	if (!over) {
		rt_work(read_in_thread, &r);
		over = x->result == E_END || x->result == E_SYNTAX;
	}
	x->reply->lesson = over || x->result != OK ? 0 : id;
	*again = over;
	if (!over)
		return x->result;
	LOG(INFO, "store.lesson", LOG_ID("mid", due->message), LOG_NUM("account", due->account),
	    LOG_Z("error", x->result == OK ? "no filter could read it" : err_info()->text));
	err e = end_lesson(x->store, (struct ending){.account = due->account, .digest = due->digest});
	o = find_out(x->store->lessons, due->account, due->digest);
	if (o != NULL)
		forget(x->store->lessons, o);
	return e;
}

static err wait_for_one(struct taking *x, nsec deadline)
{
	struct lessons *l = x->store->lessons;
	struct waiting w = {rt_self(), l->waiting}, **at = &l->waiting;

	l->waiting = &w;
	err e = rt_park(deadline);
	while (*at != &w)
		at = &(*at)->next;
	*at = w.next;
	return e;
}

static err take(struct taking *x)
{
	uint64_t most = WAIT_MAX / NSEC_PER_MSEC, ms = x->request->wait_ms < most ? x->request->wait_ms : most;
	nsec deadline = rt_after((nsec)ms * NSEC_PER_MSEC);

	for (;;) {
		struct lesson due;
		bool found, again = false;
		err e = find_due(x, &due, &found);

		if (e == OK && found)
			e = hand_out(x, &due, &again);
		if (e != OK || x->reply->lesson != 0)
			return e;
		if (again)
			continue;
		if (x->store->closer != NULL)
			return err_set(E_TEMP, 451, "4.3.0", "The mail store is closing; try again later");
		e = wait_for_one(x, deadline);
		if (e != OK)
			return e == E_TIMEOUT ? OK : e;
	}
}

/* --- what was learned --- */

/* The writer is for mail: it learns a third of the time at most. */
static err learn(struct taking *x, struct out *o)
{
	struct lessons *l = x->store->lessons;
	str digest = arena_str(x->arena, str_from(o->digest));
	uint64_t account = o->account;
	nsec begin = rt_now();
	err e = end_lesson(x->store, (struct ending){account, digest, x->request->tokens, x->request->tokens.n > 0});

	o = find_out(l, account, digest);
	if (o != NULL)
		forget(l, o);
	(void)!rt_sleep_until(rt_after((WRITER_SHARE - 1) * (rt_now() - begin)));
	return e;
}

static err lesson_entered(struct taking *x)
{
	struct lessons *l = x->store->lessons;
	struct out *mine = NULL;

	for (size_t i = 0; i < l->out_n && x->request->done != 0; i++)
		if (l->out[i].id == x->request->done &&
		    str_equal(str_from(l->out[i].from), str_take(x->from, FROM_MAX - 1)))
			mine = &l->out[i];
	err e = mine != NULL ? learn(x, mine) : OK;
	give_back_of(l, x->from);
	return e == OK ? take(x) : e;
}

err store_lesson(struct store *s, const char *from, const struct lesson_request *q, struct lesson_reply *r,
                 struct arena *a)
{
	struct taking x = {.store = s, .request = q, .reply = r, .arena = a, .from = str_from(from)};
	err e = store_enter(s);

	if (e != OK)
		return e;
	r->body = BODY_OF(STR_NONE);
	e = lesson_entered(&x);
	store_leave(s);
	return e;
}
