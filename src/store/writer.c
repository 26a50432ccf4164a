/* SPDX-License-Identifier: ISC */
#include "store/writer.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "rt/file.h"
#include "store/checkpoint.h"

enum { BATCH_JOBS = 1024, ENVELOPE_MAX = 64 << 20, DEAD_MAX = 8 };
enum { ZERO_AHEAD = 512 << 10, ZERO_IOV_MAX = 12 }; /* octets; parts of a batch: about four messages */
#define BATCH_MEMORY (256ull << 20)

/* The records of a batch, in the order in which they go to the segment. */
struct batch {
	struct arena arena; /* headers and envelopes */
	struct iovec *iov;
	size_t iov_n, iov_size;
	uint64_t start, octets, live; /* start: where in the segment */
	struct dead {
		uint64_t segment, octets;
	} dead[DEAD_MAX]; /* octets that nobody shows any more, to be taken from their segments' */
	size_t dead_n;
};

struct writer {
	struct db *db;
	struct counters counters;
	struct checkpointer *checkpointer;
	int bodies;
	struct segment segment;
	uint64_t end;    /* of the segment: where the next record goes */
	uint64_t zeroed; /* octets of the segment up to here were written before, as zeros; 0 none behind `end` */
	uint64_t next_segment;
	_Atomic uint64_t segment_number;
	struct batch batch;
	struct map claims; /* items that jobs of the batch remove or move */
	struct writer_settings settings;

	pthread_t thread;
	pthread_mutex_t lock; /* guards what is below */
	pthread_cond_t wanted;
	struct job *jobs, **jobs_tail;
	struct writer_settings settings_wanted;
	bool stop;
};

struct db *writer_db(struct writer *w)
{
	return w->db;
}

struct counters *writer_counters(struct writer *w)
{
	return &w->counters;
}

const struct writer_settings *writer_settings(const struct writer *w)
{
	return &w->settings;
}

uint64_t writer_segment(struct writer *w)
{
	return atomic_load(&w->segment_number);
}

/* --- faults --- */

/* The cause goes to the log; the peer is told what it can do. */
static err fault(const char *what, err e)
{
	LOG(ERROR, "store.fault", LOG_Z("what", what), LOG_Z("cause", err_info()->text));
	if (e == E_FULL)
		return err_set(E_FULL, 452, "4.3.1", "There is no space left for mail; try again later");
	return err_set(E_TEMP, 451, "4.3.0", "The mail store has a temporary problem; try again later");
}

/* --- records --- */

static bool iov_reserve(struct batch *b, size_t n)
{
	if (b->iov_n + n <= b->iov_size)
		return true;
	size_t size = b->iov_size * 2 + n + 64;
	struct iovec *p = realloc(b->iov, size * sizeof(*p));
	if (p == NULL)
		return false;
	b->iov = p;
	b->iov_size = size;
	return true;
}

static void iov_add(struct batch *b, str s)
{
	if (s.n > 0)
		b->iov[b->iov_n++] = (struct iovec){(void *)(uintptr_t)s.p, s.n};
}

err writer_append(struct writer *w, enum segment_kind kind, str envelope, const str *body, size_t parts,
                  struct location *out)
{
	struct batch *b = &w->batch;
	BUF(head, ENVELOPE_MAX + SEGMENT_RECORD_HEAD);

	uint64_t length = segment_record_put(&head, w->segment.mark, kind, envelope, body, parts);
	str kept = arena_str(&b->arena, buf_str(&head));
	if (head.full || b->arena.full || length >= SEGMENT_RECORD_MAX || !iov_reserve(b, parts + 1))
		return err_set(E_MEMORY, 451, "4.3.0", "There is not enough memory for this message; try again later");
	*out = (struct location){w->segment.number, b->start + b->octets, length};
	iov_add(b, kept);
	for (size_t i = 0; i < parts; i++)
		iov_add(b, body[i]);
	b->octets += length;
	return OK;
}

err writer_claim(struct writer *w, uint64_t mailbox, uint64_t uid, bool *first)
{
	const uint64_t item[] = {mailbox, uid};
	str key = str_make((const char *)item, sizeof(item));

	*first = map_get(&w->claims, key) == NULL;
	return *first ? map_put(&w->claims, key, w) : OK;
}

static void claims_forget(struct writer *w)
{
	if (w->claims.count == 0)
		return;
	map_free(&w->claims);
	map_init(&w->claims);
}

void writer_live(struct writer *w, uint64_t octets)
{
	w->batch.live += octets;
}

static err write_dead(struct writer *w, const struct dead *d)
{
	struct query q = db_query(w->db, "UPDATE segment SET live = live - ? WHERE number = ?");

	query_put_num(&q, d->octets);
	query_put_num(&q, d->segment);
	return query_run(&q);
}

static err write_all_dead(struct writer *w)
{
	struct batch *b = &w->batch;
	err e = OK;

	for (size_t i = 0; i < b->dead_n && e == OK; i++)
		e = write_dead(w, &b->dead[i]);
	b->dead_n = 0;
	return e;
}

err writer_dead(struct writer *w, uint64_t segment, uint64_t octets)
{
	struct batch *b = &w->batch;
	size_t i = 0;
	err e = OK;

	while (i < b->dead_n && b->dead[i].segment != segment)
		i++;
	if (i == DEAD_MAX) {
		e = write_all_dead(w);
		i = 0;
	}
	if (i == b->dead_n)
		b->dead[b->dead_n++] = (struct dead){.segment = segment};
	b->dead[i].octets += octets;
	return e;
}

/* --- the segment --- */

/* What was zeroed ahead is given back. If that fails, nobody looks behind what was committed anyway. */
static void segment_trim(struct writer *w)
{
	if (w->zeroed > w->end)
		(void)!ftruncate(w->segment.fd, (off_t)w->end);
	w->zeroed = 0;
}

static void segment_abandon(struct writer *w)
{
	segment_trim(w);
	segment_close(&w->segment);
}

/* A sync of octets that were written before takes half the time of one that makes the file longer. It pays for those who wait alone;
 * where many share a sync, writing everything twice costs more. */
static void segment_zero_ahead(struct writer *w)
{
	static char zeros[ZERO_AHEAD]; /* not const: it takes no room in the program */
	uint64_t need = w->batch.start + w->batch.octets;
	uint64_t from = w->zeroed > w->batch.start ? w->zeroed : w->batch.start;

	if (w->batch.iov_n > ZERO_IOV_MAX || w->batch.octets > ZERO_AHEAD / 2 || need <= w->zeroed)
		return;
	struct iovec iov = {zeros, sizeof(zeros)};
	if (file_write_all(w->segment.fd, &iov, 1, (off_t)from) == OK)
		w->zeroed = from + sizeof(zeros);
	else
		segment_trim(w); /* no room for it: then without */
}

static err segment_ensure(struct writer *w)
{
	if (w->segment.fd >= 0 && w->end < w->settings.segment_size)
		return OK;
	segment_abandon(w);
	/* The number is spent even when this fails: a file of that name may be left. */
	err e = segment_create(w->bodies, w->next_segment++, &w->segment);
	if (e != OK) {
		w->segment = SEGMENT_NONE;
		return e;
	}
	w->end = SEGMENT_HEADER;
	atomic_store(&w->segment_number, w->segment.number);
	return OK;
}

static err write_records(struct writer *w)
{
	struct batch *b = &w->batch;
	uint64_t at = b->start;
	err e = OK;

	segment_zero_ahead(w);
	for (size_t i = 0; i < b->iov_n && e == OK; i += IOV_MAX) {
		size_t n = b->iov_n - i < IOV_MAX ? b->iov_n - i : IOV_MAX;
		uint64_t octets = 0;

		for (size_t k = 0; k < n; k++)
			octets += b->iov[i + k].iov_len;
		e = file_write_all(w->segment.fd, b->iov + i, (int)n, (off_t)at);
		at += octets;
	}
	return e;
}

/* Takes back what a failed write or sync left behind, as far as that works. */
static void records_undo(struct writer *w, bool trust)
{
	if (ftruncate(w->segment.fd, (off_t)w->end) != 0 || !trust)
		segment_abandon(w);
}

/* After a failed sync the kernel may have dropped pages and call them clean: nothing more is written to that file. */
static err records_to_disk(struct writer *w)
{
	if (w->batch.octets == 0)
		return OK;
	err e = write_records(w);
	if (e != OK) {
		records_undo(w, e == E_FULL);
		return fault("write", e);
	}
	e = file_sync(w->segment.fd);
	if (e != OK) {
		records_undo(w, false);
		return fault("sync", e);
	}
	/* From here on the records stay, even if the transaction fails: it may come back when the log is recovered after a crash. */
	w->end += w->batch.octets;
	return OK;
}

/* --- the transaction --- */

static err write_segment_row(struct writer *w)
{
	struct query q =
		db_query(w->db, "INSERT INTO segment (number, size, live) VALUES (?, ?, ?) ON CONFLICT (number)"
	                        " DO UPDATE SET size = excluded.size, live = segment.live + excluded.live");

	if (w->batch.octets == 0)
		return OK;
	query_put_num(&q, w->segment.number);
	query_put_num(&q, w->end);
	query_put_num(&q, w->batch.live);
	return query_run(&q);
}

static err apply_all(struct writer *w, struct job *jobs)
{
	err e = OK;

	for (struct job *j = jobs; j != NULL && e == OK; j = j->next)
		if (j->result == OK)
			e = j->kind->apply(w, j);
	if (e == OK)
		e = write_all_dead(w);
	if (e == OK)
		e = counters_write(&w->counters, w->db);
	return e == OK ? write_segment_row(w) : e;
}

/* `statement`: it was a statement that failed, not the disk. */
static err transaction(struct writer *w, struct job *jobs, bool *statement)
{
	err e = apply_all(w, jobs);

	if (e == OK) {
		e = db_commit(w->db);
		return e == OK ? OK : fault("commit", e);
	}
	struct err_info why = *err_info();
	*statement = e != E_FULL && e != E_IO;
	(void)err_set(e, why.reply, why.status, "%s", why.text);
	return *statement ? e : fault("transaction", e);
}

/* --- the batch --- */

/* Only `prepare` appends records: without it no segment is made. */
static bool may_append(const struct job *jobs)
{
	for (; jobs != NULL; jobs = jobs->next)
		if (jobs->kind->prepare != NULL)
			return true;
	return false;
}

static err batch_begin(struct writer *w, const struct job *jobs)
{
	pthread_mutex_lock(&w->lock);
	w->settings = w->settings_wanted;
	pthread_mutex_unlock(&w->lock);
	err e = may_append(jobs) ? segment_ensure(w) : OK;
	if (e != OK)
		return fault("segment", e);
	w->batch.arena = ARENA_INIT(BATCH_MEMORY);
	w->batch.start = w->end;
	w->batch.octets = w->batch.live = w->batch.iov_n = w->batch.dead_n = 0;
	claims_forget(w);
	e = db_begin(w->db); /* what jobs prepare by is read in the same transaction */
	return e == OK ? OK : fault("begin", e);
}

static void job_note(struct job *j, err e)
{
	j->result = e;
	j->info = *err_info();
}

static size_t prepare_all(struct writer *w, struct job *jobs)
{
	size_t ready = 0;

	for (struct job *j = jobs; j != NULL; j = j->next) {
		job_note(j, j->kind->prepare == NULL ? OK : j->kind->prepare(w, j));
		ready += j->result == OK;
	}
	return ready;
}

static void fail_ready(struct job *jobs, err e)
{
	for (struct job *j = jobs; j != NULL; j = j->next)
		if (j->result == OK)
			job_note(j, e);
}

/* When a job's read failed, SQLite has ended the transaction of all: what is applied without one stays, whoever is told that it failed. */
static err batch_commit(struct writer *w, struct job *jobs, bool *statement)
{
	*statement = !db_in_transaction(w->db);
	if (*statement)
		return fault("prepare", err_note(E_IO, "the transaction is lost"));
	err e = records_to_disk(w);

	return e == OK ? transaction(w, jobs, statement) : e;
}

/* All jobs have their result then. True: a statement failed, so that each may do better by itself. */
static bool batch_try(struct writer *w, struct job *jobs)
{
	bool statement = false;
	err e = batch_begin(w, jobs);

	if (e != OK) {
		for (struct job *j = jobs; j != NULL; j = j->next)
			job_note(j, e);
		return false;
	}
	if (prepare_all(w, jobs) > 0)
		e = batch_commit(w, jobs, &statement);
	db_rollback(w->db); /* where nothing was committed */
	if (e == OK) {
		counters_commit(&w->counters);
	} else {
		counters_restore(&w->counters);
		fail_ready(jobs, e);
	}
	arena_free(&w->batch.arena);
	return statement;
}

static void batch_one_by_one(struct writer *w, struct job *jobs)
{
	for (struct job *j = jobs, *next; j != NULL; j = next) {
		next = j->next;
		j->next = NULL;
		(void)batch_try(w, j);
		j->next = next;
	}
}

static void jobs_wake(struct job *jobs)
{
	while (jobs != NULL) {
		struct job *next = jobs->next; /* the job is gone as soon as its owner runs */

		rt_wake_from_thread(jobs->loop, jobs->co);
		jobs = next;
	}
}

static void batch_run(struct writer *w, struct job *jobs)
{
	if (jobs->kind->alone)
		counters_forget(&w->counters);
	if (batch_try(w, jobs) && jobs->next != NULL)
		batch_one_by_one(w, jobs);
	if (jobs->kind->alone)
		counters_forget(&w->counters);
	jobs_wake(jobs);
	checkpointer_look(w->checkpointer, w->db);
}

/* --- the thread --- */

static bool by_itself(const struct job *job)
{
	return job->kind->alone || job->kind->apart;
}

/* All that wait, up to one that wants a batch of its own and to a decent size; NULL: stop. */
static struct job *take_jobs(struct writer *w)
{
	size_t n = 1;

	pthread_mutex_lock(&w->lock);
	while (w->jobs == NULL && !w->stop)
		pthread_cond_wait(&w->wanted, &w->lock);
	struct job *jobs = w->jobs, *last = jobs;
	if (jobs != NULL) {
		while (!by_itself(jobs) && n < BATCH_JOBS && last->next != NULL && !by_itself(last->next)) {
			last = last->next;
			n++;
		}
		w->jobs = last->next;
		if (w->jobs == NULL)
			w->jobs_tail = &w->jobs;
		last->next = NULL;
	}
	pthread_mutex_unlock(&w->lock);
	return jobs;
}

static void *thread_main(void *arg)
{
	struct writer *w = arg;
	struct job *jobs;

	while ((jobs = take_jobs(w)) != NULL)
		batch_run(w, jobs);
	return NULL;
}

static void writer_free(struct writer *w)
{
	checkpointer_stop(w->checkpointer);
	db_close(w->db);
	counters_free(&w->counters);
	segment_abandon(w);
	map_free(&w->claims);
	free(w->batch.iov);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->wanted);
	free(w);
}

static err start_thread(struct writer *w)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are for the loop's thread */
	int failed = pthread_create(&w->thread, NULL, thread_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return failed == 0 ? OK : err_note(E_MEMORY, "cannot start the writer's thread");
}

err writer_start(const struct writer_start *start, struct writer **out)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		struct segment current = start->current;

		segment_close(&current);
		return err_note(E_MEMORY, "no memory for the writer");
	}
	w->bodies = start->bodies;
	w->segment = start->current;
	w->end = start->end;
	w->next_segment = start->next_segment;
	w->settings_wanted = start->settings;
	w->jobs_tail = &w->jobs;
	atomic_init(&w->segment_number, start->current.fd >= 0 ? start->current.number : start->next_segment - 1);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wanted, NULL);
	counters_init(&w->counters);
	map_init(&w->claims);
	err e = db_open(start->database, DB_WRITE, &w->db);
	if (e == OK)
		e = checkpointer_start(start->database, &w->checkpointer);
	if (e == OK)
		e = start_thread(w);
	if (e != OK)
		writer_free(w);
	else
		*out = w;
	return e;
}

void writer_stop(struct writer *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->wanted);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	writer_free(w);
}

void writer_configure(struct writer *w, struct writer_settings settings)
{
	pthread_mutex_lock(&w->lock);
	w->settings_wanted = settings;
	pthread_mutex_unlock(&w->lock);
}

err writer_do(struct writer *w, struct job *job)
{
	job->loop = rt_loop();
	job->co = rt_self();
	job->next = NULL;
	pthread_mutex_lock(&w->lock);
	*w->jobs_tail = job;
	w->jobs_tail = &job->next;
	pthread_mutex_unlock(&w->lock);
	pthread_cond_signal(&w->wanted);
	rt_park_uncancelled();
	const struct err_info *i = &job->info;
	return job->result == OK ? OK : err_set(job->result, i->reply, i->status, "%s", i->text);
}
