/* SPDX-License-Identifier: ISC */
#include "mail/transfer_undo.h"

#include "base/encode.h"

enum { SKIP = 64, PAD = 65 };

static err full(void)
{
	return err_note(E_LIMIT, "content is larger than what is wanted of it");
}

/* As many octets as there is room for, at most `n`. */
static char *reserve(struct buf *out, size_t *n)
{
	size_t room = out->cap - out->n;

	*n = *n < room ? *n : room;
	return *n == 0 ? NULL : buf_reserve(out, *n);
}

static err put_all(struct buf *out, str in)
{
	size_t n = in.n;
	char *to = reserve(out, &n);

	if (to != NULL) {
		memcpy(to, in.p, n);
		buf_commit(out, n);
	}
	return n < in.n || out->full ? full() : OK;
}

/* --- base64 --- */

static unsigned base64_value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)c - 'A';
	if (c >= 'a' && c <= 'z')
		return (unsigned)c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : c == '=' ? PAD : SKIP;
}

static err undo_base64(struct buf *out, str in)
{
	size_t room = in.n / 4 * 3 + 3, n = 0;
	char *to = reserve(out, &room);
	unsigned bits = 0, have = 0;
	bool torn = false;

	for (size_t i = 0; i < in.n; i++) {
		unsigned v = base64_value((unsigned char)in.p[i]);
		if (v == SKIP)
			continue;
		torn = v == PAD ? torn || have == 6 : torn;
		bits = v == PAD ? 0 : bits << 6 | v;
		have = v == PAD ? 0 : have + 6; /* another run may follow */
		if (have < 8)
			continue;
		if (n == room || to == NULL)
			break;
		have -= 8;
		to[n++] = (char)(bits >> have & 0xff);
	}
	buf_commit(out, n);
	if (have >= 8)
		return full();
	return torn || have == 6 ? err_note(E_SYNTAX, "base64 that ends within an octet") : OK;
}

/* --- quoted-printable --- */

/* RFC 2045 6.7 (3): blanks may have been added behind the "=" of a soft line break. Its octets, 0: it is none. */
static size_t soft_break(str in)
{
	size_t n = 1;

	while (n < in.n && (in.p[n] == ' ' || in.p[n] == '\t'))
		n++;
	if (n == in.n)
		return n;
	n += in.p[n] == '\r';
	return n < in.n && in.p[n] == '\n' ? n + 1 : 0;
}

/* What the "=" at the beginning of `in` stands for: written to `to`, how much to *written. Octets that were read. */
static size_t undo_equals(str in, char *to, size_t *written)
{
	int octet = hex_octet(str_drop(in, 1));
	size_t soft = octet >= 0 ? 0 : soft_break(in);

	*written = soft == 0;
	if (soft > 0)
		return soft;
	*to = (char)(octet >= 0 ? octet : '=');
	return octet >= 0 ? 3 : 1;
}

static err undo_quoted(struct buf *out, str in, bool underscores)
{
	size_t room = in.n, n = 0, at = 0;
	char *to = reserve(out, &room);

	while (at < in.n && n < room && to != NULL) {
		char c = in.p[at];
		size_t written = 1;
		if (c == '=') {
			at += undo_equals(str_drop(in, at), to + n, &written);
			n += written;
			continue;
		}
		to[n++] = c == '_' && underscores ? ' ' : c;
		at++;
	}
	buf_commit(out, n);
	return at < in.n ? full() : OK;
}

err transfer_undo(struct buf *out, str encoding, str in)
{
	if (str_equal_nocase(encoding, STR("base64")))
		return undo_base64(out, in);
	if (str_equal_nocase(encoding, STR("quoted-printable")))
		return undo_quoted(out, in, false);
	if (encoding.n == 0 || str_equal_nocase(encoding, STR("7bit")) || str_equal_nocase(encoding, STR("8bit")) ||
	    str_equal_nocase(encoding, STR("binary")))
		return put_all(out, in);
	return err_note(E_SYNTAX, "an unknown transfer encoding");
}

err transfer_undo_q(struct buf *out, str in)
{
	return undo_quoted(out, in, true);
}
