/* SPDX-License-Identifier: ISC */
/* The call `fate`: what became of each recipient of a message, for whoever submitted it. */
#include "base/encode.h"
#include "base/log.h"
#include "store/queue_state.h"
#include "store/schema.h"

#define WAIT_MAX (600 * NSEC_PER_SEC)

/* Somebody who waits for a change; on his stack. */
struct watcher {
	struct co *co;
	bool woken;
	struct watcher *next; /* of the same message */
};

struct telling {
	struct store *store;
	const struct fate_request *request;
	struct fate_reply *reply;
	struct arena *arena;
	uint64_t received;
	uint64_t *rcpts; /* of each fate */
	size_t size;
};

/* --- who may ask --- */

static err not_yours(void)
{
	return err_set(E_NOT_FOUND, 0, NULL, "there is no message of that id that this login has submitted");
}

static err read_login(struct telling *x, str *login)
{
	struct query q = db_query(x->store->db, "SELECT login, received FROM message WHERE id = ?");

	query_put_num(&q, x->request->message);
	*login = STR("");
	if (query_row(&q)) {
		*login = arena_str(x->arena, query_str(&q));
		x->received = query_num(&q);
	}
	return query_end(&q);
}

/* The address of an account that is granted to the session. */
static err read_address(struct telling *x, const char *from, str *address)
{
	const struct fate_request *r = x->request;
	err e = sessions_check_account(&x->store->sessions, str_from(from), r->session, r->account);

	*address = STR("");
	if (e != OK)
		return e;
	struct query q = db_query(x->store->db, "SELECT local || '@' || domain FROM account WHERE id = ?");
	query_put_num(&q, r->account);
	if (query_row(&q))
		*address = arena_str(x->arena, query_str(&q));
	return query_end(&q);
}

/* A program of this machine has no account: it is the user that the kernel named, and the edge vouches for. */
static err check_asker(struct telling *x, const char *from)
{
	bool local = x->request->account == 0 && str_starts(x->request->login, STR("uid="));
	str asker = x->request->login, login;
	err e = local ? OK : read_address(x, from, &asker);

	if (e == OK)
		e = read_login(x, &login);
	if (e != OK)
		return e;
	return login.n > 0 && str_equal_nocase(asker, login) ? OK : not_yours();
}

/* --- states --- */

static const uint64_t state_of_credit[LEDGER_KINDS] = {
	[LEDGER_MAILBOX] = FATE_MAILBOX,
	[LEDGER_RELAYED] = FATE_RELAYED,
	[LEDGER_BOUNCED] = FATE_FAILED,
	[LEDGER_DISCARDED] = FATE_DISCARDED,
};

/* The columns of one recipient, behind its addresses. */
static void read_state(struct telling *x, struct query *q, struct fate *f)
{
	uint64_t kind = query_num(q);

	f->at = query_num(q);
	f->status = arena_str(x->arena, query_str(q));
	f->reply = arena_str(x->arena, query_str(q));
	f->host = arena_str(x->arena, query_str(q));
	f->security = arena_str(x->arena, query_str(q));
	uint64_t due = query_num(q), state = query_num(q), attempts = query_num(q);
	if (kind > LEDGER_ACCEPTED && kind < LEDGER_KINDS) {
		f->state = state_of_credit[kind];
		if (f->state == FATE_MAILBOX)
			f->reply = STR(""); /* what its owner did with it is no sender's business */
		return;
	}
	x->reply->final = 0;
	f->at = x->received;
	f->due = due < QUEUE_DUE_HELD ? due : due - QUEUE_DUE_HELD;
	f->state = state == QUEUE_HELD || state == QUEUE_QUARANTINED ? FATE_HELD : attempts > 0 ? FATE_DELAYED : FATE_QUEUED;
}

static err read_fates(struct telling *x)
{
	struct query q = db_query(
		x->store->db,
		"SELECT d.rcpt, d.address, d.original, c.kind, c.at, c.status, c.detail, c.host, c.security, q.due, q.state,"
		" q.attempts FROM ledger d LEFT JOIN ledger c ON c.message = d.message AND c.rcpt = d.rcpt AND c.side = 1"
		" LEFT JOIN queue q ON q.message = d.message AND q.rcpt = d.rcpt"
		" WHERE d.message = ? AND d.side = 0 ORDER BY d.rcpt");
	struct fate_reply *r = x->reply;

	query_put_num(&q, x->request->message);
	while (r->fates_n < x->size && query_row(&q)) {
		struct fate *f = &r->fates[r->fates_n];

		x->rcpts[r->fates_n++] = query_num(&q);
		f->address = arena_str(x->arena, query_str(&q));
		f->original = arena_str(x->arena, query_str(&q));
		read_state(x, &q, f);
	}
	return query_end(&q);
}

static struct fate *fate_of(struct telling *x, uint64_t rcpt, size_t *at)
{
	while (*at < x->reply->fates_n && x->rcpts[*at] < rcpt)
		++*at;
	return *at < x->reply->fates_n && x->rcpts[*at] == rcpt ? &x->reply->fates[*at] : NULL;
}

/* What was said to the last attempt of those that are still queued. */
static err read_attempts(struct telling *x)
{
	struct query q = db_query(x->store->db, "SELECT rcpt, at, status, reply, host, security FROM attempt"
	                                        " WHERE message = ? ORDER BY rcpt, at DESC");
	uint64_t last = UINT64_MAX;
	size_t at = 0;

	query_put_num(&q, x->request->message);
	while (query_row(&q)) {
		uint64_t rcpt = query_num(&q);
		struct fate *f = rcpt == last ? NULL : fate_of(x, rcpt, &at);

		last = rcpt;
		if (f == NULL || (f->state != FATE_DELAYED && f->state != FATE_HELD))
			continue;
		f->at = query_num(&q);
		f->status = arena_str(x->arena, query_str(&q));
		f->reply = arena_str(x->arena, query_str(&q));
		f->host = arena_str(x->arena, query_str(&q));
		f->security = arena_str(x->arena, query_str(&q));
	}
	return query_end(&q);
}

static err make_room(struct telling *x)
{
	struct query q = db_query(x->store->db, "SELECT count(*) FROM ledger WHERE message = ? AND side = 0");
	uint64_t n = 0;

	query_put_num(&q, x->request->message);
	err e = query_one(&q, &n, NULL);
	x->size = n;
	x->reply->fates = arena_array(x->arena, n, sizeof(struct fate));
	x->rcpts = arena_array(x->arena, n, sizeof(*x->rcpts));
	if (e == OK && (x->reply->fates == NULL || x->rcpts == NULL))
		e = err_note(E_LIMIT, "the message has too many recipients to be told of");
	return e;
}

/* Whatever can be seen makes another version. */
static uint64_t version_of(const struct fate_reply *r)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < r->fates_n; i++) {
		const struct fate *f = &r->fates[i];
		const uint64_t numbers[] = {f->state, f->at, f->due};

		sum = crc32c(sum, str_make((const char *)numbers, sizeof(numbers)));
		sum = crc32c(crc32c(sum, f->status), f->reply);
		sum = crc32c(crc32c(sum, f->host), f->security);
	}
	return 1ull << 32 | sum;
}

static err tell(struct telling *x)
{
	*x->reply = (struct fate_reply){.final = 1};
	err e = make_room(x);

	if (e == OK)
		e = read_fates(x);
	if (e == OK)
		e = read_attempts(x);
	if (e == OK && x->arena->full)
		e = err_note(E_LIMIT, "the message has too many recipients to be told of");
	x->reply->version = version_of(x->reply);
	return e;
}

/* --- waiting --- */

static err watch_begin(struct queue *q, uint64_t message, struct watcher *w)
{
	*w = (struct watcher){.co = rt_self(), .next = map_get(&q->watched, MAP_U64_KEY(message))};
	return map_put(&q->watched, MAP_U64_KEY(message), w);
}

/* Whoever was woken is in no list any more. */
static void watch_end(struct queue *q, uint64_t message, struct watcher *w)
{
	if (w->woken)
		return;
	struct watcher *first = map_remove(&q->watched, MAP_U64_KEY(message)), **at = &first;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (first != NULL) /* needs no memory: the place has just become free */
		(void)!map_put(&q->watched, MAP_U64_KEY(message), first);
}

static void wake_all(struct watcher *w)
{
	while (w != NULL) {
		struct watcher *next = w->next;

		w->woken = true;
		rt_wake(w->co);
		w = next;
	}
}

void fate_changed(struct store *s, uint64_t message)
{
	wake_all(map_remove(&s->queue->watched, MAP_U64_KEY(message)));
}

void fate_close(struct store *s)
{
	size_t at = 0;
	str key;
	void *value;

	while (map_next(&s->queue->watched, &at, &key, &value))
		wake_all(value);
	map_free(&s->queue->watched);
}

/* E_TIMEOUT: nothing changed. */
static err wait_for_change(struct telling *x, nsec deadline)
{
	struct watcher w;
	err e = watch_begin(x->store->queue, x->request->message, &w);

	if (e != OK)
		return e;
	while (e == OK && !w.woken)
		e = rt_park(deadline);
	watch_end(x->store->queue, x->request->message, &w);
	if (x->store->closer != NULL)
		return err_set(E_TEMP, 451, "4.3.0", "The mail store is closing; try again later");
	return w.woken && e == E_TIMEOUT ? OK : e;
}

static err fate_entered(struct telling *x, const char *from)
{
	uint64_t ms = x->request->wait_ms, most = WAIT_MAX / NSEC_PER_MSEC;
	nsec deadline = rt_after((nsec)(ms < most ? ms : most) * NSEC_PER_MSEC);
	err e = check_asker(x, from);

	if (e == OK)
		e = tell(x);
	while (e == OK && x->reply->version == x->request->seen && x->reply->final == 0) {
		e = wait_for_change(x, deadline);
		if (e == E_TIMEOUT)
			return OK;
		if (e == OK)
			e = tell(x);
	}
	return e;
}

err store_fate(struct store *s, const char *from, const struct fate_request *q, struct fate_reply *r, struct arena *a)
{
	struct telling x = {.store = s, .request = q, .reply = r, .arena = a};
	err e = store_enter(s);

	if (e != OK)
		return e;
	e = fate_entered(&x, from);
	store_leave(s);
	return e;
}
