/* SPDX-License-Identifier: ISC */
#include "store/contact.h"

#include "mail/address.h"
#include "mail/skeleton.h"

enum { TEXT_MAX = 1000, LOOK_MAX = 50 };

bool contact_is_sound(const struct author *author)
{
	size_t at = str_find_last(author->address, '@');

	return at > 0 && at + 1 < author->address.n && author->address.n <= TEXT_MAX &&
	       author->skeleton.n <= TEXT_MAX && author->name_skeleton.n <= TEXT_MAX &&
	       !str_has_control(author->address);
}

/* How well somebody is known. */
static bool is_better(const struct contact *a, const struct contact *b)
{
	return a->sent != b->sent ? a->sent > b->sent : a->received > b->received;
}

/* The author himself among those who look the same, and the best known of the others. */
static err find_same(struct db *db, uint64_t account, const struct author *author, struct arena *a, struct contact *out,
                     struct contact *other)
{
	struct query q =
		db_query(db, "SELECT address, received, sent FROM contact WHERE account = ? AND skeleton = ? LIMIT ?");

	query_put_num(&q, account);
	query_put_str(&q, author->skeleton);
	query_put_num(&q, LOOK_MAX);
	while (query_row(&q)) {
		str address = query_str(&q);
		struct contact c = {.like = STR("")};

		c.received = query_num(&q);
		c.sent = query_num(&q);
		if (str_equal(address, author->address)) {
			*out = c;
		} else if (other->like.n == 0 || is_better(&c, other)) {
			c.like = arena_str(a, address);
			*other = c;
		}
	}
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
	struct contact other = {.like = STR("")};

	*out = other;
	err e = find_same(db, account, author, a, out, &other);
	if (e != OK || out->sent > 0)
		return e;
	if (other.sent > 0 || other.received > (out->received > 1 ? out->received : 1))
		out->like = other.like;
	return e == OK && name_counts(author, out) ? find_namesake(db, account, author, a, out) : e;
}

/* A name counts when the address was proved: else anybody could give a contact another one. */
err contact_received(struct db *db, uint64_t account, uint64_t at, const struct author *author)
{
	struct query q =
		db_query(db, "INSERT INTO contact (account, address, skeleton, name_skeleton, received, first, last)"
	                     " VALUES (?, ?, ?, ?, 1, ?, ?) ON CONFLICT (account, skeleton, address) DO UPDATE SET"
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
	                     " VALUES (?, ?, ?, '', 1, ?, ?) ON CONFLICT (account, skeleton, address) DO UPDATE SET"
	                     " sent = contact.sent + 1, last = excluded.last");

	query_put_num(&q, account);
	query_put_str(&q, to->address);
	query_put_str(&q, to->skeleton);
	query_put_num(&q, at);
	query_put_num(&q, at);
	return query_run(&q);
}
