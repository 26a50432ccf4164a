/* SPDX-License-Identifier: ISC */
#include "store/queue_clock.h"

#include "base/date.h"
#include "base/log.h"

#define WRITE_EVERY   (3600 * NSEC_PER_SEC)
#define TOLERANCE_MIN (60 * (int64_t)USEC_PER_SEC)

static const char key[] = "clock"; /* in `meta`: microseconds since 1970 */

static int64_t tolerance(const struct config *c)
{
	int64_t quarter = c->queue.expire / (NSEC_PER_SEC / USEC_PER_SEC) / 4;

	return quarter > TOLERANCE_MIN ? quarter : TOLERANCE_MIN;
}

static bool is_jump(const struct config *c, int64_t jump)
{
	return jump > tolerance(c) || jump < -tolerance(c);
}

/* --- in the database --- */

static err move(struct db *db, const char *sql, int64_t jump)
{
	struct query q = db_query(db, sql);

	query_put_num(&q, (uint64_t)jump);
	return query_run(&q);
}

/* What is over already stays over. All of it at once, however long that takes: it is rare, and what a crash left half moved would be moved twice. */
static err move_all(struct db *db, int64_t jump)
{
	err e = move(db, "UPDATE queue SET expires = expires + ? WHERE due <> 1", jump);

	if (e == OK)
		e = move(db,
		         "UPDATE message SET deliver_by = deliver_by + ? WHERE deliver_by > 0"
		         " AND id IN (SELECT message FROM queue)",
		         jump);
	return e;
}

static err write_clock(struct db *db, uint64_t now)
{
	struct query q = db_query(db, "INSERT INTO meta (key, value) VALUES (?, ?)"
	                              " ON CONFLICT (key) DO UPDATE SET value = excluded.value");

	query_put_str(&q, str_from(key));
	query_put_num(&q, now);
	return query_run(&q);
}

static err read_clock(struct db *db, uint64_t *then)
{
	struct query q = db_query(db, "SELECT value FROM meta WHERE key = ?");

	*then = 0;
	query_put_str(&q, str_from(key));
	if (query_row(&q))
		*then = query_num(&q);
	return query_end(&q);
}

static void log_jump(int64_t jump)
{
	LOG(WARN, "queue.clock", LOG_NUM("seconds", jump / USEC_PER_SEC));
}

/* --- at a start --- */

static err open_at(struct db *db, const struct config *config, uint64_t now)
{
	uint64_t then = 0;
	err e = read_clock(db, &then);
	int64_t jump = then == 0 ? 0 : (int64_t)(now - then);

	if (e == OK && is_jump(config, jump)) {
		log_jump(jump);
		e = move_all(db, jump);
	}
	return e == OK ? write_clock(db, now) : e;
}

err queue_clock_open(struct db *db, const struct config *config)
{
	err e = db_begin(db);

	if (e != OK)
		return e;
	e = open_at(db, config, queue_now());
	if (e == OK)
		return db_commit(db);
	db_rollback(db);
	return e;
}

void queue_clock_begin(struct queue *q)
{
	q->clock.wall = queue_now();
	q->clock.at = q->clock.written = rt_now();
}

/* --- while it runs --- */

struct checking {
	int64_t jump;
	uint64_t now;
};

static err check_apply(struct writer *w, struct job *job)
{
	const struct checking *x = job->data;
	err e = x->jump != 0 ? move_all(writer_db(w), x->jump) : OK;

	return e == OK ? write_clock(writer_db(w), x->now) : e;
}

/* What the clock should say. */
static uint64_t expected(const struct queue *q)
{
	return q->clock.wall + (uint64_t)((rt_now() - q->clock.at) / (NSEC_PER_SEC / USEC_PER_SEC));
}

uint64_t queue_clock_now(const struct store *s)
{
	uint64_t now = queue_now(), steady = expected(s->queue);

	return is_jump(s->config, (int64_t)(now - steady)) ? steady : now;
}

err queue_clock_check(struct store *s)
{
	static const struct job_kind kind = {.apply = check_apply, .alone = true};
	struct queue *q = s->queue;
	struct checking x = {.now = queue_now()};
	struct job job = {.kind = &kind, .data = &x};
	nsec at = rt_now();
	int64_t jump = (int64_t)(x.now - expected(q));
	err e = OK;

	x.jump = is_jump(s->config, jump) ? jump : 0;
	if (x.jump != 0)
		log_jump(jump);
	if (x.jump != 0 || at - q->clock.written >= WRITE_EVERY) {
		e = writer_do(s->writer, &job);
		q->clock.written = at;
	}
	if (e != OK)
		return e;
	q->clock.wall = x.now;
	q->clock.at = at;
	return OK;
}
