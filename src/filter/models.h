/* SPDX-License-Identifier: ISC */
/* models - the tables of words that the store has made, one for all and one for each account that has lessons of its own, kept up to date. */
#ifndef FILTER_MODELS_H
#define FILTER_MODELS_H

#include "link/link.h"
#include "spam/model.h"

struct models;
/* A table in use: stays where it is until it is released. */
struct model_hold;

MUST_USE err models_new(struct link *store, struct models **out);
void models_free(struct models *m); /* NULL allowed; nobody holds one */
/* The table of `account`, 0 the one of all; asked for again after a minute. NULL: there is none, or the store is away. Parks. */
struct model_hold *models_take(struct models *m, uint64_t account, nsec deadline);
const struct model *models_table(const struct model_hold *h); /* NULL for NULL */
void models_release(struct model_hold *h);                    /* NULL allowed */

#endif
