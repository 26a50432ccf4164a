/* SPDX-License-Identifier: ISC */
#include "store/readers.h"

#include <pthread.h>
#include <stdlib.h>

#include "rt/file.h"

enum { IDLE_MAX = 8, SEGMENTS_MAX = 64 };

struct open_segment {
	struct segment segment; /* number 0: free */
	size_t users;
	bool forgotten; /* to be closed by the last user */
};

struct readers {
	const char *database;
	int bodies;
	pthread_mutex_t lock; /* guards what is below */
	struct db *idle[IDLE_MAX];
	size_t idle_n, turn;
	struct open_segment segments[SEGMENTS_MAX];
};

err readers_start(const char *database, int bodies, struct readers **out)
{
	struct readers *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_note(E_MEMORY, "no memory for readers");
	r->database = database;
	r->bodies = bodies;
	pthread_mutex_init(&r->lock, NULL);
	*out = r;
	return OK;
}

static void segment_free(struct open_segment *o)
{
	segment_close(&o->segment);
	*o = (struct open_segment){.segment = SEGMENT_NONE};
}

void readers_stop(struct readers *r)
{
	if (r == NULL)
		return;
	while (r->idle_n > 0)
		db_close(r->idle[--r->idle_n]);
	for (size_t i = 0; i < SEGMENTS_MAX; i++)
		if (r->segments[i].segment.number != 0)
			segment_free(&r->segments[i]);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* --- connections --- */

err readers_take(struct readers *r, struct db **out)
{
	*out = NULL;
	pthread_mutex_lock(&r->lock);
	if (r->idle_n > 0)
		*out = r->idle[--r->idle_n];
	pthread_mutex_unlock(&r->lock);
	return *out != NULL ? OK : db_open(r->database, DB_READ, out);
}

void readers_give(struct readers *r, struct db *db)
{
	pthread_mutex_lock(&r->lock);
	if (r->idle_n < IDLE_MAX) {
		r->idle[r->idle_n++] = db;
		db = NULL;
	}
	pthread_mutex_unlock(&r->lock);
	db_close(db);
}

/* --- segments --- */

static struct open_segment *find(struct readers *r, uint64_t number)
{
	for (size_t i = 0; i < SEGMENTS_MAX; i++)
		if (r->segments[i].segment.number == number && !r->segments[i].forgotten)
			return &r->segments[i];
	return NULL;
}

/* A free place; one that nobody uses is freed for it. NULL: all are in use. */
static struct open_segment *make_room(struct readers *r)
{
	struct open_segment *o = find(r, 0);

	for (size_t i = 0; i < SEGMENTS_MAX && o == NULL; i++) {
		struct open_segment *other = &r->segments[r->turn++ % SEGMENTS_MAX];

		if (other->users == 0) {
			segment_free(other);
			o = other;
		}
	}
	return o;
}

static err segment_take(struct readers *r, uint64_t number, struct open_segment **out)
{
	err e = OK;

	pthread_mutex_lock(&r->lock);
	struct open_segment *o = find(r, number);
	if (o == NULL) {
		o = make_room(r);
		e = o == NULL ? err_note(E_LIMIT, "too many segments are being read")
		              : segment_open(r->bodies, number, SEGMENT_READ, &o->segment);
	}
	if (e == OK)
		o->users++;
	pthread_mutex_unlock(&r->lock);
	*out = o;
	return e;
}

static void segment_give(struct readers *r, struct open_segment *o)
{
	pthread_mutex_lock(&r->lock);
	if (--o->users == 0 && o->forgotten)
		segment_free(o);
	pthread_mutex_unlock(&r->lock);
}

typedef err (*read_function)(int fd, char *p, size_t n, off_t at);

static err read_by(read_function read, struct readers *r, uint64_t segment, uint64_t at, char *p, size_t n)
{
	struct open_segment *o;
	err e = segment_take(r, segment, &o);

	if (e != OK)
		return e;
	e = read(o->segment.fd, p, n, (off_t)at);
	segment_give(r, o);
	return e;
}

err readers_read(struct readers *r, uint64_t segment, uint64_t at, char *p, size_t n)
{
	return read_by(file_read_at, r, segment, at, p, n);
}

err readers_read_cached(struct readers *r, uint64_t segment, uint64_t at, char *p, size_t n)
{
	return read_by(file_read_cached, r, segment, at, p, n);
}

void readers_forget(struct readers *r, uint64_t segment)
{
	pthread_mutex_lock(&r->lock);
	struct open_segment *o = find(r, segment);
	if (o != NULL) {
		o->forgotten = true;
		if (o->users == 0)
			segment_free(o);
	}
	pthread_mutex_unlock(&r->lock);
}
