/* SPDX-License-Identifier: ISC */
/* Mail that `send` writes itself: aggregate reports (RFC 8460 5.3). It reads what other servers say, so it gets no more than that takes: mail from a postmaster of ours, to one
 * recipient, wherever he is. Of what it asks for, nothing else counts. */
#include "store/acceptance.h"
#include "store/ids.h"

enum { PER_HOUR = 50000 };

static bool is_postmaster(const struct store *s, str sender)
{
	str local, domain;

	return str_cut(sender, '@', &local, &domain) && str_equal(local, STR("postmaster")) &&
	       config_domain_find(s->config, domain) != NULL;
}

static err may_write(struct store *s, const struct accept_request *q)
{
	bool first;

	if (q->rcpts_n != 1 || !is_postmaster(s, q->sender))
		return err_set(E_PERM, 554, "5.7.1", "Only postmaster writes to one recipient from here");
	return rate_take(&s->rate, STR("reports"), 1, PER_HOUR, rt_now(), &first);
}

/* What of it counts. */
static struct accept_request own_request(const struct accept_request *q, struct origin *origin, struct rcpt *rcpt,
                                         uint64_t id)
{
	return (struct accept_request){.id = id,
	                               .origin = origin,
	                               .origin_n = 1,
	                               .sender = q->sender,
	                               .flags = MESSAGE_ALL_OR_NONE | (q->flags & MESSAGE_TLS_OPTIONAL),
	                               .rcpts = rcpt,
	                               .rcpts_n = 1,
	                               .message_id = q->message_id,
	                               .subject = q->subject,
	                               .body = q->body};
}

static err accept_own(struct store *s, const struct accept_request *q, struct accept_reply *r, struct arena *a)
{
	struct acceptance x;
	err e = acceptance_check(s, q);

	if (e == OK)
		e = acceptance_begin(&x, q, a);
	if (e != OK)
		return e;
	r->answers = x.answers;
	r->answers_n = q->rcpts_n;
	e = store_enter(s);
	if (e != OK)
		return e;
	e = acceptance_run(s, &x, true);
	store_leave(s);
	return e;
}

err store_accept_own(struct store *s, const struct accept_request *q, struct accept_reply *r, struct arena *a)
{
	struct origin origin = {.protocol = STR("report")};
	uint64_t id;
	err e = may_write(s, q);

	if (e == OK)
		e = ids_take(s, &id);
	if (e != OK)
		return e;
	struct rcpt rcpt = {.address = q->rcpts[0].address, .notify = DSN_NEVER};
	struct accept_request own = own_request(q, &origin, &rcpt, id);
	return accept_own(s, &own, r, a);
}
