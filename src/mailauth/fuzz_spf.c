/* SPDX-License-Identifier: ISC */
/* Any record, and any answers of the DNS: pieces of the input, with 0xfe between them. The first is the record, each question takes the next one: its first octet says what
 * becomes of it, the rest are strings, a name, or as many addresses as it has. There is a result, after a bounded number of questions. */
#include <stdlib.h>

#include "mailauth/spf.h"

enum { QUESTIONS_MAX = 1 + 2 * (SPF_LOOKUPS_MAX + 1) + (SPF_LOOKUPS_MAX + 1) * SPF_NAMES_MAX + 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct answers {
	str rest;
	size_t asked;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static str strings(str text, struct arena *a)
{
	BUF(out, 64 << 10);

	do {
		str part = str_take(text, 255);

		buf_putc(&out, (char)part.n);
		buf_put(&out, part);
		text = str_drop(text, 255);
	} while (text.n > 0);
	return arena_str(a, buf_str(&out));
}

static void put_records(uint64_t type, str text, struct resolve_reply *r, struct arena *a)
{
	size_t size = type == DNS_A ? 4 : type == DNS_AAAA ? 16 : type == DNS_TXT ? 4096 : 12;

	r->records = arena_array(a, text.n / size + 1, sizeof(*r->records));
	for (; text.n > 0 && r->records != NULL; text = str_drop(text, size)) {
		str part = str_take(text, size);

		r->records[r->records_n++].data = type == DNS_TXT ? strings(part, a) : part;
	}
}

static err ask(void *ctx, const struct resolve_request *q, struct resolve_reply *r, struct arena *a, nsec deadline)
{
	struct answers *answers = ctx;
	str piece;

	(void)deadline;
	check(q->name.n > 0 && str_is_ascii(q->name) && !str_has_control(q->name) &&
	      str_find(q->name, ' ') == q->name.n);
	check(++answers->asked <= QUESTIONS_MAX);
	*r = (struct resolve_reply){.ttl = 1, .canonical = q->name};
	(void)!str_cut(answers->rest, (char)0xfe, &piece, &answers->rest);
	unsigned what = piece.n == 0 ? 3 : (unsigned char)piece.p[0];
	if (what < 4)
		r->rcode = what;
	else if (what == 4)
		return err_note(E_TIMEOUT, "no answer");
	else
		put_records(q->type, str_drop(piece, 1), r, a);
	return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA(a, 1 << 20);
	struct answers answers = {.rest = str_make((const char *)data, size)};
	const struct resolver resolver = {.ask = ask, .ctx = &answers};
	struct net_address client;
	struct spf_result result;
	bool six = size > 0 && (data[size - 1] & 1) != 0;

	if (net_address_parse(six ? STR("[2001:db8::1]:25") : STR("192.0.2.1:25"), &client) != OK)
		return 0;
	const struct spf_query q = {
		&resolver, &client, STR("helo.example"), STR("a.b@example.com"), STR("mx.example.org"), 0, RT_NEVER};
	check(spf_check(&q, &a, &result) == OK);
	check(result.lookups <= SPF_LOOKUPS_MAX + 1 && result.result <= AUTH_PERMERROR && result.result != AUTH_POLICY);
	check(!str_has_control(result.why) && str_is_ascii(result.why) && !str_has_control(result.mechanism));
	check(result.explanation.n <= 300 && str_is_ascii(result.explanation) && !str_has_control(result.explanation));
	return 0;
}
