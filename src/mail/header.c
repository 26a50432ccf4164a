/* SPDX-License-Identifier: ISC */
#include "mail/header.h"

/* Octets of the line that `s` begins with, its LF included. */
static size_t line_size(str s)
{
	size_t at = str_find(s, '\n');

	return at < s.n ? at + 1 : s.n;
}

static str without_line_end(str s)
{
	if (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n > 0 && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* RFC 5322 2.2: a name is printable ASCII but for the colon; 4.5 (obsolete) allows blanks before the colon. */
static str field_name(str line)
{
	size_t n = str_find(line, ':');
	str name = str_take(line, n);

	if (n == line.n)
		return STR_NONE;
	while (name.n > 0 && is_blank(name.p[name.n - 1]))
		name.n--;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~')
			return STR_NONE;
	return name;
}

/* The line a mailbox file puts in front of a message; not a field, and no reason to find no header below it. */
static size_t mbox_line_size(str message)
{
	return str_starts(message, STR("From ")) ? line_size(message) : 0;
}

bool header_next(str message, size_t *at, struct header_field *out)
{
	if (*at == 0)
		*at = mbox_line_size(message);
	str rest = str_drop(message, *at);
	size_t size = line_size(rest);
	str name = field_name(str_take(rest, size));
	if (name.n == 0)
		return false;
	while (size < rest.n && is_blank(rest.p[size]))
		size += line_size(str_drop(rest, size));
	out->name = name;
	out->whole = str_take(rest, size);
	out->value = without_line_end(str_drop(out->whole, str_find(out->whole, ':') + 1));
	*at += size;
	return true;
}

size_t header_size(str message)
{
	struct header_field f;
	size_t at = 0;

	while (header_next(message, &at, &f))
		;
	str line = str_take(str_drop(message, at), line_size(str_drop(message, at)));
	return at + (without_line_end(line).n == 0 ? line.n : 0);
}

bool header_find(str message, str name, struct header_field *out)
{
	size_t at = 0;

	while (header_next(message, &at, out))
		if (str_equal_nocase(out->name, name))
			return true;
	return false;
}

/* RFC 5322 2.2.3: unfolding removes the line end, the blank behind it stays. */
str header_unfold(struct arena *a, str value)
{
	value = str_trim(value);
	if (str_find(value, '\n') == value.n)
		return value;
	char *p = arena_alloc(a, value.n);
	size_t n = 0;
	if (p == NULL)
		return STR_NONE;
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] != '\r' && value.p[i] != '\n')
			p[n++] = value.p[i];
	return str_make(p, n);
}
