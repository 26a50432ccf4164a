/* SPDX-License-Identifier: ISC */
#include "store/notice.h"

#include <stdlib.h>

#include "base/date.h"
#include "base/encode.h"
#include "base/log.h"
#include "store/acceptance.h"
#include "store/ids.h"

struct notice {
	struct store *store;
	uint64_t account, limit;
	struct arena arena;
	str login; /* as it was said; then the account's address */
	str postmaster;
	struct rcpt rcpts[2];
	size_t rcpts_n;
};

/* --- what it says --- */

static str domain_of(const struct store *s)
{
	return s->config->domains_n > 0 ? s->config->domains[0].name : s->config->hostname;
}

/* RFC 5322 3.6; RFC 3834 5: nobody is to answer it. */
static void put_header(struct buf *out, const struct notice *n, str message_id, str subject)
{
	buf_puts(out, "Date: ");
	date_rfc5322(out, rt_wall());
	buf_printf(out, "\r\nFrom: " STR_FMT "\r\nTo: ", STR_ARG(n->postmaster));
	for (size_t i = 0; i < n->rcpts_n; i++)
		buf_printf(out, "%s" STR_FMT, i == 0 ? "" : ",\r\n\t", STR_ARG(n->rcpts[i].address));
	buf_printf(out, "\r\nSubject: " STR_FMT "\r\nMessage-ID: " STR_FMT "\r\n", STR_ARG(subject),
	           STR_ARG(message_id));
	buf_puts(out,
	         "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	         "Content-Transfer-Encoding: 8bit\r\n\r\n");
}

static void put_text(struct buf *out, const struct notice *n)
{
	buf_printf(out,
	           STR_FMT "\r\nhas sent mail to %llu recipients within an hour, which is the most that\r\n"
	                   "this server takes. Until the hour is over its messages are refused, with an\r\n"
	                   "answer that makes mail programs try again later.\r\n\r\n",
	           STR_ARG(n->login), (unsigned long long)n->limit);
	if (n->account != 0)
		buf_puts(out, "If it was not you who sent them, somebody else knows the password: have it\r\n"
		              "changed at once. If it was you, there is nothing to do.\r\n\r\n");
	buf_puts(out, "Administrators: the setting is `limit messages-per-hour`; `pombo trace` shows\r\n"
	              "what was sent.\r\n");
}

/* --- sending it --- */

static err read_owner(struct notice *n)
{
	struct query q = db_query(n->store->db, "SELECT local || '@' || domain FROM account WHERE id = ?");

	query_put_num(&q, n->account);
	if (query_row(&q)) {
		n->login = arena_str(&n->arena, query_str(&q));
		n->rcpts[n->rcpts_n++] = (struct rcpt){.address = n->login, .notify = DSN_NEVER};
	}
	return query_end(&q);
}

static err accept_notice(const struct notice *n, struct accept_request *q)
{
	struct acceptance x;
	ARENA(a, 4 << 20);
	err e = acceptance_check(n->store, q);

	if (e == OK)
		e = acceptance_begin(&x, q, &a);
	if (e == OK)
		e = acceptance_run(n->store, &x, true);
	if (e == OK && !acceptance_kept(&x))
		return err_note(E_PERM, STR_FMT, STR_ARG(x.answers[0].text));
	return e;
}

static err notice_send(struct notice *n)
{
	struct origin origin = {.protocol = STR("notice")};
	struct accept_request q = {.origin = &origin, .origin_n = 1, .rcpts = n->rcpts};
	char id[ID_TEXT_MAX];
	BUF(body, 64 << 10);
	err e = ids_take(n->store, &q.id);

	if (e == OK && n->account != 0)
		e = read_owner(n);
	if (e != OK)
		return e;
	n->rcpts[n->rcpts_n++] = (struct rcpt){.address = n->postmaster, .notify = DSN_NEVER};
	q.rcpts_n = n->rcpts_n;
	q.message_id = arena_printf(&n->arena, "<" STR_FMT "@" STR_FMT ">", STR_ARG(id_text(q.id, id)),
	                            STR_ARG(n->store->config->hostname));
	q.subject = arena_printf(&n->arena, "Too much mail from " STR_FMT, STR_ARG(n->login));
	put_header(&body, n, q.message_id, q.subject);
	put_text(&body, n);
	q.body = BODY_OF(buf_str(&body));
	q.flags = str_is_ascii(buf_str(&body)) ? 0 : MESSAGE_8BIT | MESSAGE_UTF8;
	return body.full || n->arena.full ? err_note(E_MEMORY, "no memory for a notice") : accept_notice(n, &q);
}

static void notice_run(void *arg)
{
	struct notice *n = arg;
	struct store *s = n->store;

	if (notice_send(n) != OK)
		LOG(WARN, "store.notice", LOG_STR("login", n->login), LOG_Z("error", err_info()->text));
	arena_free(&n->arena);
	free(n);
	store_leave(s);
}

void notice_limit(struct store *s, uint64_t account, str login, uint64_t limit)
{
	struct notice *n = calloc(1, sizeof(*n));

	if (n == NULL || store_enter(s) != OK) {
		free(n);
		return;
	}
	*n = (struct notice){.store = s, .account = account, .limit = limit, .arena = ARENA_INIT(64 << 10)};
	n->login = arena_str(&n->arena, login);
	n->postmaster = arena_printf(&n->arena, "postmaster@" STR_FMT, STR_ARG(domain_of(s)));
	if (rt_spawn(notice_run, n, "store-notice") != NULL)
		return;
	arena_free(&n->arena);
	free(n);
	store_leave(s);
}
