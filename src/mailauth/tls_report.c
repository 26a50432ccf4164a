/* SPDX-License-Identifier: ISC */
/* The record: where a domain wants its reports. */
#include "mailauth/tls_report.h"

#include "base/cursor.h"
#include "base/encode.h"
#include "mail/address.h"

enum { URI_MAX = 1000, HOST_MAX = 253 };

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

/* RFC 8460 3: "v=TLSRPTv1", in this case, and a semicolon. */
static bool cut_version(str record, str *fields)
{
	struct cursor c = cursor_of(record);

	if (!cursor_accept_str(&c, STR("v=TLSRPTv1")))
		return false;
	(void)cursor_take_while(&c, is_blank);
	bool is = cursor_accept(&c, ';');
	*fields = cursor_rest(&c);
	return is;
}

/* --- URIs --- */

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(unsigned char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* RFC 6068 2: what stands behind the question mark is for people's mail programs. */
static bool mail_uri(str uri, struct arena *a, struct tls_report_uri *out)
{
	struct address address;
	str path, fields;

	(void)str_cut(uri, '?', &path, &fields);
	*out = (struct tls_report_uri){.mail = true, .to = percent_decode(a, path)};
	return out->to.n > 0 && address_parse(out->to, false, &address) == OK;
}

static bool is_host_octet(unsigned char c)
{
	return is_letter(c) || is_digit(c) || c == '-' || c == '.';
}

/* A name: no user, no address. */
static bool is_host(str host)
{
	bool letters = false;

	for (size_t i = 0; i < host.n; i++)
		letters |= is_letter((unsigned char)host.p[i]);
	return letters && host.n <= HOST_MAX;
}

/* RFC 3986 3.2, as far as it is needed. */
static bool web_uri(str uri, struct arena *a, struct tls_report_uri *out)
{
	struct cursor c = cursor_of(str_drop(uri, STR("https://").n));

	*out = (struct tls_report_uri){
		.to = uri, .host = arena_lower(a, cursor_take_while(&c, is_host_octet)), .port = 443};
	if (cursor_accept(&c, ':'))
		out->port = (uint16_t)cursor_number(&c, UINT16_MAX);
	bool ended = cursor_end(&c) || str_find(STR("/?#"), (char)cursor_peek(&c)) < 3;
	return ended && !c.failed && out->port > 0 && is_host(out->host) && uri.n <= URI_MAX && str_is_ascii(uri) &&
	       !str_has_control(uri) && str_find(uri, ' ') == uri.n;
}

static bool read_uri(str uri, struct arena *a, struct tls_report_uri *out)
{
	if (str_starts_nocase(uri, STR("mailto:")))
		return mail_uri(str_drop(uri, STR("mailto:").n), a, out);
	return str_starts_nocase(uri, STR("https://")) && web_uri(uri, a, out);
}

static void read_uris(str list, struct arena *a, struct tls_report_record *out)
{
	bool more = true;

	while (more && out->n < TLS_REPORT_URIS_MAX) {
		str uri;
		more = str_cut(list, ',', &uri, &list);
		out->n += read_uri(str_trim(uri), a, &out->uris[out->n]);
	}
}

/* "Parsers MUST accept TXT records [...] implementing a superset of this specification" */
static err read_fields(str fields, struct arena *a, struct tls_report_record *out)
{
	bool more = true, found = false;

	while (more && !found) {
		str field, name, value;
		more = str_cut(fields, ';', &field, &fields);
		found = str_cut(str_trim(field), '=', &name, &value) && str_equal(name, STR("rua"));
		if (found)
			read_uris(value, a, out);
	}
	if (a->full)
		return err_note(E_LIMIT, "no memory for a TLSRPT record");
	return out->n > 0 ? OK : err_note(E_SYNTAX, "the TLSRPT record has no address to report to");
}

err tls_report_record(const str *txt, size_t n, struct arena *a, struct tls_report_record *out)
{
	str fields = STR_NONE, rest;
	size_t found = 0;

	*out = (struct tls_report_record){0};
	for (size_t i = 0; i < n; i++) {
		if (!cut_version(txt[i], &rest))
			continue;
		fields = rest;
		found++;
	}
	if (found != 1)
		return err_note(E_NOT_FOUND, "%zu TLSRPT records", found);
	return read_fields(fields, a, out);
}
