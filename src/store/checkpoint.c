/* SPDX-License-Identifier: ISC */
#include "store/checkpoint.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/log.h"

#define LOG_LONG     (8ull << 20)
#define LOG_TOO_LONG (4 * LOG_LONG)
enum { WAIT_MS = 50 };

enum state { IDLE, WANTED, DONE };

struct checkpointer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum state state;
	bool stop;
	struct db *db;
	uint64_t limit; /* the writer's: octets of the log that set the thread to work */
};

static bool wait_until_wanted(struct checkpointer *c)
{
	pthread_mutex_lock(&c->lock);
	while (c->state != WANTED && !c->stop)
		pthread_cond_wait(&c->changed, &c->lock);
	bool go_on = !c->stop;
	pthread_mutex_unlock(&c->lock);
	return go_on;
}

static enum state set_state(struct checkpointer *c, enum state to)
{
	pthread_mutex_lock(&c->lock);
	enum state was = c->state;
	c->state = to;
	pthread_cond_signal(&c->changed);
	pthread_mutex_unlock(&c->lock);
	return was;
}

static enum state get_state(struct checkpointer *c)
{
	pthread_mutex_lock(&c->lock);
	enum state now = c->state;
	pthread_mutex_unlock(&c->lock);
	return now;
}

static void checkpoint(struct db *db, bool wait)
{
	if ((wait ? db_checkpoint_wait(db, WAIT_MS) : db_checkpoint(db)) != OK)
		LOG(WARN, "store.checkpoint", LOG_Z("error", err_info()->text));
}

static void *thread_main(void *arg)
{
	struct checkpointer *c = arg;

	while (wait_until_wanted(c)) {
		checkpoint(c->db, false);
		set_state(c, DONE);
	}
	return NULL;
}

err checkpointer_start(const char *database, struct checkpointer **out)
{
	struct checkpointer *c = calloc(1, sizeof(*c));
	sigset_t all, old;

	if (c == NULL)
		return err_note(E_MEMORY, "no memory for the checkpoint thread");
	c->limit = LOG_LONG;
	err e = db_open(database, DB_WRITE, &c->db);
	if (e != OK) {
		free(c);
		return e;
	}
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are for the loop's thread */
	int failed = pthread_create(&c->thread, NULL, thread_main, c);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (failed != 0) {
		db_close(c->db);
		free(c);
		return err_note(E_MEMORY, "cannot start the checkpoint thread");
	}
	*out = c;
	return OK;
}

void checkpointer_stop(struct checkpointer *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->changed);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	db_close(c->db);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->changed);
	free(c);
}

void checkpointer_look(struct checkpointer *c, struct db *writer)
{
	uint64_t log = db_log_octets(writer);

	if (log < LOG_LONG)
		c->limit = LOG_LONG;
	if (log < c->limit)
		return;
	switch (get_state(c)) {
	case IDLE:
		set_state(c, WANTED);
		break;
	case WANTED:
		break; /* at work */
	case DONE:
		checkpoint(writer, log >= LOG_TOO_LONG); /* where somebody reads at all times there is no good moment */
		/* A reader with an old view keeps the log from beginning anew: then wait until it has grown as much again. */
		c->limit = log + LOG_LONG;
		set_state(c, IDLE);
		break;
	}
}
