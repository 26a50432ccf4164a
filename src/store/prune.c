/* SPDX-License-Identifier: ISC */
/* A worker looks for rows that may go, the writer removes them, a few at a time and with pauses, if they are still as they were. */
#include "store/prune.h"

#include <stdlib.h>

#include "base/date.h"
#include "base/log.h"

enum { FOUND_MAX = 5000, STEP = 250, FOUND_OCTETS = 8 << 20 };
#define FIRST      (5 * 60 * NSEC_PER_SEC)
#define EVERY      (3600 * NSEC_PER_SEC)
#define PAUSE      (20 * NSEC_PER_MSEC)
#define DAY        (86400ull * USEC_PER_SEC)
#define TALLY_AGE  (7 * DAY)
#define LESSON_AGE (365 * DAY)

/* A key, as the statements below give and take it: two numbers, two texts. */
struct key {
	uint64_t a, b;
	str c, d;
};

/* `bound`: from a number of rows (?1) the value up to which they may go, none when there are fewer. `find` and `remove` get the cutoff as ?1 and ?5. */
struct table {
	const char *bound, *find, *remove;
};
static const struct table refusals = {
	"SELECT at FROM refusal ORDER BY at DESC LIMIT 1 OFFSET ?1",
	"SELECT id, 0, '', '' FROM refusal WHERE at <= ?1 LIMIT ?2",
	"DELETE FROM refusal WHERE id = ?1 AND at <= ?5",
};
static const struct table reputations = {
	"SELECT last FROM history ORDER BY last DESC LIMIT 1 OFFSET ?1",
	"SELECT 0, 0, key, '' FROM history WHERE last <= ?1 LIMIT ?2",
	"DELETE FROM history WHERE key = ?3 AND last <= ?5",
};
/* Whom somebody has written to is known for ever. */
static const struct table contacts = {
	"SELECT last FROM contact WHERE sent = 0 ORDER BY last DESC LIMIT 1 OFFSET ?1",
	"SELECT account, 0, skeleton, address FROM contact WHERE sent = 0 AND last <= ?1 LIMIT ?2",
	"DELETE FROM contact WHERE account = ?1 AND skeleton = ?3 AND address = ?4 AND sent = 0 AND last <= ?5",
};
static const struct table tallies = {
	"SELECT day FROM tally ORDER BY day DESC LIMIT 1 OFFSET ?1",
	"SELECT 0, day, domain, row FROM tally WHERE day <= ?1 LIMIT ?2",
	"DELETE FROM tally WHERE domain = ?3 AND day = ?2 AND row = ?4 AND day <= ?5",
};
/* Message ids grow with time. */
static const struct table reports = {
	"SELECT message FROM report ORDER BY message DESC LIMIT 1 OFFSET ?1",
	"SELECT DISTINCT message, 0, '', '' FROM report WHERE message <= ?1 LIMIT ?2",
	"DELETE FROM report WHERE message = ?1 AND message <= ?5",
};
static const struct table lessons = {
	"SELECT at FROM lesson WHERE learned = spam + 1 ORDER BY at DESC LIMIT 1 OFFSET ?1",
	"SELECT account, 0, digest, '' FROM lesson WHERE learned = spam + 1 AND at <= ?1 LIMIT ?2",
	"DELETE FROM lesson WHERE account = ?1 AND digest = ?3 AND learned = spam + 1 AND at <= ?5",
};
/* Of messages that are nowhere: dropped long ago, or refused and forgotten. */
static const struct table findings = {
	NULL,
	"SELECT f.message, 0, '', '' FROM finding f LEFT JOIN message m ON m.id = f.message"
	" LEFT JOIN refusal r ON r.id = f.message WHERE r.id IS NULL AND (m.id IS NULL OR (m.items = 0 AND m.received "
        "<= ?1))"
	" LIMIT ?2",
	"DELETE FROM finding WHERE message = ?1 AND ?5 > 0",
};
/* Words that few messages have say little. ?1 is how many those are. */
static const struct table words = {
	"SELECT 1 FROM token WHERE account = 0 LIMIT 1 OFFSET ?1",
	"SELECT account, hash, '', '' FROM token WHERE account = 0 AND good + bad <= ?1 LIMIT ?2",
	"DELETE FROM token WHERE account = ?1 AND hash = ?2 AND good + bad <= ?5",
};
static const struct table own_words = {
	"SELECT 1 FROM (SELECT count(*) AS n FROM token WHERE account <> 0 GROUP BY account) AS each WHERE n > ?1 "
        "LIMIT 1",
	"SELECT account, hash, '', '' FROM token WHERE account IN (SELECT account FROM token WHERE account <> 0"
	" GROUP BY account HAVING count(*) > ?3) AND good + bad <= ?1 LIMIT ?2",
	"DELETE FROM token WHERE account = ?1 AND hash = ?2 AND good + bad <= ?5",
};

struct pruning {
	struct store *store;
	const struct table *table;
	uint64_t rows, cutoff; /* cutoff: by age; then what goes */
	struct arena arena;
	struct key found[FOUND_MAX];
	size_t n, done, step;
	err result;
};

/* --- in a worker thread --- */

static err read_bound(struct pruning *x, struct db *db)
{
	struct query q = db_query(db, x->table->bound);
	uint64_t bound = 0;

	query_put_num(&q, x->rows);
	err e = query_one(&q, &bound, NULL);
	if (bound > x->cutoff)
		x->cutoff = bound;
	return e;
}

static err read_keys(struct pruning *x, struct db *db)
{
	struct query q = db_query(db, x->table->find);

	query_put_num(&q, x->cutoff);
	query_put_num(&q, FOUND_MAX);
	if (x->table == &own_words)
		query_put_num(&q, x->rows);
	while (x->n < FOUND_MAX && query_row(&q)) {
		struct key *k = &x->found[x->n];

		k->a = query_num(&q);
		k->b = query_num(&q);
		k->c = arena_str(&x->arena, query_str(&q));
		k->d = arena_str(&x->arena, query_str(&q));
		if (x->arena.full) /* the rest the next time */
			break;
		x->n++;
	}
	return query_end(&q);
}

static void find(void *arg)
{
	struct pruning *x = arg;
	struct db *db;

	x->n = x->done = 0;
	x->result = readers_take(x->store->readers, &db);
	if (x->result != OK)
		return;
	if (x->table->bound != NULL)
		x->result = read_bound(x, db);
	if (x->result == OK && x->cutoff > 0)
		x->result = read_keys(x, db);
	readers_give(x->store->readers, db);
}

/* --- in the writer --- */

static err remove_apply(struct writer *w, struct job *job)
{
	const struct pruning *x = job->data;
	err e = OK;

	for (size_t i = x->done; i < x->done + x->step && e == OK; i++) {
		struct query q = db_query(writer_db(w), x->table->remove);

		query_put_num(&q, x->found[i].a);
		query_put_num(&q, x->found[i].b);
		query_put_str(&q, x->found[i].c);
		query_put_str(&q, x->found[i].d);
		query_put_num(&q, x->cutoff);
		e = query_run(&q);
	}
	return e;
}

/* --- on the loop --- */

static err remove_found(struct pruning *x)
{
	static const struct job_kind kind = {.apply = remove_apply};
	err e = OK;

	while (x->done < x->n && e == OK) {
		struct job job = {.kind = &kind, .data = x};

		x->step = x->n - x->done < STEP ? x->n - x->done : STEP;
		e = writer_do(x->store->writer, &job);
		x->done += x->step;
		if (e == OK && x->done < x->n)
			e = rt_sleep_until(rt_after(PAUSE));
	}
	return e;
}

static err prune_table(struct pruning *x, uint64_t *removed)
{
	const uint64_t age = x->cutoff;
	err e;

	do {
		x->arena = ARENA_INIT(FOUND_OCTETS);
		x->cutoff = age;
		rt_work(find, x);
		e = x->result == OK ? remove_found(x) : x->result;
		*removed += x->done;
		arena_free(&x->arena);
	} while (e == OK && x->n > 0 && x->store->closer == NULL);
	return e;
}

static uint64_t before(uint64_t now, uint64_t age)
{
	return now > age ? now - age : 0;
}

err prune(struct store *s, const struct prune_limits *l, uint64_t *removed)
{
	const struct {
		const struct table *table;
		uint64_t rows, cutoff;
	} plan[] = {
		{&refusals, l->refusals, before(l->now, l->history)},
		{&reputations, l->reputations, before(l->now, l->history)},
		{&contacts, l->contacts, before(l->now, l->history)},
		{&tallies, l->tallies, before(l->now, TALLY_AGE + DAY)},
		{&reports, l->reports, 0},
		{&lessons, l->lessons, before(l->now, LESSON_AGE)},
		{&findings, 0, before(l->now, l->history)},
		{&words, l->words, 0},
		{&own_words, l->own_words, 0},
	};
	struct pruning *x = calloc(1, sizeof(*x));
	err e = x == NULL ? err_note(E_MEMORY, "no memory to prune") : OK;

	*removed = 0;
	for (size_t i = 0; i < ARRAY_LEN(plan) && e == OK; i++) {
		x->store = s;
		x->table = plan[i].table;
		x->rows = plan[i].rows;
		x->cutoff = plan[i].cutoff;
		e = prune_table(x, removed);
	}
	free(x);
	return e;
}

struct prune_limits prune_limits_of(const struct store *s)
{
	return (struct prune_limits){.now = (uint64_t)rt_wall(),
	                             .history = s->config->spam.history * DAY,
	                             .refusals = 100000,
	                             .reputations = 500000,
	                             .contacts = 500000,
	                             .reports = 20000,
	                             .tallies = 500000,
	                             .lessons = 500000,
	                             .words = 1000000,
	                             .own_words = 100000};
}

static void prune_run(void *arg)
{
	struct store *s = arg;
	nsec at = rt_after(FIRST);

	while (rt_sleep_until(at) == OK && s->closer == NULL) {
		const struct prune_limits limits = prune_limits_of(s);
		uint64_t removed = 0;
		err e = prune(s, &limits, &removed);

		if (e != OK && e != E_CANCELLED)
			LOG(WARN, "store.prune", LOG_Z("error", err_info()->text));
		else if (removed > 0)
			LOG(INFO, "store.prune", LOG_NUM("rows", removed));
		at = rt_after(EVERY);
	}
	s->pruner = NULL;
	store_leave(s);
}

err pruner_start(struct store *s)
{
	err e = store_enter(s);

	if (e != OK)
		return e;
	s->pruner = rt_spawn(prune_run, s, "store-prune");
	if (s->pruner != NULL)
		return OK;
	store_leave(s);
	return err_note(E_MEMORY, "no memory to prune");
}

void pruner_stop(struct store *s)
{
	if (s->pruner != NULL)
		rt_cancel(s->pruner);
}
