/* SPDX-License-Identifier: ISC */
#include "store/schedule.h"

#include <stdlib.h>

#include "base/date.h"
#include "store/queue.h"

enum { HEAP_FIRST = 16 };
#define REST_USEC (10 * (uint64_t)USEC_PER_SEC)

/* --- the heap of those that are looked at later --- */

static void heap_set(struct schedule *s, size_t i, struct destination *d)
{
	s->heap[i] = d;
	d->heap_at = i + 1;
}

static void heap_up(struct schedule *s, size_t i, struct destination *d)
{
	while (i > 0 && s->heap[(i - 1) / 2]->at > d->at) {
		heap_set(s, i, s->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_set(s, i, d);
}

static void heap_down(struct schedule *s, size_t i, struct destination *d)
{
	for (size_t child; (child = 2 * i + 1) < s->heap_n; i = child) {
		if (child + 1 < s->heap_n && s->heap[child + 1]->at < s->heap[child]->at)
			child++;
		if (s->heap[child]->at >= d->at)
			break;
		heap_set(s, i, s->heap[child]);
	}
	heap_set(s, i, d);
}

static void heap_remove(struct schedule *s, struct destination *d)
{
	if (d->heap_at == 0)
		return;
	size_t i = d->heap_at - 1;
	struct destination *last = s->heap[--s->heap_n];

	d->heap_at = 0;
	if (last == d)
		return;
	if (i > 0 && s->heap[(i - 1) / 2]->at > last->at)
		heap_up(s, i, last);
	else
		heap_down(s, i, last);
}

/* There is room for every destination: heap_reserve was called when it was made. */
static void heap_add(struct schedule *s, struct destination *d, uint64_t at)
{
	if (d->heap_at != 0 && d->at == at)
		return;
	heap_remove(s, d);
	d->at = at;
	heap_up(s, s->heap_n++, d);
}

static bool heap_reserve(struct schedule *s, size_t n)
{
	if (n <= s->heap_size)
		return true;
	size_t size = s->heap_size == 0 ? HEAP_FIRST : s->heap_size * 2;
	struct destination **heap = realloc(s->heap, size * sizeof(struct destination *));
	if (heap == NULL)
		return false;
	s->heap = heap;
	s->heap_size = size;
	return true;
}

/* --- the ring of those that are ready --- */

static void ring_remove(struct schedule *s, struct destination *d)
{
	if (!d->ready)
		return;
	d->ready = d->called = false;
	if (s->ring == d)
		s->ring = d->next == d ? NULL : d->next;
	d->prev->next = d->next;
	d->next->prev = d->prev;
}

/* At its end: it is their turn first. */
static void ring_add(struct schedule *s, struct destination *d)
{
	if (d->ready)
		return;
	d->ready = true;
	if (s->ring == NULL) {
		s->ring = d->prev = d->next = d;
		return;
	}
	d->next = s->ring;
	d->prev = s->ring->prev;
	d->prev->next = d->next->prev = d;
}

/* --- lanes --- */

static void page_drop(struct lane *l)
{
	free(l->page);
	l->page = NULL;
}

static struct lane *lane_find(const struct destination *d, uint64_t number)
{
	struct lane *l = d->lanes;

	if (l == NULL)
		return NULL;
	do {
		if (l->number == number)
			return l;
		l = l->next;
	} while (l != d->lanes);
	return NULL;
}

/* At the end: it is the others' turn first. */
static struct lane *lane_add(struct destination *d, uint64_t number)
{
	struct lane *l = calloc(1, sizeof(*l)), *first = d->lanes;

	if (l == NULL)
		return NULL;
	*l = (struct lane){.destination = d, .number = number, .due = SCHEDULE_NEVER, .prev = l, .next = l};
	if (first == NULL) {
		d->lanes = l;
		return l;
	}
	l->next = first;
	l->prev = first->prev;
	l->prev->next = first->prev = l;
	return l;
}

static void lane_remove(struct lane *l)
{
	struct destination *d = l->destination;

	if (d->lanes == l)
		d->lanes = l->next == l ? NULL : l->next;
	l->prev->next = l->next;
	l->next->prev = l->prev;
	page_drop(l);
	free(l);
}

static bool lane_is_unused(const struct lane *l)
{
	return l->leases == 0 && l->page == NULL && l->due == SCHEDULE_NEVER;
}

/* When the first of them has something; `page`: one of them has it in hand. Those that have nothing any more go. */
static uint64_t lanes_due(struct destination *d, bool *page)
{
	uint64_t due = SCHEDULE_NEVER;
	struct lane *l = d->lanes, *end = l != NULL ? l->prev : NULL, *next;

	*page = false;
	for (; l != NULL; l = next) {
		next = l == end ? NULL : l->next;
		*page |= l->page != NULL;
		due = l->due < due ? l->due : due;
		if (lane_is_unused(l))
			lane_remove(l);
	}
	return due;
}

/* --- a destination --- */

static void forget(struct schedule *s, struct destination *d)
{
	heap_remove(s, d);
	ring_remove(s, d);
	(void)map_remove(&s->by_name, d->name);
	free(d);
}

/* The due of what may be leased now. */
static uint64_t due_limit(const struct destination *d, uint64_t now)
{
	return d->blocked > now ? QUEUE_DUE_EXPIRED : now;
}

/* When it is to be looked at: now or before, later, SCHEDULE_NEVER. */
static uint64_t look_at(const struct schedule *s, struct destination *d, uint64_t now)
{
	bool blocked = d->blocked > now;
	uint64_t most = blocked || d->window > s->per_destination ? s->per_destination : d->window;
	bool page;
	uint64_t at = lanes_due(d, &page);

	if (d->leases >= most)
		return blocked ? d->blocked : SCHEDULE_NEVER;
	if (page)
		return now;
	if (at <= due_limit(d, now))
		at = now;
	else if (blocked && (at < d->blocked || at == SCHEDULE_NEVER))
		at = d->blocked;
	return at < d->rest ? d->rest : at;
}

/* Puts it where it belongs now; it may be forgotten. */
static void place(struct schedule *s, struct destination *d, uint64_t now)
{
	uint64_t at = look_at(s, d, now);

	if (d->lanes == NULL && d->waiting == 0 && d->blocked <= now) {
		forget(s, d);
		return;
	}
	if (at <= now) {
		heap_remove(s, d);
		ring_add(s, d);
		return;
	}
	ring_remove(s, d);
	if (at == SCHEDULE_NEVER)
		heap_remove(s, d);
	else
		heap_add(s, d, at);
}

static struct destination *make(struct schedule *s, str name)
{
	struct destination *d = calloc(1, sizeof(*d) + name.n);
	char *text = (char *)(d + 1);

	if (d == NULL)
		return NULL;
	if (name.n > 0)
		memcpy(text, name.p, name.n);
	d->name = str_make(text, name.n);
	d->window = SCHEDULE_WINDOW;
	if (heap_reserve(s, s->by_name.count + 1) && map_put(&s->by_name, name, d) == OK)
		return d;
	free(d);
	return NULL;
}

struct destination *schedule_find(const struct schedule *s, str name)
{
	return map_get(&s->by_name, name);
}

static err find_or_make(struct schedule *s, str name, struct destination **out)
{
	*out = schedule_find(s, name);
	if (*out == NULL)
		*out = make(s, name);
	return *out != NULL ? OK : err_note(E_MEMORY, "no memory for a destination of the queue");
}

err schedule_due(struct schedule *s, str name, uint64_t lane, uint64_t due, uint64_t now)
{
	struct destination *d;
	struct lane *l;
	err e = find_or_make(s, name, &d);

	if (e != OK)
		return e;
	l = lane_find(d, lane);
	if (l == NULL)
		l = lane_add(d, lane);
	if (l != NULL && due < l->due)
		l->due = due;
	place(s, d, now);
	return l != NULL ? OK : err_note(E_MEMORY, "no memory for a sender of the queue");
}

/* --- leases --- */

static void lane_due(struct lane *l, uint64_t due)
{
	l->due = due < l->due ? due : l->due;
}

void schedule_lease_leaves(struct schedule *s, struct lane *l, uint64_t due, uint64_t now)
{
	lane_due(l, due);
	place(s, l->destination, now);
}

void schedule_lease_end(struct schedule *s, struct lane *l, uint64_t due, uint64_t now)
{
	struct destination *d = l->destination;

	lane_due(l, due);
	l->leases--;
	d->leases--;
	place(s, d, now);
}

bool schedule_reached(const struct schedule *s, struct destination *d)
{
	bool page, back = d->put_off;

	d->blocked = 0;
	if (d->window < s->per_destination)
		d->window++;
	d->put_off = false;
	d->back |= back && lanes_due(d, &page) != SCHEDULE_NEVER;
	return d->back;
}

/* What was read ahead is to be attempted, and goes back. */
void schedule_block(struct destination *d, uint64_t until)
{
	struct lane *l = d->lanes;

	d->window = 1;
	d->blocked = until;
	d->put_off = true;
	d->back = false;
	if (l == NULL)
		return;
	do {
		if (l->page != NULL)
			lane_due(l, l->page->due);
		page_drop(l);
		l = l->next;
	} while (l != d->lanes);
}

void schedule_unblock(struct schedule *s, str name, uint64_t now)
{
	struct destination *d = schedule_find(s, name);

	if (d == NULL)
		return;
	d->blocked = d->rest = 0;
	place(s, d, now);
}

/* --- waiters --- */

static void waiters_add(struct waiters *l, struct waiter *w)
{
	w->next = NULL;
	w->prev = l->tail;
	if (l->tail != NULL)
		l->tail->next = w;
	else
		l->head = w;
	l->tail = w;
}

static void waiters_remove(struct waiters *l, struct waiter *w)
{
	if (w->prev != NULL)
		w->prev->next = w->next;
	else
		l->head = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
	else
		l->tail = w->prev;
}

err schedule_wait(struct schedule *s, struct waiter *w, str wants)
{
	err e = wants.n == 0 ? OK : find_or_make(s, wants, &w->wants);

	if (e != OK)
		return e;
	w->over = false;
	w->given = NULL;
	if (w->wants != NULL)
		w->wants->waiting++;
	waiters_add(w->wants != NULL ? &s->own : &s->any, w);
	return OK;
}

/* Off the list; the caller places w->wants, which may be unused now. */
static void end_wait(struct schedule *s, struct waiter *w)
{
	w->over = true;
	waiters_remove(w->wants != NULL ? &s->own : &s->any, w);
	if (w->wants != NULL)
		w->wants->waiting--;
}

void schedule_leave(struct schedule *s, struct waiter *w, uint64_t now)
{
	struct destination *d = w->wants;

	if (w->over)
		return;
	end_wait(s, w);
	w->wants = NULL;
	if (d != NULL)
		place(s, d, now);
}

static struct waiter *turn_away(struct schedule *s, struct waiter *w, uint64_t now)
{
	schedule_leave(s, w, now);
	return w;
}

/* --- who serves whom --- */

/* Reads ahead what is due in the lane. */
static bool lane_fill(struct schedule *s, struct lane *l, uint64_t now)
{
	struct destination *d = l->destination;
	uint64_t limit = due_limit(d, now);

	l->page = calloc(1, sizeof(*l->page));
	err e = l->page == NULL ? E_MEMORY : s->fill(s->ctx, l, l->due, limit, l->page);
	if (e == OK)
		l->due = l->page->next;
	if (e == OK && l->page->n > 0)
		return true;
	page_drop(l);
	if (e != OK || l->due <= limit)
		d->rest = now + REST_USEC;
	return false;
}

/* Is there a message to be given out? Then it is in the page of the lane whose turn it is. If not, the destination goes where it belongs, and may be
 * forgotten. */
static bool has_message(struct schedule *s, struct destination *d, uint64_t now)
{
	while (look_at(s, d, now) <= now) {
		struct lane *l = d->lanes;

		if (l->page != NULL)
			return true;
		if (d->rest <= now && l->due <= due_limit(d, now) && lane_fill(s, l, now))
			return true;
		d->lanes = l->next;
	}
	place(s, d, now);
	return false;
}

/* The next message, which there is. */
static struct waiter *give(struct schedule *s, struct waiter *w, struct destination *d, uint64_t now)
{
	struct lane *l = d->lanes;
	struct page *p = l->page;

	d->leases++;
	l->leases++;
	end_wait(s, w);
	w->wants = NULL;
	w->given = d;
	w->lane = l;
	w->due = p->due;
	w->message = p->messages[p->at++];
	if (p->at == p->n)
		page_drop(l);
	d->lanes = l->next;
	ring_remove(s, d); /* its next turn comes when the others had theirs */
	place(s, d, now);
	return w;
}

/* Others are ready, and nobody waits for them. */
static bool others_want(const struct schedule *s, const struct destination *d)
{
	return s->any.head == NULL && (s->ring != d || d->next != d);
}

static bool had_enough(struct schedule *s, struct destination *d)
{
	d->in_a_row = others_want(s, d) ? d->in_a_row + 1 : 0;
	if (d->in_a_row <= SCHEDULE_IN_A_ROW)
		return false;
	d->in_a_row = 0;
	return true;
}

static struct waiter *serve_own(struct schedule *s, uint64_t now)
{
	for (struct waiter *w = s->own.head, *next; w != NULL; w = next) {
		struct destination *d = w->wants;

		next = w->next;
		if (d->ready && has_message(s, d, now))
			return had_enough(s, d) ? turn_away(s, w, now) : give(s, w, d, now);
	}
	return NULL;
}

static struct waiter *serve_any(struct schedule *s, uint64_t now)
{
	while (s->any.head != NULL && s->ring != NULL) {
		struct destination *d = s->ring;

		if (has_message(s, d, now))
			return give(s, s->any.head, d, now);
	}
	return NULL;
}

/* A destination without a deliverer is worth more than one that keeps a connection for mail that may come. One is called at a time. */
static struct waiter *call_one(struct schedule *s, uint64_t now)
{
	while (s->own.head != NULL && s->ring != NULL && !s->ring->called) {
		struct destination *d = s->ring;

		if (!has_message(s, d, now))
			continue;
		d->called = true;
		return turn_away(s, s->own.head, now);
	}
	return NULL;
}

struct waiter *schedule_serve(struct schedule *s, uint64_t now)
{
	while (s->heap_n > 0 && s->heap[0]->at <= now)
		place(s, s->heap[0], now);
	if (s->ring == NULL) /* most of the time: what came was given out at once */
		return NULL;
	struct waiter *w = serve_own(s, now);
	if (w == NULL)
		w = serve_any(s, now);
	return w != NULL ? w : call_one(s, now);
}

uint64_t schedule_next(const struct schedule *s)
{
	return s->heap_n > 0 ? s->heap[0]->at : SCHEDULE_NEVER;
}

/* --- beginning and end --- */

void schedule_init(struct schedule *s, uint64_t per_destination)
{
	*s = (struct schedule){.per_destination = per_destination};
	map_init(&s->by_name);
}

void schedule_free(struct schedule *s)
{
	size_t at = 0;
	str key;
	void *value;

	while (map_next(&s->by_name, &at, &key, &value)) {
		struct destination *d = value;

		while (d->lanes != NULL)
			lane_remove(d->lanes);
		free(d);
	}
	map_free(&s->by_name);
	free(s->heap);
}
