/* SPDX-License-Identifier: ISC */
/* contact - whom an account has mail from, and whom it wrote to. */
#ifndef STORE_CONTACT_H
#define STORE_CONTACT_H

#include "link/messages.h"
#include "store/db.h"

/* What the account knows of the author. Whom it never wrote to may look like somebody that it has written to, or has had
 * several messages from, and the first of them earlier. */
MUST_USE err contact_find(struct db *db, uint64_t account, const struct author *author, struct arena *a,
                          struct contact *out);
/* Do the texts have the size and form that a contact has? Others are none. */
bool contact_is_sound(const struct author *author);

/* Whom a submission goes to, as contacts are known. On the loop. E_MEMORY. */
struct contact_key {
	size_t rcpt; /* in the request */
	str address, skeleton;
};
MUST_USE err contact_keys(const struct accept_request *q, struct arena *a, struct contact_key **out, size_t *n);

/* In the writer, one message more. */
MUST_USE err contact_received(struct db *db, uint64_t account, uint64_t at, const struct author *author);
MUST_USE err contact_sent(struct db *db, uint64_t account, uint64_t at, const struct contact_key *to);

#endif
