/* SPDX-License-Identifier: ISC */
#include "cli/dns_records.h"

#include "base/test.h"

static struct dns_wanted_list list;

static const struct dns_wanted *find(const char *name, enum dns_type type)
{
	for (size_t i = 0; i < list.n; i++)
		if (str_equal(list.items[i].name, str_from(name)) && list.items[i].type == type)
			return &list.items[i];
	return NULL;
}

static void make(struct arena *a)
{
	static struct config_listen listens[] = {{.service = SERVICE_SUBMISSIONS}};
	static const struct config_domain domain = {.name = STR("example.org")};
	struct config c = {.hostname = STR("mail.example.org"), .listens = listens, .listens_n = 1};
	const struct domain_key keys[] = {
		{.domain = STR("example.org"), .selector = STR("s1"), .record = STR("v=DKIM1; k=ed25519; p=AAAA")},
		{.domain = STR("other.example"), .selector = STR("s2"), .record = STR("v=DKIM1; k=rsa; p=BBBB")}};

	assert_int_equal(dns_records_of(&c, &domain, keys, ARRAY_LEN(keys), STR("3 1 1 ab"), a, &list), OK);
}

static void what_is_wanted(void **state UNUSED)
{
	ARENA(a, 64 << 10);

	make(&a);
	assert_true(str_equal(find("example.org", DNS_MX)->data, STR("10 mail.example.org")));
	assert_non_null(find("s1._domainkey.example.org", DNS_TXT));
	assert_null(find("s2._domainkey.other.example", DNS_TXT));
	assert_non_null(find("_dmarc.example.org", DNS_TXT));
	assert_non_null(find("_smtp._tls.example.org", DNS_TXT));
	assert_non_null(find("_25._tcp.mail.example.org", DNS_TLSA));
	assert_true(str_equal(find("_submissions._tcp.example.org", DNS_SRV)->data, STR("0 1 465 mail.example.org")));
	assert_true(str_equal(find("_pop3s._tcp.example.org", DNS_SRV)->data, STR("0 0 0 .")));
}

/* One name has one record of SPF. */
static void a_server_that_has_the_name_of_a_domain(void **state UNUSED)
{
	static struct config_domain domains[] = {{.name = STR("example.org")}, {.name = STR("mail.example.org")}};
	static struct config_domain *by_name[] = {&domains[0], &domains[1]};
	struct config c = {
		.hostname = STR("mail.example.org"), .domains = domains, .domains_n = 2, .domains_by_name = by_name};
	ARENA(a, 64 << 10);

	assert_int_equal(dns_records_of(&c, &domains[0], NULL, 0, STR_NONE, &a, &list), OK);
	assert_null(find("mail.example.org", DNS_TXT));
	assert_int_equal(dns_records_of(&c, &domains[1], NULL, 0, STR_NONE, &a, &list), OK);
	assert_str(find("mail.example.org", DNS_TXT)->data, "v=spf1 mx -all");
}

static void lines_of_a_zone(void **state UNUSED)
{
	ARENA(a, 64 << 10);
	BUF(line, 4096);
	char text[301];

	make(&a);
	dns_records_print(&line, find("example.org", DNS_MX));
	assert_true(str_equal(buf_str(&line), STR("example.org. IN MX 10 mail.example.org.")));
	buf_reset(&line);
	dns_records_print(&line, find("_pop3s._tcp.example.org", DNS_SRV));
	assert_true(str_equal(buf_str(&line), STR("_pop3s._tcp.example.org. IN SRV 0 0 0 .")));
	memset(text, 'x', sizeof(text) - 1);
	text[300] = '\0';
	buf_reset(&line);
	dns_records_print(&line, &(struct dns_wanted){.name = STR("a"), .type = DNS_TXT, .data = str_from(text)});
	assert_int_equal(line.n, strlen("a. IN TXT \"\" \"\"") + 300);
}

static enum dns_state state(const struct dns_wanted *w, const char *found, str *other)
{
	str f = str_from(found);

	return dns_records_compare(w, &f, 1, other);
}

static void what_is_there(void **unused UNUSED)
{
	ARENA(a, 64 << 10);
	str other = STR("");

	make(&a);
	const struct dns_wanted *spf = find("example.org", DNS_TXT), *sts = find("_mta-sts.example.org", DNS_TXT);
	assert_int_equal(dns_records_compare(spf, NULL, 0, &other), DNS_STATE_MISSING);
	assert_int_equal(state(spf, "v=spf1 mx -all", &other), DNS_STATE_THERE);
	assert_int_equal(state(spf, "something-else=1", &other), DNS_STATE_MISSING);
	assert_int_equal(state(spf, "v=spf1 include:x ~all", &other), DNS_STATE_DIFFERS);
	assert_true(str_equal(other, STR("v=spf1 include:x ~all")));
	assert_int_equal(state(sts, "v=STSv1; id=20260101", &other), DNS_STATE_THERE);
	assert_string_equal(dns_state_name(DNS_STATE_DIFFERS), "differs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wanted),
		cmocka_unit_test(a_server_that_has_the_name_of_a_domain),
		cmocka_unit_test(lines_of_a_zone),
		cmocka_unit_test(what_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
