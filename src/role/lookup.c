/* SPDX-License-Identifier: ISC */
#include "role/lookup.h"

#include "dns/text.h"

#define LOOKUP_TIME (30 * NSEC_PER_SEC)

enum { CELLS = 7 };

static str rcode_text(uint64_t rcode, struct arena *a)
{
	static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};

	if (rcode < ARRAY_LEN(names))
		return str_from(names[rcode]);
	return arena_printf(a, "%u", (unsigned)(rcode & 0xffff));
}

static str security_text(uint64_t security)
{
	static const char *const names[] = {
		[DNS_INSECURE] = "insecure", [DNS_SECURE] = "secure", [DNS_BOGUS] = "bogus"};

	return security < ARRAY_LEN(names) ? str_from(names[security]) : STR_NONE;
}

static err add_row(struct admin_reply *out, const struct resolve_reply *r, str type, str data, struct arena *a)
{
	struct cell *cells = arena_array(a, CELLS, sizeof(*cells));

	if (cells == NULL)
		return err_note(E_MEMORY, "no memory for an answer");
	const struct cell row[CELLS] = {
		{.name = STR("name"), .text = r->canonical},
		{.name = STR("ttl"), .number = r->ttl, .is_number = 1},
		{.name = STR("type"), .text = type},
		{.name = STR("security"), .text = security_text(r->security)},
		{.name = STR("rcode"), .text = rcode_text(r->rcode, a)},
		{.name = STR("why"), .text = r->why},
		{.name = STR("data"), .text = data},
	};
	memcpy(cells, row, sizeof(row));
	out->rows[out->rows_n++] = (struct row){cells, CELLS};
	return OK;
}

static struct link *resolver_of(const struct children *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->items[i].type == &role_resolve)
			return all->items[i].link;
	return NULL;
}

static err ask(const struct children *all, str name, uint64_t type, struct admin_reply *out, struct arena *a)
{
	struct resolve_reply r;
	BUF(type_text, 20);
	err e = call_resolve(resolver_of(all), &(struct resolve_request){name, type}, &r, a, rt_after(LOOKUP_TIME));

	if (e != OK)
		return e;
	dns_type_put(&type_text, type);
	str text = arena_str(a, buf_str(&type_text));
	out->rows = arena_array(a, r.records_n + 1, sizeof(*out->rows));
	if (out->rows == NULL)
		return err_note(E_MEMORY, "no memory for an answer");
	if (r.records_n == 0)
		e = add_row(out, &r, text, STR_NONE, a);
	for (size_t i = 0; i < r.records_n && e == OK; i++)
		e = add_row(out, &r, text, r.records[i].data, a);
	return e;
}

err lookup_serve(const struct children *all, const struct admin_request *q, struct admin_reply *reply, struct arena *a)
{
	uint64_t type = 0;

	if (q->words_n != 4 || !str_equal(q->words[1].text, STR("lookup")))
		return err_note(E_SYNTAX, "lookup NAME TYPE is wanted");
	if (!dns_type_find(q->words[3].text, &type))
		return err_note(E_SYNTAX, "there is no record type \"" STR_FMT "\"", STR_ARG(q->words[3].text));
	return ask(all, q->words[2].text, type, reply, a);
}
