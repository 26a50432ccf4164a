/* SPDX-License-Identifier: ISC */
#include "mailauth/mta_sts.h"

#include "base/cursor.h"

enum { ID_MAX = 32, NAME_MAX_OCTETS = 32, AGE_DIGITS_MAX = 10, LABEL_MAX = 63, DOMAIN_MAX = 253 };

static bool is_alphanumeric(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_name_octet(unsigned char c)
{
	return is_alphanumeric(c) || c == '_' || c == '-' || c == '.';
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static bool all(str s, bool (*is)(unsigned char))
{
	for (size_t i = 0; i < s.n; i++)
		if (!is((unsigned char)s.p[i]))
			return false;
	return true;
}

/* RFC 8461 3.1, sts-ext-name; 3.2, sts-policy-ext-name. */
static bool is_name(str s)
{
	return s.n > 0 && s.n <= NAME_MAX_OCTETS && is_alphanumeric((unsigned char)s.p[0]) && all(s, is_name_octet);
}

static err malformed(const char *what)
{
	return err_note(E_SYNTAX, "MTA-STS: %s", what);
}

/* --- the record --- */

static str trim_blanks(str s)
{
	while (s.n > 0 && is_blank((unsigned char)s.p[0]))
		s = str_drop(s, 1);
	while (s.n > 0 && is_blank((unsigned char)s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool is_value_octet(unsigned char c)
{
	return c > ' ' && c <= '~' && c != ';' && c != '=';
}

/* What is behind "v=STSv1" and the first semicolon. */
static bool cut_version(str record, str *rest)
{
	struct cursor c = cursor_of(record);

	if (!cursor_accept_str(&c, STR("v=STSv1")))
		return false;
	(void)cursor_take_while(&c, is_blank);
	bool is = cursor_accept(&c, ';');
	*rest = cursor_rest(&c);
	return is;
}

static err record_field(str field, str *id)
{
	str name, value;

	if (!str_cut(field, '=', &name, &value) || !is_name(name) || value.n == 0 || !all(value, is_value_octet))
		return malformed("a field of the record is none");
	if (!str_equal(name, STR("id")) || id->n > 0)
		return OK;
	if (value.n > ID_MAX || !all(value, is_alphanumeric))
		return malformed("the record's id has other characters than letters and digits, or too many");
	*id = value;
	return OK;
}

static err record_parse(str fields, str *id)
{
	bool more = true;
	err e = OK;

	*id = STR_NONE;
	while (more && e == OK) {
		str field;
		more = str_cut(fields, ';', &field, &fields);
		field = trim_blanks(field);
		if (more || field.n > 0) /* the last one may be empty */
			e = record_field(field, id);
	}
	return e == OK && id->n == 0 ? malformed("the record has no id") : e;
}

err mta_sts_record(const str *txt, size_t n, str *id)
{
	str fields = STR_NONE, rest;
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		if (!cut_version(txt[i], &rest))
			continue;
		fields = rest;
		found++;
	}
	if (found != 1)
		return err_note(E_NOT_FOUND, "%zu MTA-STS records", found);
	return record_parse(fields, id);
}

/* --- the policy --- */

struct parse {
	struct arena *arena;
	struct mta_sts_policy *out;
	bool version, mode, max_age; /* seen: of the fields that stand once the first one counts */
};

static bool is_label(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alphanumeric((unsigned char)s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return s.n > 0 && s.n <= LABEL_MAX && s.p[0] != '-' && s.p[s.n - 1] != '-';
}

static bool is_domain(str s)
{
	bool more = true, good = s.n <= DOMAIN_MAX;

	while (more && good) {
		str label;
		more = str_cut(s, '.', &label, &s);
		good = is_label(label);
	}
	return good;
}

static str without_dot(str host)
{
	return str_take(host, host.n - (str_ends(host, STR(".")) ? 1 : 0));
}

static err take_mx(struct parse *p, str value)
{
	struct mta_sts_policy *out = p->out;

	value = without_dot(value);
	if (!is_domain(str_drop(value, str_starts(value, STR("*.")) ? 2 : 0)))
		return malformed("an mx of the policy is no name of a host");
	if (out->mx_n == MTA_STS_MX_MAX)
		return malformed("the policy has too many mx");
	if (out->mx == NULL)
		out->mx = arena_array(p->arena, MTA_STS_MX_MAX, sizeof(*out->mx));
	if (out->mx != NULL)
		out->mx[out->mx_n++] = arena_lower(p->arena, value);
	return p->arena->full ? err_note(E_LIMIT, "no memory for an MTA-STS policy") : OK;
}

static err take_version(struct parse *p, str value)
{
	if (!p->version && !str_equal(value, STR("STSv1")))
		return malformed("another version than STSv1");
	p->version = true;
	return OK;
}

static err take_mode(struct parse *p, str value)
{
	static const str modes[] = {
		[MTA_STS_NONE] = STR("none"), [MTA_STS_TESTING] = STR("testing"), [MTA_STS_ENFORCE] = STR("enforce")};

	for (size_t i = 0; i < ARRAY_LEN(modes) && !p->mode; i++) {
		p->mode = str_equal(value, modes[i]);
		p->out->mode = (enum mta_sts_mode)i;
	}
	return p->mode ? OK : malformed("the policy's mode is none that is known");
}

static err take_max_age(struct parse *p, str value)
{
	uint64_t age;

	if (p->max_age)
		return OK;
	if (value.n > AGE_DIGITS_MAX || !str_to_u64(value, UINT64_MAX, &age))
		return malformed("the policy's max_age is no number of seconds");
	p->out->max_age = age > MTA_STS_AGE_MAX ? MTA_STS_AGE_MAX : age;
	p->max_age = true;
	return OK;
}

static err take_field(struct parse *p, str line)
{
	str name, value;

	if (!str_cut(line, ':', &name, &value) || !is_name(name))
		return malformed("a line of the policy is no field");
	value = trim_blanks(value);
	if (str_equal(name, STR("version")))
		return take_version(p, value);
	if (str_equal(name, STR("mode")))
		return take_mode(p, value);
	if (str_equal(name, STR("max_age")))
		return take_max_age(p, value);
	return str_equal(name, STR("mx")) ? take_mx(p, value) : OK;
}

static err take_line(struct parse *p, str line)
{
	if (str_ends(line, STR("\r")))
		line.n--;
	for (size_t i = 0; i < line.n; i++)
		if (str_has_control(str_take(str_drop(line, i), 1)) && line.p[i] != '\t')
			return malformed("the policy has control characters");
	line = trim_blanks(line);
	return line.n == 0 ? OK : take_field(p, line);
}

static err check_complete(const struct parse *p)
{
	if (!p->version || !p->mode || !p->max_age)
		return malformed("the policy lacks version, mode or max_age");
	if (p->out->mx_n == 0 && p->out->mode != MTA_STS_NONE)
		return malformed("the policy has no mx");
	return OK;
}

err mta_sts_policy_parse(str text, struct arena *a, struct mta_sts_policy *out)
{
	struct parse p = {.arena = a, .out = out};
	bool more = true;
	err e = OK;

	*out = (struct mta_sts_policy){0};
	if (text.n > MTA_STS_POLICY_MAX || !str_is_utf8(text))
		return malformed("the policy is too long, or not UTF-8");
	while (more && e == OK) {
		str line;
		more = str_cut(text, '\n', &line, &text);
		e = take_line(&p, line);
	}
	return e == OK ? check_complete(&p) : e;
}

/* --- hosts --- */

static bool matches(str pattern, str host)
{
	str label, rest;

	if (!str_starts(pattern, STR("*.")))
		return str_equal_nocase(pattern, host);
	return str_cut(host, '.', &label, &rest) && label.n > 0 && str_equal_nocase(str_drop(pattern, 2), rest);
}

bool mta_sts_allows(const struct mta_sts_policy *p, str host)
{
	host = without_dot(host);
	for (size_t i = 0; i < p->mx_n; i++)
		if (matches(p->mx[i], host))
			return true;
	return false;
}
