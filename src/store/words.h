/* SPDX-License-Identifier: ISC */
/* words - what was learned of words, as the database keeps it: for all (account 0), and for accounts that taught something of their own. */
#ifndef STORE_WORDS_H
#define STORE_WORDS_H

#include "link/record.h"
#include "store/db.h"

/* A lesson: a message, by a digest of its content, that is said to be spam or wanted. */
struct lesson {
	uint64_t account;
	str digest;
	uint64_t message; /* id, 0: its words came by command */
	bool spam;
};
/* In the writer. The same again changes nothing; the other way round is a new lesson, and takes back the first when it is learned. */
MUST_USE err lesson_put(struct db *db, const struct lesson *l, uint64_t now);
/* The same for the account and for all. */
MUST_USE err lesson_put_both(struct db *db, const struct lesson *l, uint64_t now);
/* In the writer: `tokens` of the lesson of this digest, 8 octets each, little-endian, are counted for the account and for all, as far as they have not been. */
MUST_USE err lesson_learn(struct db *db, uint64_t account, str digest, str tokens);
/* In the writer: it cannot be learned. What was learned of it before stays. */
MUST_USE err lesson_give_up(struct db *db, uint64_t account, str digest);

/* In any thread: the table of an account (spam/model.h), into `out`. Version 0: nothing was learned. */
MUST_USE err words_version(struct db *db, uint64_t account, uint64_t *version);
MUST_USE err words_table(struct db *db, uint64_t account, uint64_t *version, struct buf *out);

#endif
