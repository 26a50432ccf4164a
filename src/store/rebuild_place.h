/* SPDX-License-Identifier: ISC */
/* rebuild_place - where messages are, while a database is rebuilt. Tombstones and moves are noted when they are read and done at the end: compaction may have carried
 * them behind records that are younger. That is sound because a place, a mailbox and a uid, is never another message's (but see place_make_way), nor the same
 * one's again: each move starts where exactly one step of a message's way ended.
 */
#ifndef STORE_REBUILD_PLACE_H
#define STORE_REBUILD_PLACE_H

#include "store/ledger.h"

MUST_USE err places_begin(struct db *db);
/* A batch that failed after its records were synced leaves them behind, and its uids were given out again: the later record was committed, the
 * earlier may have been. Neither is lost: the earlier goes where no uid was given out. */
MUST_USE err place_make_way(struct db *db, struct item_place at, uint64_t message);

/* A copy of a record that was read before, which compaction made: the item of recipient `i` is where it says, with the flags that it says, or gone. The jobs of a
 * failed batch, which were done again one by one, leave such copies too, with other uids. */
MUST_USE err place_renew(struct db *db, const struct envelope *envelope, size_t i);

MUST_USE err places_note_tombstones(struct db *db, const struct tombstones *t);
MUST_USE err places_note_moves(struct db *db, const struct moves *m);
/* When all records were read. */
MUST_USE err places_settle(struct db *db);

#endif
