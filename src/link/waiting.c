/* SPDX-License-Identifier: ISC */
/* Calls of ours in the air. An id is a place in the table and, above it, a number that never comes again, so that a late reply cannot
 * be taken for that of the place's next owner. */
#include <stdlib.h>

#include "link/connection.h"

#define WAITING_MAX  10000
#define PLACE_BITS   14
#define PLACE_OF(id) ((id) & ((1u << PLACE_BITS) - 1))
#define FIRST_SIZE   64

static const struct err_info away = {E_TEMP, 451, "4.3.0",
                                     "a part of the mail system is not there for a moment, try again"};

err link_away(void)
{
	return err_set(away.code, away.reply, away.status, "%s", away.text);
}

static err grow(struct waiting_table *t)
{
	size_t size = t->size == 0 ? FIRST_SIZE : t->size * 2;

	if (size > 1u << PLACE_BITS)
		size = 1u << PLACE_BITS;
	struct waiting **slots = reallocarray(t->slots, size, sizeof(struct waiting *));
	if (slots == NULL)
		return err_note(E_MEMORY, "no memory for a call");
	t->slots = slots;
	uint32_t *free_places = reallocarray(t->free, size, sizeof(*free_places));
	if (free_places == NULL)
		return err_note(E_MEMORY, "no memory for a call");
	t->free = free_places;
	for (size_t i = size; i > t->size; i--) {
		t->slots[i - 1] = NULL;
		t->free[t->free_n++] = (uint32_t)(i - 1);
	}
	t->size = size;
	return OK;
}

err waiting_add(struct waiting_table *t, struct waiting *w)
{
	if (t->n >= WAITING_MAX)
		return err_set(E_TEMP, 451, "4.3.0", "too many calls wait for an answer, try again");
	err e = t->free_n > 0 ? OK : grow(t);
	if (e != OK)
		return e;
	uint32_t place = t->free[--t->free_n];
	w->id = ++t->generation << PLACE_BITS | place;
	t->slots[place] = w;
	t->n++;
	return OK;
}

struct waiting *waiting_find(const struct waiting_table *t, uint64_t id)
{
	size_t place = PLACE_OF(id);
	struct waiting *w = place < t->size ? t->slots[place] : NULL;

	return w != NULL && w->id == id ? w : NULL;
}

void waiting_remove(struct waiting_table *t, const struct waiting *w)
{
	uint32_t place = (uint32_t)PLACE_OF(w->id);

	t->slots[place] = NULL;
	t->free[t->free_n++] = place;
	t->n--;
}

void waiting_finish(struct waiting_table *t, struct waiting *w, const struct err_info *info)
{
	waiting_remove(t, w);
	w->info = *info;
	w->done = true;
	if (w->co != NULL)
		rt_wake(w->co);
}

void waiting_fail_all(struct waiting_table *t)
{
	for (size_t i = 0; i < t->size; i++)
		if (t->slots[i] != NULL)
			waiting_finish(t, t->slots[i], &away);
	free(t->slots);
	free(t->free);
	*t = (struct waiting_table){0};
}
