/* SPDX-License-Identifier: ISC */
/* Questions about addresses that the loop answers itself: who can get mail, who can log in. */
#include "mail/address.h"
#include "store/ids.h"
#include "store/route.h"
#include "store/state.h"

static void check(struct store *s, const struct rcpt_check_request *q, str address, struct rcpt_answer *out,
                  struct arena *a)
{
	struct route route;
	err e = route_address(s->db, s->config, address, a, &route);

	if (e == OK)
		e = route_quota(&route, s->config, q->size);
	*out = (struct rcpt_answer){.code = e};
	if (e == OK)
		return;
	out->reply = (uint64_t)err_info()->reply;
	out->status = arena_str(a, str_from(err_info()->status));
	out->text = arena_str(a, str_from(err_info()->text));
}

err store_rcpt_check(struct store *s, const struct rcpt_check_request *q, struct rcpt_check_reply *r, struct arena *a)
{
	err e = ids_take(s, &r->id);

	if (e != OK)
		return e;
	r->answers = arena_array(a, q->rcpts_n, sizeof(*r->answers));
	if (r->answers == NULL)
		return err_set(E_LIMIT, 452, "4.5.3", "Too many recipients at once");
	r->answers_n = q->rcpts_n;
	for (size_t i = 0; i < q->rcpts_n; i++)
		check(s, q, q->rcpts[i].address, &r->answers[i], a);
	return OK;
}

/* --- who can log in --- */

/* A user who leaves out the domain means the first one of ours. */
static err parse_user(const struct store *s, str user, str *local, str *domain, struct arena *a)
{
	struct address address;

	if (str_find(user, '@') == user.n && s->config->domains_n > 0)
		user = arena_printf(a, STR_FMT "@" STR_FMT, STR_ARG(user), STR_ARG(s->config->domains[0].name));
	err e = address_parse(user, true, &address);
	return e == OK ? address_key(a, &address, local, domain) : e;
}

err store_credential(struct store *s, const struct credential_request *q, struct credential_reply *r, struct arena *a)
{
	struct query query = db_query(s->db, "SELECT id, hash, disabled FROM account WHERE domain = ? AND local = ?");
	str local, domain;

	if (parse_user(s, q->user, &local, &domain, a) != OK)
		return err_set(E_NOT_FOUND, 0, NULL, "there is no such account");
	query_put_str(&query, domain);
	query_put_str(&query, local);
	bool found = query_row(&query);
	if (found) {
		r->account = query_num(&query);
		r->hash = arena_str(a, query_str(&query));
		r->disabled = query_num(&query);
		r->address = arena_printf(a, STR_FMT "@" STR_FMT, STR_ARG(local), STR_ARG(domain));
	}
	if (query_end(&query) != OK || a->full)
		return err_set(E_TEMP, 451, "4.3.0", "The mail store has a temporary problem; try again later");
	return found ? OK : err_set(E_NOT_FOUND, 0, NULL, "there is no such account");
}
