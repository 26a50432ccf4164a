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

/* One of those who look the same. */
struct twin {
	struct contact contact;
	uint64_t first; /* when he was first heard of, or written to */
};

/* Is he known so well that another can look like him? */
static bool is_somebody(const struct contact *c)
{
	return c->sent > 0 || c->received > 1;
}

/* Whom the account wrote to, else who came first: whoever imitates comes later, and may well write more. */
static bool is_better(const struct twin *a, const struct twin *b)
{
	return a->contact.sent != b->contact.sent ? a->contact.sent > b->contact.sent : a->first < b->first;
}

static struct twin twin_read(struct query *q, str *address)
{
	struct twin t = {.contact = {.like = STR("")}};

	*address = query_str(q);
	t.contact.received = query_num(q);
	t.contact.sent = query_num(q);
	t.first = query_num(q);
	return t;
}

/* The author himself among those who look the same, and the best known of the others. */
static err find_same(struct db *db, uint64_t account, const struct author *author, struct arena *a, struct twin *out,
                     struct twin *other)
{
	struct query q = db_query(
		db, "SELECT address, received, sent, first FROM contact WHERE account = ? AND skeleton = ? LIMIT ?");

	query_put_num(&q, account);
	query_put_str(&q, author->skeleton);
	query_put_num(&q, LOOK_MAX);
	while (query_row(&q)) {
		str address;
		struct twin t = twin_read(&q, &address);

		if (str_equal(address, author->address)) {
			*out = t;
		} else if (is_somebody(&t.contact) && (other->contact.like.n == 0 || is_better(&t, other))) {
			t.contact.like = arena_str(a, address);
			*other = t;
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
	struct twin own = {.contact = {.like = STR("")}, .first = UINT64_MAX}, other = own;

	err e = find_same(db, account, author, a, &own, &other);
	*out = own.contact;
	if (e != OK || out->sent > 0)
		return e;
	if (other.contact.like.n > 0 && is_better(&other, &own))
		out->like = other.contact.like;
	return name_counts(author, out) ? find_namesake(db, account, author, a, out) : OK;
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
