/* SPDX-License-Identifier: ISC */
/* words - text cut into words, and words gathered as tokens, each once. Pure. */
#ifndef SPAM_WORDS_H
#define SPAM_WORDS_H

#include "spam/tokens.h"

enum { WORDS_SLOTS = 4 * TOKENS_MAX };

struct words {
	struct arena *arena;
	struct token *tokens; /* TOKENS_MAX of them */
	size_t n;
	uint16_t *slots; /* WORDS_SLOTS: an open hash table, place in `tokens` + 1 */
	/* Words as they are spelled, a blank behind each: where the tokens point to. */
	char *text;
	size_t at, size; /* where the next word is written; of this piece */
	/* of the field that is read */
	str prefix;            /* "subject:", "" none */
	bool pairs;            /* two words that follow each other are a token, too */
	uint64_t seed, before; /* hash of the prefix; of the word in front, 0 none */
	size_t last, last_n;   /* that word, in `text` */
	bool loose;            /* no token points to it */
};
MUST_USE err words_begin(struct words *w, struct arena *a);
/* From now on words are of a field; those of another are other words. `prefix` must live on. */
void words_field(struct words *w, str prefix, bool pairs);
/* The words of `text` (UTF-8): letters, digits and what stands within words; in lower case; 2 to 40 octets. Scripts without blanks between words give two characters each. */
void words_of_text(struct words *w, str text);
/* All of `word` as one, as it is but for the case of ASCII; more than 40 octets are cut. */
void words_add(struct words *w, str word);

#endif
