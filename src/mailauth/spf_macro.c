/* SPDX-License-Identifier: ISC */
#include "mailauth/spf_macro.h"

#include <arpa/inet.h>

/* A run of octets that stand for themselves, or a macro. */
struct piece {
	str literal;
	bool macro;   /* with a percent sign */
	char letter;  /* lower case; 0: none, `literal` counts */
	bool escaped; /* the letter is upper case: the value is for an URL (RFC 7208 7.3) */
	bool reversed;
	size_t parts; /* at the right; 0: all */
	str delimiters;
};

static bool is_literal(unsigned char c)
{
	return c >= ' ' && c <= '~' && c != '%';
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_delimiter(unsigned char c)
{
	return c == '.' || c == '-' || c == '+' || c == ',' || c == '/' || c == '_' || c == '=';
}

/* --- syntax --- */

static char lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* RFC 7208 7.1: *DIGIT, not zero. Where there are more than any value has parts they are all. */
static size_t transformer(struct cursor *c)
{
	str digits = cursor_take_while(c, is_digit);
	uint64_t n = SIZE_MAX;

	if (digits.n == 0)
		return 0;
	(void)!str_to_u64(digits, SIZE_MAX, &n);
	if (n == 0)
		cursor_fail(c);
	return (size_t)n;
}

/* Behind "%{" */
static void macro(struct cursor *c, struct piece *p)
{
	uint8_t letter = cursor_u8(c);

	p->letter = lower(letter);
	p->escaped = (char)letter != p->letter;
	if (str_find(STR("slodiphcrtv"), p->letter) == sizeof("slodiphcrtv") - 1)
		cursor_fail(c);
	p->parts = transformer(c);
	p->reversed = cursor_accept_nocase(c, STR("r"));
	p->delimiters = cursor_take_while(c, is_delimiter);
	cursor_expect(c, '}');
}

/* Behind "%" */
static void percent(struct cursor *c, struct piece *p)
{
	if (cursor_accept(c, '{'))
		macro(c, p);
	else if (cursor_accept(c, '%'))
		p->literal = STR("%");
	else if (cursor_accept(c, '_'))
		p->literal = STR(" ");
	else if (cursor_accept(c, '-'))
		p->literal = STR("%20");
	else
		cursor_fail(c);
}

/* False at the end, and at what is malformed: then the cursor has failed. */
static bool next_piece(struct cursor *c, struct piece *p)
{
	*p = (struct piece){0};
	if (cursor_end(c))
		return false;
	p->macro = cursor_accept(c, '%');
	if (p->macro) {
		percent(c, p);
	} else {
		p->literal = cursor_take_while(c, is_literal);
		if (p->literal.n == 0)
			cursor_fail(c);
	}
	return !c->failed;
}

bool spf_macro_is_valid(str text)
{
	struct cursor c = cursor_of(text);
	struct piece p;

	while (next_piece(&c, &p))
		;
	return !c.failed;
}

/* toplabel = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum ) */
static bool is_top_label(str s)
{
	bool number = true;

	for (size_t i = 0; i < s.n; i++) {
		char c = lower((uint8_t)s.p[i]);

		if (!is_digit((unsigned char)c) && (c < 'a' || c > 'z') && c != '-')
			return false;
		number = number && is_digit((unsigned char)c);
	}
	return s.n > 0 && !number && s.p[0] != '-' && s.p[s.n - 1] != '-';
}

/* "." toplabel [ "." ] */
static bool ends_in_top_label(str s)
{
	if (str_ends(s, STR(".")))
		s.n--;
	size_t dot = str_find_last(s, '.');
	return dot < s.n && is_top_label(str_drop(s, dot + 1));
}

bool spf_macro_is_domain_spec(str text)
{
	struct cursor c = cursor_of(text);
	struct piece p, last = {0};

	for (; next_piece(&c, &p); last = p)
		if (p.letter == 'c' || p.letter == 'r' || p.letter == 't')
			return false;
	return !c.failed && (last.macro || ends_in_top_label(last.literal));
}

/* --- values --- */

static void put_address(const struct spf_check *c, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(c->four ? AF_INET : AF_INET6, c->octets, text, sizeof(text)) != NULL)
		buf_puts(out, text);
}

/* Of IPv6: nibbles with dots between them. */
static void put_dotted(const struct spf_check *c, struct buf *out)
{
	if (c->four)
		return put_address(c, out);
	for (size_t i = 0; i < sizeof(c->octets); i++)
		buf_printf(out, i == 0 ? "%X.%X" : ".%X.%X", c->octets[i] >> 4, c->octets[i] & 15u);
}

static str or_unknown(str s)
{
	return s.n > 0 ? s : STR("unknown");
}

static void put_value(struct spf_check *c, char letter, str domain, struct buf *out)
{
	switch (letter) {
	case 's':
		return buf_put(out, c->sender);
	case 'l':
		return buf_put(out, c->local);
	case 'o':
		return buf_put(out, c->origin);
	case 'd':
		return buf_put(out, domain);
	case 'i':
		return put_dotted(c, out);
	case 'p':
		return buf_put(out, spf_client_name(c, domain));
	case 'v':
		return buf_puts(out, c->four ? "in-addr" : "ip6");
	case 'h':
		return buf_put(out, c->q->helo);
	case 'c':
		return put_address(c, out);
	case 'r':
		return buf_put(out, or_unknown(c->q->receiver));
	default: /* 't' */
		return buf_u64(out, c->q->at > 0 ? (uint64_t)(c->q->at / 1000000) : 0);
	}
}

/* --- transformers (RFC 7208 7.3) --- */

static bool splits(const struct piece *p, char c)
{
	return p->delimiters.n == 0 ? c == '.' : str_find(p->delimiters, c) < p->delimiters.n;
}

/* Octets of the first `n` parts. */
static size_t size_of_first(const struct piece *p, str value, size_t n)
{
	size_t i = 0;

	for (; i < value.n; i++)
		if (splits(p, value.p[i]) && --n == 0)
			break;
	return i;
}

/* Where the last `n` parts begin. */
static size_t start_of_last(const struct piece *p, str value, size_t n)
{
	size_t i = value.n;

	for (; i > 0; i--)
		if (splits(p, value.p[i - 1]) && --n == 0)
			break;
	return i;
}

static void put_parts(const struct piece *p, str value, struct buf *out)
{
	if (p->parts > 0)
		value = str_drop(value, start_of_last(p, value, p->parts));
	for (size_t i = 0; i < value.n; i++)
		buf_putc(out, splits(p, value.p[i]) ? '.' : value.p[i]);
}

/* What stands at the right of the reversed is at the left of the value. */
static void put_reversed(const struct piece *p, str value, struct buf *out)
{
	if (p->parts > 0)
		value = str_take(value, size_of_first(p, value, p->parts));
	for (;;) {
		size_t start = start_of_last(p, value, 1);

		buf_put(out, str_drop(value, start));
		if (start == 0)
			return;
		buf_putc(out, '.');
		value = str_take(value, start - 1);
	}
}

/* RFC 3986 2.3 */
static bool is_unreserved(unsigned char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '.' || c == '_' || c == '~';
}

static void put_escaped(struct buf *out, str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_unreserved(c))
			buf_putc(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

static void put_macro(struct spf_check *c, const struct piece *p, str domain, struct buf *out)
{
	BUF(value, SPF_NAME_MAX);
	BUF(parts, SPF_NAME_MAX);

	put_value(c, p->letter, domain, &value);
	if (p->reversed)
		put_reversed(p, buf_str(&value), &parts);
	else
		put_parts(p, buf_str(&value), &parts);
	if (value.full || parts.full)
		out->full = true;
	if (p->escaped)
		put_escaped(out, buf_str(&parts));
	else
		buf_put(out, buf_str(&parts));
}

void spf_macro_expand(struct spf_check *c, str text, str domain, struct buf *out)
{
	struct cursor at = cursor_of(text);
	struct piece p;

	while (!out->full && next_piece(&at, &p)) {
		if (p.letter != 0)
			put_macro(c, &p, domain, out);
		else
			buf_put(out, p.literal);
	}
}
