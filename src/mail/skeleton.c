/* SPDX-License-Identifier: ISC */
#include "mail/skeleton.h"

#include <idn2.h>
#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>

#include "base/buf.h"

enum { TEXT_MAX = 4 << 10, WORDS_MAX = 256 };

/* --- characters (Unicode TS 39 4, confusables.txt) --- */

/* What letters look like that are not Latin, or are so with a stroke: those with accents fall apart by themselves. In lower case; sorted. */
static const struct {
	uint32_t code;
	const char *looks;
} table[] = {
	{0xe6, "ae"},  {0xf0, "d"},   {0xf8, "o"},   {0xfe, "p"},   {0x111, "d"},  {0x127, "h"},  {0x131, "l"},
	{0x138, "k"},  {0x142, "l"},  {0x14b, "n"},  {0x153, "oe"}, {0x167, "t"},  {0x180, "b"},  {0x192, "f"},
	{0x19a, "l"},  {0x1b6, "z"},  {0x1dd, "e"},  {0x225, "z"},  {0x23c, "c"},  {0x249, "j"},  {0x24d, "r"},
	{0x24f, "y"},  {0x251, "a"},  {0x253, "b"},  {0x257, "d"},  {0x259, "e"},  {0x260, "g"},  {0x261, "g"},
	{0x262, "g"},  {0x266, "h"},  {0x268, "l"},  {0x269, "l"},  {0x26a, "l"},  {0x26f, "w"},  {0x274, "n"},
	{0x280, "r"},  {0x28b, "v"},  {0x28f, "y"},  {0x299, "b"},  {0x29c, "h"},  {0x29f, "l"},  {0x3b1, "a"},
	{0x3b2, "b"},  {0x3b3, "y"},  {0x3b5, "e"},  {0x3b6, "z"},  {0x3b7, "n"},  {0x3b9, "l"},  {0x3ba, "k"},
	{0x3bc, "u"},  {0x3bd, "v"},  {0x3bf, "o"},  {0x3c1, "p"},  {0x3c3, "o"},  {0x3c4, "t"},  {0x3c5, "u"},
	{0x3c7, "x"},  {0x3c9, "w"},  {0x3f2, "c"},  {0x3f3, "j"},  {0x430, "a"},  {0x432, "b"},  {0x433, "r"},
	{0x435, "e"},  {0x43a, "k"},  {0x43c, "m"},  {0x43d, "h"},  {0x43e, "o"},  {0x43f, "n"},  {0x440, "p"},
	{0x441, "c"},  {0x442, "t"},  {0x443, "y"},  {0x445, "x"},  {0x448, "w"},  {0x44c, "b"},  {0x455, "s"},
	{0x456, "l"},  {0x458, "j"},  {0x45b, "h"},  {0x461, "w"},  {0x475, "v"},  {0x491, "r"},  {0x4af, "y"},
	{0x4bb, "h"},  {0x4bd, "e"},  {0x4cf, "l"},  {0x501, "d"},  {0x51b, "q"},  {0x51d, "w"},  {0x561, "w"},
	{0x563, "q"},  {0x566, "q"},  {0x570, "h"},  {0x578, "n"},  {0x57c, "n"},  {0x57d, "u"},  {0x581, "g"},
	{0x584, "f"},  {0x585, "o"},  {0x5c0, "l"},  {0x5d5, "l"},  {0x5df, "l"},  {0x5e1, "o"},  {0x665, "o"},
	{0x6f5, "o"},  {0x966, "o"},  {0x10e7, "y"}, {0x13a0, "d"}, {0x13a1, "r"}, {0x13a2, "t"}, {0x13a5, "l"},
	{0x13aa, "a"}, {0x13ab, "j"}, {0x13ac, "e"}, {0x13b3, "w"}, {0x13b7, "m"}, {0x13bb, "h"}, {0x13c0, "g"},
	{0x13c2, "h"}, {0x13c3, "z"}, {0x13cf, "b"}, {0x13d2, "r"}, {0x13d4, "w"}, {0x13d5, "s"}, {0x13d9, "v"},
	{0x13da, "s"}, {0x13de, "l"}, {0x13df, "c"}, {0x13e2, "p"}, {0x13e6, "k"}, {0x13f4, "b"}, {0x1d00, "a"},
	{0x1d04, "c"}, {0x1d05, "d"}, {0x1d07, "e"}, {0x1d0a, "j"}, {0x1d0b, "k"}, {0x1d0d, "m"}, {0x1d0f, "o"},
	{0x1d18, "p"}, {0x1d1b, "t"}, {0x1d1c, "u"}, {0x1d20, "v"}, {0x1d21, "w"}, {0x1d22, "z"}, {0x1d83, "g"},
	{0x2010, "-"}, {0x2012, "-"}, {0x2013, "-"}, {0x2014, "-"}, {0x2015, "-"}, {0x2044, "/"}, {0x2212, "-"},
	{0x2215, "/"}, {0x2c9f, "o"}, {0x2ca3, "p"}, {0x3002, "."}, {0xa4f4, "u"}, {0xa731, "s"},
};

static const char *looks_like(uint32_t code)
{
	size_t low = 0, high = ARRAY_LEN(table);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (table[middle].code == code)
			return table[middle].looks;
		if (table[middle].code < code)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Letters that are told apart by their case alone, or hardly. */
static char plain_ascii(char c)
{
	switch (c) {
	case 'i':
	case '1':
	case '|':
		return 'l';
	case '0':
		return 'o';
	default:
		return c;
	}
}

/* Accents, and what nobody sees: joiners, direction marks, variation selectors. */
static bool is_invisible(uint32_t code)
{
	return uc_is_general_category_withtable(code, UC_CATEGORY_MASK_Mn | UC_CATEGORY_MASK_Me | UC_CATEGORY_MASK_Cf |
	                                                      UC_CATEGORY_MASK_Cc);
}

static void put_char(struct buf *out, str s, uint32_t code)
{
	const char *looks = looks_like(code);

	if (is_invisible(code))
		return;
	if (looks != NULL)
		buf_puts(out, looks);
	else if (code < 0x80)
		buf_putc(out, plain_ascii((char)code));
	else
		buf_put(out, s);
}

/* "rn" is read as m, "vv" as w. */
static void join_pairs(struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		bool two = i + 1 < b->n;
		bool m = two && b->p[i] == 'r' && b->p[i + 1] == 'n', w = two && b->p[i] == 'v' && b->p[i + 1] == 'v';

		b->p[n++] = (char)(m ? 'm' : w ? 'w' : b->p[i]);
		i += m || w;
	}
	b->n = n;
}

/* Case and compatibility forms folded, taken apart. What is no UTF-8 is left out. False: no memory. */
static bool fold(str text, struct buf *out)
{
	size_t n = 0;
	uint32_t code;
	uint8_t *folded = u8_casefold((const uint8_t *)text.p, text.n, NULL, UNINORM_NFKD, NULL, &n);
	str rest = str_make((const char *)folded, n);

	for (size_t size; rest.n > 0; rest = str_drop(rest, size)) {
		size = str_utf8_char(rest, &code);
		if (size > 0)
			put_char(out, str_take(rest, size), code);
		else
			size = 1;
	}
	free(folded);
	join_pairs(out);
	return folded != NULL && !out->full;
}

/* The well-formed characters alone: libunistring takes nothing else. */
static void put_utf8(struct buf *out, str text)
{
	uint32_t code;

	for (size_t size; text.n > 0; text = str_drop(text, size > 0 ? size : 1)) {
		size = str_utf8_char(text, &code);
		buf_put(out, str_take(text, size));
	}
}

/* --- an address --- */

static void put_u_labels(struct buf *out, str domain)
{
	char z[TEXT_MAX], *shown = NULL;

	if (domain.n < sizeof(z) && str_find(domain, '\0') == domain.n && str_is_ascii(domain)) {
		memcpy(z, domain.p, domain.n);
		z[domain.n] = 0;
		if (idn2_to_unicode_8z8z(z, &shown, 0) != IDN2_OK)
			shown = NULL;
	}
	if (shown != NULL)
		buf_puts(out, shown);
	else
		put_utf8(out, domain);
	idn2_free(shown);
}

str skeleton_address(struct arena *a, str address)
{
	BUF(text, 4 * TEXT_MAX);
	BUF(out, 8 * TEXT_MAX);
	size_t at = str_find_last(address, '@');

	address = str_take(address, TEXT_MAX - 1);
	put_utf8(&text, str_take(address, at));
	if (at < address.n) {
		buf_putc(&text, '@');
		put_u_labels(&text, str_drop(address, at + 1));
	}
	if (text.n == 0)
		return arena_str(a, STR(""));
	return fold(buf_str(&text), &out) ? arena_str(a, buf_str(&out)) : STR_NONE;
}

/* --- a name --- */

static int compare_words(const void *a, const void *b)
{
	return str_compare(*(const str *)a, *(const str *)b);
}

/* Letters, digits, and marks of scripts that have vowels as marks. */
static bool is_of_word(uint32_t code)
{
	return uc_is_general_category_withtable(code, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_N | UC_CATEGORY_MASK_Mc);
}

/* The next word off `rest`, empty at the end. */
static str next_word(str *rest)
{
	uint32_t code = 0;
	size_t begin = 0, end, size;

	while ((size = str_utf8_char(str_drop(*rest, begin), &code)) > 0 && !is_of_word(code))
		begin += size;
	for (end = begin; (size = str_utf8_char(str_drop(*rest, end), &code)) > 0 && is_of_word(code);)
		end += size;
	str word = str_drop(str_take(*rest, end), begin);
	*rest = str_drop(*rest, end);
	return word;
}

str skeleton_name(struct arena *a, str name)
{
	BUF(text, TEXT_MAX);
	BUF(folded, 8 * TEXT_MAX);
	BUF(out, 9 * TEXT_MAX);
	str *words = arena_array(a, WORDS_MAX, sizeof(*words)), rest, word;
	size_t n = 0;

	put_utf8(&text, str_take(name, TEXT_MAX));
	if (text.n > 0 && !fold(buf_str(&text), &folded))
		return STR_NONE;
	rest = buf_str(&folded);
	while (words != NULL && n < WORDS_MAX && (word = next_word(&rest)).n > 0)
		words[n++] = word;
	if (n > 0)
		qsort(words, n, sizeof(*words), compare_words);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_putc(&out, ' ');
		buf_put(&out, words[i]);
	}
	return words == NULL || out.full ? STR_NONE : arena_str(a, buf_str(&out));
}
