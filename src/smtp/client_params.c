/* SPDX-License-Identifier: ISC */
#include "smtp/client_params.h"

#include "base/encode.h"
#include "mail/address.h"

/* RFC 3461 4.4, 4.2: as they are on the wire. */
enum { ENVID_MAX = 100, ORCPT_MAX = 500, PRIORITY_ZERO = 10, PRIORITY_MAX = 19, BY_MAX = 999999999 };

static err malformed(const char *what, str text)
{
	BUF(shown, 100);

	escape_text(&shown, str_take(text, 60));
	return err_note(E_SYNTAX, "%s: " STR_FMT, what, STR_ARG(buf_str(&shown)));
}

/* --- what may be said at all --- */

/* The server's own parser, so that we never say what we would not take. */
err client_check_address(str address)
{
	struct address parsed;

	if (address_parse(address, true, &parsed) != OK || str_has_control(address))
		return malformed("this is no address", address);
	return OK;
}

static err check_envid(str envid)
{
	BUF(xtext, ENVID_MAX);

	xtext_encode(&xtext, envid);
	return xtext.full || str_has_control(envid) ? malformed("this is no envelope id", envid) : OK;
}

/* RFC 3461 4.2: an atom, ";" and an address of that type. */
static err check_orcpt(str orcpt)
{
	static const str specials = {"()<>@,;:\\\".[]+= ", 17};
	str type, address;

	if (orcpt.n == 0)
		return OK;
	if (!str_cut(orcpt, ';', &type, &address) || type.n == 0 || address.n == 0 || str_has_control(orcpt) ||
	    !str_is_ascii(type) || !str_is_utf8(address))
		return malformed("this is no original recipient", orcpt);
	for (size_t i = 0; i < type.n; i++)
		if (str_find(specials, type.p[i]) < specials.n)
			return malformed("this is no original recipient", orcpt);
	return OK;
}

static err check_numbers(const struct smtp_send *m)
{
	if (m->by_mode > BY_RETURN || (m->by_mode != BY_NONE && (m->by_seconds > BY_MAX || m->by_seconds < -BY_MAX)))
		return err_note(E_SYNTAX, "this is no time to deliver by");
	if (m->priority > PRIORITY_MAX || m->hold_seconds > BY_MAX || m->ret > DSN_RET_HDRS)
		return err_note(E_SYNTAX, "a parameter of the message is out of bounds");
	return OK;
}

err client_check_envelope(const struct smtp_send *m)
{
	err e = m->sender.n > 0 ? client_check_address(m->sender) : OK;

	if (e == OK)
		e = check_envid(m->envid);
	if (e == OK)
		e = check_numbers(m);
	for (size_t i = 0; e == OK && i < m->rcpts_n; i++) {
		e = client_check_address(m->rcpts[i].address);
		if (e == OK)
			e = check_orcpt(m->rcpts[i].orcpt);
	}
	return e;
}

/* --- MAIL --- */

static bool has(const struct send_plan *p, enum smtp_extension extension)
{
	return (p->offer->extensions & extension) != 0;
}

static void put_body(struct buf *out, const struct send_plan *p)
{
	if (p->body == BODY_BINARY)
		buf_puts(out, " BODY=BINARYMIME");
	else if (p->body == BODY_8BIT)
		buf_puts(out, " BODY=8BITMIME");
	if (p->utf8)
		buf_puts(out, " SMTPUTF8");
}

static void put_dsn(struct buf *out, const struct smtp_send *m, const struct send_plan *p)
{
	if (!has(p, SMTP_EXT_DSN))
		return;
	if (m->ret != DSN_RET_NONE)
		buf_puts(out, m->ret == DSN_RET_FULL ? " RET=FULL" : " RET=HDRS");
	if (m->envid.n > 0) {
		buf_puts(out, " ENVID=");
		xtext_encode(out, m->envid);
	}
}

static void put_service(struct buf *out, const struct smtp_send *m, const struct send_plan *p)
{
	if (m->by_mode != BY_NONE && has(p, SMTP_EXT_DELIVERBY)) /* RFC 2852 4 */
		buf_printf(out, " BY=%lld;%c", (long long)m->by_seconds, m->by_mode == BY_RETURN ? 'R' : 'N');
	if (m->priority > 0 && has(p, SMTP_EXT_MT_PRIORITY)) /* RFC 6710 3 */
		buf_printf(out, " MT-PRIORITY=%d", (int)m->priority - PRIORITY_ZERO);
	if (m->hold_seconds > 0 && has(p, SMTP_EXT_FUTURERELEASE)) /* RFC 4865 4.1 */
		buf_printf(out, " HOLDFOR=%llu", (unsigned long long)m->hold_seconds);
	if (p->require_tls)
		buf_puts(out, " REQUIRETLS"); /* RFC 8689 2 */
}

void client_print_mail(struct buf *out, const struct smtp_send *m, str sender, const struct send_plan *p)
{
	buf_puts(out, "MAIL FROM:<");
	buf_put(out, sender);
	buf_putc(out, '>');
	if (p->size > 0 && has(p, SMTP_EXT_SIZE))
		buf_printf(out, " SIZE=%llu", (unsigned long long)p->size);
	put_body(out, p);
	put_dsn(out, m, p);
	put_service(out, m, p);
	buf_puts(out, "\r\n");
}

/* --- RCPT --- */

static void put_notify(struct buf *out, uint64_t notify)
{
	static const struct {
		uint64_t bit;
		const char *word;
	} words[] = {{DSN_NEVER, "NEVER"}, {DSN_SUCCESS, "SUCCESS"}, {DSN_FAILURE, "FAILURE"}, {DSN_DELAY, "DELAY"}};
	bool first = true;

	if ((notify & DSN_NEVER) != 0)
		notify = DSN_NEVER; /* RFC 3461 4.1: it stands alone */
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if ((notify & words[i].bit) == 0)
			continue;
		buf_puts(out, first ? " NOTIFY=" : ",");
		buf_puts(out, words[i].word);
		first = false;
	}
}

/* RFC 6533 3: "\x{", two to six hexadecimal digits, "}". Octets of it, 0 when there is none. */
static size_t embedded_size(str s)
{
	size_t end = str_find(s, '}');

	if (!str_starts(s, STR("\\x{")) || end == s.n || end < 5 || end > 9)
		return 0;
	for (size_t i = 3; i < end; i++)
		if (str_find(STR("0123456789ABCDEF"), s.p[i]) == 16)
			return 0;
	return end + 1;
}

/* RFC 6533 3: what xtext would encode, and what the server does not take as it is, is \x{...}. An address that came in that form stays as it is. */
static void put_unitext(struct buf *out, str s, bool utf8)
{
	while (s.n > 0) {
		uint32_t code = 0;
		size_t n = embedded_size(s);
		bool plain = n > 0;

		if (n == 0) {
			n = str_utf8_char(s, &code);
			plain = code > ' ' && code != '\\' && code != '+' && code != '=' && (code < 0x7f || utf8);
		}
		if (plain)
			buf_put(out, str_take(s, n));
		else
			buf_printf(out, "\\x{%02X}", code);
		s = str_drop(s, n > 0 ? n : 1);
	}
}

/* One that does not fit is better not given than cut. */
static void put_orcpt(struct buf *out, str orcpt, const struct send_plan *p)
{
	BUF(text, ORCPT_MAX);
	str type, address;

	str_cut(orcpt, ';', &type, &address);
	buf_put(&text, type);
	buf_putc(&text, ';');
	if (str_equal_nocase(type, STR("utf-8")))
		put_unitext(&text, address, p->utf8);
	else
		xtext_encode(&text, address);
	if (text.full)
		return;
	buf_puts(out, " ORCPT=");
	buf_put(out, buf_str(&text));
}

void client_print_rcpt(struct buf *out, const struct smtp_send_rcpt *r, str address, const struct send_plan *p)
{
	buf_puts(out, "RCPT TO:<");
	buf_put(out, address);
	buf_putc(out, '>');
	if (has(p, SMTP_EXT_DSN)) {
		put_notify(out, r->notify);
		if (r->orcpt.n > 0)
			put_orcpt(out, r->orcpt, p);
	}
	buf_puts(out, "\r\n");
}
