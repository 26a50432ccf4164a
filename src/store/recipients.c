/* SPDX-License-Identifier: ISC */
/* What the loop answers itself: who can get mail. */
#include "conf/relay.h"
#include "store/ids.h"
#include "store/route.h"
#include "store/state.h"

bool store_may_relay(const struct store *s, const struct relaying *who)
{
	if (who->local ||
	    (who->account != 0 && sessions_check_account(&s->sessions, who->process, who->session, who->account) == OK))
		return true;
	return relay_client_allowed(s->config, who->client);
}

static void check(const struct router *router, uint64_t size, str address, struct rcpt_answer *out, struct arena *a)
{
	struct route route;
	err e = route_address(router, address, a, &route);

	if (e == OK)
		e = route_quota(&route, router->config, size);
	*out = (struct rcpt_answer){.code = e, .inner = e == OK && route.inner};
	if (e == OK)
		return;
	out->reply = (uint64_t)err_info()->reply;
	out->status = arena_str(a, str_from(err_info()->status));
	out->text = arena_str(a, str_from(err_info()->text));
}

err store_rcpt_check(struct store *s, const char *from, const struct rcpt_check_request *q, struct rcpt_check_reply *r,
                     struct arena *a)
{
	struct relaying who = {str_from(from), q->session, q->account, q->client, q->local != 0};
	struct router router = {s->db, s->config, s->secret, q->sender, store_may_relay(s, &who)};
	err e = q->account != 0 ? sessions_check_account(&s->sessions, who.process, who.session, who.account) : OK;

	/* Whose login is over, and who was logged in when the store began anew, comes back: he is told nothing for good. */
	if (e == OK)
		e = ids_take(s, &r->id);
	if (e != OK)
		return e;
	r->answers = arena_array(a, q->rcpts_n, sizeof(*r->answers));
	if (r->answers == NULL)
		return err_set(E_LIMIT, 452, "4.5.3", "Too many recipients at once");
	r->answers_n = q->rcpts_n;
	for (size_t i = 0; i < q->rcpts_n; i++)
		check(&router, q->size, q->rcpts[i].address, &r->answers[i], a);
	return OK;
}
