/* SPDX-License-Identifier: ISC */
#include "mail/address.h"

#include <idn2.h>
#include <stdlib.h>

/* RFC 5321 4.5.3.1: octets. A path counts its brackets and source route. */
enum { LOCAL_MAX = 64, DOMAIN_MAX = 255, LABEL_MAX = 63, PATH_MAX_OCTETS = 256, MAILBOX_MAX = PATH_MAX_OCTETS - 2 };

enum { ATEXT = 1, LET_DIG = 2, QTEXT = 4, HEX = 8, DIGIT = 16, HIGH = 32 };

/* Classes of bytes. HIGH is RFC 6531's UTF8-non-ascii: whether the bytes are UTF-8 is checked once for the whole
 * path. */
static const unsigned char classes[256] = {
	['0' ... '9'] = ATEXT | LET_DIG | QTEXT | HEX | DIGIT,
	['A' ... 'F'] = ATEXT | LET_DIG | QTEXT | HEX,
	['G' ... 'Z'] = ATEXT | LET_DIG | QTEXT,
	['a' ... 'f'] = ATEXT | LET_DIG | QTEXT | HEX,
	['g' ... 'z'] = ATEXT | LET_DIG | QTEXT,
	['!'] = ATEXT | QTEXT,
	['#' ... '\''] = ATEXT | QTEXT,
	['*'] = ATEXT | QTEXT,
	['+'] = ATEXT | QTEXT,
	['-'] = ATEXT | QTEXT,
	['/'] = ATEXT | QTEXT,
	['='] = ATEXT | QTEXT,
	['?'] = ATEXT | QTEXT,
	['^' ... '`'] = ATEXT | QTEXT,
	['{' ... '~'] = ATEXT | QTEXT,
	[' '] = QTEXT,
	['('] = QTEXT,
	[')'] = QTEXT,
	[','] = QTEXT,
	['.'] = QTEXT,
	[':'] = QTEXT,
	[';'] = QTEXT,
	['<'] = QTEXT,
	['>'] = QTEXT,
	['@'] = QTEXT,
	['['] = QTEXT,
	[']'] = QTEXT,
	[0x80 ... 0xff] = HIGH,
};

static bool is(int byte, int class)
{
	return byte >= 0 && (classes[byte] & class) != 0;
}

static size_t skip(struct cursor *c, int class)
{
	const char *from = c->p;

	while (is(cursor_peek(c), class))
		c->p++;
	return (size_t)(c->p - from);
}

static str since(const struct cursor *c, const char *from)
{
	return str_make(from, (size_t)(c->p - from));
}

/* Dot-string = Atom *("." Atom) */
static void dot_string(struct cursor *c)
{
	do {
		if (skip(c, ATEXT | HIGH) == 0)
			cursor_fail(c);
	} while (cursor_accept(c, '.'));
}

/* Quoted-string = DQUOTE *(qtextSMTP / quoted-pairSMTP) DQUOTE; a quoted pair is ASCII, RFC 6531 3.3 extends qtext
 * only. */
static void quoted_string(struct cursor *c)
{
	cursor_expect(c, '"');
	while (!cursor_accept(c, '"') && !c->failed) {
		bool pair = cursor_accept(c, '\\');
		int byte = cursor_peek(c);

		if (pair ? byte >= ' ' && byte <= '~' : is(byte, QTEXT | HIGH))
			c->p++;
		else
			cursor_fail(c);
	}
}

/* sub-domain = Let-dig [Ldh-str], or a U-label (RFC 6531 3.3) */
static void label(struct cursor *c)
{
	const char *from = c->p;

	while (is(cursor_peek(c), LET_DIG | HIGH) || cursor_peek(c) == '-')
		c->p++;
	str s = since(c, from);
	if (s.n == 0 || s.n > LABEL_MAX * 4 || s.p[0] == '-' || s.p[s.n - 1] == '-')
		cursor_fail(c);
	if (s.n > LABEL_MAX && str_is_ascii(s))
		cursor_fail(c);
}

static void domain_name(struct cursor *c)
{
	do
		label(c);
	while (cursor_accept(c, '.'));
}

/* Snum 3("." Snum): one to three digits each, 0 to 255 */
static void ipv4(struct cursor *c)
{
	for (int i = 0; i < 4; i++) {
		const char *from = c->p;

		if (i > 0)
			cursor_expect(c, '.');
		if (cursor_number(c, 255) > 255 || since(c, from).n > (i > 0 ? 4u : 3u))
			cursor_fail(c);
	}
}

static bool ipv4_follows(const struct cursor *c)
{
	struct cursor look = *c;

	return skip(&look, DIGIT) > 0 && cursor_peek(&look) == '.';
}

/* RFC 5321 4.1.3, IPv6-addr: eight groups, of which the last two may be dotted; or "::" for at least two groups of
 * zeros. */
static void ipv6(struct cursor *c)
{
	unsigned groups = 0;
	bool compressed = cursor_accept_str(c, STR("::"));

	while (cursor_peek(c) != ']' && !cursor_end(c)) {
		if (ipv4_follows(c)) {
			ipv4(c);
			groups += 2;
			break;
		}
		size_t digits = skip(c, HEX);
		if (digits == 0 || digits > 4 || ++groups > 8)
			cursor_fail(c);
		if (cursor_accept_str(c, STR("::"))) {
			if (compressed)
				cursor_fail(c);
			compressed = true;
		} else if (cursor_peek(c) != ']') {
			cursor_expect(c, ':');
			if (cursor_peek(c) == ']')
				cursor_fail(c);
		}
	}
	if (compressed ? groups > 6 : groups != 8)
		cursor_fail(c);
}

/* No tag but IPv6 is registered, so General-address-literal is always refused. */
static void address_literal(struct cursor *c)
{
	cursor_expect(c, '[');
	if (cursor_accept_nocase(c, STR("IPv6:")))
		ipv6(c);
	else
		ipv4(c);
	cursor_expect(c, ']');
}

static void domain_part(struct cursor *c, struct address *out)
{
	const char *from = c->p;

	out->literal = cursor_peek(c) == '[';
	if (out->literal)
		address_literal(c);
	else
		domain_name(c);
	out->domain = since(c, from);
	if (out->domain.n > DOMAIN_MAX)
		cursor_fail(c);
}

/* Made by a server that forwards, from the sender's whole address: such ones do not fit into 64 octets, and are in use all the same. */
static bool is_rewritten(str local)
{
	local = str_drop(local, local.n > 0 && local.p[0] == '"' ? 1 : 0);
	return (str_starts_nocase(local, STR("SRS0")) || str_starts_nocase(local, STR("SRS1"))) && local.n > 4 &&
	       str_find(STR("=+-"), local.p[4]) < 3;
}

static void local_part(struct cursor *c, struct address *out)
{
	const char *from = c->p;

	if (cursor_peek(c) == '"')
		quoted_string(c);
	else
		dot_string(c);
	out->local = since(c, from);
	if (out->local.n > LOCAL_MAX && !is_rewritten(out->local))
		cursor_fail(c);
}

/* A-d-l = At-domain *("," At-domain), then ":" */
static void source_route(struct cursor *c)
{
	struct address dropped;

	do {
		cursor_expect(c, '@');
		domain_part(c, &dropped);
	} while (cursor_accept(c, ','));
	cursor_expect(c, ':');
}

static void mailbox(struct cursor *c, struct address *out)
{
	local_part(c, out);
	cursor_expect(c, '@');
	domain_part(c, out);
	if (out->local.n + 1 + out->domain.n > MAILBOX_MAX)
		cursor_fail(c);
}

/* What stands between the brackets. RFC 5321 4.1.1.3: postmaster needs no domain. */
static void path_inside(struct cursor *c, struct address *out)
{
	struct cursor look = *c;

	if (cursor_accept_nocase(&look, STR("postmaster")) && (cursor_end(&look) || cursor_peek(&look) == '>')) {
		out->local = str_take(cursor_rest(c), sizeof("postmaster") - 1);
		*c = look;
		return;
	}
	if (cursor_peek(c) == '@')
		source_route(c);
	mailbox(c, out);
}

/* libidn2 writes labels of any length; what it refuses is no domain. NULL, or to be freed with idn2_free. */
static char *to_ascii(struct arena *a, str domain)
{
	char *z = arena_z(a, domain), *out = NULL;

	if (z == NULL || idn2_to_ascii_8z(z, &out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return NULL;
	return out;
}

static bool domain_is_known_to_idna(str domain)
{
	ARENA(a, 4096);
	char *ascii = to_ascii(&a, domain);
	str name = str_from(ascii);
	/* Characters that are mapped to nothing may leave an empty label. */
	bool good = name.n > 0 && name.n <= DOMAIN_MAX && name.p[0] != '.' && name.p[name.n - 1] != '.' &&
	            !str_contains(name, STR(".."));

	idn2_free(ascii);
	return good;
}

static err refuse(struct cursor *c, int reply, const char *status, const char *text)
{
	cursor_fail(c);
	return err_set(E_SYNTAX, reply, status, "%s", text);
}

/* `text` is the path as it came. */
static err check(struct cursor *c, str text, bool utf8_allowed, struct address *out)
{
	if (c->failed)
		return refuse(c, 501, "5.1.3", "This is not an address; write <local@domain>");
	if (text.n > PATH_MAX_OCTETS)
		return refuse(c, 501, "5.1.3", "The address is longer than 256 octets");
	out->utf8 = !str_is_ascii(text);
	if (!out->utf8)
		return OK;
	if (!str_is_utf8(text))
		return refuse(c, 501, "5.1.3", "The address is not valid UTF-8");
	if (!utf8_allowed)
		return refuse(c, 553, "5.6.7", "A UTF-8 address needs the SMTPUTF8 parameter of MAIL");
	if (!str_is_ascii(out->domain) && !domain_is_known_to_idna(out->domain))
		return refuse(c, 501, "5.1.3", "The domain is not a valid international name");
	return OK;
}

err address_parse_path(struct cursor *c, bool utf8_allowed, struct address *out)
{
	*out = (struct address){0};
	while (cursor_accept(c, ' ') || cursor_accept(c, '\t'))
		;
	const char *from = c->p;
	if (!cursor_accept(c, '<')) {
		mailbox(c, out);
		return check(c, since(c, from), utf8_allowed, out);
	}
	if (cursor_accept(c, '>'))
		return OK;
	path_inside(c, out);
	cursor_expect(c, '>');
	return check(c, since(c, from), utf8_allowed, out);
}

err address_parse(str text, bool utf8_allowed, struct address *out)
{
	struct cursor c = cursor_of(text);

	*out = (struct address){0};
	mailbox(&c, out);
	if (!cursor_end(&c))
		cursor_fail(&c);
	return check(&c, text, utf8_allowed, out);
}

void address_print(struct buf *out, const struct address *a)
{
	buf_put(out, a->local);
	if (a->domain.n > 0)
		buf_putc(out, '@');
	buf_put(out, a->domain);
}

str address_unquote(struct arena *a, str local)
{
	if (local.n < 2 || local.p[0] != '"')
		return local;
	char *p = arena_alloc(a, local.n);
	size_t n = 0;
	if (p == NULL)
		return STR_NONE;
	for (size_t i = 1; i < local.n - 1; i++) {
		if (local.p[i] == '\\')
			i++;
		p[n++] = local.p[i];
	}
	return str_make(p, n);
}

str address_quote(struct arena *a, str text)
{
	struct cursor c = cursor_of(text);
	size_t n = 0;

	dot_string(&c);
	if (!c.failed && cursor_end(&c))
		return text;
	char *p = arena_array(a, text.n + 1, 2);
	if (p == NULL)
		return STR_NONE;
	p[n++] = '"';
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			p[n++] = '\\';
		p[n++] = text.p[i];
	}
	p[n++] = '"';
	return str_make(p, n);
}

err address_key(struct arena *a, const struct address *in, str *local, str *domain)
{
	*local = arena_lower(a, address_unquote(a, in->local));
	if (str_is_ascii(in->domain)) {
		*domain = arena_lower(a, in->domain);
	} else {
		char *ascii = to_ascii(a, in->domain);

		if (ascii == NULL && !a->full)
			return err_set(E_SYNTAX, 501, "5.1.3", "The domain is not a valid international name");
		*domain = arena_lower(a, str_from(ascii));
		idn2_free(ascii);
	}
	return a->full ? err_set(E_LIMIT, 452, "4.3.1", "Out of memory for this session") : OK;
}

bool address_is_plain(str local)
{
	static const str special = {"\"\\()<>[]:;@, ", 13};

	for (size_t i = 0; i < local.n; i++)
		if (str_find(special, local.p[i]) < special.n)
			return false;
	return local.n > 0 && !str_has_control(local) && local.p[0] != '.' && local.p[local.n - 1] != '.';
}
