/* SPDX-License-Identifier: ISC */
#include "scan/milter_params.h"

#include "base/encode.h"

struct named_bit {
	uint64_t bit;
	const char *text;
};

static void put_word(struct buf *out, const char *text)
{
	buf_puts(out, text);
	buf_putc(out, '\0');
}

void milter_mail_params(struct buf *out, uint64_t flags)
{
	static const struct named_bit words[] = {{MESSAGE_UTF8, "SMTPUTF8"}, {MESSAGE_REQUIRE_TLS, "REQUIRETLS"}};

	if ((flags & MESSAGE_BINARY) != 0)
		put_word(out, "BODY=BINARYMIME");
	else if ((flags & MESSAGE_8BIT) != 0)
		put_word(out, "BODY=8BITMIME");
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if ((flags & words[i].bit) != 0)
			put_word(out, words[i].text);
}

static void put_notify(struct buf *out, uint64_t notify)
{
	static const struct named_bit words[] = {
		{DSN_NEVER, "NEVER"}, {DSN_SUCCESS, "SUCCESS"}, {DSN_FAILURE, "FAILURE"}, {DSN_DELAY, "DELAY"}};
	const char *before = "NOTIFY=";

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if ((notify & words[i].bit) == 0)
			continue;
		buf_puts(out, before);
		buf_puts(out, words[i].text);
		before = ",";
	}
	if (notify != 0)
		buf_putc(out, '\0');
}

void milter_rcpt_params(struct buf *out, const struct rcpt *r)
{
	str type, address;

	put_notify(out, r->notify);
	if (r->orcpt.n == 0)
		return;
	str_cut(r->orcpt, ';', &type, &address);
	buf_printf(out, "ORCPT=" STR_FMT ";", STR_ARG(type));
	xtext_encode(out, address);
	buf_putc(out, '\0');
}
