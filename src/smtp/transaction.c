/* SPDX-License-Identifier: ISC */
/* A transaction: it owns the envelope, and leaving it is the reset. */
#include "conf/relay.h"
#include "mail/address.h"
#include "smtp/session.h"

static void envelope_end(struct envelope *env)
{
	if (env->receiving)
		spool_end(&env->spool);
	arena_free(&env->arena);
}

unsigned smtp_offer(const struct smtp *s)
{
	const struct smtp_options *o = s->options;
	unsigned offer = o->submission ? PARAMS_SUBMISSION : 0;

	if (o->submission || (!o->lmtp && relay_client_allowed(s->config, buf_str(&s->client))))
		offer |= PARAMS_DELIVERBY; /* whoever asks for it must get reports, and may be sent on */
	if (o->local || stream_is_tls(s->stream))
		offer |= PARAMS_REQUIRETLS; /* RFC 8689 2; nobody listens on the way from a program of this machine */
	return offer;
}

/* Parameters belong to extensions, which HELO does not ask for (RFC 5321 4.1.1.11). */
static err mail_params(struct smtp *s, struct envelope *env, str text)
{
	if (text.n > 0 && text.p[0] != ' ')
		return err_set(E_SYNTAX, 501, "5.1.7", "A blank is missing behind the address");
	if (text.n > 0 && s->hello != HELLO_EXTENDED)
		return err_set(E_SYNTAX, 555, "5.5.4", "Parameters need EHLO");
	err e = mail_params_parse(text, smtp_offer(s), &env->arena, &env->params);
	if (e == OK)
		e = mail_params_times(&env->params, env->began, &env->hold_until, &env->deliver_by);
	if (e == OK && env->params.size > s->config->limits.message_size)
		return err_set(E_LIMIT, 552, "5.3.4", "Messages may have up to %llu octets",
		               (unsigned long long)s->config->limits.message_size);
	return e;
}

static err mail_sender(struct envelope *env, const struct address *a)
{
	if (a->utf8 && !env->params.utf8)
		return err_set(E_SYNTAX, 553, "5.6.7", "A UTF-8 address needs the SMTPUTF8 parameter of MAIL");
	if (a->local.n > 0 && a->domain.n == 0)
		return err_set(E_SYNTAX, 501, "5.1.7", "A sender has a domain");
	if (a->local.n > 0)
		env->sender = arena_printf(&env->arena, STR_FMT "@" STR_FMT, STR_ARG(a->local), STR_ARG(a->domain));
	if (env->arena.full)
		return err_set(E_LIMIT, 452, "4.3.1", "Out of memory for this transaction");
	return OK;
}

static err mail_command(struct smtp *s, struct envelope *env)
{
	struct address address;
	str text;
	err e = command_path_argument(s->command.args, STR("FROM:"), &text);

	if (e != OK)
		return e;
	struct cursor c = cursor_of(text);
	e = address_parse_path(&c, true, &address);
	if (e == OK)
		e = mail_params(s, env, cursor_rest(&c));
	return e == OK ? mail_sender(env, &address) : e;
}

static bool may_begin(struct smtp *s)
{
	uint64_t most = s->config->limits.messages;

	if (s->hello == HELLO_NONE)
		smtp_reply(s, 503, "5.5.1", s->options->lmtp ? "Say LHLO first" : "Say EHLO first");
	else if (smtp_must_log_in(s))
		return false;
	else if (most > 0 && s->messages >= most)
		smtp_close(s, 421, "4.7.0", "Enough messages for one session; begin another");
	else
		return true;
	return false;
}

static err transaction_command(struct smtp *s, struct envelope *env)
{
	switch (s->command.verb) {
	case SMTP_RCPT:
		smtp_rcpt(s, env);
		return OK;
	case SMTP_DATA:
		return smtp_data(s, env);
	case SMTP_BDAT:
		return smtp_bdat(s, env);
	case SMTP_MAIL:
		smtp_reply(s, 503, "5.5.1", "A transaction is under way; RSET ends it");
		return OK;
	case SMTP_RSET:
		if (!smtp_no_arguments(s))
			return OK;
		smtp_reply(s, 250, "2.0.0", "Ok");
		return E_END;
	default:
		return smtp_common_command(s) ? E_END : OK;
	}
}

void smtp_transaction(struct smtp *s)
{
	struct envelope env = {.arena = ARENA_INIT(s->config->limits.session_memory), .began = rt_wall()};

	if (!may_begin(s))
		return;
	err e = mail_command(s, &env);
	if (e == OK)
		smtp_reply(s, 250, "2.1.0", "Ok");
	else
		smtp_reply_address_err(s, "5.1.7");
	while (e == OK && smtp_read_command(s))
		e = transaction_command(s, &env);
	envelope_end(&env);
}
