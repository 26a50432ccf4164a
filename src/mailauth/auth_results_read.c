/* SPDX-License-Identifier: ISC */
/* The fields of others: which say that they are ours, and what those in a chain of ARC say. */
#include "conf/domain_name.h"
#include "mail/encoded_word.h"
#include "mailauth/auth_results.h"

enum { ID_MAX = 4 << 10, VALUE_MAX = 1 << 10, HOST_MEMORY = 64 << 10 };

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* At its opening bracket; comments are nested (RFC 5322 3.2.2). Fails where it does not end. */
static void comment(struct cursor *c)
{
	size_t depth = 0;

	do {
		uint8_t octet = cursor_u8(c);

		if (octet == '\\')
			(void)cursor_u8(c);
		depth += octet == '(';
		depth -= octet == ')';
	} while (depth > 0 && !c->failed);
}

static void blanks(struct cursor *c)
{
	for (;;) {
		(void)cursor_take_while(c, is_blank);
		if (cursor_peek(c) != '(')
			return;
		comment(c);
	}
}

/* What is in it to `out`. Fails where it does not end. */
static void quoted_string(struct cursor *c, struct buf *out)
{
	cursor_expect(c, '"');
	while (!c->failed && !cursor_accept(c, '"')) {
		(void)cursor_accept(c, '\\');
		buf_put(out, cursor_bytes(c, 1));
	}
}

/* --- is it ours? --- */

/* What stands in front of the first semicolon, by those who read it in whatever way. */
struct id {
	struct buf first; /* its first word */
	struct buf all;   /* all of it, without blanks, comments, quotes, controls */
	bool unclear;     /* something does not end */
};

static void put_id(struct id *id, bool in_first, str octet)
{
	if (octet.n == 0 || (unsigned char)octet.p[0] <= ' ' || octet.p[0] == 0x7f)
		return;
	if (in_first)
		buf_put(&id->first, octet);
	buf_put(&id->all, octet);
}

static void read_id(str value, struct id *id)
{
	struct cursor c = cursor_of(value);
	bool in_first = true;
	int next;

	while ((next = cursor_peek(&c)) >= 0 && next != ';') {
		if (is_blank((unsigned char)next) || next == '(') {
			blanks(&c);
			in_first = id->first.n == 0;
		} else if (next == '"') {
			BUF(content, ID_MAX);
			quoted_string(&c, &content);
			for (size_t i = 0; i < content.n; i++)
				put_id(id, in_first, str_make(content.p + i, 1));
			id->unclear = id->unclear || content.full;
		} else {
			put_id(id, in_first, cursor_bytes(&c, 1));
		}
	}
	id->unclear = id->unclear || c.failed || id->first.full || id->all.full;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The name, and behind it nothing that would make it another name: a dot at the end, a version with or without a slash. */
static bool begins_with_host(str text, str host)
{
	str rest = str_drop(text, host.n);

	if (!str_starts_nocase(text, host))
		return false;
	if (rest.n > 0 && rest.p[0] == '.')
		rest = str_drop(rest, 1);
	if (rest.n == 0)
		return true;
	for (size_t i = 0; i < rest.n && is_digit(rest.p[i]); i++)
		if (i + 1 == rest.n)
			return true;
	if (str_starts(rest, STR("\xc2\xa0"))) /* a blank to some programs: no other name goes on like this */
		return true;
	char c = rest.p[0];
	return !is_digit(c) && ((c | 0x20) < 'a' || (c | 0x20) > 'z') && c != '-' && c != '_' && c != '.' && c > 0;
}

static bool contains_nocase(str text, str part)
{
	for (size_t i = 0; i + part.n <= text.n; i++)
		if (str_starts_nocase(str_drop(text, i), part))
			return true;
	return false;
}

/* U-labels, or an encoded word, that stand for the name. */
static bool is_disguised(str text, str host)
{
	ARENA(a, HOST_MEMORY);
	BUF(decoded, ID_MAX);
	str folded;

	encoded_words_decode(&decoded, text);
	if (encoded_words_any(text) && contains_nocase(buf_str(&decoded), host))
		return true;
	return !str_is_ascii(text) && domain_name_fold(buf_str(&decoded), &a, &folded) == OK &&
	       str_equal_nocase(folded, host);
}

bool auth_results_is_ours(str value, str hostname)
{
	struct id id = {.first = BUF_INIT(ID_MAX), .all = BUF_INIT(ID_MAX)};
	bool ours;

	read_id(value, &id);
	str first = buf_str(&id.first), all = buf_str(&id.all);
	if (id.unclear)
		ours = contains_nocase(value, hostname);
	else
		ours = first.n == 0 || begins_with_host(first, hostname) || begins_with_host(all, hostname) ||
		       is_disguised(first, hostname);
	buf_free(&id.first);
	buf_free(&id.all);
	return ours;
}

/* --- what one says (RFC 8601 2.2) --- */

static bool is_word_octet(unsigned char c)
{
	return c > ' ' && c < 0x7f && str_find(STR("();=\""), (char)c) == 5;
}

/* A word, or a quoted string, which is appended to `out` without its quotes. */
static void read_value(struct cursor *c, struct buf *out)
{
	buf_reset(out);
	blanks(c);
	if (cursor_peek(c) == '"')
		quoted_string(c, out);
	else
		buf_put(out, cursor_take_while(c, is_word_octet));
	if (out->n == 0 || out->full)
		cursor_fail(c);
}

/* The same domain, or an address of it, or "@" and it. */
static bool is_of_domain(str value, str domain)
{
	size_t at = str_find_last(value, '@');

	return domain.n > 0 && str_equal_nocase(at < value.n ? str_drop(value, at + 1) : value, domain);
}

struct wanted {
	str method, property, domain;
};

/* name "=" value, both appended. */
static void read_pair(struct cursor *c, struct buf *name, struct buf *value)
{
	read_value(c, name);
	blanks(c);
	cursor_expect(c, '=');
	read_value(c, value);
	blanks(c);
}

static bool is_method(str text, str method)
{
	(void)!str_cut(text, '/', &text, &(str){0});
	return str_equal_nocase(text, method);
}

/* One result and its properties, up to the semicolon. */
static bool read_result(struct cursor *c, const struct wanted *w, struct buf *name, struct buf *value)
{
	bool passed, found = false;

	read_pair(c, name, value);
	passed = is_method(buf_str(name), w->method) && str_equal_nocase(buf_str(value), STR("pass"));
	while (!cursor_end(c) && cursor_peek(c) != ';') {
		read_pair(c, name, value);
		if (str_equal_nocase(buf_str(name), w->property) && is_of_domain(buf_str(value), w->domain))
			found = true;
	}
	return passed && found;
}

bool auth_results_passed(str value, str method, str property, str domain)
{
	const struct wanted wanted = {method, property, domain};
	struct cursor c = cursor_of(value);
	BUF(name, VALUE_MAX);
	BUF(text, VALUE_MAX);
	bool found = false;

	read_value(&c, &name); /* whose it is */
	blanks(&c);
	if (!cursor_end(&c) && cursor_peek(&c) != ';')
		read_value(&c, &name); /* a version */
	blanks(&c);
	while (!found && cursor_accept(&c, ';')) {
		blanks(&c);
		if (cursor_accept_nocase(&c, STR("none")) || cursor_end(&c))
			continue;
		found = read_result(&c, &wanted, &name, &text) && !c.failed;
	}
	return found;
}
