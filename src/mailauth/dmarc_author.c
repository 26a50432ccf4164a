/* SPDX-License-Identifier: ISC */
/* Who wrote it: From, so that whoever reads it, and however, sees the same address. */
#include "conf/domain_name.h"
#include "mail/address.h"
#include "mail/charset.h"
#include "mail/encoded_word.h"
#include "mail/header.h"
#include "mail/mailbox_list.h"
#include "mailauth/dmarc.h"

enum { NAME_MAX_OCTETS = 1000, FIELD_MAX = 16 << 10 };

static err refuse(const char *why)
{
	return err_note(E_SYNTAX, "%s", why);
}

/* --- the field --- */

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

/* "From" and a colon, blanks around: what a lenient program may take for the field. */
static bool looks_like_from(str line)
{
	struct cursor c = cursor_of(line);

	(void)cursor_take_while(&c, is_blank);
	if (!cursor_accept_nocase(&c, STR("From")))
		return false;
	(void)cursor_take_while(&c, is_blank);
	return cursor_accept(&c, ':');
}

/* One where no field is: in what stands behind a line that ends the header for us, and may end it for others or not. */
static bool is_hidden_below(str rest)
{
	str line;

	while (rest.n > 0) {
		(void)!str_cut(rest, '\n', &line, &rest);
		if (line.n == 0 ||
		    str_equal(line, STR("\r"))) /* blanks alone are no empty line: they go on what is above */
			return false;
		if (looks_like_from(line))
			return true;
	}
	return false;
}

/* A line break within it that is none of folding, or a NUL. */
static bool has_odd_octets(str value)
{
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] == 0 || (value.p[i] == '\r' && (i + 1 == value.n || value.p[i + 1] != '\n')))
			return true;
	return false;
}

static err check_field(const struct header_field *f)
{
	if (f->whole.n > FIELD_MAX)
		return refuse("the From field is too long");
	if (str_find(f->whole, ':') != f->name.n)
		return refuse("a blank stands before the colon of From");
	return has_odd_octets(f->value) ? refuse("From has control characters") : OK;
}

static err find_field(str header, struct header_field *out)
{
	struct header_field f;
	size_t at = 0, n = 0;

	if (str_starts_nocase(header, STR("From ")) && looks_like_from(header)) /* not the line of a mailbox file */
		return refuse("a blank stands before the colon of From");
	while (header_next(header, &at, &f)) {
		if (!str_equal_nocase(f.name, STR("From")))
			continue;
		*out = f;
		n++;
	}
	if (n > 1)
		return refuse("there are several From fields");
	if (is_hidden_below(str_drop(header, at)))
		return refuse("a From field stands behind a line that is no field");
	return n == 0 ? err_note(E_NOT_FOUND, "there is no From field") : check_field(out);
}

/* --- the display name --- */

/* At its opening bracket; comments are nested. Their syntax was looked at. */
static void skip_comment(struct cursor *c)
{
	size_t depth = 0;

	do {
		uint8_t octet = cursor_u8(c);
		if (octet == '(')
			depth++;
		else if (octet == ')')
			depth--;
		else if (octet == '\\')
			(void)cursor_u8(c);
	} while (depth > 0 && !c->failed);
}

/* Its content to `out`. */
static void quoted_string(struct cursor *c, struct buf *out)
{
	cursor_expect(c, '"');
	while (!c->failed && !cursor_accept(c, '"')) {
		(void)cursor_accept(c, '\\');
		buf_put(out, cursor_bytes(c, 1));
	}
}

/* What stands before "<". False: more than one address could be read there: a group, a list, a route. */
static bool display_name(str value, struct buf *out)
{
	struct cursor c = cursor_of(value);
	BUF(before, FIELD_MAX);
	bool angle = false;
	int next;

	while ((next = cursor_peek(&c)) >= 0) {
		if (next == '(') {
			skip_comment(&c);
		} else if (next == '"') {
			quoted_string(&c, &before);
		} else if (next == ',' || next == ';' || next == ':') {
			return false;
		} else {
			if (next == '<')
				buf_put(out, buf_str(&before));
			angle = angle || next == '<';
			buf_put(&before, cursor_bytes(&c, 1));
		}
	}
	return true;
}

static bool is_host_octet(unsigned char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '.' || c >= 0x80;
}

/* An address of another domain: "@", and a name with a dot. */
static bool has_other_address(str text, str domain)
{
	struct cursor c = cursor_of(text);
	str host;

	while (cursor_take_until(&c, '@'), cursor_accept(&c, '@')) {
		host = cursor_take_while(&c, is_host_octet);
		if (str_find(host, '.') < host.n && !str_equal_nocase(host, domain))
			return true;
	}
	return false;
}

/* Programs that decode first and parse then find an address in it: in angle brackets, in a list, or alone. */
static bool reads_as_address(str text, str domain)
{
	bool alone = str_find(text, ' ') == text.n;

	return (alone || str_find(text, '<') < text.n || str_find(text, ',') < text.n) &&
	       has_other_address(text, domain);
}

static err read_name(str value, struct arena *a, struct dmarc_author *out)
{
	BUF(raw, FIELD_MAX);
	BUF(decoded, 4 * FIELD_MAX);
	BUF(text, NAME_MAX_OCTETS);

	if (!display_name(value, &raw))
		return refuse("From has a list of addresses, or a group");
	encoded_words_decode(&decoded, buf_str(&raw));
	str name = str_trim(buf_str(&decoded));
	if (encoded_words_any(buf_str(&raw)) && reads_as_address(name, out->domain))
		return refuse("an encoded word of From has another address in it");
	(void)!charset_to_utf8(&text, STR("utf-8"), name);
	out->name = arena_str(a, str_trim(buf_str(&text)));
	for (size_t i = 0; i < out->name.n; i++)
		if ((unsigned char)out->name.p[i] < ' ' || out->name.p[i] == 0x7f)
			return refuse("From has control characters");
	return OK;
}

/* --- the address --- */

/* An A-label that stands for no U-label may become another one each time: then it is none. */
static err fold(str name, struct arena *a, str *out)
{
	str again;
	err e = domain_name_fold(name, a, out);

	if (e == OK)
		e = domain_name_fold(*out, a, &again);
	return e == OK && !str_equal(*out, again) ? E_SYNTAX : e;
}

static err read_address(str value, struct arena *a, struct dmarc_author *out)
{
	struct mailbox_list list;
	struct address address;
	err e = mailbox_list_parse(value, a, &list);

	if (e == E_LIMIT)
		return a->full ? e : refuse("From has too many addresses");
	if (e != OK || list.n == 0)
		return refuse("From has no address that can be read");
	if (list.n > 1)
		return refuse("From has several addresses");
	if (address_parse(list.addresses[0], true, &address) != OK || address.literal)
		return refuse("the address of From has no domain");
	if (str_contains(address.local, STR("=?")))
		return refuse("the address of From is an encoded word");
	if (fold(address.domain, a, &out->domain) != OK)
		return a->full ? E_LIMIT : refuse("the domain of From can be none");
	out->address = arena_printf(a, STR_FMT "@" STR_FMT, STR_ARG(address.local), STR_ARG(out->domain));
	return OK;
}

err dmarc_author_find(str header, struct arena *a, struct dmarc_author *out)
{
	struct header_field f = {0};
	err e = find_field(header, &f);

	*out = (struct dmarc_author){0};
	if (e == OK)
		e = read_address(f.value, a, out);
	if (e == OK)
		e = read_name(f.value, a, out);
	return a->full ? err_note(E_LIMIT, "no memory for From") : e;
}
