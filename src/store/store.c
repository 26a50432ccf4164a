/* SPDX-License-Identifier: ISC */
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "base/log.h"
#include "store/compact.h"
#include "store/ids.h"
#include "store/lesson.h"
#include "store/prune.h"
#include "store/queue_clock.h"
#include "store/recover.h"
#include "store/refuse.h"
#include "store/release.h"
#include "store/schema.h"
#include "store/state.h"

err store_enter(struct store *s)
{
	if (s->closer != NULL)
		return err_set(E_TEMP, 451, "4.3.0", "The mail store is closing; try again later");
	s->active++;
	return OK;
}

void store_leave(struct store *s)
{
	if (--s->active == 0 && s->closer != NULL)
		rt_wake(s->closer);
}

/* --- opening --- */

/* Bodies without a database: starting anew would look like an empty server. */
static err check_database_is_there(const struct store *s)
{
	struct stat st;
	bool bodies = false;

	if (stat(s->database, &st) == 0 && st.st_size > 0)
		return OK;
	err e = recover_has_segments(s->folder.bodies, &bodies);
	if (e == OK && bodies)
		return err_note(
			E_IO,
			"%s is missing but there is mail in bodies/: restore a backup, or run `pombo store rebuild`",
			s->database);
	return e;
}

static struct writer_settings settings_of(const struct config *c)
{
	return (struct writer_settings){.quota = c->quota,
	                                .segment_size = c->segment_size,
	                                .expire = (uint64_t)(c->queue.expire / (NSEC_PER_SEC / USEC_PER_SEC))};
}

/* With a connection of its own: the database is made or recovered, and everything about it is durable, before others come. */
static err prepare_database(struct store *s, struct writer_start *start)
{
	struct db *db;
	err e = db_open(s->database, DB_WRITE, &db);

	if (e != OK)
		return e;
	e = schema_apply(db);
	if (e == OK)
		e = recover_segments(db, s->folder.bodies, start);
	if (e == OK)
		e = ids_start(s, db);
	if (e == OK)
		e = queue_clock_open(db, s->config);
	if (e == OK && fsync(s->folder.self) != 0)
		e = err_note(E_IO, "the data folder cannot be synced");
	db_close(db);
	return e;
}

static err read_secret(struct store *s)
{
	struct query q = db_query(s->db, "SELECT secret FROM credential WHERE account = 0 AND kind = 'secret'");

	if (query_row(&q))
		s->secret = arena_str(&s->memory, query_str(&q));
	return query_end(&q);
}

static err start(struct store *s)
{
	struct writer_start w = {.database = s->database,
	                         .bodies = s->folder.bodies,
	                         .current = SEGMENT_NONE,
	                         .settings = settings_of(s->config)};
	err e = check_database_is_there(s);

	if (e == OK)
		e = prepare_database(s, &w);
	if (e == OK)
		e = writer_start(&w, &s->writer);
	else
		segment_close(&w.current);
	if (e == OK)
		e = readers_start(s->database, s->folder.bodies, &s->readers);
	if (e == OK)
		e = db_open(s->database, DB_READ, &s->db);
	if (e == OK)
		db_read_by_rounds(s->db);
	if (e == OK)
		e = read_secret(s);
	if (e == OK)
		e = queue_open(s);
	if (e == OK)
		e = compactor_start(s);
	if (e == OK)
		e = release_start(s);
	if (e == OK)
		e = refusals_start(s);
	if (e == OK)
		e = lessons_open(s);
	if (e == OK)
		e = pruner_start(s);
	return e;
}

static void store_free(struct store *s)
{
	queue_free(s);
	refusals_free(s);
	lessons_free(s);
	word_table_free(&s->table);
	readers_stop(s->readers);
	db_close(s->db);
	writer_stop(s->writer);
	sessions_free(&s->sessions);
	rate_free(&s->rate);
	folder_close(&s->folder);
	config_release(s->config);
	arena_free(&s->memory);
	free(s->database);
	free(s);
}

err store_open(const char *path, struct config *config, struct store **out)
{
	struct store *s = calloc(1, sizeof(*s));

	if (s == NULL || asprintf(&s->database, "%s/pombo.db", path) < 0) {
		free(s);
		return err_note(E_MEMORY, "no memory for the store");
	}
	s->config = config_hold(config);
	s->memory = ARENA_INIT(64 << 10);
	sessions_init(&s->sessions);
	rate_init(&s->rate);
	err e = folder_open(path, &s->folder);
	if (e == OK)
		e = start(s);
	if (e == OK) {
		*out = s;
		return OK;
	}
	struct err_info why = *err_info();
	store_close(s);
	return err_set(e, why.reply, why.status, "%s", why.text);
}

void store_close(struct store *s)
{
	s->closer = rt_self();
	compactor_stop(s);
	release_stop(s);
	refusals_stop(s);
	lessons_close(s);
	pruner_stop(s);
	queue_close(s);
	while (s->active > 0)
		if (rt_park(RT_NEVER) != OK)
			rt_yield(); /* cancelled, but what is in the air must come down first */
	store_free(s);
}

void store_configure(struct store *s, struct config *config)
{
	struct config *old = s->config;

	s->config = config_hold(config);
	config_release(old);
	writer_configure(s->writer, settings_of(s->config));
}
