/* SPDX-License-Identifier: ISC */
/* RCPT. Of a batch that has arrived (RFC 2920) all recipients are asked of the store in one call, and answered in
 * order. Those whose mailboxes are on a server behind this one are asked of that server, too (`callout`). */
#include "base/log.h"
#include "mail/address.h"
#include "smtp/session.h"

#define CHECK_TIME   (60 * NSEC_PER_SEC)
#define CALLOUT_TIME (120 * NSEC_PER_SEC) /* for all of a batch: the client waits five minutes (RFC 5321 4.5.3.2.3) */

/* What many too many recipients are: a client that was told so long ago, and does not heed it. */
enum { BATCH_MAX = 100, SCRATCH_MAX = 1 << 20, OVER_FACTOR = 10 };

struct asked {
	struct rcpt rcpt;
	const struct err_info *refusal; /* before the store is asked; NULL: it is asked */
	struct asked *next;
};

struct batch {
	struct arena scratch;
	struct asked *first, **last;
	size_t n, queries_n; /* all, and those that the store is asked for */
	struct rcpt_check_reply reply;
};

static const struct err_info too_many = {.code = E_LIMIT,
                                         .reply = 452,
                                         .status = "4.5.3",
                                         .text = "Too many recipients; send to the others in another transaction"};

static bool is_bad_address(const struct err_info *i)
{
	return i->reply == 501 && strcmp(i->status, "5.1.3") == 0;
}

void smtp_reply_address_err(struct smtp *s, const char *status)
{
	struct err_info i = *err_info();

	/* RFC 6531 3.5: after HELO no parameter could help; the mailbox is unavailable to this client. */
	if (i.reply == 553 && s->hello == HELLO_PLAIN)
		i.reply = 550;
	smtp_reply_refusal(s, (uint64_t)i.reply, str_from(is_bad_address(&i) ? status : i.status), str_from(i.text));
}

/* --- parsing --- */

/* RFC 5321 4.1.1.3: <postmaster> is the postmaster here. */
static str domain_here(const struct smtp *s)
{
	return s->config->domains_n > 0 ? s->config->domains[0].name : s->config->hostname;
}

static err rcpt_address(struct smtp *s, const struct address *a, struct arena *scratch, struct rcpt *out)
{
	if (a->local.n == 0)
		return err_set(E_SYNTAX, 501, "5.1.3", "A recipient has an address");
	str domain = a->domain.n > 0 ? a->domain : domain_here(s);
	out->address = arena_printf(scratch, STR_FMT "@" STR_FMT, STR_ARG(a->local), STR_ARG(domain));
	return OK;
}

static err rcpt_params(struct smtp *s, const struct envelope *env, str text, struct arena *scratch, struct rcpt *out)
{
	struct rcpt_params params;

	if (text.n > 0 && text.p[0] != ' ')
		return err_set(E_SYNTAX, 501, "5.1.3", "A blank is missing behind the address");
	if (text.n > 0 && s->hello != HELLO_EXTENDED)
		return err_set(E_SYNTAX, 555, "5.5.4", "Parameters need EHLO");
	err e = rcpt_params_parse(text, env->params.utf8, scratch, &params);
	out->notify = params.notify;
	out->orcpt = params.orcpt;
	return e;
}

static err rcpt_command(struct smtp *s, const struct envelope *env, struct arena *scratch, struct rcpt *out)
{
	struct address address;
	str text;
	err e = command_path_argument(s->command.args, STR("TO:"), &text);

	if (e != OK)
		return e;
	struct cursor c = cursor_of(text);
	e = address_parse_path(&c, env->params.utf8, &address);
	if (e == OK)
		e = rcpt_address(s, &address, scratch, out);
	if (e == OK)
		e = rcpt_params(s, env, cursor_rest(&c), scratch, out);
	if (e == OK && scratch->full)
		return err_set(E_LIMIT, 452, "4.3.1", "Out of memory for this transaction");
	return e;
}

static const struct err_info *copy_of_err_info(struct arena *scratch)
{
	struct err_info *copy = arena_alloc(scratch, sizeof(*copy));

	if (copy == NULL)
		return &too_many;
	*copy = *err_info();
	return copy;
}

/* The RCPT in s->command joins the batch. False: no room for it. */
static bool batch_add(struct smtp *s, const struct envelope *env, struct batch *b)
{
	struct asked *asked = arena_alloc(&b->scratch, sizeof(*asked));

	if (asked == NULL)
		return false;
	*b->last = asked;
	b->last = &asked->next;
	b->n++;
	if (env->chunked)
		err_set(E_SYNTAX, 503, "5.5.1", "No recipients behind BDAT"); /* RFC 3030 2 */
	else if (env->rcpts_n + b->queries_n >= s->config->limits.recipients)
		asked->refusal = &too_many;
	else if (rcpt_command(s, env, &b->scratch, &asked->rcpt) == OK) {
		b->queries_n++;
		return true;
	}
	if (asked->refusal == NULL)
		asked->refusal = copy_of_err_info(&b->scratch);
	return true;
}

/* --- asking --- */

static err ask(struct smtp *s, struct envelope *env, struct batch *b)
{
	struct rcpt_check_request q = {.session = s->options->session,
	                               .account = s->account,
	                               .client = s->options->lmtp ? STR_NONE
	                                                          : buf_str(&s->client), /* RFC 2033 5: no relaying */
	                               .local = s->options->local,
	                               .sender = env->sender,
	                               .size = env->params.size};

	q.rcpts = arena_array(&b->scratch, b->queries_n, sizeof(*q.rcpts));
	if (q.rcpts == NULL)
		return err_set(E_LIMIT, 452, "4.3.1", "Out of memory for this transaction");
	for (const struct asked *a = b->first; a != NULL; a = a->next)
		if (a->refusal == NULL)
			q.rcpts[q.rcpts_n++].address = a->rcpt.address;
	err e = call_rcpt_check(s->options->peers->store, &q, &b->reply, &b->scratch, rt_after(CHECK_TIME));
	if (e == OK && b->reply.answers_n != b->queries_n)
		return err_note(E_TEMP, "the store answered for %zu of %zu recipients", b->reply.answers_n,
		                b->queries_n);
	if (e == OK && env->id == 0)
		env->id = b->reply.id;
	return e;
}

/* --- servers behind this one --- */

static const struct rcpt_answer cannot_ask = {
	.code = E_TEMP,
	.reply = 451,
	.status = STR("4.4.1"),
	.text = STR("The server that has this mailbox cannot be asked at present; try again later")};

/* False: nobody could be asked. */
static bool ask_inner(struct smtp *s, str address, struct batch *b, nsec deadline, struct rcpt_answer *out)
{
	struct callout_request q = {.address = address};
	struct callout_reply r = {0};
	err e = call_callout(s->options->peers->send, &q, &r, &b->scratch, deadline);
	bool answered = e == OK && r.answers_n == 1;

	*out = answered ? r.answers[0] : cannot_ask;
	if (!answered)
		LOG(WARN, "smtp.error", LOG_STR("sid", s->options->session), LOG_Z("call", "callout"),
		    LOG_Z("text", e == OK ? "no answer" : err_info()->text));
	return answered;
}

/* One after the other; when one cannot be asked, those behind it are not tried. */
static void ask_inners(struct smtp *s, struct batch *b)
{
	struct rcpt_answer *answer = b->reply.answers;
	nsec deadline = rt_after(CALLOUT_TIME);
	bool away = false;

	for (const struct asked *a = b->first; a != NULL; a = a->next) {
		if (a->refusal != NULL)
			continue;
		if (answer->code == OK && answer->inner && away)
			*answer = cannot_ask;
		else if (answer->code == OK && answer->inner)
			away = !ask_inner(s, a->rcpt.address, b, deadline, answer);
		answer++;
	}
}

/* --- answering --- */

static struct rcpt *rcpt_slot(struct envelope *env)
{
	if (env->rcpts_n == env->rcpts_size) {
		size_t size = env->rcpts_size == 0 ? 2 : env->rcpts_size * 2;
		struct rcpt *more = arena_array(&env->arena, size, sizeof(*more));

		if (more == NULL)
			return NULL;
		if (env->rcpts_n > 0)
			memcpy(more, env->rcpts, env->rcpts_n * sizeof(*more));
		env->rcpts = more;
		env->rcpts_size = size;
	}
	return &env->rcpts[env->rcpts_n];
}

static void keep(struct smtp *s, struct envelope *env, const struct rcpt *rcpt)
{
	struct rcpt *slot = rcpt_slot(env);

	if (slot != NULL)
		*slot = (struct rcpt){.address = arena_str(&env->arena, rcpt->address),
		                      .orcpt = arena_str(&env->arena, rcpt->orcpt),
		                      .notify = rcpt->notify};
	if (env->arena.full) {
		smtp_reply(s, 452, "4.3.1", "Out of memory for this transaction");
		return;
	}
	env->rcpts_n++;
	s->commands--; /* it moves mail */
	smtp_reply(s, 250, "2.1.5", "Ok");
}

static void log_refused(const struct smtp *s, const struct envelope *env, str rcpt, uint64_t code, str reason)
{
	LOG(INFO, "smtp.reject", LOG_STR("sid", s->options->session), LOG_STR("client", buf_str(&s->client)),
	    LOG_STR("helo", s->helo), LOG_STR("from", env->sender), LOG_STR("to", rcpt), LOG_NUM("code", code),
	    LOG_STR("reason", reason));
}

/* RFC 5321 4.5.3.1.10: a client may well ask for more, and come back with them; but not without end. */
static void answer_too_many(struct smtp *s, struct envelope *env)
{
	if (++env->rcpts_over > OVER_FACTOR * s->config->limits.recipients)
		s->errors++;
	else
		s->commands--;
	smtp_reply(s, too_many.reply, too_many.status, "%s", too_many.text);
}

static void answer(struct smtp *s, struct envelope *env, const struct asked *a, const struct rcpt_answer *from_store)
{
	if (a->refusal == &too_many) {
		answer_too_many(s, env);
		return;
	}
	if (a->refusal == NULL && from_store->code == OK) {
		keep(s, env, &a->rcpt);
		return;
	}
	env->rcpt_refused = true;
	if (a->refusal != NULL) {
		err_set(a->refusal->code, a->refusal->reply, a->refusal->status, "%s", a->refusal->text);
		smtp_reply_address_err(s, "5.1.3");
	} else {
		smtp_reply_refusal(s, from_store->reply, from_store->status, from_store->text);
		log_refused(s, env, a->rcpt.address, from_store->reply, from_store->text);
	}
}

/* `away`: not NULL when the store could not be asked, its answer for all. */
static void answer_all(struct smtp *s, struct envelope *env, const struct batch *b, const struct rcpt_answer *away)
{
	const struct rcpt_answer *next = b->reply.answers;

	for (const struct asked *a = b->first; a != NULL; a = a->next) {
		answer(s, env, a, away != NULL ? away : next);
		next += a->refusal == NULL && away == NULL ? 1 : 0;
	}
}

static void answer_away(struct smtp *s, struct envelope *env, const struct batch *b)
{
	struct err_info i = *err_info();
	struct rcpt_answer away = {
		.code = i.code, .reply = (uint64_t)i.reply, .status = str_from(i.status), .text = str_from(i.text)};

	LOG(WARN, "smtp.error", LOG_STR("sid", s->options->session), LOG_Z("call", "rcpt_check"),
	    LOG_Z("text", i.text));
	answer_all(s, env, b, &away);
}

/* Those of the batch that somebody has. */
static void take_those_there(struct smtp *s, struct envelope *env, const struct batch *b, struct rcpt *out, size_t *n)
{
	const struct rcpt_answer *answer = b->reply.answers;

	for (const struct asked *a = b->first; a != NULL; a = a->next, answer++) {
		if (answer->code == OK)
			out[(*n)++] = a->rcpt;
		else
			log_refused(s, env, a->rcpt.address, answer->reply, answer->text);
	}
}

err smtp_check_rcpts(struct smtp *s, struct envelope *env, const struct rcpt *rcpts, size_t rcpts_n, struct rcpt *out, size_t *n)
{
	struct batch b = {.scratch = ARENA_INIT(SCRATCH_MAX), .n = rcpts_n, .queries_n = rcpts_n};
	struct asked *asked = arena_array(&b.scratch, rcpts_n, sizeof(*asked));
	err e = asked == NULL ? err_set(E_LIMIT, 452, "4.3.1", "Out of memory for this transaction") : OK;

	b.last = &b.first;
	for (size_t i = 0; i < rcpts_n && e == OK; i++) {
		asked[i].rcpt = rcpts[i];
		*b.last = &asked[i];
		b.last = &asked[i].next;
	}
	if (e == OK && rcpts_n > 0)
		e = ask(s, env, &b);
	if (e == OK && rcpts_n > 0) {
		ask_inners(s, &b);
		take_those_there(s, env, &b, out, n);
	}
	arena_free(&b.scratch);
	return e;
}

void smtp_rcpt(struct smtp *s, struct envelope *env)
{
	struct batch b = {.scratch = ARENA_INIT(SCRATCH_MAX)};
	bool added;

	b.last = &b.first;
	do
		added = batch_add(s, env, &b);
	while (added && b.n < BATCH_MAX && smtp_take_buffered_rcpt(s));
	if (b.queries_n > 0 && ask(s, env, &b) != OK) {
		answer_away(s, env, &b);
	} else {
		ask_inners(s, &b);
		answer_all(s, env, &b, NULL);
	}
	if (!added)
		smtp_reply(s, 452, "4.3.1", "Out of memory for this transaction");
	arena_free(&b.scratch);
}
