/* SPDX-License-Identifier: ISC */
/* The call `policy`: MTA-STS policies of other domains (RFC 8461), kept over restarts. */
#include "base/date.h"
#include "store/queue.h"
#include "store/state.h"

enum { DOMAIN_MAX = 255, ID_MAX = 32, TEXT_MAX = 64 << 10, POLICIES_MAX = 10000 };
#define DAY          (86400 * (uint64_t)USEC_PER_SEC)
#define FORGET_AFTER (30 * DAY) /* since it expired */

static uint64_t now_usec(void)
{
	return (uint64_t)rt_wall();
}

static err use_apply(struct writer *w, struct job *job)
{
	const str *domain = job->data;
	struct query q = db_query(writer_db(w), "UPDATE policy SET used = ? WHERE domain = ?");

	query_put_num(&q, now_usec());
	query_put_str(&q, *domain);
	return query_run(&q);
}

static err read_policy(struct store *s, str domain, struct policy_reply *r, struct arena *a)
{
	static const struct job_kind use = {.apply = use_apply};
	struct query q = db_query(s->db, "SELECT id, text, expires, used FROM policy WHERE domain = ?");
	uint64_t used = UINT64_MAX;

	query_put_str(&q, domain);
	if (query_row(&q)) {
		r->id = arena_str(a, query_str(&q));
		r->text = arena_str(a, query_str(&q));
		r->expires = query_num(&q);
		used = query_num(&q);
	}
	err e = query_end(&q);
	/* That it could not be written down, on a full disk say, is no reason to do without the policy. */
	if (e == OK && used <= now_usec() - DAY)
		(void)!writer_do(s->writer, &(struct job){.kind = &use, .data = &domain});
	return e;
}

/* Those that are over, and those that were not used for the longest time; not the one that was kept just now. */
static err drop_surplus(struct db *db, str kept)
{
	struct query q = db_query(db, "SELECT count(*) FROM policy");
	uint64_t n = 0;
	err e = query_one(&q, &n, NULL);

	if (e != OK || n <= POLICIES_MAX)
		return e;
	q = db_query(db, "DELETE FROM policy WHERE domain IN"
	                 " (SELECT domain FROM policy WHERE domain <> ? ORDER BY expires >= ?, used LIMIT ?)");
	query_put_str(&q, kept);
	query_put_num(&q, now_usec());
	query_put_num(&q, n - POLICIES_MAX);
	return query_run(&q);
}

static err keep_apply(struct writer *w, struct job *job)
{
	const struct policy_request *p = job->data;
	struct query q = db_query(
		writer_db(w),
		"INSERT INTO policy (domain, id, text, expires, used) VALUES (?, ?, ?, ?, ?) ON CONFLICT (domain)"
		" DO UPDATE SET id = excluded.id, text = excluded.text, expires = excluded.expires,"
		" used = excluded.used");

	query_put_str(&q, p->domain);
	query_put_str(&q, p->id);
	query_put_str(&q, p->text);
	query_put_num(&q, p->expires);
	query_put_num(&q, now_usec());
	err e = query_run(&q);
	if (e != OK)
		return e;
	q = db_query(writer_db(w), "DELETE FROM policy WHERE expires < ?");
	query_put_num(&q, now_usec() - FORGET_AFTER);
	e = query_run(&q);
	return e == OK ? drop_surplus(writer_db(w), p->domain) : e;
}

static err keep_policy(struct store *s, const struct policy_request *p)
{
	static const struct job_kind kind = {.apply = keep_apply};
	struct job job = {.kind = &kind, .data = (void *)(uintptr_t)p};

	if (p->id.n > ID_MAX || p->text.n > TEXT_MAX || p->expires > INT64_MAX)
		return err_note(E_LIMIT, "the policy of " STR_FMT " is too large", STR_ARG(p->domain));
	return writer_do(s->writer, &job);
}

err store_policy(struct store *s, const struct policy_request *q, struct policy_reply *r, struct arena *a)
{
	struct policy_request p = *q;
	err e = store_enter(s);

	if (e != OK)
		return e;
	p.domain = arena_lower(a, q->domain);
	if (p.domain.n == 0 || p.domain.n > DOMAIN_MAX)
		e = err_note(E_SYNTAX, "a policy without its domain");
	else
		e = p.text.n == 0 ? read_policy(s, p.domain, r, a) : keep_policy(s, &p);
	store_leave(s);
	return e;
}
