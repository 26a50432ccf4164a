/* SPDX-License-Identifier: ISC */
#include "smtp/client_hello.h"

#include "smtp/client_reply.h"

static const struct {
	str keyword;
	enum smtp_extension extension;
} extensions[] = {
	{STR("PIPELINING"), SMTP_EXT_PIPELINING},
	{STR("SIZE"), SMTP_EXT_SIZE},
	{STR("8BITMIME"), SMTP_EXT_8BITMIME},
	{STR("CHUNKING"), SMTP_EXT_CHUNKING},
	{STR("BINARYMIME"), SMTP_EXT_BINARYMIME},
	{STR("SMTPUTF8"), SMTP_EXT_SMTPUTF8},
	{STR("DSN"), SMTP_EXT_DSN},
	{STR("STARTTLS"), SMTP_EXT_STARTTLS},
	{STR("AUTH"), SMTP_EXT_AUTH},
	{STR("DELIVERBY"), SMTP_EXT_DELIVERBY},
	{STR("REQUIRETLS"), SMTP_EXT_REQUIRETLS},
	{STR("MT-PRIORITY"), SMTP_EXT_MT_PRIORITY},
	{STR("FUTURERELEASE"), SMTP_EXT_FUTURERELEASE},
	{STR("XFATE"), SMTP_EXT_XFATE},
	{STR("ENHANCEDSTATUSCODES"), SMTP_EXT_ENHANCED},
};

static const struct {
	str name;
	enum hello_mechanism mechanism;
} mechanisms[] = {
	{STR("SCRAM-SHA-256-PLUS"), OFFER_SCRAM_PLUS},
	{STR("SCRAM-SHA-256"), OFFER_SCRAM},
	{STR("PLAIN"), OFFER_PLAIN},
	{STR("LOGIN"), OFFER_LOGIN},
};

static void parse_mechanisms(str words, struct hello_offer *out)
{
	str word;

	while ((word = str_word(&words)).n > 0)
		for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
			if (str_equal_nocase(word, mechanisms[i].name))
				out->mechanisms |= mechanisms[i].mechanism;
}

static uint64_t parse_number(str words)
{
	uint64_t n = 0;

	return str_to_u64(str_word(&words), UINT64_MAX, &n) ? n : 0;
}

static void parse_parameters(enum smtp_extension extension, str words, struct hello_offer *out)
{
	switch (extension) {
	case SMTP_EXT_SIZE:
		out->size_max = parse_number(words);
		break;
	case SMTP_EXT_DELIVERBY:
		out->by_min = parse_number(words);
		break;
	case SMTP_EXT_AUTH:
		parse_mechanisms(words, out);
		break;
	default:
		break;
	}
}

/* RFC 5321 4.1.1.1: ehlo-keyword *( SP ehlo-param ). Some write "AUTH=LOGIN" for clients of the last century. */
static void parse_extension(str line, struct hello_offer *out)
{
	str rest = line, keyword = str_word(&rest);

	if (str_starts_nocase(line, STR("AUTH="))) {
		keyword = STR("AUTH");
		rest = str_drop(line, keyword.n + 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(extensions); i++) {
		if (!str_equal_nocase(keyword, extensions[i].keyword))
			continue;
		out->extensions |= extensions[i].extension;
		parse_parameters(extensions[i].extension, rest, out);
	}
}

/* The first line is the server's name and its greeting. */
void hello_parse(str lines, struct hello_offer *out)
{
	str line;

	*out = (struct hello_offer){0};
	if (!reply_next_line(&lines, &line))
		return;
	while (reply_next_line(&lines, &line))
		parse_extension(str_trim(line), out);
}
