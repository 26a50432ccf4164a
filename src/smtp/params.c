/* SPDX-License-Identifier: ISC */
#include "smtp/params.h"

#include "base/date.h"
#include "base/encode.h"

/* RFC 3461 4.4: ENVID at most 100 characters; 4.2: ORCPT at most 500. */
enum { ENVID_MAX = 100, ORCPT_MAX = 500, SIZE_DIGITS_MAX = 20, SECONDS_DIGITS_MAX = 9 };

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

/* RFC 4865: future-release-integer has 1 to 9 digits, the first of them not 0. */
static err parse_hold_for(str value, struct mail_params *out)
{
	if (value.n == 0 || value.n > SECONDS_DIGITS_MAX || value.p[0] == '0' ||
	    !str_to_u64(value, UINT64_MAX, &out->hold_for))
		return malformed("HOLDFOR is a number of seconds");
	return OK;
}

/* RFC 4865 with its erratum 2040: a date-time of RFC 3339 5.6. */
static err parse_hold_until(str value, struct mail_params *out)
{
	if (str_find(value, ':') == value.n || !date_parse_rfc3339(value, &out->hold_until) || out->hold_until <= 0)
		return malformed("HOLDUNTIL is a time such as 2027-01-31T08:00:00Z");
	return OK;
}

/* "R" or "N", and perhaps "T": reports of each server on the way, which nobody gets but by NOTIFY. */
static enum by_mode by_mode_of(str word)
{
	bool traced = word.n == 2 && (word.p[1] == 'T' || word.p[1] == 't');

	word = str_take(word, word.n - (traced ? 1 : 0));
	if (str_equal_nocase(word, STR("R")))
		return BY_RETURN;
	return str_equal_nocase(word, STR("N")) ? BY_NOTIFY : BY_NONE;
}

/* RFC 2852 4: by-time ";" by-mode [by-trace]; what is to be returned at once need not be sent. */
static err parse_by(str value, struct mail_params *out)
{
	str number, mode;
	uint64_t seconds;
	bool cut = str_cut(value, ';', &number, &mode);
	bool negative = str_starts(number, STR("-"));

	number = str_drop(number, negative || str_starts(number, STR("+")) ? 1 : 0);
	out->by_mode = by_mode_of(mode);
	if (!cut || out->by_mode == BY_NONE || number.n > SECONDS_DIGITS_MAX ||
	    !str_to_u64(number, UINT64_MAX, &seconds))
		return malformed("BY is seconds;R or seconds;N");
	out->by_time = negative ? -(int64_t)seconds : (int64_t)seconds;
	if (out->by_mode == BY_RETURN && out->by_time <= 0)
		return malformed("BY with R needs time that is left");
	return OK;
}

/* RFC 6710 3: -9 to 9, without zeros in front and without a plus. */
static err parse_priority(str value, struct mail_params *out)
{
	bool negative = str_starts(value, STR("-"));
	str digit = str_drop(value, negative ? 1 : 0);

	if (digit.n != 1 || digit.p[0] < (negative ? '1' : '0') || digit.p[0] > '9')
		return err_set(E_SYNTAX, 501, "5.5.2", "MT-PRIORITY is a number from -9 to 9");
	out->priority = (uint64_t)(negative ? 10 - (digit.p[0] - '0') : 10 + (digit.p[0] - '0'));
	return OK;
}

static err parse_flag(const char *what, bool has_value, bool *out)
{
	*out = true;
	return has_value ? malformed(what) : OK;
}

err mail_params_times(const struct mail_params *p, int64_t now, uint64_t *hold_until, uint64_t *deliver_by)
{
	int64_t most = now + HOLD_SECONDS_MAX * USEC_PER_SEC;
	int64_t until = p->hold_for > 0 ? now + (int64_t)p->hold_for * USEC_PER_SEC : p->hold_until;
	int64_t by = p->by_mode == BY_NONE ? 0 : now + p->by_time * USEC_PER_SEC;

	if (p->hold_for > 0 && p->hold_until > 0)
		return malformed("HOLDFOR and HOLDUNTIL exclude each other");
	if (until > most)
		return err_set(E_SYNTAX, 501, "5.5.4", "A message is held back for %d seconds at most",
		               HOLD_SECONDS_MAX);
	if (until > 0 && until < now)
		return malformed("HOLDUNTIL is over");
	if (until > 0 && by > 0 && by <= until)
		return malformed("BY ends before the message is released");
	*hold_until = (uint64_t)until;
	*deliver_by = by > 0 ? (uint64_t)by : 0;
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

enum keyword {
	P_SIZE,
	P_BODY,
	P_SMTPUTF8,
	P_RET,
	P_ENVID,
	P_AUTH,
	P_HOLDFOR,
	P_HOLDUNTIL,
	P_BY,
	P_MT_PRIORITY,
	P_REQUIRETLS,
	P_NOTIFY,
	P_ORCPT,
	P_COUNT
};

static const struct {
	str name;
	bool of_mail;
	unsigned offer; /* bits of enum params_offer that make it known, 0: it always is */
} keywords[P_COUNT] = {
	[P_SIZE] = {STR("SIZE"), true, 0},
	[P_BODY] = {STR("BODY"), true, 0},
	[P_SMTPUTF8] = {STR("SMTPUTF8"), true, 0},
	[P_RET] = {STR("RET"), true, 0},
	[P_ENVID] = {STR("ENVID"), true, 0},
	[P_AUTH] = {STR("AUTH"), true, PARAMS_SUBMISSION},
	[P_HOLDFOR] = {STR("HOLDFOR"), true, PARAMS_SUBMISSION},
	[P_HOLDUNTIL] = {STR("HOLDUNTIL"), true, PARAMS_SUBMISSION},
	[P_BY] = {STR("BY"), true, PARAMS_DELIVERBY},
	[P_MT_PRIORITY] = {STR("MT-PRIORITY"), true, PARAMS_SUBMISSION},
	[P_REQUIRETLS] = {STR("REQUIRETLS"), true, PARAMS_REQUIRETLS},
	[P_NOTIFY] = {STR("NOTIFY"), false, 0},
	[P_ORCPT] = {STR("ORCPT"), false, 0},
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

static bool is_known(enum keyword k, bool of_mail, unsigned offered, str name)
{
	return keywords[k].of_mail == of_mail && (keywords[k].offer & ~offered) == 0 &&
	       str_equal_nocase(name, keywords[k].name);
}

/* Takes the next parameter off *rest. `seen` has a bit for each keyword. E_END: no more. */
static err next_param(str *rest, bool of_mail, unsigned offered, unsigned *seen, struct param *out)
{
	str word = str_word(rest), name;

	if (word.n == 0)
		return E_END;
	out->has_value = str_cut(word, '=', &name, &out->value);
	for (enum keyword k = 0; k < P_COUNT; k++) {
		if (!is_known(k, of_mail, offered, name))
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
	case P_HOLDFOR:
		return parse_hold_for(p->value, out);
	case P_HOLDUNTIL:
		return parse_hold_until(p->value, out);
	case P_BY:
		return parse_by(p->value, out);
	case P_MT_PRIORITY:
		return parse_priority(p->value, out);
	case P_REQUIRETLS:
		return parse_flag("REQUIRETLS takes no value", p->has_value, &out->require_tls);
	default: /* RFC 6531 3.4 */
		return parse_flag("SMTPUTF8 takes no value", p->has_value, &out->utf8);
	}
}

err mail_params_parse(str text, unsigned offered, struct arena *a, struct mail_params *out)
{
	unsigned seen = 0;
	struct param p;
	err e;

	*out = (struct mail_params){0};
	while ((e = next_param(&text, true, offered, &seen, &p)) == OK && (e = mail_param(&p, a, out)) == OK)
		;
	return e == E_END ? OK : e;
}

err rcpt_params_parse(str text, bool utf8, struct arena *a, struct rcpt_params *out)
{
	unsigned seen = 0;
	struct param p;
	err e;

	*out = (struct rcpt_params){0};
	while ((e = next_param(&text, false, 0, &seen, &p)) == OK) {
		e = p.keyword == P_NOTIFY ? parse_notify(p.value, out) : parse_orcpt(p.value, utf8, a, out);
		if (e != OK)
			break;
	}
	return e == E_END ? OK : e;
}
