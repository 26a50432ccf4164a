/* SPDX-License-Identifier: ISC */
#include "store/ids.h"

#include "base/date.h"
#include "base/log.h"
#include "store/schema.h"

#define RANGE (1ull << 20)

err ids_start(struct store *s, struct db *db)
{
	uint64_t clock = (uint64_t)(rt_wall() / USEC_PER_SEC) << 20;
	err e = meta_get(db, "next_id", &s->next_id);

	if (s->next_id < clock)
		s->next_id = clock;
	if (s->next_id == 0)
		s->next_id = 1;
	s->id_limit = s->next_id + RANGE;
	return e == OK ? meta_set(db, "next_id", s->id_limit) : e;
}

static err persist_apply(struct writer *w, struct job *job)
{
	return meta_set(writer_db(w), "next_id", *(const uint64_t *)job->data);
}

static void persist(void *arg)
{
	static const struct job_kind kind = {.apply = persist_apply};
	struct store *s = arg;
	uint64_t limit = s->id_limit + RANGE;
	struct job job = {.kind = &kind, .data = &limit};

	if (writer_do(s->writer, &job) == OK)
		s->id_limit = limit;
	else
		LOG(WARN, "store.ids", LOG_Z("error", err_info()->text));
	s->id_job = false;
	store_leave(s);
}

/* Without anybody waiting for it. */
static void extend(struct store *s)
{
	if (s->id_job || store_enter(s) != OK)
		return;
	s->id_job = rt_spawn(persist, s, "store-ids") != NULL;
	if (!s->id_job)
		store_leave(s);
}

err ids_take(struct store *s, uint64_t *id)
{
	if (s->id_limit - s->next_id < RANGE / 2)
		extend(s);
	if (s->next_id >= s->id_limit)
		return err_set(E_TEMP, 451, "4.3.0", "The mail store has a temporary problem; try again later");
	*id = s->next_id++;
	return OK;
}
