/* SPDX-License-Identifier: ISC */
#include "store/mailbox_name.h"

#include "store/schema.h"

/* --- names --- */

static bool is_well_formed(str name)
{
	/* RFC 9051 5.1: UTF-8 without controls; what LIST takes for a pattern is better not in a name (5.1, 6.3.9). */
	return str_is_utf8(name) && !str_has_control(name) && str_find(name, '*') == name.n &&
	       str_find(name, '%') == name.n;
}

/* Levels are parted by '/': none is empty. */
static bool has_empty_level(str name)
{
	str level;
	bool more = true;

	while (more) {
		more = str_cut(name, '/', &level, &name);
		if (level.n == 0)
			return true;
	}
	return false;
}

err mailbox_name_check(str name, str *out)
{
	*out = str_equal_nocase(name, STR("INBOX")) ? STR("INBOX") : name;
	if (name.n == 0 || name.n > MAILBOX_NAME_MAX)
		return err_note(E_SYNTAX, "the name of a mailbox has 1 to %d octets", (int)MAILBOX_NAME_MAX);
	if (!is_well_formed(name))
		return err_note(E_SYNTAX, "the name of a mailbox is UTF-8 without control characters, * and %%");
	if (has_empty_level(name))
		return err_note(E_SYNTAX, "the name of a mailbox neither begins nor ends with /, nor has two of them");
	return OK;
}

/* --- finding and making --- */

err mailbox_find(struct db *db, uint64_t account, str name, uint64_t *mailbox)
{
	struct query q = db_query(db, "SELECT id FROM mailbox WHERE account = ? AND name = ?");

	*mailbox = 0;
	query_put_num(&q, account);
	query_put_str(&q, name);
	return query_one(&q, mailbox, NULL);
}

struct making {
	uint64_t account, now;
	str name;
};

static err need_account(struct db *db, uint64_t account)
{
	struct query q = db_query(db, "SELECT 1 FROM account WHERE id = ?");
	uint64_t one;
	bool there = false;

	query_put_num(&q, account);
	err e = query_one(&q, &one, &there);
	return e == OK && !there ? err_note(E_NOT_FOUND, "the account is gone") : e;
}

/* In the writer, which nobody overtakes: a mailbox never outlives its account. */
static err make_prepare(struct writer *w, struct job *job)
{
	const struct making *m = job->data;

	return need_account(writer_db(w), m->account);
}

static err make_apply(struct writer *w, struct job *job)
{
	const struct making *m = job->data;
	uint64_t there = 0;
	err e = mailbox_find(writer_db(w), m->account, m->name, &there);

	return e == OK && there == 0 ? mailbox_add(writer_db(w), m->account, m->name, m->now) : e;
}

err mailbox_ensure(struct store *s, uint64_t account, str name, uint64_t *mailbox)
{
	static const struct job_kind kind = {.prepare = make_prepare, .apply = make_apply};
	struct making m = {account, (uint64_t)rt_wall(), name};
	struct job job = {.kind = &kind, .data = &m};
	err e = mailbox_find(s->db, account, name, mailbox);

	if (e != OK || *mailbox != 0)
		return e;
	e = writer_do(s->writer, &job);
	return e == OK ? mailbox_find(s->db, account, name, mailbox) : e;
}
