/* SPDX-License-Identifier: ISC */
#include "spam/words.h"

#include "spam/hash.h"

enum { WORD_MIN = 2, WORD_MAX = 40, PROBES_MAX = 64, CHARACTER_MAX = 4 };

/* --- tokens --- */

err words_begin(struct words *w, struct arena *a)
{
	*w = (struct words){.arena = a};
	w->tokens = (struct token *)(void *)arena_octets(a, TOKENS_MAX * sizeof *w->tokens);
	w->slots = arena_array(a, WORDS_SLOTS, sizeof *w->slots);
	return w->tokens == NULL || w->slots == NULL ? err_note(E_LIMIT, "no memory for words") : OK;
}

void words_field(struct words *w, str prefix, bool pairs)
{
	w->prefix = prefix;
	w->pairs = pairs;
	w->seed = hash_text(0, prefix);
	w->before = 0;
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

/* "subject:word", or "subject:before word". */
static str spell(struct words *w, str before, str word)
{
	size_t n = w->prefix.n + before.n + (before.n > 0) + word.n;
	char *p = arena_octets(w->arena, n);

	if (p == NULL)
		return STR_NONE;
	memcpy(p, w->prefix.p == NULL ? "" : w->prefix.p, w->prefix.n);
	memcpy(p + w->prefix.n, before.p == NULL ? "" : before.p, before.n);
	if (before.n > 0)
		p[w->prefix.n + before.n] = ' ';
	memcpy(p + n - word.n, word.p, word.n);
	return str_make(p, n);
}

/* `word`: in lower case, at most WORD_MAX octets. */
static void add(struct words *w, str word)
{
	uint64_t h = hash_text(w->seed, word);
	struct token *t = add_hash(w, h);

	if (t != NULL)
		t->word = spell(w, STR_NONE, word);
	if (!w->pairs)
		return;
	t = w->before == 0 ? NULL : add_hash(w, hash_pair(w->before, h));
	if (t != NULL)
		t->word = spell(w, str_make(w->last, w->last_n), word);
	w->before = h;
	memcpy(w->last, word.p, word.n);
	w->last_n = word.n;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

void words_add(struct words *w, str word)
{
	char memory[WORD_MAX];

	word = str_take(word, WORD_MAX);
	for (size_t i = 0; i < word.n; i++)
		memory[i] = lower(word.p[i]);
	if (word.n > 0)
		add(w, str_make(memory, word.n));
}

/* --- text --- */

/* WITHIN: part of a word when it goes on behind it. */
enum kind { APART, PART, WITHIN, VANISHES, IDEOGRAPH };

static const uint8_t ascii[128] = {
	['0' ... '9'] = PART, ['a' ... 'z'] = PART, ['A' ... 'Z'] = PART, ['$'] = PART,
	['!'] = PART,         ['%'] = PART,         ['-'] = WITHIN,       ['\''] = WITHIN,
	['.'] = WITHIN,       [','] = WITHIN,       ['_'] = WITHIN,       ['@'] = WITHIN,
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
	char word[WORD_MAX];
	size_t n, solid;               /* octets; up to the last that was PART. n > WORD_MAX: too long */
	char ideograph[CHARACTER_MAX]; /* the one in front */
	size_t ideograph_n;
};

static void end_word(struct scan *s)
{
	if (s->solid >= WORD_MIN && s->n <= WORD_MAX)
		add(s->words, str_make(s->word, s->solid));
	s->n = s->solid = 0;
}

static void put_octet(struct scan *s, char c, enum kind kind)
{
	if (s->n < WORD_MAX) {
		s->word[s->n++] = c;
		s->solid = kind == PART ? s->n : s->solid;
	} else {
		s->n = kind == PART ? WORD_MAX + 1 : s->n;
	}
}

static void put_character(struct scan *s, str character)
{
	for (size_t i = 0; i < character.n; i++)
		put_octet(s, character.p[i], PART);
}

static void put_ideograph(struct scan *s, str character)
{
	char two[2 * CHARACTER_MAX];

	end_word(s);
	if (s->ideograph_n > 0) {
		memcpy(two, s->ideograph, s->ideograph_n);
		memcpy(two + s->ideograph_n, character.p, character.n);
		add(s->words, str_make(two, s->ideograph_n + character.n));
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

void words_of_text(struct words *w, str text)
{
	struct scan s = {.words = w};
	size_t at = 0;

	while (at < text.n && w->n < TOKENS_MAX) {
		char c = text.p[at];
		if ((unsigned char)c >= 0x80) {
			at += read_character(&s, str_drop(text, at));
			continue;
		}
		s.ideograph_n = 0;
		at++;
		if (ascii[(unsigned char)c] == APART)
			end_word(&s);
		else if (s.n > 0 || ascii[(unsigned char)c] == PART)
			put_octet(&s, lower(c), ascii[(unsigned char)c]);
	}
	end_word(&s);
}
