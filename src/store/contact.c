/* SPDX-License-Identifier: ISC */
#include "store/contact.h"

#include "mail/address.h"
#include "mail/skeleton.h"

enum { TEXT_MAX = 1000 };

bool contact_is_sound(const struct author *author)
{
	size_t at = str_find_last(author->address, '@');

	return at > 0 && at + 1 < author->address.n && author->address.n <= TEXT_MAX &&
	       author->skeleton.n <= TEXT_MAX && author->name_skeleton.n <= TEXT_MAX &&
	       !str_has_control(author->address);
}

static err find_exact(struct db *db, uint64_t account, str address, struct contact *out)
{
	struct query q = db_query(db, "SELECT received, sent FROM contact WHERE account = ? AND address = ?");

	query_put_num(&q, account);
	query_put_str(&q, address);
	if (query_row(&q)) {
		out->received = query_num(&q);
		out->sent = query_num(&q);
	}
	return query_end(&q);
}

/* The best known that looks the same: somebody who was written to, or who wrote more often. */
static err find_like(struct db *db, uint64_t account, const struct author *author, struct arena *a, struct contact *out)
{
	struct query q = db_query(db, "SELECT address FROM contact WHERE account = ? AND skeleton = ? AND address <> ?"
	                              " AND (sent > 0 OR received > ?) ORDER BY sent DESC, received DESC LIMIT 1");

	query_put_num(&q, account);
	query_put_str(&q, author->skeleton);
	query_put_str(&q, author->address);
	query_put_num(&q, out->received > 1 ? out->received : 1);
	if (query_row(&q))
		out->like = arena_str(a, query_str(&q));
	return query_end(&q);
}

/* Names are less than addresses: people have several addresses, and some have the same name. "john smith" says who it is, "info" does not. */
static bool name_counts(const struct author *author, const struct contact *known)
{
	return known->like.n == 0 && known->received == 0 &&
	       str_find(author->name_skeleton, ' ') < author->name_skeleton.n;
}

static err find_namesake(struct db *db, uint64_t account, const struct author *author, struct arena *a,
                         struct contact *out)
{
	struct query q =
		db_query(db, "SELECT address FROM contact WHERE account = ? AND name_skeleton = ?"
	                     " AND name_skeleton <> '' AND address <> ? AND sent > 0 ORDER BY sent DESC LIMIT 1");

	query_put_num(&q, account);
	query_put_str(&q, author->name_skeleton);
	query_put_str(&q, author->address);
	if (query_row(&q))
		out->like = arena_str(a, query_str(&q));
	return query_end(&q);
}

err contact_find(struct db *db, uint64_t account, const struct author *author, struct arena *a, struct contact *out)
{
	*out = (struct contact){.like = STR("")};
	err e = find_exact(db, account, author->address, out);
	if (e != OK || out->sent > 0)
		return e;
	if (author->skeleton.n > 0)
		e = find_like(db, account, author, a, out);
	return e == OK && name_counts(author, out) ? find_namesake(db, account, author, a, out) : e;
}

/* A name counts when the address was proved: else anybody could give a contact another one. */
err contact_received(struct db *db, uint64_t account, uint64_t at, const struct author *author)
{
	struct query q =
		db_query(db, "INSERT INTO contact (account, address, skeleton, name_skeleton, received, first, last)"
	                     " VALUES (?, ?, ?, ?, 1, ?, ?) ON CONFLICT (account, address) DO UPDATE SET"
	                     " received = contact.received + 1, last = excluded.last, name_skeleton ="
	                     " CASE WHEN ? = 1 AND excluded.name_skeleton <> '' THEN excluded.name_skeleton ELSE "
	                     "contact.name_skeleton END");

	query_put_num(&q, account);
	query_put_str(&q, author->address);
	query_put_str(&q, author->skeleton);
	query_put_str(&q, author->name_skeleton);
	query_put_num(&q, at);
	query_put_num(&q, at);
	query_put_num(&q, author->verified != 0);
	return query_run(&q);
}

static bool key_of(str text, struct arena *a, struct contact_key *out)
{
	struct address address;
	str local, domain;

	if (address_parse(text, true, &address) != OK || address_key(a, &address, &local, &domain) != OK)
		return false;
	out->address = arena_printf(a, STR_FMT "@" STR_FMT, STR_ARG(local), STR_ARG(domain));
	out->skeleton = skeleton_address(a, out->address);
	return out->address.n <= TEXT_MAX && out->skeleton.n <= TEXT_MAX;
}

err contact_keys(const struct accept_request *q, struct arena *a, struct contact_key **out, size_t *n)
{
	*n = 0;
	*out = arena_array(a, q->rcpts_n, sizeof(**out));
	for (size_t i = 0; i < q->rcpts_n && *out != NULL; i++) {
		(*out)[*n].rcpt = i;
		*n += key_of(q->rcpts[i].address, a, &(*out)[*n]);
	}
	return *out == NULL || a->full ? err_note(E_MEMORY, "no memory for contacts") : OK;
}

err contact_sent(struct db *db, uint64_t account, uint64_t at, const struct contact_key *to)
{
	struct query q =
		db_query(db, "INSERT INTO contact (account, address, skeleton, name_skeleton, sent, first, last)"
	                     " VALUES (?, ?, ?, '', 1, ?, ?) ON CONFLICT (account, address) DO UPDATE SET"
	                     " sent = contact.sent + 1, last = excluded.last");

	query_put_num(&q, account);
	query_put_str(&q, to->address);
	query_put_str(&q, to->skeleton);
	query_put_num(&q, at);
	query_put_num(&q, at);
	return query_run(&q);
}
