/* SPDX-License-Identifier: ISC */
/* What the loop answers itself: who can get mail. */
#include "conf/relay.h"
#include "store/identity.h"
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

static struct rcpt_answer answer_of(err e, struct arena *a)
{
	const struct err_info *i = err_info();

	if (e == OK)
		return (struct rcpt_answer){.code = OK};
	return (struct rcpt_answer){.code = e,
	                            .reply = (uint64_t)i->reply,
	                            .status = arena_str(a, str_from(i->status)),
	                            .text = arena_str(a, str_from(i->text))};
}

static struct rcpt_answer check(const struct router *router, uint64_t size, str address, struct arena *a)
{
	struct route route;
	err e = route_address(router, address, a, &route);

	if (e == OK)
		e = route_quota(&route, router->config, size);
	struct rcpt_answer answer = answer_of(e, a);
	answer.inner = e == OK && route.inner;
	return answer;
}

/* The sender's, of which each recipient hears: the null sender is everybody's. Whose login is over, and who was logged in when the store began anew, comes
 * back: he is told nothing for good. */
static err check_sender(struct store *s, const char *from, const struct rcpt_check_request *q, struct rcpt_answer *out,
                        struct arena *a)
{
	err e = q->account == 0 ? OK : sessions_check_account(&s->sessions, str_from(from), q->session, q->account);

	*out = (struct rcpt_answer){.code = OK};
	if (e != OK || q->account == 0 || q->sender.n == 0)
		return e;
	*out = answer_of(identity_check(s, q->account, q->sender, a), a);
	return OK;
}

err store_rcpt_check(struct store *s, const char *from, const struct rcpt_check_request *q, struct rcpt_check_reply *r,
                     struct arena *a)
{
	struct relaying who = {str_from(from), q->session, q->account, q->client, q->local != 0};
	struct router router = {s->db, s->config, s->secret, q->sender, store_may_relay(s, &who)};
	struct rcpt_answer sender;
	err e = check_sender(s, from, q, &sender, a);

	if (e == OK)
		e = ids_take(s, &r->id);
	if (e != OK)
		return e;
	r->answers = arena_array(a, q->rcpts_n, sizeof(*r->answers));
	if (r->answers == NULL)
		return err_set(E_LIMIT, 452, "4.5.3", "Too many recipients at once");
	r->answers_n = q->rcpts_n;
	for (size_t i = 0; i < q->rcpts_n; i++)
		r->answers[i] = sender.code != OK ? sender : check(&router, q->size, q->rcpts[i].address, a);
	return OK;
}
