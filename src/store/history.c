/* SPDX-License-Identifier: ISC */
/* The call `history`: what earlier mail shows of those who send a message, and what its recipients know of its author. Short queries, on the loop. */
#include "store/contact.h"
#include "store/route.h"
#include "store/state.h"

enum { KEYS_MAX = 200, RCPTS_MAX = 200 }; /* of the first ones is said what is known */

static err find_reputation(struct db *db, str key, struct reputation *out)
{
	struct query q = db_query(db, "SELECT good, bad, first, last FROM history WHERE key = ?");

	query_put_str(&q, key);
	if (query_row(&q)) {
		out->good = query_num(&q);
		out->bad = query_num(&q);
		out->first = query_num(&q);
		out->last = query_num(&q);
	}
	return query_end(&q);
}

static err find_known(struct store *s, const struct history_request *q, struct history_reply *r, struct arena *a)
{
	size_t n = q->keys_n < KEYS_MAX ? q->keys_n : KEYS_MAX;
	err e = OK;

	r->known = arena_array(a, n, sizeof(*r->known));
	if (r->known == NULL)
		return err_note(E_LIMIT, "too much is asked for");
	for (; r->known_n < n && e == OK; r->known_n++)
		e = find_reputation(s->db, q->keys[r->known_n].text, &r->known[r->known_n]);
	return e;
}

/* The first account that the address leads to; 0: none here. */
static uint64_t account_of(struct store *s, str address, struct arena *a, bool *only)
{
	struct router router = {s->db, s->config, s->secret, STR(""), true};
	struct route r;

	*only = false;
	if (route_address(&router, address, a, &r) != OK)
		return 0;
	*only = r.n == 1;
	for (size_t i = 0; i < r.n; i++)
		if (r.targets[i].mailbox != 0)
			return r.targets[i].account;
	return 0;
}

static err has_words(struct db *db, uint64_t account, bool *has)
{
	struct query q = db_query(db, "SELECT 1 FROM learned WHERE account = ? AND good + bad > 0");
	uint64_t one;

	query_put_num(&q, account);
	return query_one(&q, &one, has);
}

static err find_contacts(struct store *s, const struct history_request *q, struct history_reply *r, struct arena *a)
{
	const struct author *author = q->author_n == 1 && contact_is_sound(q->author) ? q->author : NULL;
	size_t n = q->rcpts_n < RCPTS_MAX ? q->rcpts_n : RCPTS_MAX;
	err e = OK;

	r->contacts = arena_array(a, n, sizeof(*r->contacts));
	if (r->contacts == NULL)
		return err_note(E_LIMIT, "too much is asked for");
	for (size_t i = 0; i < n && e == OK; i++) {
		bool only, words = false;
		uint64_t account = account_of(s, q->rcpts[i].address, a, &only);

		r->contacts[i].like = STR("");
		if (account != 0 && author != NULL)
			e = contact_find(s->db, account, author, a, &r->contacts[i]);
		if (e == OK && only && account != 0 && q->rcpts_n == 1)
			e = has_words(s->db, account, &words);
		if (words)
			r->account = account;
	}
	r->contacts_n = q->author_n == 1 ? n : 0;
	return e;
}

err store_history(struct store *s, const struct history_request *q, struct history_reply *r, struct arena *a)
{
	err e = find_known(s, q, r, a);

	if (e == OK)
		e = find_contacts(s, q, r, a);
	return e == OK && a->full ? err_note(E_LIMIT, "the answer is too large") : e;
}
