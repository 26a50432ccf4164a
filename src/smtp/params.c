/* SPDX-License-Identifier: ISC */
#include "smtp/params.h"

#include "base/encode.h"

/* RFC 3461 4.4: ENVID at most 100 characters; 4.2: ORCPT at most 500. */
enum { ENVID_MAX = 100, ORCPT_MAX = 500, SIZE_DIGITS_MAX = 20 };

static err malformed(const char *what)
{
	return err_set(E_SYNTAX, 501, "5.5.4", "%s", what);
}

static err no_memory(void)
{
	return err_set(E_LIMIT, 452, "4.3.1", "Out of memory for this transaction");
}

/* --- MAIL --- */

/* RFC 1870 3: 1*20DIGIT. What does not fit 64 bits is too large for anybody. */
static err parse_size(str value, struct mail_params *out)
{
	if (value.n == 0 || value.n > SIZE_DIGITS_MAX)
		return malformed("SIZE is a number of octets");
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] < '0' || value.p[i] > '9')
			return malformed("SIZE is a number of octets");
	if (!str_to_u64(value, UINT64_MAX, &out->size))
		out->size = UINT64_MAX;
	return OK;
}

static err parse_body(str value, struct mail_params *out)
{
	if (str_equal_nocase(value, STR("7BIT")))
		out->body = BODY_7BIT;
	else if (str_equal_nocase(value, STR("8BITMIME")))
		out->body = BODY_8BIT;
	else if (str_equal_nocase(value, STR("BINARYMIME")))
		out->body = BODY_BINARY;
	else
		return malformed("BODY is 7BIT, 8BITMIME or BINARYMIME");
	return OK;
}

static err parse_ret(str value, struct mail_params *out)
{
	if (str_equal_nocase(value, STR("FULL")))
		out->ret = DSN_RET_FULL;
	else if (str_equal_nocase(value, STR("HDRS")))
		out->ret = DSN_RET_HDRS;
	else
		return malformed("RET is FULL or HDRS");
	return OK;
}

/* xtext to a copy in the arena; *out is empty when it is malformed. */
static err decode(str xtext, struct arena *a, str *out)
{
	BUF(text, ORCPT_MAX);

	if (xtext_decode(&text, xtext) != OK)
		return E_SYNTAX;
	*out = arena_str(a, buf_str(&text));
	return a->full ? no_memory() : OK;
}

static err parse_envid(str value, struct arena *a, struct mail_params *out)
{
	if (value.n == 0 || value.n > ENVID_MAX)
		return malformed("ENVID has 1 to 100 characters of xtext");
	err e = decode(value, a, &out->envid);
	return e == E_SYNTAX ? malformed("ENVID is not xtext") : e;
}

/* RFC 4954 5: a mailbox in xtext, or <>. */
static err parse_auth(str value, struct mail_params *out)
{
	BUF(text, ORCPT_MAX);

	if (value.n == 0 || value.n > ORCPT_MAX || xtext_decode(&text, value) != OK)
		return malformed("AUTH is an address in xtext, or <>");
	out->auth = true;
	return OK;
}

/* --- RCPT --- */

static uint64_t notify_bit(str word)
{
	static const struct {
		str word;
		uint64_t bit;
	} words[] = {
		{STR("NEVER"), DSN_NEVER},
		{STR("SUCCESS"), DSN_SUCCESS},
		{STR("FAILURE"), DSN_FAILURE},
		{STR("DELAY"), DSN_DELAY},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_equal_nocase(word, words[i].word))
			return words[i].bit;
	return 0;
}

/* RFC 3461 4.1: NEVER stands alone. */
static err parse_notify(str value, struct rcpt_params *out)
{
	bool more = true;

	while (more) {
		str word;
		more = str_cut(value, ',', &word, &value);
		uint64_t bit = notify_bit(word);
		if (bit == 0)
			return malformed("NOTIFY is NEVER, or of SUCCESS,FAILURE,DELAY");
		out->notify |= bit;
	}
	if ((out->notify & DSN_NEVER) != 0 && out->notify != DSN_NEVER)
		return malformed("NOTIFY=NEVER stands alone");
	return OK;
}

/* RFC 822 atom, which is what an address type is. */
static bool is_atom(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' ||
		    str_find(STR("()<>@,;:\\\".[]"), s.p[i]) < sizeof("()<>@,;:\\\".[]") - 1)
			return false;
	return s.n > 0;
}

/* RFC 6533 3: an address of type utf-8 is UTF-8 itself, or ASCII with \x{...}, which is kept as it is; no xtext in
 * either. */
static bool is_utf8_address(str s, bool utf8)
{
	return !str_has_control(s) && str_is_utf8(s) && (utf8 || str_is_ascii(s)) && str_find(s, '+') == s.n &&
	       str_find(s, '=') == s.n;
}

static err parse_orcpt(str value, bool utf8, struct arena *a, struct rcpt_params *out)
{
	str type, xtext, address;
	err e = OK;

	if (!str_cut(value, ';', &type, &xtext) || !is_atom(type) || xtext.n == 0 || value.n > ORCPT_MAX)
		return malformed("ORCPT is a type, a semicolon and an address in xtext");
	if (str_equal_nocase(type, STR("utf-8")) && is_utf8_address(xtext, utf8))
		address = xtext;
	else
		e = decode(xtext, a, &address);
	if (e != OK)
		return e == E_SYNTAX ? malformed("The address of ORCPT is not xtext") : e;
	out->orcpt = arena_printf(a, STR_FMT ";" STR_FMT, STR_ARG(type), STR_ARG(address));
	return a->full ? no_memory() : OK;
}

/* --- what both have in common: keyword or keyword=value, each once --- */

enum keyword { P_SIZE, P_BODY, P_SMTPUTF8, P_RET, P_ENVID, P_AUTH, P_NOTIFY, P_ORCPT, P_COUNT };

static const struct {
	str name;
	bool of_mail;
} keywords[P_COUNT] = {
	[P_SIZE] = {STR("SIZE"), true},      [P_BODY] = {STR("BODY"), true},    [P_SMTPUTF8] = {STR("SMTPUTF8"), true},
	[P_RET] = {STR("RET"), true},        [P_ENVID] = {STR("ENVID"), true},  [P_AUTH] = {STR("AUTH"), true},
	[P_NOTIFY] = {STR("NOTIFY"), false}, [P_ORCPT] = {STR("ORCPT"), false},
};

struct param {
	enum keyword keyword;
	bool has_value;
	str value;
};

static err unknown(str name)
{
	BUF(text, 80);

	escape_text(&text, str_take(name, 40));
	return err_set(E_SYNTAX, 555, "5.5.4", "Unknown parameter " STR_FMT, STR_ARG(buf_str(&text)));
}

/* Takes the next parameter off *rest. `seen` has a bit for each keyword. E_END: no more. */
static err next_param(str *rest, bool of_mail, unsigned *seen, struct param *out)
{
	str word = str_word(rest), name;

	if (word.n == 0)
		return E_END;
	out->has_value = str_cut(word, '=', &name, &out->value);
	for (enum keyword k = 0; k < P_COUNT; k++) {
		if (keywords[k].of_mail != of_mail || !str_equal_nocase(name, keywords[k].name))
			continue;
		if ((*seen & 1u << k) != 0)
			return malformed("A parameter is given twice");
		*seen |= 1u << k;
		out->keyword = k;
		return OK;
	}
	return unknown(name);
}

static err mail_param(const struct param *p, struct arena *a, struct mail_params *out)
{
	switch (p->keyword) {
	case P_SIZE:
		return parse_size(p->value, out);
	case P_BODY:
		return parse_body(p->value, out);
	case P_RET:
		return parse_ret(p->value, out);
	case P_ENVID:
		return parse_envid(p->value, a, out);
	case P_AUTH:
		return parse_auth(p->value, out);
	default:
		out->utf8 = true;
		return p->has_value ? malformed("SMTPUTF8 takes no value") : OK; /* RFC 6531 3.4 */
	}
}

err mail_params_parse(str text, struct arena *a, struct mail_params *out)
{
	unsigned seen = 0;
	struct param p;
	err e;

	*out = (struct mail_params){0};
	while ((e = next_param(&text, true, &seen, &p)) == OK && (e = mail_param(&p, a, out)) == OK)
		;
	return e == E_END ? OK : e;
}

err rcpt_params_parse(str text, bool utf8, struct arena *a, struct rcpt_params *out)
{
	unsigned seen = 0;
	struct param p;
	err e;

	*out = (struct rcpt_params){0};
	while ((e = next_param(&text, false, &seen, &p)) == OK) {
		e = p.keyword == P_NOTIFY ? parse_notify(p.value, out) : parse_orcpt(p.value, utf8, a, out);
		if (e != OK)
			break;
	}
	return e == E_END ? OK : e;
}
