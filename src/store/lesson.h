/* SPDX-License-Identifier: ISC */
/* lesson - messages that somebody says are spam, or are none. Their words are counted by a filter, one lesson at a time a process, for the account that says so and for
 * all; each content once. A lesson that a filter does not give back, because it died of it, is handed out TRIES times.
 *
 * Lessons come from `pombo spam learn`, from what an administrator does to the quarantine, and from mail that users move to or from Junk.
 *
 * `pombo spam words ADDRESS|all spam|wanted DIGEST` brings words of a message that is not stored here: the hashes of spam/tokens.h, 8 octets each,
 * little-endian, as the request's `secret`; DIGEST is a word that says which message it was (SHA-256 in hexadecimal).
 */
#ifndef STORE_LESSON_H
#define STORE_LESSON_H

#include "store/state.h"
#include "store/words.h"

struct lessons;
MUST_USE err lessons_open(struct store *s);
void lessons_close(struct store *s); /* wakes all who wait */
void lessons_free(struct store *s);
void lessons_process_gone(struct store *s, const char *from);

/* Parks: messages that are stored here. Those that are gone are passed over; *n says how many were not. `account` 0: for all alone. Inside of store_enter. */
MUST_USE err store_lesson_add(struct store *s, uint64_t account, const uint64_t *messages, size_t *n, bool spam);
/* The same in two halves, for a change that teaches something in its own transaction: first, on the loop, parks: the digests of `list` by its messages, those that
 * are gone left out; then lesson_put_both (store/words.h) for each in the writer; and when that is committed, lessons_wake. */
MUST_USE err lessons_read(struct store *s, struct lesson *list, size_t *n, struct arena *a);
void lessons_wake(struct store *s);
/* Parks: words of a message that is not. */
MUST_USE err store_lesson_words(struct store *s, uint64_t account, str digest, bool spam, str tokens);

#endif
