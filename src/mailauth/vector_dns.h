/* SPDX-License-Identifier: ISC */
/* For tests with vectors of others: a resolver that has what it was told, and the lines in which it, and everything else, is told to a driver.
 *
 * A line is words with one blank between them; octets that are no letters, digits, "-", "_", "." or "@" are %XX, a word without octets is "%".
 *
 *	record NAME TYPE DATA    a record: the type as a number, data as on the wire
 *	timeout NAME             questions about this name that have no record are not answered
 *	clear                    all records are forgotten
 *
 * CNAMEs are followed; a loop of them is a failure of the server.
 */
#ifndef MAILAUTH_VECTOR_DNS_H
#define MAILAUTH_VECTOR_DNS_H

#include <arpa/inet.h>

#include "dns/dns.h"

enum { VECTOR_RECORDS_MAX = 5000, VECTOR_ANSWER_MAX = 200, VECTOR_CHAIN_MAX = 8 };

struct vector_record {
	str name;      /* lower case, as it is, without escapes */
	uint64_t type; /* 0: a timeout */
	str data;
};
struct vector_dns {
	struct arena memory;
	struct vector_record *records;
	size_t n;
	size_t asked; /* questions */
};

static inline int vector_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

/* The next word of a line, decoded. */
static inline str vector_word(str *line, struct arena *a)
{
	str word;
	BUF(out, 16 << 20);

	(void)!str_cut(*line, ' ', &word, line);
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] != '%')
			buf_putc(&out, word.p[i]);
		else if (i + 2 < word.n)
			buf_putc(&out, (char)(vector_digit(word.p[i + 1]) << 4 | vector_digit(word.p[i + 2])));
		i += word.p[i] == '%' ? 2 : 0;
	}
	return arena_str(a, buf_str(&out));
}

static inline void vector_put(struct buf *out, str word)
{
	if (word.n == 0)
		buf_putc(out, '%');
	for (size_t i = 0; i < word.n; i++) {
		unsigned char c = (unsigned char)word.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
		             c == '_' || c == '.' || c == '@';
		buf_printf(out, plain ? "%c" : "%%%02x", c);
	}
}

static inline void vector_dns_add(struct vector_dns *v, str name, uint64_t type, str data)
{
	if (v->records == NULL) {
		v->memory = ARENA_INIT(64 << 20);
		v->records = arena_array(&v->memory, VECTOR_RECORDS_MAX, sizeof(*v->records));
	}
	if (v->records == NULL || v->n == VECTOR_RECORDS_MAX)
		return;
	v->records[v->n++] = (struct vector_record){arena_lower(&v->memory, name), type, arena_str(&v->memory, data)};
}

static inline void vector_dns_clear(struct vector_dns *v)
{
	arena_free(&v->memory);
	*v = (struct vector_dns){0};
}

/* False: the line is about something else. */
static inline bool vector_dns_line(struct vector_dns *v, str line)
{
	ARENA(a, 1 << 20);
	str verb = vector_word(&line, &a), name = vector_word(&line, &a);
	uint64_t type = 0;

	if (str_equal(verb, STR("clear"))) {
		vector_dns_clear(v);
		return true;
	}
	if (str_equal(verb, STR("timeout"))) {
		vector_dns_add(v, name, 0, STR_NONE);
		return true;
	}
	if (!str_equal(verb, STR("record")))
		return false;
	(void)!str_to_u64(vector_word(&line, &a), UINT16_MAX, &type);
	vector_dns_add(v, name, type, vector_word(&line, &a));
	return true;
}

/* --- zones as text, for unit tests --- */

static inline void vector_put_name(struct buf *out, str name)
{
	str label;

	while (name.n > 0 && !str_equal(name, STR("."))) {
		(void)!str_cut(name, '.', &label, &name);
		buf_putc(out, (char)label.n);
		buf_put(out, label);
	}
	buf_putc(out, 0);
}

static inline void vector_put_strings(struct buf *out, str text)
{
	do {
		str part = str_take(text, 255);

		buf_putc(out, (char)part.n);
		buf_put(out, part);
		text = str_drop(text, 255);
	} while (text.n > 0);
}

/* "example.com TXT v=spf1 -all", "example.com MX 10 mx.example.com", "mx.example.com A 192.0.2.1", AAAA, PTR, CNAME; "example.com TIMEOUT". */
static inline void vector_zone_line(struct vector_dns *v, const char *line)
{
	BUF(data, 128 << 10);
	char z[INET6_ADDRSTRLEN + 1] = "", octets[16];
	str rest = str_from(line), name = str_word(&rest), type = str_word(&rest);
	bool six = str_equal(type, STR("AAAA"));

	rest = str_trim(rest);
	if (str_equal(type, STR("TIMEOUT")))
		return vector_dns_add(v, name, 0, STR_NONE);
	if (str_equal(type, STR("A")) || six) {
		memcpy(z, rest.p, rest.n < INET6_ADDRSTRLEN ? rest.n : INET6_ADDRSTRLEN);
		(void)inet_pton(six ? AF_INET6 : AF_INET, z, octets);
		buf_put(&data, str_make(octets, six ? 16 : 4));
		return vector_dns_add(v, name, six ? DNS_AAAA : DNS_A, buf_str(&data));
	}
	if (str_equal(type, STR("TXT"))) {
		vector_put_strings(&data, rest);
		return vector_dns_add(v, name, DNS_TXT, buf_str(&data));
	}
	if (str_equal(type, STR("MX"))) {
		buf_putc(&data, 0);
		buf_putc(&data, (char)(str_word(&rest).p[0] - '0'));
		vector_put_name(&data, str_trim(rest));
		return vector_dns_add(v, name, DNS_MX, buf_str(&data));
	}
	vector_put_name(&data, rest);
	vector_dns_add(v, name, str_equal(type, STR("PTR")) ? DNS_PTR : DNS_CNAME, buf_str(&data));
}

/* Ends with NULL. */
static inline void vector_zone(struct vector_dns *v, const char *const *lines)
{
	for (; *lines != NULL; lines++)
		vector_zone_line(v, *lines);
}

/* --- answers --- */

/* A name of a question without its \DDD. */
static inline str vector_name(str name, struct arena *a)
{
	BUF(out, 1024);

	for (size_t i = 0; i < name.n; i++) {
		bool escape = name.p[i] == '\\' && i + 3 < name.n;
		buf_putc(&out,
		         escape ? (char)((name.p[i + 1] - '0') * 100 + (name.p[i + 2] - '0') * 10 + name.p[i + 3] - '0')
		                : name.p[i]);
		i += escape ? 3 : 0;
	}
	return arena_lower(a, buf_str(&out));
}

/* A name on the wire as text, without escapes. */
static inline str vector_target(str data, struct arena *a)
{
	struct cursor c = cursor_of(data);
	BUF(out, 1024);
	unsigned n;

	while ((n = cursor_u8(&c)) > 0) {
		if (out.n > 0)
			buf_putc(&out, '.');
		buf_put(&out, cursor_bytes(&c, n));
	}
	return arena_lower(a, buf_str(&out));
}

struct vector_finding {
	bool exists, timeout;
	str alias; /* where a CNAME leads */
};

static inline struct vector_finding vector_find(struct vector_dns *v, str name, uint64_t type, struct resolve_reply *r,
                                                struct arena *a)
{
	struct vector_finding f = {0};

	for (size_t i = 0; i < v->n; i++) {
		const struct vector_record *record = &v->records[i];

		if (!str_equal(record->name, name))
			continue;
		f.exists = true;
		f.timeout = f.timeout || record->type == 0;
		if (record->type == type && r->records_n < VECTOR_ANSWER_MAX)
			r->records[r->records_n++].data = record->data;
		else if (record->type == DNS_CNAME)
			f.alias = vector_target(record->data, a);
	}
	return f;
}

static inline err vector_ask(void *ctx, const struct resolve_request *q, struct resolve_reply *r, struct arena *a,
                             nsec deadline UNUSED)
{
	struct vector_dns *v = ctx;
	str name = vector_name(q->name, a);
	struct vector_finding f = {0};

	v->asked++;
	*r = (struct resolve_reply){.ttl = 300, .security = DNS_INSECURE};
	r->records = arena_array(a, VECTOR_ANSWER_MAX, sizeof(*r->records));
	if (r->records == NULL)
		return err_note(E_MEMORY, "no memory for an answer");
	for (int i = 0; i < VECTOR_CHAIN_MAX; i++) {
		f = vector_find(v, name, q->type, r, a);
		if (f.alias.n == 0 || r->records_n > 0)
			break;
		name = f.alias;
	}
	r->canonical = name;
	if (r->records_n == 0 && f.timeout)
		return err_note(E_TIMEOUT, "no answer");
	if (r->records_n == 0 && f.alias.n > 0)
		r->rcode = 2;
	else if (!f.exists)
		r->rcode = 3;
	return OK;
}

static inline struct resolver vector_resolver(struct vector_dns *v)
{
	return (struct resolver){.ask = vector_ask, .ctx = v};
}

#endif
