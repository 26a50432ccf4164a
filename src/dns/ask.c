/* SPDX-License-Identifier: ISC */
#include "dns/ask.h"

enum { RCODE_NO_ERROR = 0, RCODE_NO_NAME = 3 };

static err call(const struct resolver *r, const struct resolve_request *q, struct resolve_reply *reply, struct arena *a,
                nsec deadline)
{
	err e = r->ask != NULL ? r->ask(r->ctx, q, reply, a, deadline) : call_resolve(r->link, q, reply, a, deadline);

	if (e == OK || e == E_CANCELLED || e == E_SYNTAX)
		return e;
	struct err_info why = *err_info();
	return err_set(E_TEMP, 451, "4.4.3", "the DNS cannot be asked about " STR_FMT ": %s", STR_ARG(q->name),
	               why.code == e && why.text[0] != 0 ? why.text : err_name(e));
}

static err judge(str name, const struct resolve_reply *reply)
{
	if (reply->security == DNS_BOGUS)
		return err_set(E_DENIED, 451, "4.7.5", "the DNS of " STR_FMT " cannot be trusted: " STR_FMT,
		               STR_ARG(name), STR_ARG(reply->why));
	if (reply->rcode == RCODE_NO_NAME)
		return err_set(E_NOT_FOUND, 550, "5.1.2", "there is no " STR_FMT " in the DNS", STR_ARG(name));
	if (reply->rcode != RCODE_NO_ERROR)
		return err_set(E_TEMP, 451, "4.4.3", "the DNS fails for " STR_FMT " (rcode %u)", STR_ARG(name),
		               (unsigned)(reply->rcode & 0xffff));
	if (reply->records_n == 0)
		return err_set(E_NOT_FOUND, 550, "5.1.2", "the DNS has nothing of the kind for " STR_FMT,
		               STR_ARG(name));
	if (reply->records_n > DNS_RECORDS_MAX)
		return err_set(E_SYNTAX, 451, "4.4.3", "the DNS has too many records for " STR_FMT, STR_ARG(name));
	return OK;
}

err dns_ask(const struct resolver *r, str name, enum dns_type type, struct arena *a, nsec deadline,
            struct dns_answer *answer, struct resolve_reply *reply)
{
	*answer = (struct dns_answer){0};
	*reply = (struct resolve_reply){0};
	err e = call(r, &(struct resolve_request){name, type}, reply, a, deadline);
	if (e != OK)
		return e;
	answer->security = reply->security == DNS_SECURE ? DNS_SECURE : DNS_INSECURE;
	answer->ttl = reply->ttl < UINT32_MAX ? (uint32_t)reply->ttl : UINT32_MAX;
	answer->canonical = reply->canonical;
	return judge(name, reply);
}

err dns_ask_each(const struct resolver *r, str name, enum dns_type type, struct arena *a, nsec deadline,
                 struct dns_answer *answer, dns_reader *read, size_t size, void **items, size_t *n)
{
	struct resolve_reply reply;
	err e = dns_ask(r, name, type, a, deadline, answer, &reply);

	*n = 0;
	*items = arena_array(a, reply.records_n, size);
	if (e == OK && *items == NULL)
		e = err_set(E_TEMP, 451, "4.3.0", "no memory for an answer of the DNS");
	if (e != OK)
		return e;
	for (size_t i = 0; i < reply.records_n; i++)
		*n += read(reply.records[i].data, (char *)*items + *n * size, a);
	if (a->full)
		return err_set(E_TEMP, 451, "4.3.0", "no memory for an answer of the DNS");
	return *n > 0 ? OK
	              : err_set(E_SYNTAX, 451, "4.4.3", "what the DNS has for " STR_FMT " is malformed", STR_ARG(name));
}

uint16_t dns_u16(struct cursor *c)
{
	unsigned high = cursor_u8(c);

	return (uint16_t)(high << 8 | cursor_u8(c));
}

/* No top-level domain is a number: that is an address, which is no name. */
static bool is_address(str name)
{
	str last = str_drop(name, str_find_last(name, '.') == name.n ? 0 : str_find_last(name, '.') + 1);
	uint64_t number;

	return str_to_u64(last, UINT64_MAX, &number);
}

bool dns_host(struct cursor *c, str *out, struct arena *a)
{
	BUF(name, DNS_NAME_MAX);

	dns_name(c, &name);
	*out = arena_str(a, buf_str(&name));
	return !c->failed && cursor_end(c) && !name.full && !is_address(buf_str(&name));
}
