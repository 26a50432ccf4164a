/* SPDX-License-Identifier: ISC */
#include "mail/received.h"

#include "base/date.h"
#include "base/encode.h"
#include "mail/address.h"

enum { WORD_MAX = 255, ADDRESS_MEMORY = 4096 };

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       str_find(STR(".-_:[]"), c) < sizeof(".-_:[]") - 1;
}

/* What a client calls itself may hold anything, also what would end a comment or the line: other bytes become '?'. */
static void put_plain(struct buf *out, str s)
{
	s = str_take(s, WORD_MAX);
	if (s.n == 0)
		buf_puts(out, "unknown");
	for (size_t i = 0; i < s.n; i++)
		buf_putc(out, is_plain(s.p[i]) ? s.p[i] : '?');
}

/* A program of this machine, whose user the kernel has named: "uid=1000". */
static bool is_local_user(const struct origin *o)
{
	return str_equal(o->client, STR("unix")) && str_starts(o->login, STR("uid="));
}

static void put_client(struct buf *out, const struct origin *o)
{
	if (is_local_user(o)) {
		buf_puts(out, " (local user ");
		put_plain(out, str_drop(o->login, sizeof("uid=") - 1));
		buf_puts(out, ")");
		return;
	}
	str client = o->client;
	bool v6 = str_find(client, ':') < client.n;
	bool address = v6 || str_find(client, '.') < client.n;

	buf_puts(out, v6 ? " ([IPv6:" : address ? " ([" : " (");
	put_plain(out, client);
	buf_puts(out, address ? "])" : ")");
}

/* In ASCII, with the domain's A-labels, or not at all: beyond that our own field would keep the message from servers without SMTPUTF8. */
static void put_recipient(struct buf *out, str recipient)
{
	ARENA(a, ADDRESS_MEMORY);
	struct address parsed;
	str local, domain;

	if (!str_is_ascii(recipient)) {
		if (address_parse(recipient, true, &parsed) != OK || !str_is_ascii(parsed.local) ||
		    address_key(&a, &parsed, &local, &domain) != OK)
			return;
		recipient = arena_printf(&a, STR_FMT "@" STR_FMT, STR_ARG(parsed.local), STR_ARG(domain));
	}
	if (recipient.n == 0 || str_has_control(recipient))
		return;
	buf_puts(out, "\r\n\tfor <");
	buf_put(out, recipient);
	buf_puts(out, ">");
}

static void put_tls(struct buf *out, const struct received *r)
{
	if (r->tls_version.n == 0)
		return;
	buf_printf(out, " (" STR_FMT " " STR_FMT ")\r\n\t", STR_ARG(r->tls_version), STR_ARG(r->tls_cipher));
}

void received_print(struct buf *out, const struct received *r)
{
	char id[ID_TEXT_MAX];

	buf_puts(out, "Received: ");
	if (!r->hide_client) {
		buf_puts(out, "from ");
		put_plain(out, r->origin->helo);
		put_client(out, r->origin);
		buf_puts(out, "\r\n\t");
	}
	buf_puts(out, "by ");
	buf_put(out, r->hostname);
	buf_puts(out, " with ");
	buf_put(out, r->origin->protocol);
	put_tls(out, r);
	buf_puts(out, r->tls_version.n == 0 ? " id " : "id ");
	buf_put(out, id_text(r->id, id));
	put_recipient(out, r->only_recipient);
	buf_puts(out, "; ");
	date_rfc5322(out, r->at);
	buf_puts(out, "\r\n");
}
