/* SPDX-License-Identifier: ISC */
/* lexer - the configuration's words. Blanks separate words; a line end is a token, because it ends a statement; `{` and `}` stand
 * for themselves; `#` at the beginning of a word starts a comment; "quotes" hold words with blanks, with \" and \\ in them.
 */
#ifndef CONF_LEXER_H
#define CONF_LEXER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"

enum token_kind {
	TOKEN_WORD,
	TOKEN_OPEN,  /* { */
	TOKEN_CLOSE, /* } */
	TOKEN_NEWLINE,
	TOKEN_END, /* of the text; again and again */
	TOKEN_BAD  /* `text` says what is wrong; reading goes on behind it */
};

struct token {
	enum token_kind kind;
	str text;              /* a view of the input, or in the lexer's arena */
	unsigned line, column; /* from 1; columns count characters */
};

struct lexer {
	struct cursor in;
	struct arena *arena; /* for quoted words */
	unsigned line, column;
};

struct lexer lexer_of(str text, struct arena *arena); /* a byte order mark at the start is dropped */
struct token lexer_next(struct lexer *l);

/* Does a word need quotes to be read as it is? And the word as it has to be written. */
bool lexer_needs_quotes(str word);
void lexer_print_word(struct buf *out, str word);

#endif
