/* SPDX-License-Identifier: ISC */
/* How a message is sent to a server that has some extensions and lacks others. Nothing has been said yet. */
#include "mail/address.h"
#include "mail/convert.h"
#include "rt/tls.h"
#include "smtp/client_send.h"

static bool has(const struct sending *t, enum smtp_extension extension)
{
	return (t->c->offer.extensions & extension) != 0;
}

static bool is(const struct sending *t, enum message_flag flag)
{
	return (t->m->flags & flag) != 0;
}

static err refuse(const char *status, const char *text)
{
	return err_set(E_PERM, 0, status, "%s", text);
}

/* --- addresses --- */

/* RFC 6531 3.2: where a server has no SMTPUTF8, an address of which the domain alone is beyond ASCII is said with the domain's A-labels. */
static str wire_address(struct sending *t, str address)
{
	struct address parsed;
	str local, domain;

	if (str_is_ascii(address) || has(t, SMTP_EXT_SMTPUTF8) || address_parse(address, true, &parsed) != OK ||
	    !str_is_ascii(parsed.local) || address_key(t->arena, &parsed, &local, &domain) != OK)
		return address;
	return arena_printf(t->arena, STR_FMT "@" STR_FMT, STR_ARG(parsed.local), STR_ARG(domain));
}

/* A recipient whose address cannot be said is refused alone. */
static void plan_rcpt(struct sending *t, size_t i)
{
	static const struct heard no_utf8 = {
		E_PERM, 0, {"5.6.7", 5}, {"the server takes no addresses beyond ASCII", 42}};

	t->addresses[i] = wire_address(t, t->m->rcpts[i].address);
	if (str_is_ascii(t->addresses[i]))
		return;
	if (has(t, SMTP_EXT_SMTPUTF8))
		t->plan.utf8 = true;
	else
		sending_settle(t, i, &no_utf8);
}

static err plan_addresses(struct sending *t)
{
	t->addresses = arena_array(t->arena, t->m->rcpts_n, sizeof(*t->addresses));
	if (t->addresses == NULL)
		return err_note(E_MEMORY, "no memory for a transaction");
	t->sender = wire_address(t, t->m->sender);
	/* Octets of unknown meaning in a header make no SMTPUTF8 message: who sent it did not say so, and it would be refused by servers that take it now. */
	t->plan.utf8 = !str_is_ascii(t->sender) || (is(t, MESSAGE_UTF8) && t->content.eight_header);
	if (t->plan.utf8 && !has(t, SMTP_EXT_SMTPUTF8))
		return refuse("5.6.7",
		              "the message has a sender or a header beyond ASCII, which the server does not take");
	for (size_t i = 0; i < t->m->rcpts_n; i++)
		plan_rcpt(t, i);
	return t->arena->full ? err_note(E_MEMORY, "no memory for a transaction") : OK;
}

/* --- what the sender asked for --- */

/* RFC 8689 4.2.1; 4.4: a report, whose sender is null, is rather sent without it than lost. */
static err plan_tls(struct sending *t)
{
	if (!is(t, MESSAGE_REQUIRE_TLS))
		return OK;
	t->plan.require_tls = has(t, SMTP_EXT_REQUIRETLS) && (t->c->local || stream_is_tls(t->c->stream));
	if (t->plan.require_tls || t->m->sender.n == 0)
		return OK;
	return refuse("5.7.30",
	              "the message must stay under TLS on its way, which the server does not promise (REQUIRETLS)");
}

/* RFC 2852 4: with R a message is not given to a server that may keep it for longer. LMTP delivers at once. */
static err plan_time(struct sending *t)
{
	const struct smtp_send *m = t->m;

	if (m->hold_seconds > 0 && !has(t, SMTP_EXT_FUTURERELEASE))
		return refuse("5.3.3", "the server does not keep messages until later (FUTURERELEASE)");
	if (m->by_mode != BY_RETURN)
		return OK;
	if (m->by_seconds <= 0)
		return refuse("5.4.7", "the time to deliver by is over");
	if (!has(t, SMTP_EXT_DELIVERBY) && !t->c->lmtp)
		return refuse("5.3.3", "the server does not promise to deliver in time (DELIVERBY)");
	if ((uint64_t)m->by_seconds < t->c->offer.by_min)
		return refuse("5.4.7", "the server takes longer than the time to deliver by");
	return OK;
}

/* --- the content --- */

static err conversion_error(err e)
{
	if (e == E_DENIED)
		return refuse("5.6.3", "the server takes ASCII alone, and a signed message is not changed into that");
	if (e == E_MEMORY)
		return e;
	return refuse("5.6.3", "the message cannot be changed into what the server takes");
}

static err convert(struct sending *t, struct buf *converted)
{
	struct convert_options o = {.eight_bit = has(t, SMTP_EXT_8BITMIME), .binary = is(t, MESSAGE_BINARY)};

	*converted = BUF_INIT(convert_room(t->message.n));
	err e = convert_message(t->message, &o, converted);
	if (e != OK)
		return conversion_error(e);
	t->message = buf_str(converted);
	t->content = content_scan(t->message, false);
	return OK;
}

static err plan_content(struct sending *t, struct buf *converted)
{
	struct content *k = &t->content;
	bool binary = k->nul || k->bare || (is(t, MESSAGE_BINARY) && k->long_line), can_binary;

	if (binary && !is(t, MESSAGE_BINARY))
		return err_note(E_SYNTAX, "the message has a NUL, or a CR or LF that stands alone");
	t->chunked = has(t, SMTP_EXT_CHUNKING);
	can_binary = t->chunked && has(t, SMTP_EXT_BINARYMIME);
	if ((binary && !can_binary) || (k->eight && !has(t, SMTP_EXT_8BITMIME))) {
		err e = convert(t, converted);
		if (e != OK)
			return e;
		binary = false;
	}
	t->plan.body = binary ? BODY_BINARY : k->eight ? BODY_8BIT : BODY_7BIT;
	return OK;
}

static err plan_size(struct sending *t)
{
	uint64_t most = t->c->offer.size_max;

	t->plan.size = t->message.n + (!t->chunked && !t->content.ended ? 2 : 0);
	if (most > 0 && t->plan.size > most)
		return err_set(E_PERM, 0, "5.3.4", "the message has %llu octets, the server takes %llu",
		               (unsigned long long)t->plan.size, (unsigned long long)most);
	return OK;
}

err sending_plan(struct sending *t, struct buf *converted)
{
	t->plan = (struct send_plan){.offer = &t->c->offer};
	t->message = t->m->message;
	if (t->m->rcpts_n == 0)
		return err_note(E_SYNTAX, "the message has no recipients");
	err e = client_check_envelope(t->m);
	if (e != OK)
		return e;
	t->content = content_scan(t->message, is(t, MESSAGE_BINARY));
	e = plan_content(t, converted); /* what is malformed is said before what the server lacks */
	if (e == OK)
		e = plan_addresses(t);
	if (e == OK)
		e = plan_tls(t);
	if (e == OK)
		e = plan_time(t);
	return e == OK ? plan_size(t) : e;
}
