/* SPDX-License-Identifier: ISC */
#include "mailauth/arf.h"

#include "base/date.h"
#include "base/encode.h"
#include "mail/date_field.h"
#include "mail/header.h"
#include "mail/mime.h"
#include "mailauth/dmarc.h"

enum { FIELDS_SIZE_MAX = 64 << 10, TEXT_MAX = 512, INCIDENTS_MAX = 1000000000 };

/* --- values --- */

static str clean(str value, struct arena *a)
{
	return arena_line(a, str_take(header_unfold(a, value), TEXT_MAX), ' ');
}

static str text_of(str fields, const char *name, struct arena *a)
{
	struct header_field f;

	return header_find(fields, str_from(name), &f) ? clean(f.value, a) : STR("");
}

static str address_of(str fields, const char *name, struct arena *a)
{
	str text = text_of(fields, name, a);
	size_t open = str_find(text, '<');

	return open < text.n ? str_take(str_drop(text, open + 1), str_find(str_drop(text, open + 1), '>')) : text;
}

/* "dns; mail.example.com" */
static str name_of(str fields, const char *name, struct arena *a)
{
	str text = text_of(fields, name, a), type, value;

	return str_cut(text, ';', &type, &value) ? str_trim(value) : text;
}

static uint64_t incidents_of(str fields, struct arena *a)
{
	uint64_t n;

	return str_to_u64(text_of(fields, "Incidents", a), INCIDENTS_MAX, &n) && n > 0 ? n : 1;
}

static int64_t time_of(str fields, struct arena *a)
{
	int64_t at;

	if (date_field_parse(text_of(fields, "Arrival-Date", a), &at))
		return at;
	return date_field_parse(text_of(fields, "Received-Date", a), &at) ? at : 0;
}

static void add_domain(struct arf *f, str domain, struct arena *a)
{
	if (domain.n > 0 && f->domains_n < ARF_DOMAINS_MAX)
		f->domains[f->domains_n++] = arena_lower(a, domain);
}

static str domain_part(str address)
{
	return str_drop(address, str_find_last(address, '@') + 1);
}

/* --- the report's parts --- */

static void read_domains(str fields, struct arena *a, struct arf *out)
{
	struct header_field f;
	size_t at = 0;

	while (header_next(fields, &at, &f))
		if (str_equal_nocase(f.name, STR("Reported-Domain")) && out->domains_n < ARF_DOMAINS_MAX / 2)
			add_domain(out, clean(f.value, a), a);
	add_domain(out, domain_part(out->mail_from), a);
	add_domain(out, text_of(fields, "DKIM-Domain", a), a);
}

static err read_fields(str fields, struct arena *a, struct arf *out)
{
	out->type = arena_lower(a, text_of(fields, "Feedback-Type", a));
	out->user_agent = text_of(fields, "User-Agent", a);
	out->reporter = name_of(fields, "Reporting-MTA", a);
	out->source = text_of(fields, "Source-IP", a);
	out->mail_from = address_of(fields, "Original-Mail-From", a);
	out->rcpt_to = address_of(fields, "Original-Rcpt-To", a);
	out->envelope_id = text_of(fields, "Original-Envelope-Id", a);
	out->auth_failure = text_of(fields, "Auth-Failure", a);
	out->delivery_result = text_of(fields, "Delivery-Result", a);
	out->arrived = time_of(fields, a);
	out->incidents = incidents_of(fields, a);
	read_domains(fields, a, out);
	return out->type.n > 0 ? OK : err_note(E_SYNTAX, "an abuse report without Feedback-Type");
}

static void read_original(str header, struct arena *a, struct arf *out)
{
	struct dmarc_author author;

	out->message_id = text_of(header, "Message-ID", a);
	out->subject = text_of(header, "Subject", a);
	if (dmarc_author_find(header, a, &author) != OK)
		return;
	out->from = author.address;
	add_domain(out, author.domain, a);
}

static err read_report(const struct mime_part *p, struct arena *a, struct arf *out)
{
	BUF(fields, FIELDS_SIZE_MAX);
	err e = mime_content(p, &fields);

	/* Lines in front that say nothing would end the fields. */
	return e == OK ? read_fields(arena_str(a, str_trim(buf_str(&fields))), a, out) : e;
}

static str original_header(const struct mime_part *p, struct arena *a)
{
	BUF(text, FIELDS_SIZE_MAX);

	if (p->kind == MIME_MESSAGE)
		return str_take(p->body, header_size(p->body));
	(void)!mime_content(p, &text);
	return arena_str(a, buf_str(&text));
}

static bool is_original(const struct mime_part *p)
{
	return p->kind == MIME_MESSAGE || mime_is(p, STR("text"), STR("rfc822-headers")) ||
	       mime_is(p, STR("message"), STR("rfc822"));
}

err arf_parse(str message, struct arena *a, struct arf *out)
{
	struct mime mime;
	size_t at = 0;
	err e = mime_read(message, a, &mime);

	*out = (struct arf){0};
	if (e != OK)
		return e;
	while (at < mime.n && !mime_is(&mime.parts[at], STR("message"), STR("feedback-report")))
		at++;
	if (at == mime.n)
		return err_note(E_NOT_FOUND, "it has no feedback-report");
	e = read_report(&mime.parts[at], a, out);
	for (size_t i = at + 1; i < mime.n && e == OK; i++)
		if (is_original(&mime.parts[i])) {
			read_original(original_header(&mime.parts[i], a), a, out);
			break;
		}
	return e == OK && a->full ? err_note(E_LIMIT, "no memory for an abuse report") : e;
}

/* --- what is kept --- */

static void put_text(struct buf *out, const char *name, str text)
{
	if (text.n == 0)
		return;
	buf_printf(out, ",\"%s\":", name);
	json_quote(out, text);
}

void arf_json(struct buf *out, const struct arf *f)
{
	BUF(arrived, 40);

	buf_puts(out, "{\"type\":");
	json_quote(out, f->type);
	buf_puts(out, ",\"incidents\":");
	buf_u64(out, f->incidents);
	if (f->arrived > 0)
		date_rfc3339(&arrived, f->arrived);
	put_text(out, "arrived", buf_str(&arrived));
	put_text(out, "reporter", f->reporter);
	put_text(out, "user-agent", f->user_agent);
	put_text(out, "source", f->source);
	put_text(out, "envelope-from", f->mail_from);
	put_text(out, "envelope-to", f->rcpt_to);
	put_text(out, "auth-failure", f->auth_failure);
	put_text(out, "delivery-result", f->delivery_result);
	put_text(out, "from", f->from);
	put_text(out, "subject", f->subject);
	put_text(out, "message-id", f->message_id);
	buf_putc(out, '}');
}
