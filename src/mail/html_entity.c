/* SPDX-License-Identifier: ISC */
#include "mail/html_entity.h"

#include "base/encode.h"

enum { REFERENCE_MAX = 12, CODE_MAX = 0x10ffff, LATIN_FIRST = 160 };

/* U+00A0 to U+00FF. */
static const char *const latin[] = {
	"nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",    "copy",   "ordf",
	"laquo",  "not",    "shy",    "reg",    "macr",   "deg",    "plusmn", "sup2",   "sup3",   "acute",  "micro",
	"para",   "middot", "cedil",  "sup1",   "ordm",   "raquo",  "frac14", "frac12", "frac34", "iquest", "Agrave",
	"Aacute", "Acirc",  "Atilde", "Auml",   "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute", "Ecirc",  "Euml",
	"Igrave", "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde", "Ouml",
	"times",  "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",  "szlig",  "agrave", "aacute",
	"acirc",  "atilde", "auml",   "aring",  "aelig",  "ccedil", "egrave", "eacute", "ecirc",  "euml",   "igrave",
	"iacute", "icirc",  "iuml",   "eth",    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide",
	"oslash", "ugrave", "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml",
};

static const struct {
	const char *name;
	uint32_t code;
} others[] = {
	{"amp", '&'},      {"lt", '<'},       {"gt", '>'},       {"quot", '"'},      {"apos", '\''},
	{"ndash", 0x2013}, {"mdash", 0x2014}, {"lsquo", 0x2018}, {"rsquo", 0x2019},  {"sbquo", 0x201a},
	{"ldquo", 0x201c}, {"rdquo", 0x201d}, {"bdquo", 0x201e}, {"bull", 0x2022},   {"hellip", 0x2026},
	{"euro", 0x20ac},  {"trade", 0x2122}, {"zwnj", 0x200c},  {"zwj", 0x200d},    {"lrm", 0x200e},
	{"rlm", 0x200f},   {"ensp", 0x2002},  {"emsp", 0x2003},  {"thinsp", 0x2009}, {"rarr", 0x2192},
	{"larr", 0x2190},
};

/* "#233" or "#xe9", without what is around it. */
static bool read_number(str text, uint32_t *code)
{
	bool hex = text.n > 1 && (text.p[1] == 'x' || text.p[1] == 'X');
	str digits = str_drop(text, hex ? 2 : 1);
	uint32_t c = 0;

	for (size_t i = 0; i < digits.n; i++) {
		int v = hex_digit(digits.p[i]);
		if (v < 0 || v >= (hex ? 16 : 10) || c > CODE_MAX)
			return false;
		c = c * (hex ? 16 : 10) + (uint32_t)v;
	}
	*code = c > CODE_MAX || (c >= 0xd800 && c < 0xe000) || c == 0 ? 0xfffd : c;
	return digits.n > 0;
}

static bool find_code(str name, uint32_t *code)
{
	if (name.n > 0 && name.p[0] == '#')
		return read_number(name, code);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (str_equal(name, str_from(others[i].name))) {
			*code = others[i].code;
			return true;
		}
	for (size_t i = 0; i < ARRAY_LEN(latin); i++)
		if (str_equal(name, str_from(latin[i]))) {
			*code = (uint32_t)(LATIN_FIRST + i);
			return true;
		}
	return false;
}

static bool is_of_name(char c)
{
	return c == '#' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The reference that `s` begins with; its octets, 0 none. The semicolon may be missing. */
static size_t read_reference(str s, uint32_t *code)
{
	str name = str_drop(str_take(s, REFERENCE_MAX), 1);
	size_t n = 0;

	while (n < name.n && is_of_name(name.p[n]))
		n++;
	if (n == 0 || !find_code(str_take(name, n), code))
		return 0;
	return 1 + n + (n < name.n && name.p[n] == ';');
}

void html_entities_decode(struct buf *out, str text)
{
	while (text.n > 0) {
		size_t plain = str_find(text, '&');
		uint32_t code = 0;
		buf_put(out, str_take(text, plain));
		text = str_drop(text, plain);
		if (text.n == 0)
			return;
		size_t n = read_reference(text, &code);
		if (n == 0)
			buf_putc(out, '&');
		else
			buf_utf8(out, code);
		text = str_drop(text, n == 0 ? 1 : n);
	}
}
