/* SPDX-License-Identifier: ISC */
#include "spam/blocklist.h"

#include <netinet/in.h>

enum { ZONE_MAX = 254, ANSWERS_MAX = 4 };

#define USABLE_TIME   (3600 * NSEC_PER_SEC)
#define UNUSABLE_TIME (300 * NSEC_PER_SEC)

/* --- names --- */

static str name_of_v4(struct arena *a, const uint8_t *p, str zone)
{
	return arena_printf(a, "%u.%u.%u.%u." STR_FMT, p[3], p[2], p[1], p[0], STR_ARG(zone));
}

/* RFC 5782 2.4: nibbles, the last one first. */
static str name_of_v6(struct arena *a, const uint8_t *p, str zone)
{
	BUF(name, 512);

	for (size_t i = 16; i-- > 0;)
		buf_printf(&name, "%x.%x.", p[i] & 15, p[i] >> 4);
	buf_put(&name, zone);
	return arena_str(a, buf_str(&name));
}

str blocklist_name_of_address(struct arena *a, const struct net_address *address, str zone)
{
	const struct sockaddr_in *v4 = (const void *)&address->sa;
	const struct sockaddr_in6 *v6 = (const void *)&address->sa;

	if (address->sa.ss_family == AF_INET)
		return name_of_v4(a, (const uint8_t *)&v4->sin_addr, zone);
	if (address->sa.ss_family != AF_INET6)
		return STR_NONE;
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return name_of_v4(a, v6->sin6_addr.s6_addr + 12, zone);
	return name_of_v6(a, v6->sin6_addr.s6_addr, zone);
}

str blocklist_name_of_host(struct arena *a, str host, bool is_address, str zone)
{
	struct net_address address;

	if (!is_address)
		return host.n + 1 + zone.n > DNS_NAME_MAX
		               ? STR_NONE
		               : arena_printf(a, STR_FMT "." STR_FMT, STR_ARG(host), STR_ARG(zone));
	if (net_address_parse(arena_printf(a, STR_FMT ":1", STR_ARG(host)), &address) != OK ||
	    address.sa.ss_family != AF_INET)
		return STR_NONE;
	return blocklist_name_of_address(a, &address, zone);
}

/* --- answers --- */

static void look_at(struct list_question *q, const struct net_address *addresses, size_t n)
{
	BUF(text, 100);
	bool refused = false;

	for (size_t i = 0; i < n; i++) {
		const struct sockaddr_in *v4 = (const void *)&addresses[i].sa;
		uint32_t ip = ntohl(v4->sin_addr.s_addr);
		refused |= ip >> 24 != 127 || ip >> 8 == 0x7fffff || ip == INADDR_LOOPBACK;
		if (i < ANSWERS_MAX) {
			buf_puts(&text, i == 0 ? "" : " ");
			net_address_host(&text, &addresses[i]);
		}
	}
	q->answer = refused ? LIST_UNKNOWN : LIST_LISTED;
	q->text = refused ? arena_printf(q->arena, "the answer " STR_FMT " is no listing", STR_ARG(buf_str(&text)))
	                  : arena_str(q->arena, buf_str(&text));
}

err blocklist_ask(struct list_question *q)
{
	struct dns_answer answer;
	struct net_address *addresses;
	size_t n = 0;
	err e = dns_addresses(q->resolver, q->name, AF_INET, 0, q->arena, q->deadline, &answer, &addresses, &n);

	q->answer = LIST_ABSENT;
	if (e == OK && n > 0)
		look_at(q, addresses, n);
	else if (e != OK && e != E_NOT_FOUND) {
		q->answer = LIST_UNKNOWN;
		q->text = arena_str(q->arena, str_from(e == E_TIMEOUT ? "no answer in time" : err_info()->text));
	}
	return e == E_CANCELLED || e == E_LIMIT || e == E_MEMORY ? e : OK;
}

/* --- what is known of zones --- */

static struct memory {
	char zone[ZONE_MAX];
	size_t n;
	enum list_kind kind;
	bool usable;
	nsec until;
} memories[BLOCKLIST_ZONES_MAX];
static size_t memories_n;

static struct memory *find(str zone, enum list_kind kind)
{
	for (size_t i = 0; i < memories_n; i++)
		if (memories[i].kind == kind && str_equal(str_make(memories[i].zone, memories[i].n), zone))
			return &memories[i];
	return NULL;
}

enum list_state blocklist_state(str zone, enum list_kind kind)
{
	const struct memory *m = find(zone, kind);

	if (m == NULL || rt_now() >= m->until)
		return LIST_UNCHECKED;
	return m->usable ? LIST_USABLE : LIST_UNUSABLE;
}

void blocklist_remember(str zone, enum list_kind kind, bool usable)
{
	struct memory *m = find(zone, kind);

	if (zone.n > ZONE_MAX)
		return;
	if (m == NULL) /* more than there is room for: any other is asked again */
		m = &memories[memories_n < BLOCKLIST_ZONES_MAX ? memories_n++
		                                               : (size_t)(rt_now() % BLOCKLIST_ZONES_MAX)];
	memcpy(m->zone, zone.p, zone.n);
	m->n = zone.n;
	m->kind = kind;
	m->usable = usable;
	m->until = rt_after(usable ? USABLE_TIME : UNUSABLE_TIME);
}

void blocklist_forget(void)
{
	memories_n = 0;
}

str blocklist_test_name(struct arena *a, str zone, enum list_kind kind, bool listed)
{
	static const uint8_t v6_listed[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 2};
	static const uint8_t v6_absent[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};

	if (kind == LIST_OF_DOMAINS)
		return arena_printf(a, "%s." STR_FMT, listed ? "test" : "invalid", STR_ARG(zone));
	if (kind == LIST_OF_V6)
		return name_of_v6(a, listed ? v6_listed : v6_absent, zone);
	return arena_printf(a, "%s.0.0.127." STR_FMT, listed ? "2" : "1", STR_ARG(zone));
}
