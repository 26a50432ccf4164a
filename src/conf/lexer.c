/* SPDX-License-Identifier: ISC */
#include "conf/lexer.h"

struct lexer lexer_of(str text, struct arena *arena)
{
	struct lexer l = {cursor_of(text), arena, 1, 1};

	cursor_accept_str(&l.in, STR("\xef\xbb\xbf"));
	return l;
}

static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

static bool is_word(unsigned char c)
{
	return !is_control(c) && c != ' ' && c != '"' && c != '{' && c != '}';
}

static bool is_quoted(unsigned char c)
{
	return !is_control(c) && c != '"' && c != '\\';
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_not_newline(unsigned char c)
{
	return c != '\n';
}

/* Columns count characters: UTF-8's continuation bytes add nothing. */
static str take_while(struct lexer *l, bool (*is)(unsigned char))
{
	str s = cursor_take_while(&l->in, is);

	for (size_t i = 0; i < s.n; i++)
		l->column += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return s;
}

static void take_byte(struct lexer *l)
{
	(void)cursor_u8(&l->in);
	l->column++;
}

static struct token bad(struct token t, str what)
{
	t.kind = TOKEN_BAD;
	t.text = what;
	return t;
}

static struct token plain_word(struct lexer *l, struct token t)
{
	t.text = take_while(l, is_word);
	if (cursor_peek(&l->in) == '"')
		return bad(t, STR("a quote inside a word (put quotes around all of it)"));
	return str_is_utf8(t.text) ? t : bad(t, STR("not UTF-8"));
}

/* One piece between quotes: plain bytes, or an escape. False at what ends the word. */
static bool quoted_piece(struct lexer *l, struct buf *out)
{
	str s = take_while(l, is_quoted);

	buf_put(out, s);
	if (cursor_peek(&l->in) != '\\')
		return s.n > 0;
	take_byte(l);
	int c = cursor_peek(&l->in);
	if (c != '"' && c != '\\')
		return false;
	take_byte(l);
	buf_putc(out, (char)c);
	return true;
}

static struct token quoted_word(struct lexer *l, struct token t)
{
	BUF(word, 64 << 10);

	take_byte(l);
	while (quoted_piece(l, &word))
		;
	if (cursor_peek(&l->in) != '"') {
		take_while(l, is_not_newline);
		return bad(t, STR("a quoted word without its end on this line, or with something other than \\\" or "
		                  "\\\\ behind a \\"));
	}
	take_byte(l);
	t.text = arena_str(l->arena, buf_str(&word));
	if (word.full || l->arena->full)
		return bad(t, STR("too long a word"));
	int next = cursor_peek(&l->in);
	if (next == '"' || (next >= 0 && next != '#' && is_word((unsigned char)next)))
		return bad(t, STR("a blank is missing behind the quote"));
	return str_is_utf8(t.text) ? t : bad(t, STR("not UTF-8"));
}

static struct token newline(struct lexer *l, struct token t)
{
	t.kind = TOKEN_NEWLINE;
	take_byte(l);
	l->line++;
	l->column = 1;
	return t;
}

static struct token single(struct lexer *l, struct token t, enum token_kind kind)
{
	t.kind = kind;
	take_byte(l);
	return t;
}

struct token lexer_next(struct lexer *l)
{
	take_while(l, is_blank);
	if (cursor_peek(&l->in) == '#')
		take_while(l, is_not_newline);

	struct token t = {.line = l->line, .column = l->column};
	int c = cursor_peek(&l->in);
	switch (c) {
	case -1:
		t.kind = TOKEN_END;
		return t;
	case '\n':
		return newline(l, t);
	case '{':
		return single(l, t, TOKEN_OPEN);
	case '}':
		return single(l, t, TOKEN_CLOSE);
	case '"':
		return quoted_word(l, t);
	default:
		if (!is_control((unsigned char)c))
			return plain_word(l, t);
		take_byte(l);
		return bad(t, STR("a control character"));
	}
}

bool lexer_needs_quotes(str word)
{
	if (word.n == 0 || word.p[0] == '#')
		return true;
	for (size_t i = 0; i < word.n; i++)
		if (!is_word((unsigned char)word.p[i]))
			return true;
	return false;
}

void lexer_print_word(struct buf *out, str word)
{
	if (!lexer_needs_quotes(word)) {
		buf_put(out, word);
		return;
	}
	buf_putc(out, '"');
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] == '"' || word.p[i] == '\\')
			buf_putc(out, '\\');
		buf_putc(out, word.p[i]);
	}
	buf_putc(out, '"');
}
