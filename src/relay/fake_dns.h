/* SPDX-License-Identifier: ISC */
/* For tests: a resolver that has a zone, in text. */
#ifndef RELAY_FAKE_DNS_H
#define RELAY_FAKE_DNS_H

#include <arpa/inet.h>
#include <stdlib.h>

#include "dns/dns.h"

/* "example.com MX 10 mx.example.com", "mx.example.com A 192.0.2.1", "x TLSA 3 1 1 ab...", "_mta-sts.example.com TXT v=STSv1; id=1;". In front of the type
 * may stand "SECURE", and in place of it SERVFAIL, BOGUS or CNAME with a name. Ends with NULL. */
struct fake_zone {
	const char *const *lines;
	size_t asked; /* questions */
};

static inline unsigned zone_type(str word)
{
	static const struct {
		const char *name;
		unsigned type;
	} types[] = {{"A", DNS_A},       {"AAAA", DNS_AAAA},   {"MX", DNS_MX},  {"TXT", DNS_TXT},
	             {"TLSA", DNS_TLSA}, {"CNAME", DNS_CNAME}, {"PTR", DNS_PTR}};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_equal(word, str_from(types[i].name)))
			return types[i].type;
	return 0;
}

static inline void zone_put_name(struct buf *b, str name)
{
	str label, rest = str_equal(name, STR(".")) ? STR_NONE : name;

	while (rest.n > 0) {
		str_cut(rest, '.', &label, &rest);
		buf_putc(b, (char)label.n);
		buf_put(b, label);
	}
	buf_putc(b, 0);
}

static inline void zone_put_number(struct buf *b, str *rest, bool two)
{
	uint64_t n = 0;

	(void)!str_to_u64(str_word(rest), 65535, &n);
	if (two)
		buf_putc(b, (char)(n >> 8));
	buf_putc(b, (char)n);
}

static inline void zone_put_address(struct buf *b, int family, str text)
{
	char z[64] = "", octets[16];

	memcpy(z, text.p, text.n < 63 ? text.n : 63);
	(void)inet_pton(family, z, octets);
	buf_put(b, str_make(octets, family == AF_INET ? 4 : 16));
}

static inline void zone_put_hex(struct buf *b, str hex)
{
	for (size_t i = 0; i + 1 < hex.n; i += 2) {
		char z[3] = {hex.p[i], hex.p[i + 1], 0};
		buf_putc(b, (char)strtoul(z, NULL, 16));
	}
}

static inline str zone_data(unsigned type, str rest, struct arena *a)
{
	BUF(b, 4096);

	if (type == DNS_MX)
		zone_put_number(&b, &rest, true);
	for (int i = 0; i < 3 && type == DNS_TLSA; i++)
		zone_put_number(&b, &rest, false);
	rest = str_trim(rest);
	if (type == DNS_MX || type == DNS_PTR)
		zone_put_name(&b, rest);
	else if (type == DNS_A || type == DNS_AAAA)
		zone_put_address(&b, type == DNS_A ? AF_INET : AF_INET6, rest);
	else if (type == DNS_TLSA)
		zone_put_hex(&b, rest);
	else {
		buf_putc(&b, (char)rest.n);
		buf_put(&b, rest);
	}
	return arena_str(a, buf_str(&b));
}

/* One line that is about `name`. Returns where a CNAME leads. */
static inline str zone_line(str name, uint64_t type, str rest, struct resolve_reply *r, struct arena *a)
{
	str word = str_word(&rest);
	bool secure = str_equal(word, STR("SECURE"));

	if (secure)
		word = str_word(&rest);
	if (str_equal(word, STR("SERVFAIL"))) {
		r->rcode = 2;
	} else if (str_equal(word, STR("BOGUS"))) {
		r->security = DNS_BOGUS;
		r->why = STR("signature expired");
	} else if (zone_type(word) == DNS_CNAME) {
		return str_trim(rest);
	} else if (zone_type(word) == type) {
		if (r->records_n < 50)
			r->records[r->records_n++].data = zone_data((unsigned)type, rest, a);
		if (secure)
			r->security = DNS_SECURE;
	}
	return name;
}

static inline err fake_zone_ask(void *ctx, const struct resolve_request *q, struct resolve_reply *r, struct arena *a,
                                nsec deadline UNUSED)
{
	struct fake_zone *zone = ctx;
	str name = q->name;

	zone->asked++;
	*r = (struct resolve_reply){.rcode = 3, .ttl = 300};
	r->records = arena_array(a, 50, sizeof(*r->records));
	if (r->records == NULL)
		return err_note(E_MEMORY, "no memory");
	for (size_t i = 0; zone->lines[i] != NULL; i++) {
		str rest = str_from(zone->lines[i]);
		if (!str_equal(str_word(&rest), name))
			continue;
		if (r->rcode == 3)
			r->rcode = 0;
		str to = zone_line(name, q->type, rest, r, a);
		if (!str_equal(to, name)) {
			name = to;
			i = (size_t)-1;
		}
	}
	r->canonical = arena_str(a, name);
	return OK;
}

static inline struct resolver fake_zone_resolver(struct fake_zone *zone)
{
	return (struct resolver){.ask = fake_zone_ask, .ctx = zone};
}

#endif
