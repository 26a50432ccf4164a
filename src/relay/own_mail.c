/* SPDX-License-Identifier: ISC */
#include "relay/own_mail.h"

#include "relay/signature.h"
#include "relay/state.h"

#define STORE_TIME (60 * NSEC_PER_SEC)

str own_mail_domain(const struct relay *r)
{
	return r->config->domains[0].name;
}

str own_mail_contact(const struct relay *r, struct arena *a)
{
	return arena_printf(a, "postmaster@" STR_FMT, STR_ARG(own_mail_domain(r)));
}

/* RFC 8460 3: sent despite of any failure of TLS, and not counted in the next report. */
err own_mail_send(struct relay *r, const struct own_mail *m, struct arena *a)
{
	struct origin origin = {.session = STR("report"), .protocol = STR("report")};
	struct rcpt rcpt = {.address = m->to, .notify = DSN_NEVER};

	if (m->text->full)
		return err_note(E_LIMIT, "the report is too large");
	signature_put(r, m->text);
	struct accept_request q = {.origin = &origin,
	                           .origin_n = 1,
	                           .sender = m->from,
	                           .flags = MESSAGE_TLS_OPTIONAL | MESSAGE_ALL_OR_NONE,
	                           .rcpts = &rcpt,
	                           .rcpts_n = 1,
	                           .message_id = m->message_id,
	                           .subject = m->subject,
	                           .body = BODY_OF(buf_str(m->text))};
	struct accept_reply reply;
	err e = call_accept(r->store, &q, &reply, a, rt_after(STORE_TIME));
	if (e != OK || reply.answers_n == 0 || reply.answers[0].code == OK)
		return e;
	return err_note((err)reply.answers[0].code, STR_FMT, STR_ARG(reply.answers[0].text));
}
