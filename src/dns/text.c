/* SPDX-License-Identifier: ISC */
#include "dns/text.h"

#include <arpa/inet.h>

#include "base/encode.h"
#include "dns/ask.h"

enum { TYPE_MAX = UINT16_MAX, DATA_TEXT_MAX = 4 * 65536 };

static const struct {
	const char *name;
	enum dns_type type;
} types[] = {
	{"A", DNS_A},     {"CNAME", DNS_CNAME}, {"PTR", DNS_PTR}, {"MX", DNS_MX},
	{"TXT", DNS_TXT}, {"AAAA", DNS_AAAA},   {"SRV", DNS_SRV}, {"TLSA", DNS_TLSA},
};

bool dns_type_find(str text, uint64_t *type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		*type = types[i].type;
		if (str_equal_nocase(text, str_from(types[i].name)))
			return true;
	}
	return str_starts_nocase(text, STR("TYPE")) && str_to_u64(str_drop(text, 4), TYPE_MAX, type);
}

void dns_type_put(struct buf *out, uint64_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].type == type)
			return buf_puts(out, types[i].name);
	buf_puts(out, "TYPE");
	buf_u64(out, type);
}

static bool put_address(struct buf *out, int family, size_t size, str data)
{
	char text[INET6_ADDRSTRLEN];

	if (data.n != size || inet_ntop(family, data.p, text, sizeof(text)) == NULL)
		return false;
	buf_puts(out, text);
	return true;
}

static bool put_name(struct buf *out, struct cursor *c)
{
	size_t before = out->n;

	dns_name(c, out);
	if (out->n == before)
		buf_putc(out, '.');
	return !c->failed && cursor_end(c);
}

static bool put_numbers_and_name(struct buf *out, size_t numbers, str data)
{
	struct cursor c = cursor_of(data);

	for (size_t i = 0; i < numbers; i++)
		buf_printf(out, "%u ", dns_u16(&c));
	return put_name(out, &c);
}

static bool put_strings(struct buf *out, str data)
{
	struct cursor c = cursor_of(data);

	do {
		str part = cursor_bytes(&c, cursor_u8(&c));

		buf_puts(out, out->n > 0 ? " \"" : "\"");
		for (size_t i = 0; i < part.n; i++) {
			unsigned char ch = (unsigned char)part.p[i];

			if (ch < 0x20 || ch > 0x7e)
				buf_printf(out, "\\%03u", ch);
			else
				buf_printf(out, "%s%c", ch == '"' || ch == '\\' ? "\\" : "", ch);
		}
		buf_putc(out, '"');
	} while (!cursor_end(&c));
	return !c.failed;
}

static bool put_tlsa(struct buf *out, str data)
{
	struct cursor c = cursor_of(data);

	for (int i = 0; i < 3; i++)
		buf_printf(out, "%u ", cursor_u8(&c));
	hex_encode(out, cursor_rest(&c));
	return cursor_left(&c) > 0;
}

static bool put_known(struct buf *out, uint64_t type, str data)
{
	switch (type) {
	case DNS_A:
		return put_address(out, AF_INET, 4, data);
	case DNS_AAAA:
		return put_address(out, AF_INET6, 16, data);
	case DNS_CNAME:
	case DNS_PTR:
		return put_numbers_and_name(out, 0, data);
	case DNS_MX:
		return put_numbers_and_name(out, 1, data);
	case DNS_SRV:
		return put_numbers_and_name(out, 3, data);
	case DNS_TXT:
		return put_strings(out, data);
	case DNS_TLSA:
		return put_tlsa(out, data);
	default:
		return false;
	}
}

void dns_data_put(struct buf *out, uint64_t type, str data)
{
	BUF(text, DATA_TEXT_MAX);

	if (!put_known(&text, type, data)) {
		buf_reset(&text);
		buf_printf(&text, "\\# %zu ", data.n);
		hex_encode(&text, data);
	}
	buf_put(out, str_trim(buf_str(&text)));
}
