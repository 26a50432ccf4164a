/* SPDX-License-Identifier: ISC */
/* A transaction, the client's side: MAIL, RCPT and DATA, and what each recipient gets of it. */
#include "smtp/client_send.h"

/* RFC 2920 3.1: a group of commands has to fit what lies between two ends that both write: then ours is written without waiting for the server, who may wait
 * for us to read his replies. 4 KiB is the smallest that was ever in use. */
enum { GROUP_MAX = 4 << 10, COMMAND_MAX = 4 << 10 };

/* --- results --- */

struct heard sending_heard(struct sending *t, err result)
{
	const struct smtp_reply *r = &t->c->reply;

	return (struct heard){result, r->code, arena_str(t->arena, str_from(r->status)),
	                      arena_str(t->arena, buf_str(&r->text))};
}

void sending_settle(struct sending *t, size_t i, const struct heard *h)
{
	struct smtp_send_rcpt *r = &t->m->rcpts[i];

	r->result = h->result;
	r->code = h->code;
	r->status = h->status;
	r->reply = h->text;
	if (t->states != NULL)
		t->states[i] = RCPT_SETTLED;
}

static void settle_rest(struct sending *t, const struct heard *h)
{
	for (size_t i = 0; i < t->m->rcpts_n; i++)
		if (t->states == NULL || t->states[i] != RCPT_SETTLED)
			sending_settle(t, i, h);
}

err sending_interrupted(struct sending *t, bool refusal)
{
	err e = client_hear(t->c, &reply_limits_common, t->c->command_time);

	if (e != OK)
		return e;
	e = client_judge(t->c, 2);
	if ((e == E_TEMP || e == E_PERM) && (refusal || t->c->closing)) {
		t->over = sending_heard(t, e);
		return client_fail(t->c, E_END);
	}
	return client_fail(t->c, err_note(E_SYNTAX, "the server says %d, and was not asked", t->c->reply.code));
}

/* --- the commands, by their place: RSET, MAIL, a RCPT for each recipient, DATA --- */

enum { PLACE_RSET, PLACE_MAIL, PLACE_RCPT };

static size_t place_of_data(const struct sending *t)
{
	return PLACE_RCPT + t->m->rcpts_n;
}

/* The first command at `place` or behind it that is said. */
static size_t said_from(const struct sending *t, size_t place)
{
	size_t data = place_of_data(t);

	if (place == PLACE_RSET && !t->c->transaction)
		place++;
	while (place >= PLACE_RCPT && place < data && t->states[place - PLACE_RCPT] == RCPT_SETTLED)
		place++;
	return place == data && (t->chunked || t->verify) ? data + 1 : place;
}

static void print_command(const struct sending *t, size_t place, struct buf *out)
{
	if (place == PLACE_RSET)
		buf_puts(out, "RSET\r\n");
	else if (place == PLACE_MAIL)
		client_print_mail(out, t->m, t->sender, &t->plan);
	else if (place == place_of_data(t))
		buf_puts(out, "DATA\r\n");
	else
		client_print_rcpt(out, &t->m->rcpts[place - PLACE_RCPT], t->addresses[place - PLACE_RCPT], &t->plan);
}

/* Says as many commands as may be said at once; *place is behind the last of them. */
static err say_group(struct sending *t, size_t *place)
{
	BUF(group, GROUP_MAX + COMMAND_MAX);
	bool pipelining = (t->c->offer.extensions & SMTP_EXT_PIPELINING) != 0;

	do {
		print_command(t, *place, &group);
		*place = said_from(t, *place + 1);
	} while (pipelining && *place <= place_of_data(t) && group.n < GROUP_MAX);
	if (group.full)
		return err_note(E_MEMORY, "no memory for commands");
	stream_put(t->c->stream, buf_str(&group));
	return OK;
}

static void heard_mail(struct sending *t, err e)
{
	t->c->transaction = e == OK;
	t->mail_refused = t->m->mail_refused = e != OK;
	if (e != OK)
		t->over = sending_heard(t, e);
}

/* When MAIL was refused its reply is the reason, and what RCPT gets is no more than a consequence. */
static void heard_rcpt(struct sending *t, size_t i, err e)
{
	t->taken += e == OK;
	if (t->mail_refused)
		return;
	t->states[i] = RCPT_TAKEN;
	if (e != OK || t->verify) {
		struct heard h = sending_heard(t, e);
		sending_settle(t, i, &h);
	}
}

static void heard_data(struct sending *t, err e)
{
	t->go = e == OK;
	if (e != OK && !t->mail_refused)
		t->over = sending_heard(t, e);
}

/* The reply to the command at `place`. E_END: the server ends the session (RFC 5321 3.8). */
static err hear_command(struct sending *t, size_t place)
{
	bool is_data = place == place_of_data(t);
	err e = client_hear(t->c, &reply_limits_common, t->c->command_time);

	if (e != OK)
		return e;
	e = client_judge(t->c, is_data ? 3 : 2);
	if (e != OK && e != E_TEMP && e != E_PERM)
		return e;
	if (t->c->closing) {
		t->over = sending_heard(t, e);
		return E_END;
	}
	if (place == PLACE_RSET && e != OK)
		return client_fail(t->c, err_note(E_SYNTAX, "the server does not reset"));
	if (place == PLACE_MAIL)
		heard_mail(t, e);
	else if (is_data)
		heard_data(t, e);
	else if (place != PLACE_RSET)
		heard_rcpt(t, place - PLACE_RCPT, e);
	return OK;
}

/* Nothing that comes at `place` or later is of any use. */
static bool is_hopeless(const struct sending *t, size_t place)
{
	return t->mail_refused || (place >= place_of_data(t) && t->taken == 0);
}

static err converse(struct sending *t)
{
	size_t said = said_from(t, PLACE_RSET), heard = said;
	err e = OK;

	while (e == OK && said <= place_of_data(t) && !is_hopeless(t, said)) {
		e = client_is_in_turn(t->c) ? say_group(t, &said) : sending_interrupted(t, false);
		for (; e == OK && heard < said; heard = said_from(t, heard + 1))
			e = hear_command(t, heard);
	}
	return e;
}

/* --- the end --- */

/* RFC 2920 3.1: DATA was accepted although nobody is there to get a message: an empty one goes to nobody. What the server says to it changes nothing. If somebody is there
 * after all (MAIL was refused, a RCPT was not), a dot would send him an empty message; and LMTP answers a message without recipients with nothing. */
static err end_empty(struct sending *t)
{
	if (t->taken > 0 || t->c->lmtp)
		return client_fail(t->c, OK);
	stream_put(t->c->stream, STR(".\r\n"));
	t->c->transaction = client_hear(t->c, &reply_limits_common, t->c->end_time) != OK;
	return OK;
}

static err transmit(struct sending *t)
{
	err e = OK;

	if (t->go && (t->over.code != 0 || t->taken == 0))
		e = end_empty(t);
	else if (t->over.code == 0 && t->taken > 0)
		e = t->chunked ? sending_chunks(t) : sending_data(t);
	return e;
}

/* Those who have no result share one. */
static err conclude(struct sending *t, err e)
{
	if (e != OK && e != E_END) {
		struct heard broken = {.result = e, .text = arena_str(t->arena, str_from(err_info()->text))};
		settle_rest(t, &broken);
		return e;
	}
	if (t->over.code != 0)
		settle_rest(t, &t->over);
	return OK;
}

/* No server was asked. */
static err conclude_refused(struct sending *t)
{
	const struct err_info *i = err_info();
	struct heard ours = {E_PERM, 0, arena_str(t->arena, str_from(i->status)),
	                     arena_str(t->arena, str_from(i->text))};

	settle_rest(t, &ours);
	return OK;
}

static bool somebody_waits(const struct sending *t)
{
	for (size_t i = 0; i < t->m->rcpts_n; i++)
		if (t->states[i] == RCPT_WAITING)
			return true;
	return false;
}

static err begin(struct sending *t)
{
	t->states = arena_array(t->arena, t->m->rcpts_n, sizeof(*t->states));
	return t->states != NULL ? client_begin(t->c) : err_note(E_MEMORY, "no memory for a transaction");
}

static err run(struct sending *t)
{
	BUF(converted, 0); /* as large as it has to be when there is something to convert */
	err e = begin(t);

	if (e == OK)
		e = sending_plan(t, &converted);
	if (e == E_PERM)
		return conclude_refused(t);
	if (e == OK && somebody_waits(t))
		e = converse(t);
	if (e == OK && !t->verify)
		e = transmit(t);
	return conclude(t, e);
}

err smtp_client_send(struct smtp_client *c, struct smtp_send *m, struct arena *a, bool *in_doubt)
{
	struct sending t = {.c = c, .m = m, .arena = a, .in_doubt = in_doubt};

	*in_doubt = m->mail_refused = false;
	return run(&t);
}

err smtp_client_verify(struct smtp_client *c, str sender, struct smtp_send_rcpt *rcpts, size_t n, struct arena *a)
{
	bool in_doubt = false;
	struct smtp_send m = {.sender = sender, .rcpts = rcpts, .rcpts_n = n};
	struct sending t = {.c = c, .m = &m, .arena = a, .in_doubt = &in_doubt, .verify = true};

	return run(&t);
}
