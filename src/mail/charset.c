/* SPDX-License-Identifier: ISC */
#include "mail/charset.h"

#include <errno.h>
#include <iconv.h>

enum { NAME_MAX_OCTETS = 40, CHUNK = 4 << 10, REPLACEMENT = 0xfffd };

/* What mail says and what iconv is asked for: supersets where they are used under the smaller one's name (WHATWG Encoding 4.2). */
static const struct {
	const char *name, *known;
} names[] = {
	{"windows-1252", "CP1252"},
	{"iso-8859-1", "CP1252"},
	{"iso-8859-2", "ISO-8859-2"},
	{"iso-8859-3", "ISO-8859-3"},
	{"iso-8859-4", "ISO-8859-4"},
	{"iso-8859-5", "ISO-8859-5"},
	{"iso-8859-6", "ISO-8859-6"},
	{"iso-8859-7", "ISO-8859-7"},
	{"iso-8859-8", "ISO-8859-8"},
	{"iso-8859-8-i", "ISO-8859-8"},
	{"iso-8859-9", "CP1254"},
	{"iso-8859-10", "ISO-8859-10"},
	{"iso-8859-13", "ISO-8859-13"},
	{"iso-8859-14", "ISO-8859-14"},
	{"iso-8859-15", "ISO-8859-15"},
	{"iso-8859-16", "ISO-8859-16"},
	{"windows-1250", "CP1250"},
	{"windows-1251", "CP1251"},
	{"windows-1253", "CP1253"},
	{"windows-1254", "CP1254"},
	{"windows-1255", "CP1255"},
	{"windows-1256", "CP1256"},
	{"windows-1257", "CP1257"},
	{"windows-1258", "CP1258"},
	{"windows-874", "CP874"},
	{"tis-620", "CP874"},
	{"koi8-r", "KOI8-R"},
	{"koi8-u", "KOI8-U"},
	{"macintosh", "MACINTOSH"},
	{"iso-2022-jp", "ISO-2022-JP-2"},
	{"shift_jis", "CP932"},
	{"windows-31j", "CP932"},
	{"euc-jp", "EUC-JP"},
	{"gb2312", "GB18030"},
	{"gbk", "GB18030"},
	{"gb18030", "GB18030"},
	{"hz-gb-2312", "GB18030"},
	{"big5", "BIG5-HKSCS"},
	{"big5-hkscs", "BIG5-HKSCS"},
	{"euc-kr", "CP949"},
	{"ks_c_5601-1987", "CP949"},
	{"iso-2022-kr", "ISO-2022-KR"},
	{"utf-16", "UTF-16"},
	{"utf-16le", "UTF-16LE"},
	{"utf-16be", "UTF-16BE"},
	{"utf-7", "UTF-7"},
};
enum { NAMES = ARRAY_LEN(names), WINDOWS_1252 = 0 };

enum { CONVERTER_NEW, CONVERTER_OPEN, CONVERTER_ABSENT };
static struct {
	int state;
	iconv_t handle;
} converters[NAMES];

static bool open_converter(size_t i)
{
	if (converters[i].state == CONVERTER_NEW) {
		converters[i].handle = iconv_open("UTF-8", names[i].known);
		converters[i].state = converters[i].handle == (iconv_t)-1 ? CONVERTER_ABSENT : CONVERTER_OPEN;
	}
	return converters[i].state == CONVERTER_OPEN;
}

void charset_prepare(void)
{
	for (size_t i = 0; i < NAMES; i++)
		(void)open_converter(i);
}

/* NAMES: it is UTF-8, US-ASCII, or not known. */
static size_t find_name(str charset)
{
	size_t i = 0;

	if (str_equal_nocase(charset, STR("utf-8")) || str_equal_nocase(charset, STR("us-ascii")))
		return NAMES;
	if (str_starts_nocase(charset, STR("x-")) && charset.n > 2)
		charset = str_drop(charset, 2);
	while (i < NAMES && !str_equal_nocase(charset, str_from(names[i].name)))
		i++;
	if (i == NAMES && charset.n > 0)
		for (i = 0; i < NAMES && !str_equal_nocase(charset, str_from(names[i].known)); i++)
			;
	return i;
}

/* --- UTF-8 --- */

static bool put_replacement(struct buf *out)
{
	size_t before = out->n;

	buf_puts(out, "\xef\xbf\xbd");
	return out->n > before;
}

/* What fits of well-formed text, by whole characters. */
static bool put_fitting(struct buf *out, str text)
{
	size_t n = out->cap - out->n < text.n ? out->cap - out->n : text.n;

	while (n > 0 && n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
		n--;
	buf_put(out, str_take(text, n));
	return n == text.n && !out->full;
}

/* Octets of ASCII that `text` begins with, but for a few at their end. */
static size_t ascii_size(str text)
{
	uint64_t eight;
	size_t n = 0;

	for (; text.n - n >= sizeof eight; n += sizeof eight) {
		memcpy(&eight, &text.p[n], sizeof eight);
		if ((eight & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	return n;
}

static size_t well_formed(str text)
{
	size_t n = 0;
	uint32_t code;

	while (n < text.n) {
		n += ascii_size(str_drop(text, n));
		size_t size = n == text.n ? 0 : str_utf8_char(str_drop(text, n), &code);
		if (size == 0)
			return n;
		n += size;
	}
	return n;
}

static bool put_repaired(struct buf *out, str text)
{
	while (text.n > 0) {
		size_t n = well_formed(text);
		if (!put_fitting(out, str_take(text, n)))
			return false;
		text = str_drop(text, n);
		if (text.n > 0 && !put_replacement(out))
			return false;
		text = str_drop(text, 1);
	}
	return true;
}

/* --- others --- */

/* One round of iconv into a piece of memory; false: nothing more can be done. */
static bool convert_piece(iconv_t handle, str *in, struct buf *out, bool *fits)
{
	char piece[CHUNK], *from = (char *)(uintptr_t)in->p, *to = piece;
	size_t left = in->n, room = sizeof piece;
	size_t result = iconv(handle, &from, &left, &to, &room);
	int why = result == (size_t)-1 ? errno : 0;

	*in = str_drop(*in, in->n - left);
	*fits = put_fitting(out, str_make(piece, sizeof piece - room));
	if (*fits && (why == EILSEQ || why == EINVAL) && in->n > 0) {
		*in = str_drop(*in, 1);
		*fits = put_replacement(out);
	}
	return *fits && in->n > 0 && (why != 0 || left == 0 || room == 0);
}

static bool convert(iconv_t handle, struct buf *out, str text)
{
	bool fits = true;

	(void)iconv(handle, NULL, NULL, NULL, NULL); /* back to where every text begins */
	while (text.n > 0 && convert_piece(handle, &text, out, &fits))
		;
	return fits;
}

bool charset_to_utf8(struct buf *out, str charset, str text)
{
	size_t i = charset.n > NAME_MAX_OCTETS ? NAMES : find_name(charset);

	if (i == NAMES && well_formed(text) == text.n)
		return put_fitting(out, text);
	if (i == NAMES && !str_equal_nocase(charset, STR("utf-8")))
		i = WINDOWS_1252;
	if (i == NAMES || !open_converter(i))
		return put_repaired(out, text);
	return convert(converters[i].handle, out, text);
}
