/* SPDX-License-Identifier: ISC */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "rt/loop.h"

#define WORKERS 4

struct job { /* on the waiting coroutine's stack */
	void (*fn)(void *arg);
	void *arg;
	struct co *co;
	struct job *next;
};

struct workers {
	struct rt_loop *loop;
	pthread_mutex_t lock;
	pthread_cond_t wanted;
	struct job *jobs, **tail;
	bool stop;
	size_t count;
	pthread_t threads[WORKERS];
};

static struct job *workers_next_job(struct workers *w)
{
	struct job *job;

	pthread_mutex_lock(&w->lock);
	while (w->jobs == NULL && !w->stop)
		pthread_cond_wait(&w->wanted, &w->lock);
	job = w->jobs;
	if (job) {
		w->jobs = job->next;
		if (w->jobs == NULL)
			w->tail = &w->jobs;
	}
	pthread_mutex_unlock(&w->lock);
	return job;
}

static void *worker_main(void *arg)
{
	struct workers *w = arg;
	struct job *job;

	while ((job = workers_next_job(w))) {
		err_slot = &job->co->info;
		job->fn(job->arg);
		err_slot = NULL;
		rt_wake_from_thread(w->loop, job->co);
	}
	return NULL;
}

/* Signals are for the loop's thread. */
static void workers_start_threads(struct workers *w)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (w->count < WORKERS && pthread_create(&w->threads[w->count], NULL, worker_main, w) == 0)
		w->count++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static struct workers *workers_start(struct rt_loop *l)
{
	struct workers *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->loop = l;
	w->tail = &w->jobs;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wanted, NULL);
	workers_start_threads(w);
	if (w->count > 0)
		return w;
	workers_stop(w);
	return NULL;
}

void workers_stop(struct workers *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->wanted);
	pthread_mutex_unlock(&w->lock);
	for (size_t i = 0; i < w->count; i++)
		pthread_join(w->threads[i], NULL);
	pthread_cond_destroy(&w->wanted);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static void workers_queue(struct workers *w, struct job *job)
{
	pthread_mutex_lock(&w->lock);
	*w->tail = job;
	w->tail = &job->next;
	pthread_cond_signal(&w->wanted);
	pthread_mutex_unlock(&w->lock);
}

void rt_work_begin(void)
{
	struct rt_loop *l = loop_current;

	if (l && l->running && !l->simulated && l->workers == NULL)
		l->workers = workers_start(l);
}

void rt_work(void (*fn)(void *arg), void *arg)
{
	struct rt_loop *l = loop_current;

	rt_work_begin();
	if (l == NULL || l->running == NULL || l->workers == NULL) {
		fn(arg); /* simulated, outside a loop, or no thread to be had */
		return;
	}

	struct job job = {.fn = fn, .arg = arg, .co = l->running};

	workers_queue(l->workers, &job);
	rt_park_uncancelled();
}
