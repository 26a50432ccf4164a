/* SPDX-License-Identifier: ISC */
/* Decoders of base/: what they accept must come back as it was when it is encoded again. */
#include <stdlib.h>

#include "base/cursor.h"
#include "base/date.h"
#include "base/encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void fuzz_base64(str in)
{
	BUF(bytes, 1 << 16);
	BUF(back, 1 << 16);

	if (base64_decode(&bytes, in) != OK)
		return;
	base64_encode(&back, buf_str(&bytes));
	check(str_equal(buf_str(&back), in));
}

static void fuzz_xtext(str in)
{
	BUF(text, 1 << 16);
	BUF(encoded, 1 << 18);
	BUF(back, 1 << 16);

	if (xtext_decode(&text, in) != OK)
		return;
	xtext_encode(&encoded, buf_str(&text));
	check(xtext_decode(&back, buf_str(&encoded)) == OK && str_equal(buf_str(&back), buf_str(&text)));
}

static void fuzz_text(str in)
{
	BUF(escaped, 1 << 20);
	BUF(json, 1 << 20);

	escape_text(&escaped, in);
	json_quote(&json, in);
	check(escaped.full || (str_is_utf8(buf_str(&escaped)) && !str_has_control(buf_str(&escaped))));
	check(json.full || (str_is_utf8(buf_str(&json)) && !str_has_control(buf_str(&json))));
}

static void fuzz_numbers(str in)
{
	struct cursor c = cursor_of(in);
	char text[ID_TEXT_MAX];
	uint64_t id, back;
	int64_t usec;

	while (!cursor_end(&c))
		(void)cursor_varint(&c);
	if (id_parse(in, &id))
		check(id_parse(id_text(id, text), &back) && back == id);
	if (date_parse_rfc3339(in, &usec)) {
		BUF(date, 100);
		date_rfc3339(&date, usec);
		check(!date.full);
	}
	check(crc32c(0, in) == crc32c_by_table(0, in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str in = str_make((const char *)data, size);

	fuzz_base64(in);
	fuzz_xtext(in);
	fuzz_text(in);
	fuzz_numbers(in);
	return 0;
}
