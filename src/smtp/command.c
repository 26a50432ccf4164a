/* SPDX-License-Identifier: ISC */
#include "smtp/command.h"

static const struct {
	str name;
	enum verb verb;
} verbs[] = {
	{STR("MAIL"), SMTP_MAIL},
	{STR("RCPT"), SMTP_RCPT},
	{STR("DATA"), SMTP_DATA},
	{STR("BDAT"), SMTP_BDAT},
	{STR("EHLO"), SMTP_EHLO},
	{STR("HELO"), SMTP_HELO},
	{STR("LHLO"), SMTP_LHLO},
	{STR("RSET"), SMTP_RSET},
	{STR("NOOP"), SMTP_NOOP},
	{STR("QUIT"), SMTP_QUIT},
	{STR("VRFY"), SMTP_VRFY},
	{STR("EXPN"), SMTP_EXPN},
	{STR("HELP"), SMTP_HELP},
	{STR("AUTH"), SMTP_AUTH},
	{STR("STARTTLS"), SMTP_STARTTLS},
	{STR("XFATE"), SMTP_XFATE},
	{STR("ETRN"), SMTP_UNAVAILABLE},
	{STR("TURN"), SMTP_UNAVAILABLE},
	{STR("ATRN"), SMTP_UNAVAILABLE},
	{STR("SEND"), SMTP_UNAVAILABLE},
	{STR("SOML"), SMTP_UNAVAILABLE},
	{STR("SAML"), SMTP_UNAVAILABLE},
	{STR("XCLIENT"), SMTP_UNAVAILABLE},
	{STR("XFORWARD"), SMTP_UNAVAILABLE},
	{STR("GET"), SMTP_HTTP},
	{STR("HEAD"), SMTP_HTTP},
	{STR("POST"), SMTP_HTTP},
	{STR("PUT"), SMTP_HTTP},
	{STR("DELETE"), SMTP_HTTP},
	{STR("OPTIONS"), SMTP_HTTP},
	{STR("PATCH"), SMTP_HTTP},
	{STR("CONNECT"), SMTP_HTTP},
};

static enum verb verb_of(str word)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (str_equal_nocase(word, verbs[i].name))
			return verbs[i].verb;
	return SMTP_UNKNOWN;
}

static str trim_blanks(str s)
{
	while (s.n > 0 && s.p[0] == ' ')
		s = str_drop(s, 1);
	while (s.n > 0 && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

err command_parse(str line, struct command *out)
{
	str word;

	*out = (struct command){.verb = SMTP_UNKNOWN};
	if (!str_ends(line, STR("\r\n")))
		return err_set(E_SYNTAX, 500, "5.5.2", "A command line ends with CR and LF");
	line.n -= 2;
	if (str_has_control(line))
		return err_set(E_SYNTAX, 501, "5.5.2", "A command holds no control characters");
	if (!str_is_utf8(line))
		return err_set(E_SYNTAX, 501, "5.5.2", "A command is UTF-8");
	str_cut(line, ' ', &word, &out->args);
	out->verb = verb_of(word);
	out->args = trim_blanks(out->args); /* RFC 5321 4.1.1: blanks at the end are to be tolerated */
	return OK;
}

bool command_rcpt_follows(str input)
{
	return str_starts_nocase(input, STR("RCPT ")) && str_find(input, '\n') < input.n;
}

err command_path_argument(str args, str keyword, str *path)
{
	if (str_starts_nocase(args, keyword)) {
		*path = trim_blanks(str_drop(args, keyword.n));
		if (path->n > 0)
			return OK;
	}
	return err_set(E_SYNTAX, 501, "5.5.4", "Write " STR_FMT "<address>", STR_ARG(keyword));
}

err command_chunk(str args, uint64_t *size, bool *last)
{
	str number, word;

	str_cut(args, ' ', &number, &word);
	word = trim_blanks(word);
	*last = str_equal_nocase(word, STR("LAST"));
	if (!str_to_u64(number, UINT64_MAX, size) || (word.n > 0 && !*last))
		return err_set(E_SYNTAX, 501, "5.5.4", "Write BDAT size, or BDAT size LAST");
	return OK;
}
