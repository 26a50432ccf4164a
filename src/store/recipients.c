/* SPDX-License-Identifier: ISC */
/* What the loop answers itself: who can get mail. */
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
