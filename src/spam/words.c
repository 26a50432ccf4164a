/* SPDX-License-Identifier: ISC */
#include "spam/words.h"

#include "spam/hash.h"

enum { WORD_MIN = 2, WORD_MAX = 40, PROBES_MAX = 64, CHARACTER_MAX = 4 };
/* Octets: of a piece of text, and what a word and its tokens take of one at most. */
enum { PIECE = 8 << 10, ROOM = 256 };

/* --- tokens --- */

err words_begin(struct words *w, struct arena *a)
{
	*w = (struct words){.arena = a};
	w->tokens = (struct token *)(void *)arena_octets(a, TOKENS_MAX * sizeof *w->tokens);
	w->slots = arena_array(a, WORDS_SLOTS, sizeof *w->slots);
	w->text = arena_octets(a, PIECE);
	w->size = PIECE;
	return w->tokens == NULL || w->slots == NULL || w->text == NULL ? err_note(E_LIMIT, "no memory for words") : OK;
}

void words_field(struct words *w, str prefix, bool pairs)
{
	w->prefix = prefix;
	w->pairs = pairs;
	w->seed = hash_text(0, prefix);
	w->before = 0;
}

/* There is always room for one more word and its tokens: in a new piece, if need be, to where the last word goes along, for the next one may make a pair with it. */
static void make_room(struct words *w)
{
	char *piece;

	if (w->size - w->at >= ROOM)
		return;
	piece = arena_octets(w->arena, PIECE);
	if (piece == NULL) { /* nobody will see what is written over: the arena is full */
		w->last = w->last_n = w->at = 0;
		return;
	}
	memcpy(piece, &w->text[w->last], w->last_n + 1);
	w->text = piece;
	w->last = 0;
	w->at = w->last_n + 1;
}

/* A place for a hash that is new; NULL: it is there already, or there is no room. Few probes: a message may be made to have many words in one place. */
static struct token *add_hash(struct words *w, uint64_t h)
{
	for (size_t i = 0; i < PROBES_MAX; i++) {
		uint16_t *slot = &w->slots[(h + i) % WORDS_SLOTS];
		if (*slot == 0) {
			if (w->n == TOKENS_MAX)
				return NULL;
			w->tokens[w->n++] = (struct token){.hash = h};
			*slot = (uint16_t)w->n;
			return &w->tokens[w->n - 1];
		}
		if (w->tokens[*slot - 1].hash == h)
			return NULL;
	}
	return NULL;
}

static void append(struct words *w, size_t *end, str s)
{
	if (s.n > 0)
		memcpy(&w->text[*end], s.p, s.n);
	*end += s.n;
}

/* "subject:word", behind *end; without a prefix as it stands. */
static str spell(struct words *w, size_t n, size_t *end)
{
	size_t from = *end;

	if (w->prefix.n == 0)
		return str_make(&w->text[w->at], n);
	append(w, end, w->prefix);
	append(w, end, str_make(&w->text[w->at], n));
	return str_make(&w->text[from], *end - from);
}

/* "subject:before word"; without a prefix both stand side by side. */
static str spell_pair(struct words *w, size_t n, size_t *end)
{
	size_t from = *end;

	if (w->prefix.n == 0)
		return str_make(&w->text[w->last], w->last_n + 1 + n);
	append(w, end, w->prefix);
	append(w, end, str_make(&w->text[w->last], w->last_n + 1));
	append(w, end, str_make(&w->text[w->at], n));
	return str_make(&w->text[from], *end - from);
}

/* The word moves to where the one in front of it is, or stays, and the next one follows it. */
static void keep_last(struct words *w, size_t n, size_t end, bool loose)
{
	if (loose && w->loose && w->before != 0) {
		memmove(&w->text[w->last], &w->text[w->at], n + 1);
		end = w->last + n + 1;
	} else {
		w->last = w->at;
	}
	w->last_n = n;
	w->loose = loose;
	w->at = end;
}

/* The word that was written to `at`: in lower case, at most WORD_MAX octets. */
static void add(struct words *w, size_t n)
{
	uint64_t h = hash_open(w->seed, str_make(&w->text[w->at], n)); /* there is more room than for a word */
	size_t known = w->n, end = w->at + n;
	struct token *t = add_hash(w, h);

	w->text[end++] = ' ';
	if (t != NULL)
		t->word = spell(w, n, &end);
	t = !w->pairs || w->before == 0 ? NULL : add_hash(w, hash_pair(w->before, h));
	if (t != NULL)
		t->word = spell_pair(w, n, &end);
	if (w->pairs)
		keep_last(w, n, end, w->n == known);
	else if (w->n > known)
		w->at = end;
	w->before = w->pairs ? h : 0;
	make_room(w);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

void words_add(struct words *w, str word)
{
	word = str_take(word, WORD_MAX);
	if (word.n == 0)
		return;
	for (size_t i = 0; i < word.n; i++)
		w->text[w->at + i] = lower(word.p[i]);
	add(w, word.n);
}

/* --- text --- */

/* WITHIN: part of a word when it goes on behind it. */
enum kind { APART, WITHIN, BEYOND_ASCII, PART, VANISHES, IDEOGRAPH };

/* Kinds of octets; instead of PART, what such an octet is written as. */
static const unsigned char octets[256] = {
	['0'] = '0',     ['1'] = '1',    ['2'] = '2',    ['3'] = '3',    ['4'] = '4',    ['5'] = '5',
	['6'] = '6',     ['7'] = '7',    ['8'] = '8',    ['9'] = '9',    ['a'] = 'a',    ['b'] = 'b',
	['c'] = 'c',     ['d'] = 'd',    ['e'] = 'e',    ['f'] = 'f',    ['g'] = 'g',    ['h'] = 'h',
	['i'] = 'i',     ['j'] = 'j',    ['k'] = 'k',    ['l'] = 'l',    ['m'] = 'm',    ['n'] = 'n',
	['o'] = 'o',     ['p'] = 'p',    ['q'] = 'q',    ['r'] = 'r',    ['s'] = 's',    ['t'] = 't',
	['u'] = 'u',     ['v'] = 'v',    ['w'] = 'w',    ['x'] = 'x',    ['y'] = 'y',    ['z'] = 'z',
	['A'] = 'a',     ['B'] = 'b',    ['C'] = 'c',    ['D'] = 'd',    ['E'] = 'e',    ['F'] = 'f',
	['G'] = 'g',     ['H'] = 'h',    ['I'] = 'i',    ['J'] = 'j',    ['K'] = 'k',    ['L'] = 'l',
	['M'] = 'm',     ['N'] = 'n',    ['O'] = 'o',    ['P'] = 'p',    ['Q'] = 'q',    ['R'] = 'r',
	['S'] = 's',     ['T'] = 't',    ['U'] = 'u',    ['V'] = 'v',    ['W'] = 'w',    ['X'] = 'x',
	['Y'] = 'y',     ['Z'] = 'z',    ['$'] = '$',    ['!'] = '!',    ['%'] = '%',    ['-'] = WITHIN,
	['\''] = WITHIN, ['.'] = WITHIN, [','] = WITHIN, ['_'] = WITHIN, ['@'] = WITHIN, [128 ... 255] = BEYOND_ASCII,
};

static enum kind kind_of_code(uint32_t c)
{
	if (c == 0xad || (c >= 0x200b && c <= 0x200f) || c == 0x2060 || c == 0xfeff || (c >= 0xfe00 && c <= 0xfe0f))
		return VANISHES;
	if (c < 0xc0 || (c >= 0x2000 && c <= 0x206f) || (c >= 0x3000 && c <= 0x303f) || (c >= 0xff00 && c <= 0xff0f) ||
	    c == 0xfffd)
		return APART;
	if ((c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff) ||
	    (c >= 0xe00 && c <= 0xe7f))
		return IDEOGRAPH;
	return PART;
}

struct scan {
	struct words *words;
	/* Octets of the word so far, at words->at; up to the last that was PART. n > WORD_MAX: it is too long. */
	size_t n, solid;
	char ideograph[CHARACTER_MAX]; /* the one in front */
	size_t ideograph_n;
};

static void end_word(struct scan *s)
{
	if (s->solid >= WORD_MIN && s->n <= WORD_MAX)
		add(s->words, s->solid);
	s->n = s->solid = 0;
}

static char *place(const struct scan *s)
{
	return &s->words->text[s->words->at + s->n];
}

static void put_within(struct scan *s, char c)
{
	if (s->n > 0 && s->n < WORD_MAX) {
		*place(s) = c;
		s->n++;
	}
}

static void put_character(struct scan *s, str character)
{
	if (s->n + character.n > WORD_MAX) {
		s->n = WORD_MAX + 1;
		return;
	}
	memcpy(place(s), character.p, character.n);
	s->n += character.n;
	s->solid = s->n;
}

/* The octets of `text` up to the first that is no PART, in lower case; how many. */
static size_t put_run(struct scan *s, str text)
{
	size_t room = s->n < WORD_MAX ? WORD_MAX - s->n : 0, most = text.n < room ? text.n : room, n = 0;
	char *to = place(s);
	unsigned char c;

	while (n < most && (c = octets[(unsigned char)text.p[n]]) > BEYOND_ASCII)
		to[n++] = (char)c;
	s->n += n;
	s->solid = n > 0 ? s->n : s->solid;
	while (n >= room && n < text.n && octets[(unsigned char)text.p[n]] > BEYOND_ASCII) {
		s->n = WORD_MAX + 1;
		n++;
	}
	return n;
}

static void put_ideograph(struct scan *s, str character)
{
	end_word(s);
	if (s->ideograph_n > 0) {
		memcpy(place(s), s->ideograph, s->ideograph_n);
		memcpy(place(s) + s->ideograph_n, character.p, character.n);
		add(s->words, s->ideograph_n + character.n);
	}
	memcpy(s->ideograph, character.p, character.n);
	s->ideograph_n = character.n;
}

/* The character that `text` begins with; its octets. */
static size_t read_character(struct scan *s, str text)
{
	uint32_t code = 0;
	size_t n = str_utf8_char(text, &code);
	enum kind kind = n == 0 ? APART : kind_of_code(code);

	if (kind == IDEOGRAPH) {
		put_ideograph(s, str_take(text, n));
		return n;
	}
	s->ideograph_n = kind == VANISHES ? s->ideograph_n : 0;
	if (kind == APART)
		end_word(s);
	else if (kind == PART)
		put_character(s, str_take(text, n));
	return n == 0 ? 1 : n;
}

/* The same of an octet, or several, of ASCII. */
static size_t read_octets(struct scan *s, str text)
{
	unsigned char kind = octets[(unsigned char)text.p[0]];

	s->ideograph_n = 0;
	if (kind > BEYOND_ASCII)
		return put_run(s, text);
	if (kind == WITHIN)
		put_within(s, text.p[0]);
	else
		end_word(s);
	return 1;
}

void words_of_text(struct words *w, str text)
{
	struct scan s = {.words = w};

	while (text.n > 0 && w->n < TOKENS_MAX)
		text = str_drop(text,
		                (unsigned char)text.p[0] < 0x80 ? read_octets(&s, text) : read_character(&s, text));
	end_word(&s);
}
