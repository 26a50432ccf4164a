/* SPDX-License-Identifier: ISC */
#include "smtp/client_reply.h"

#include "base/cursor.h"

enum { TEXT_MAX = 1000 };

const struct reply_limits reply_limits_common = {.line = 1024, .lines = 100, .octets = 64 << 10};

static err malformed(const char *what)
{
	return err_note(E_SYNTAX, "the server's reply is malformed: %s", what);
}

/* A line may end with LF alone, as some servers have it. Nothing can be smuggled by that: what we say never holds a line end, so no server can echo one into
 * its reply that came from us; whoever else can put a LF into a server's reply can put CRLF there as well; and a reply that nobody asked for ends the dialogue
 * (client_begin, client_is_in_turn), it is never taken for the answer to something else that is said later. */
static str without_line_end(str line)
{
	if (str_ends(line, STR("\n")))
		line.n--;
	if (str_ends(line, STR("\r")))
		line.n--;
	return line;
}

/* RFC 5321 4.2: Reply-code [ SP textstring ], or "-" before all lines but the last. There are no 1xx. */
static err parse_line(str line, int *code, bool *last, str *text)
{
	str digits = str_take(line, 3), rest = str_drop(line, 3);
	uint64_t n;

	if (digits.n != 3 || !str_to_u64(digits, 599, &n) || n < 200)
		return malformed("no code");
	if (rest.n > 0 && rest.p[0] != ' ' && rest.p[0] != '-')
		return malformed("no blank behind the code");
	*code = (int)n;
	*last = rest.n == 0 || rest.p[0] == ' ';
	*text = str_drop(rest, 1);
	return OK;
}

err reply_take_line(struct reply_reading *r, str line)
{
	int code = 0;
	str text = STR_NONE;

	r->octets += line.n;
	if (r->octets > r->limits->octets || ++r->lines_n > r->limits->lines)
		return malformed("it does not end");
	err e = parse_line(without_line_end(line), &code, &r->done, &text);
	if (e != OK)
		return e;
	if (r->lines_n > 1 && code != r->code)
		return malformed("its lines have several codes");
	r->code = code;
	buf_put(r->lines, text);
	buf_putc(r->lines, '\n');
	return r->lines->full ? err_note(E_MEMORY, "no memory for a reply") : OK;
}

bool reply_next_line(str *lines, str *text)
{
	return str_cut(*lines, '\n', text, lines);
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 3463 2: class "." subject "." detail, of one, three and three digits at most; a blank or the end behind it. RFC 2034 4: the class is that of the code; one
 * that is not is no status. The status' octets, 0 none. */
static size_t status_size(int code, str text)
{
	struct cursor c = cursor_of(text);

	if (code / 100 == 3 || !cursor_accept(&c, (char)('0' + code / 100)))
		return 0;
	for (int i = 0; i < 2; i++) {
		cursor_expect(&c, '.');
		size_t digits = cursor_take_while(&c, is_digit).n;
		if (digits == 0 || digits > 3)
			return 0;
	}
	if (c.failed || (!cursor_end(&c) && cursor_peek(&c) != ' '))
		return 0;
	return text.n - cursor_left(&c);
}

/* What would break a line or steer a terminal is not handed on: controls (C1 among them), and what is not UTF-8. False: no room for it. */
static bool put_char(struct buf *out, str *in)
{
	uint32_t code = 0;
	size_t n = str_utf8_char(*in, &code);
	str seen = str_take(*in, n > 0 ? n : 1);

	if (n == 0 || code < ' ' || (code >= 0x7f && code < 0xa0))
		seen = code == '\t' ? STR(" ") : STR("?");
	*in = str_drop(*in, n > 0 ? n : 1);
	if (out->n + seen.n > TEXT_MAX)
		return false;
	buf_put(out, seen);
	return true;
}

void reply_print(struct smtp_reply *out, int code, str lines)
{
	str text;

	out->code = code;
	memset(out->status, 0, sizeof(out->status));
	buf_reset(&out->text);
	while (reply_next_line(&lines, &text)) {
		size_t status = status_size(code, text);

		if (status > 0 && out->status[0] == '\0')
			memcpy(out->status, text.p, status);
		text = str_trim(str_drop(text, status));
		if (out->text.n > 0 && out->text.n < TEXT_MAX && text.n > 0)
			buf_putc(&out->text, ' ');
		while (text.n > 0 && put_char(&out->text, &text))
			;
	}
	if (out->status[0] == '\0')
		memcpy(out->status, (char[]){(char)('0' + code / 100), '.', '0', '.', '0', '\0'}, 6);
}
