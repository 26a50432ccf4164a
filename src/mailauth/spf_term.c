/* SPDX-License-Identifier: ISC */
#include "mailauth/spf_term.h"

#include <arpa/inet.h>

#include "mailauth/spf_macro.h"

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* --- arguments --- */

/* Takes a prefix length ("/24", RFC 7208 5.6: no leading zeros) off the end of `s`. What is none stays, and is an error of what stands before it. */
static bool take_prefix(str *s, unsigned max, unsigned *bits)
{
	size_t slash = str_find_last(*s, '/');
	str digits = str_drop(*s, slash + 1);
	uint64_t n;

	if (slash == s->n || !str_to_u64(digits, max, &n) || (digits.n > 1 && digits.p[0] == '0'))
		return false;
	*s = str_take(*s, slash);
	*bits = (unsigned)n;
	return true;
}

/* dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ] */
static void take_dual_prefix(str *s, struct spf_term *t)
{
	str before = *s;
	unsigned bits;

	if (take_prefix(&before, SPF_SIX_BITS, &bits) && str_ends(before, STR("/"))) {
		t->six = bits;
		*s = str_take(before, before.n - 1);
	}
	(void)take_prefix(s, SPF_FOUR_BITS, &t->four);
}

/* [ ":" domain-spec ], which is all of `s`. */
static bool take_domain(str s, bool needed, struct spf_term *t)
{
	t->domain = str_drop(s, 1);
	if (s.n == 0)
		return !needed;
	return s.p[0] == ':' && spf_macro_is_domain_spec(t->domain);
}

/* ":" network */
static bool take_network(str s, int family, struct spf_term *t)
{
	char z[INET6_ADDRSTRLEN + 1] = "";
	str text = str_drop(s, 1);

	if (text.n == 0 || text.n > INET6_ADDRSTRLEN || s.p[0] != ':' || str_find(text, '\0') < text.n)
		return false;
	memcpy(z, text.p, text.n);
	return inet_pton(family, z, t->network) == 1;
}

static bool take_arguments(str s, struct spf_term *t)
{
	switch (t->kind) {
	case SPF_INCLUDE:
	case SPF_EXISTS:
		return take_domain(s, true, t);
	case SPF_PTR:
		return take_domain(s, false, t);
	case SPF_A:
	case SPF_MX:
		take_dual_prefix(&s, t);
		return take_domain(s, false, t);
	case SPF_IP4:
		(void)take_prefix(&s, SPF_FOUR_BITS, &t->four);
		return take_network(s, AF_INET, t);
	case SPF_IP6:
		(void)take_prefix(&s, SPF_SIX_BITS, &t->six);
		return take_network(s, AF_INET6, t);
	default:
		return s.n == 0;
	}
}

/* --- terms --- */

static enum auth_result take_qualifier(str *s)
{
	static const enum auth_result results[] = {AUTH_PASS, AUTH_FAIL, AUTH_SOFTFAIL, AUTH_NEUTRAL};
	size_t i = str_find(STR("+-~?"), s->n > 0 ? s->p[0] : ' ');

	if (i == ARRAY_LEN(results))
		return AUTH_PASS;
	*s = str_drop(*s, 1);
	return results[i];
}

static bool directive(str s, struct spf_term *t)
{
	static const char *const names[] = {
		[SPF_ALL] = "all", [SPF_INCLUDE] = "include", [SPF_A] = "a",     [SPF_MX] = "mx",
		[SPF_PTR] = "ptr", [SPF_IP4] = "ip4",         [SPF_IP6] = "ip6", [SPF_EXISTS] = "exists",
	};

	t->result = take_qualifier(&s);
	size_t n = str_find(s, ':');
	size_t slash = str_find(s, '/');
	str name = str_take(s, n < slash ? n : slash);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		t->kind = (enum spf_kind)i;
		if (str_equal_nocase(name, str_from(names[i])))
			return take_arguments(str_drop(s, name.n), t);
	}
	return false;
}

/* name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ) */
static bool is_name(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (!is_alpha(c) && (i == 0 || (!is_digit(c) && c != '-' && c != '_' && c != '.')))
			return false;
	}
	return s.n > 0;
}

/* Known names with values that are malformed are no unknown modifiers. */
static bool modifier(str name, str value, struct spf_term *t)
{
	t->domain = value;
	t->kind = str_equal_nocase(name, STR("redirect")) ? SPF_REDIRECT
	          : str_equal_nocase(name, STR("exp"))    ? SPF_EXP
	                                                  : SPF_UNKNOWN;
	if (t->kind == SPF_UNKNOWN)
		return is_name(name) && spf_macro_is_valid(value);
	return spf_macro_is_domain_spec(value);
}

/* RFC 7208 4.6.1: a modifier has its "=" in front of any ":" or "/". */
static bool is_modifier(str s)
{
	size_t equals = str_find(s, '=');

	return equals < s.n && equals < str_find(s, ':') && equals < str_find(s, '/');
}

bool spf_term_next(struct cursor *c, struct spf_term *out)
{
	str name, value;

	while (cursor_accept(c, ' '))
		;
	*out = (struct spf_term){.text = cursor_take_until(c, ' '), .four = SPF_FOUR_BITS, .six = SPF_SIX_BITS};
	if (out->text.n == 0)
		return false;
	(void)!str_cut(out->text, '=', &name, &value);
	if (!(is_modifier(out->text) ? modifier(name, value, out) : directive(out->text, out)))
		cursor_fail(c);
	return !c->failed;
}

#define VERSION "v=spf1"

bool spf_is_record(str text)
{
	return str_starts_nocase(text, STR(VERSION)) &&
	       (text.n == sizeof(VERSION) - 1 || text.p[sizeof(VERSION) - 1] == ' ');
}

struct cursor spf_terms(str record)
{
	return cursor_of(str_drop(record, sizeof(VERSION) - 1));
}
