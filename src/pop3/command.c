/* SPDX-License-Identifier: ISC */
#include "pop3/command.h"

enum arguments { WORDS, WHOLE };

static const struct syntax {
	str name;
	enum pop3_verb verb;
	enum arguments kind; /* WHOLE: blanks belong to the only argument (RFC 1939 7, PASS) */
	size_t least, most;  /* words */
} commands[] = {
	{STR("AUTH"), POP3_AUTH, WORDS, 1, 2}, {STR("CAPA"), POP3_CAPA, WORDS, 0, 0},
	{STR("DELE"), POP3_DELE, WORDS, 1, 1}, {STR("LANG"), POP3_LANG, WORDS, 0, 1},
	{STR("LIST"), POP3_LIST, WORDS, 0, 1}, {STR("NOOP"), POP3_NOOP, WORDS, 0, 0},
	{STR("PASS"), POP3_PASS, WHOLE, 1, 1}, {STR("QUIT"), POP3_QUIT, WORDS, 0, 0},
	{STR("RETR"), POP3_RETR, WORDS, 1, 1}, {STR("RSET"), POP3_RSET, WORDS, 0, 0},
	{STR("STAT"), POP3_STAT, WORDS, 0, 0}, {STR("STLS"), POP3_STLS, WORDS, 0, 0},
	{STR("TOP"), POP3_TOP, WORDS, 2, 2},   {STR("UIDL"), POP3_UIDL, WORDS, 0, 1},
	{STR("USER"), POP3_USER, WHOLE, 1, 1}, {STR("UTF8"), POP3_UTF8, WORDS, 0, 0},
};

str pop3_line_text(str line)
{
	if (str_ends(line, STR("\n")))
		line.n--;
	if (str_ends(line, STR("\r")))
		line.n--;
	return line;
}

static const struct syntax *find(str name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (str_equal_nocase(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/* False: more than there can be. */
static bool split(str argument, struct pop3_command *out)
{
	for (str word; (word = str_word(&argument)).n > 0;) {
		if (out->words_n == ARRAY_LEN(out->words))
			return false;
		out->words[out->words_n++] = word;
	}
	return true;
}

err pop3_command_parse(str line, struct pop3_command *out)
{
	str name;

	*out = (struct pop3_command){0};
	str_cut(pop3_line_text(line), ' ', &name, &out->argument);
	const struct syntax *s = find(name);
	if (s == NULL)
		return E_NOT_FOUND;
	out->verb = s->verb;
	if (s->kind == WHOLE)
		return out->argument.n > 0 ? OK : E_SYNTAX;
	return split(out->argument, out) && out->words_n >= s->least && out->words_n <= s->most ? OK : E_SYNTAX;
}
