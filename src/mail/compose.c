/* SPDX-License-Identifier: ISC */
#include "mail/compose.h"

#include "base/date.h"
#include "mail/address.h"
#include "mail/transfer.h"

enum { LINE_MAX_OCTETS = 998, FILE_NAME_MAX = 255, FOLD_AT = 78 };

/* --- people --- */

/* The inside of "..." without its escapes; other text as it is. */
static str unquote(str text, struct arena *a)
{
	BUF(out, 1000);

	text = str_trim(text);
	if (text.n < 2 || text.p[0] != '"' || text.p[text.n - 1] != '"')
		return arena_str(a, text);
	text = str_make(text.p + 1, text.n - 2);
	for (size_t i = 0; i < text.n; i++) {
		i += text.p[i] == '\\' && i + 1 < text.n;
		buf_putc(&out, text.p[i]);
	}
	return arena_str(a, buf_str(&out));
}

err compose_person(str text, struct arena *a, struct compose_person *out)
{
	struct address address;
	str name = STR_NONE;

	text = str_trim(text);
	if (str_has_control(text))
		return err_note(E_SYNTAX, "an address stands on one line");
	if (text.n > 0 && text.p[text.n - 1] == '>') {
		size_t at = str_find_last(text, '<');
		if (at == text.n)
			return err_note(E_SYNTAX, "\"" STR_FMT "\" is no address", STR_ARG(text));
		name = str_take(text, at);
		text = str_make(text.p + at + 1, text.n - at - 2);
	}
	if (address_parse(text, true, &address) != OK)
		return err_note(E_SYNTAX, "\"" STR_FMT "\" is no address", STR_ARG(text));
	*out = (struct compose_person){unquote(name, a), arena_str(a, text)};
	return OK;
}

static void put_person(struct buf *out, const struct compose_person *p, size_t column)
{
	if (p->name.n == 0) {
		buf_put(out, p->address);
		return;
	}
	transfer_phrase(out, p->name, column);
	buf_printf(out, " <" STR_FMT ">", STR_ARG(p->address));
}

static void put_people(struct buf *out, const char *field, const struct compose_person *people, size_t n)
{
	if (n == 0)
		return;
	buf_puts(out, field);
	for (size_t i = 0; i < n; i++) {
		buf_puts(out, i == 0 ? " " : ",\r\n ");
		put_person(out, &people[i], 1);
	}
	buf_puts(out, "\r\n");
}

/* --- the header --- */

static bool is_ours(str name)
{
	static const char *const ours[] = {"From",         "To",   "Cc",         "Bcc",
	                                   "Subject",      "Date", "Message-ID", "MIME-Version",
	                                   "Content-Type", NULL};

	for (size_t i = 0; ours[i] != NULL; i++)
		if (str_equal_nocase(name, str_from(ours[i])))
			return true;
	return str_starts_nocase(name, STR("Content-"));
}

err compose_field(str field)
{
	str name, value;

	if (!str_cut(field, ':', &name, &value) || name.n == 0)
		return err_note(E_SYNTAX, "a header field is \"Name: value\"");
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~')
			return err_note(E_SYNTAX, "a field's name is of letters and digits");
	if (str_has_control(value))
		return err_note(E_SYNTAX, "a header field stands on one line");
	return is_ours(name) ? err_note(E_SYNTAX, "there is an option for " STR_FMT, STR_ARG(name)) : OK;
}

static void put_header(struct buf *out, const struct compose *m)
{
	str name, value;

	buf_puts(out, "From: ");
	put_person(out, &m->from, 6);
	buf_puts(out, "\r\n");
	put_people(out, "To:", m->to, m->to_n);
	put_people(out, "Cc:", m->cc, m->cc_n);
	transfer_field(out, STR("Subject"), m->subject);
	buf_puts(out, "Date: ");
	date_rfc5322(out, m->at);
	buf_printf(out, "\r\nMessage-ID: " STR_FMT "\r\n", STR_ARG(m->message_id));
	for (size_t i = 0; i < m->fields_n; i++) {
		str_cut(m->fields[i], ':', &name, &value);
		transfer_field(out, name, value);
	}
	buf_puts(out, "MIME-Version: 1.0\r\n");
}

/* --- the text --- */

void compose_lines(struct buf *out, str text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '\r' && i + 1 < text.n && text.p[i + 1] == '\n')
			i++;
		if (c == '\r' || c == '\n')
			buf_puts(out, "\r\n");
		else
			buf_putc(out, c);
	}
}

static bool is_plain(str text)
{
	str line;

	if (!str_is_ascii(text) || str_find(text, '\0') < text.n)
		return false;
	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		if (line.n > LINE_MAX_OCTETS)
			return false;
	}
	return true;
}

static void put_text(struct buf *out, str text)
{
	struct buf lines = BUF_INIT(out->cap);

	compose_lines(&lines, text);
	out->full = out->full || lines.full;
	if (lines.n > 0 && !str_ends(buf_str(&lines), STR("\r\n")))
		buf_puts(&lines, "\r\n");
	bool plain = is_plain(buf_str(&lines));
	buf_printf(out, "Content-Type: text/plain; charset=%s\r\n", plain ? "us-ascii" : "utf-8");
	buf_puts(out, plain ? "\r\n" : "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	if (plain)
		buf_put(out, buf_str(&lines));
	else
		transfer_quoted_printable(out, buf_str(&lines));
	buf_free(&lines);
}

/* --- attachments --- */

static bool is_token(str name)
{
	static const str special = STR("()<>@,;:\\\"/[]?= *'%");

	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~' || str_find(special, name.p[i]) < special.n)
			return false;
	return name.n > 0;
}

/* RFC 2231 4, in pieces of its section 3 when it is long. */
static void put_file_name(struct buf *out, str name)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t column = 0;
	unsigned piece = 0;

	if (is_token(name) && name.n < FOLD_AT - 20) {
		buf_printf(out, ";\r\n filename=" STR_FMT, STR_ARG(name));
		return;
	}
	for (size_t i = 0; i < name.n && i < FILE_NAME_MAX; i++) {
		if (column == 0 || column > FOLD_AT - 4) {
			size_t before = out->n;
			buf_printf(out, ";\r\n filename*%u*=%s", piece, piece == 0 ? "utf-8''" : "");
			column = out->n - before - 3;
			piece++;
		}
		if (is_token(str_make(&name.p[i], 1)))
			buf_putc(out, name.p[i]);
		else
			buf_printf(out, "%%%c%c", hex[(unsigned char)name.p[i] >> 4], hex[name.p[i] & 15]);
		column += 3;
	}
}

static void put_attachment(struct buf *out, const struct compose_attachment *a)
{
	buf_printf(out, "Content-Type: " STR_FMT "\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment",
	           STR_ARG(a->type.n > 0 ? a->type : STR("application/octet-stream")));
	put_file_name(out, a->name);
	buf_puts(out, "\r\n\r\n");
	transfer_base64(out, a->content);
}

err compose_message(struct buf *out, const struct compose *m)
{
	if (!str_is_utf8(m->text))
		return err_note(E_SYNTAX, "the text is not in UTF-8; send it as an attachment");
	put_header(out, m);
	if (m->attachments_n == 0) {
		put_text(out, m->text);
		return out->full ? err_note(E_LIMIT, "the message is too large") : OK;
	}
	buf_printf(out, "Content-Type: multipart/mixed;\r\n boundary=\"" STR_FMT "\"\r\n\r\n--" STR_FMT "\r\n",
	           STR_ARG(m->boundary), STR_ARG(m->boundary));
	put_text(out, m->text);
	for (size_t i = 0; i < m->attachments_n; i++) {
		buf_printf(out, "--" STR_FMT "\r\n", STR_ARG(m->boundary));
		put_attachment(out, &m->attachments[i]);
	}
	buf_printf(out, "--" STR_FMT "--\r\n", STR_ARG(m->boundary));
	return out->full ? err_note(E_LIMIT, "the message is too large") : OK;
}
