/* SPDX-License-Identifier: ISC */
/* What the files of the store share: the open store. Belongs to the loop's thread, but for the parts that say otherwise. */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include "store/folder.h"
#include "store/rate.h"
#include "store/readers.h"
#include "store/sessions.h"
#include "store/store.h"
#include "store/word_table.h"
#include "store/writer.h"

struct store {
	struct config *config;
	char *database; /* its path */
	struct arena memory;
	str secret; /* of its own, in `memory` */
	struct folder folder;
	struct db *db;           /* the loop's own connection: short queries of the hot path */
	struct readers *readers; /* for worker threads */
	struct writer *writer;
	struct sessions sessions;
	struct rate rate;           /* of submissions */
	struct queue *queue;        /* store/queue.h; its own files know what is in it */
	uint64_t next_id, id_limit; /* message ids below the limit are this process's to give out */
	bool id_job;                /* the limit is being moved */
	size_t active;              /* coroutines inside of calls that park */
	struct co *closer;          /* store_close, waiting for them */
	struct co *compactor;
	struct co *releaser; /* store/release.h */
	struct refusals *refusals; /* store/refuse.h */
	struct lessons *lessons;   /* store/lesson.h */
	struct word_table table;
	struct co *pruner; /* store/prune.h */
	bool compacting; /* by the compactor or by the verb */
};

/* Around every call that parks: store_close waits for them. E_TEMP once it does. */
MUST_USE err store_enter(struct store *s);
void store_leave(struct store *s);

/* May a client send to other servers? One that is logged in to an account that was granted to this session of this process, a program of
 * this machine, and whoever is in relay-from. */
struct relaying {
	str process, session;
	uint64_t account; /* 0: nobody */
	str client;
	bool local;
};
bool store_may_relay(const struct store *s, const struct relaying *who);

#endif
