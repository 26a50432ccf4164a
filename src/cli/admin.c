/* SPDX-License-Identifier: ISC */
#include "cli/admin.h"

#include <stdlib.h>

#include "base/encode.h"
#include "cli/output.h"
#include "link/link.h"
#include "role/role.h"

enum { PAGE_OCTETS_MAX = 256 << 20 };

struct question {
	const struct invocation *inv;
	struct config *config;
	struct admin_request request;
	const struct admin_secret *secret;
	admin_page page;
	void *ctx;
	int status;
};

/* --- a secret --- */

struct making {
	const struct admin_secret *secret;
	str salt;
	struct buf *out;
	err result;
	struct err_info why;
};

static void make_in_thread(void *arg)
{
	struct making *m = arg;

	m->result = m->secret->make(m->secret->ctx, m->salt, m->out);
	m->why = *err_info();
}

static err ask_salt(const struct question *q, struct link *store, struct buf *salt)
{
	struct word words[] = {{STR("account")}, {STR("salt")}, {q->secret->address}};
	struct admin_request request = {.words = words, .words_n = ARRAY_LEN(words)};
	struct admin_reply reply = {0};
	ARENA(arena, 64 << 10);
	err e = call_admin(store, &request, &reply, &arena, RT_NEVER);

	if (e != OK)
		return e;
	const struct cell *cell = reply.rows_n == 1 ? row_cell(&reply.rows[0], "salt") : NULL;
	return cell != NULL ? base64_decode(salt, cell->text) : err_note(E_SYNTAX, "the store gave no salt");
}

static err make_secret(const struct question *q, struct link *store, struct buf *out)
{
	BUF(salt, 1024);
	struct making m = {.secret = q->secret, .out = out};
	err e = ask_salt(q, store, &salt);

	if (e != OK)
		return e;
	m.salt = buf_str(&salt);
	rt_work(make_in_thread, &m);
	return m.result == OK ? OK : err_note(m.result, "%s", m.why.text);
}

/* --- questions --- */

/* One page. `resume` becomes what asks for the next one. */
static err ask_page(struct question *q, struct link *store, struct buf *resume)
{
	ARENA(arena, PAGE_OCTETS_MAX);
	struct admin_reply reply = {0};

	q->request.resume = buf_str(resume);
	err e = call_admin(store, &q->request, &reply, &arena, RT_NEVER);
	if (e != OK)
		return e;
	buf_reset(resume);
	buf_put(resume, reply.more);
	return q->page(q->ctx, reply.rows, reply.rows_n);
}

static err ask_all(struct question *q, struct link *store)
{
	BUF(resume, 64 << 10);
	err e = ask_page(q, store, &resume);

	while (e == OK && resume.n > 0 && !resume.full)
		e = ask_page(q, store, &resume);
	return e;
}

static void ask(void *arg)
{
	struct question *q = arg;
	struct link *store = NULL;
	BUF(secret, 64 << 10);
	err e = role_admin_connect(q->config, &store);

	if (e == OK && q->secret != NULL)
		e = make_secret(q, store, &secret);
	q->request.secret = buf_str(&secret);
	if (e == OK)
		e = ask_all(q, store);
	q->status = e == OK ? EX_OK : command_fail_err(q->inv, e);
	role_admin_disconnect(store);
}

static struct word *words_of(const str *texts, size_t n)
{
	struct word *words = calloc(n + 1, sizeof(*words));

	for (size_t i = 0; words != NULL && i < n; i++)
		words[i].text = texts[i];
	return words;
}

int admin_ask(const struct invocation *inv, struct config *config, const str *words, size_t n,
              const struct admin_secret *secret, admin_page page, void *ctx)
{
	struct question q = {.inv = inv,
	                     .config = config,
	                     .request = {.words = words_of(words, n), .words_n = n},
	                     .secret = secret,
	                     .page = page,
	                     .ctx = ctx,
	                     .status = EX_SOFTWARE};
	err e = q.request.words == NULL ? err_note(E_MEMORY, "out of memory") : rt_run(ask, &q);

	free(q.request.words);
	return e == OK ? q.status : command_fail_err(inv, e);
}

/* --- many of them --- */

struct series {
	struct question q;
	admin_next next;
};

static err ask_each(struct series *s, struct link *store)
{
	err e = s->next(s->q.ctx, &s->q.request);

	while (e == OK) {
		e = ask_all(&s->q, store);
		if (e == OK)
			e = s->next(s->q.ctx, &s->q.request);
	}
	return e == E_END ? OK : e;
}

static void ask_series(void *arg)
{
	struct series *s = arg;
	struct link *store = NULL;
	err e = role_admin_connect(s->q.config, &store);

	if (e == OK)
		e = ask_each(s, store);
	s->q.status = e == OK ? EX_OK : command_fail_err(s->q.inv, e);
	role_admin_disconnect(store);
}

int admin_ask_series(const struct invocation *inv, struct config *config, admin_next next, admin_page page, void *ctx)
{
	struct series s = {{.inv = inv, .config = config, .page = page, .ctx = ctx, .status = EX_SOFTWARE}, next};
	err e = rt_run(ask_series, &s);

	return e == OK ? s.q.status : command_fail_err(inv, e);
}

static err print_page(void *ctx, const struct row *rows, size_t n)
{
	output_rows(ctx, rows, n);
	return OK;
}

int admin_print(const struct invocation *inv, struct config *config, const struct admin_secret *secret)
{
	struct output out = {.file = stdout, .json = inv->json};
	str *words = calloc(inv->words_n + 1, sizeof(*words));

	if (words == NULL)
		return command_fail(inv, EX_OSERR, "out of memory");
	words[0] = str_from(inv->command->name);
	for (size_t i = 0; i < inv->words_n; i++)
		words[i + 1] = str_from(inv->words[i]);
	int status = admin_ask(inv, config, words, inv->words_n + 1, secret, print_page, &out);
	free(words);
	return status;
}

int admin_command(const struct invocation *inv)
{
	struct config *config = command_config(inv);
	int status = config == NULL ? EX_CONFIG : admin_print(inv, config, NULL);

	config_release(config);
	return status;
}
