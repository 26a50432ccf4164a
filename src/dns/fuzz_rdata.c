/* SPDX-License-Identifier: ISC */
/* Records of every kind, read and printed. The first octet chooses the question; each 0xfe begins another record. */
#include <stdlib.h>

#include "dns/fake.h"
#include "dns/text.h"

enum { RECORDS = 120 };

static void check_host(str host)
{
	if (host.n > DNS_NAME_MAX || str_has_control(host) || !str_is_ascii(host))
		abort();
}

static void ask(const struct resolver *r, unsigned which, struct arena *a)
{
	struct dns_answer answer;
	size_t n;

	if (which == 0) {
		struct dns_mx *mx;
		for (size_t i = dns_mx(r, STR("a"), a, RT_NEVER, &answer, &mx, &n) == OK ? n : 0; i > 0; i--)
			check_host(mx[i - 1].host);
	} else if (which == 1) {
		struct dns_srv *srv;
		for (size_t i = dns_srv(r, STR("a"), a, RT_NEVER, &answer, &srv, &n) == OK ? n : 0; i > 0; i--)
			check_host(srv[i - 1].host);
	} else if (which == 2) {
		struct dns_tlsa *tlsa;
		(void)!dns_tlsa(r, STR("a"), a, RT_NEVER, &answer, &tlsa, &n);
	} else if (which == 3) {
		struct net_address *list;
		(void)!dns_addresses(r, STR("a"), AF_INET, 25, a, RT_NEVER, &answer, &list, &n);
		(void)!dns_addresses(r, STR("a"), AF_INET6, 25, a, RT_NEVER, &answer, &list, &n);
	} else {
		str *list;
		struct net_address address;
		(void)!dns_txt(r, STR("a"), a, RT_NEVER, &answer, &list, &n);
		if (net_address_parse(STR("192.0.2.1:25"), &address) == OK &&
		    dns_ptr(r, &address, a, RT_NEVER, &answer, &list, &n) == OK)
			check_host(list[0]);
	}
}

static void print(str data)
{
	static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_MX, DNS_PTR, DNS_SRV, DNS_TXT, DNS_TLSA};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		BUF(out, 1 << 20);

		dns_data_put(&out, types[i], data);
		if (out.full || str_has_control(buf_str(&out)) || !str_is_ascii(buf_str(&out)))
			abort();
	}
}

static void run(void *arg)
{
	struct cursor *c = arg;
	struct dns_record records[RECORDS];
	struct fake_dns fake = {.reply.records = records};
	struct resolver r = fake_resolver(&fake);
	ARENA(a, 4 << 20);
	unsigned which = cursor_u8(c) % 5u;
	str rest = cursor_rest(c), part;

	while (rest.n > 0 && fake.reply.records_n < RECORDS) {
		str_cut(rest, '\xfe', &part, &rest);
		records[fake.reply.records_n++].data = arena_str(&a, part);
		print(part);
	}
	ask(&r, which, &a);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct cursor c = cursor_of(str_make((const char *)data, size));

	(void)!rt_run_simulated(1, run, &c);
	return 0;
}
