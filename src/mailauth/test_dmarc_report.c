/* SPDX-License-Identifier: ISC */
#include "mailauth/dmarc_report.h"

#include "base/date.h"
#include "base/test.h"
#include "mailauth/gzip.h"

enum { MEMORY = 32 << 20 };

static struct arena memory = ARENA_INIT(MEMORY);

static int forget(void **state UNUSED)
{
	arena_free(&memory);
	return 0;
}

static err parse(str octets, struct dmarc_report *out)
{
	return dmarc_report_parse(octets, &memory, out);
}

/* --- there and back --- */

static const struct dkim_result signatures[] = {
	{.domain = STR("example.com"), .selector = STR("s1"), .result = AUTH_PASS},
	{.domain = STR("other.example"), .selector = STR("s<2>"), .result = AUTH_FAIL}};

static const struct dmarc_report_record records[] = {{{.source = STR("192.0.2.1"),
                                                       .disposition = STR("pass"),
                                                       .dkim = STR("pass"),
                                                       .spf = STR("fail"),
                                                       .header_from = STR("example.com"),
                                                       .envelope_from = STR("lists.example"),
                                                       .envelope_to = STR("example.org"),
                                                       .spf_domain = STR("lists.example"),
                                                       .spf_scope = STR("mfrom"),
                                                       .spf_result = STR("softfail"),
                                                       .dkim_results = signatures,
                                                       .dkim_n = 2},
                                                      7},
                                                     {{.source = STR("2001:db8::1"),
                                                       .disposition = STR("none"),
                                                       .override = STR("local_policy"),
                                                       .override_comment = STR("a & b"),
                                                       .dkim = STR("fail"),
                                                       .spf = STR("fail"),
                                                       .header_from = STR("example.com"),
                                                       .spf_domain = STR("mail.example"),
                                                       .spf_scope = STR("helo"),
                                                       .spf_result = STR("none")},
                                                      3000000000}};

static const struct dmarc_report sample = {.organization = STR("mx.example.org"),
                                           .contact = STR("postmaster@example.org"),
                                           .id = STR("x.1@example.org"),
                                           .from = 1700000000LL * USEC_PER_SEC,
                                           .until = 1700086399LL * USEC_PER_SEC,
                                           .domain = STR("example.com"),
                                           .p = STR("reject"),
                                           .np = STR("none"),
                                           .adkim = STR("s"),
                                           .fo = STR("1"),
                                           .testing = true,
                                           .records = records,
                                           .records_n = 2};

static void assert_row(const struct dmarc_row *got, const struct dmarc_row *want)
{
	assert_true(str_equal(got->source, want->source));
	assert_true(str_equal(got->disposition, want->disposition));
	assert_true(str_equal(got->override, want->override));
	assert_true(str_equal(got->override_comment, want->override_comment));
	assert_true(str_equal(got->dkim, want->dkim));
	assert_true(str_equal(got->spf, want->spf));
	assert_true(str_equal(got->header_from, want->header_from));
	assert_true(str_equal(got->envelope_from, want->envelope_from));
	assert_true(str_equal(got->spf_domain, want->spf_domain));
	assert_true(str_equal(got->spf_result, want->spf_result));
	assert_int_equal(got->dkim_n, want->dkim_n);
	for (size_t i = 0; i < got->dkim_n; i++) {
		assert_true(str_equal(got->dkim_results[i].domain, want->dkim_results[i].domain));
		assert_true(str_equal(got->dkim_results[i].selector, want->dkim_results[i].selector));
		assert_int_equal(got->dkim_results[i].result, want->dkim_results[i].result);
	}
}

static void assert_sample(const struct dmarc_report *r)
{
	assert_str(r->organization, "mx.example.org");
	assert_str(r->contact, "postmaster@example.org");
	assert_str(r->id, "x.1@example.org");
	assert_int_equal(r->from, sample.from);
	assert_int_equal(r->until, sample.until);
	assert_str(r->p, "reject");
	assert_str(r->sp, "");
	assert_str(r->np, "none");
	assert_str(r->adkim, "s");
	assert_true(r->testing);
	assert_int_equal(r->records_n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_row(&r->records[i].row, &records[i].row);
		assert_int_equal(r->records[i].count, records[i].count);
	}
}

static void there_and_back(void **state UNUSED)
{
	BUF(xml, 1 << 20);
	BUF(packed, 1 << 20);
	struct dmarc_report again;

	dmarc_report_print(&xml, &sample);
	assert_int_equal(parse(buf_str(&xml), &again), OK);
	assert_sample(&again);
	assert_int_equal(gzip_pack(buf_str(&xml), &packed), OK);
	assert_int_equal(parse(buf_str(&packed), &again), OK);
	assert_sample(&again);
}

/* What would be no XML. */
static void odd_characters(void **state UNUSED)
{
	const struct dmarc_report_record record = {
		{.header_from = STR("a\x01\xff\xef\xbf\xbe\xef\xbf\xbf\xed\xa0\x80z\xc3\xa4<&>")}, 1};
	const struct dmarc_report r = {.records = &record, .records_n = 1};
	BUF(xml, 8192);

	dmarc_report_print(&xml, &r);
	assert_true(str_contains(buf_str(&xml), STR("<header_from>a?????\?\?z\xc3\xa4&lt;&amp;&gt;</header_from>")));
}

static void json(void **state UNUSED)
{
	BUF(out, 4096);
	BUF(small, 600);

	dmarc_report_json(&out, &sample);
	assert_true(str_starts(buf_str(&out), STR("{\"organization\":\"mx.example.org\",\"contact\":\"postmaster@")));
	assert_true(str_contains(buf_str(&out), STR("\"messages\":3000000007,\"passed\":7,\"sources\":[{\"source\":"
	                                            "\"2001:db8::1\",\"count\":3000000000,")));
	assert_true(str_contains(buf_str(&out), STR("\"signed\":[\"example.com=pass\",\"other.example=fail\"]}]}")));
	dmarc_report_json(&small, &sample);
	assert_false(small.full);
	assert_true(str_ends(buf_str(&small), STR("}]}")));
}

static void mail(void **state UNUSED)
{
	BUF(out, 8192);

	dmarc_report_mail_print(&out, &(struct dmarc_report_mail){.report = &sample,
	                                                          .receiver = STR("example.org"),
	                                                          .to = STR("dmarc@example.com"),
	                                                          .message_id = STR("<1@example.org>"),
	                                                          .packed = STR("xyz"),
	                                                          .at = sample.until});
	str text = buf_str(&out);
	assert_true(str_contains(text, STR("\r\nFrom: <postmaster@example.org>\r\nTo: <dmarc@example.com>\r\n")));
	assert_true(str_contains(text, STR("Subject: Report Domain: example.com\r\n\tSubmitter: example.org\r\n"
	                                   "\tReport-ID: <x.1@example.org>\r\n")));
	assert_true(str_contains(text, STR("filename=\"example.org!example.com!1700000000!1700086399.xml.gz\"")));
	assert_true(str_contains(text, STR("\r\n\r\neHl6\r\n--")));
	assert_true(str_contains(text, STR("\r\n\r\n3000000007 messages.\r\n")));
}

/* --- what others write --- */

#define HEAD   "<feedback><report_metadata><org_name>o</org_name></report_metadata>"
#define RECORD "<record><row><source_ip>192.0.2.1</source_ip><count>2</count></row></record>"

static void read_as(const char *xml, size_t records_n)
{
	struct dmarc_report r;

	assert_int_equal(parse(str_from(xml), &r), OK);
	assert_int_equal(r.records_n, records_n);
	assert_str(r.organization, "o");
	if (records_n > 0)
		assert_int_equal(r.records[0].count, 2);
}

static void lenient(void **state UNUSED)
{
	read_as(HEAD "</feedback>", 0);
	read_as(HEAD RECORD RECORD "</feedback>", 2);
	read_as("<x:feedback xmlns:x=\"http://dmarc.org/dmarc-xml/0.1\"><x:report_metadata><x:org_name> o\n"
	        "</x:org_name></x:report_metadata><x:record><x:row><x:count> 2 "
	        "</x:count></x:row></x:record></x:feedback>",
	        1);
	read_as("\xef\xbb\xbf" HEAD "<extension><any><thing/></any></extension>" RECORD "</feedback>", 1);
	/* An address that is no element. */
	read_as("<feedback><report_metadata><org_name>o</org_name><email><a@b.example></email></report_metadata>" RECORD
	        "</feedback>",
	        1);
	read_as(HEAD "<extra>a<b.example</extra>" RECORD "</feedback>", 1);
	read_as("<xs:schema targetNamespace=\"http://dmarc.org/dmarc-xml/0.1\">" HEAD RECORD "</feedback>", 1);
	/* What stands before a fault counts. */
	read_as(HEAD RECORD "<record><row>", 1);
	read_as(HEAD RECORD "\x01", 1);
}

static void assert_refused(const char *xml, err want)
{
	struct dmarc_report r;

	assert_int_equal(parse(str_from(xml), &r), want);
}

static void refused(void **state UNUSED)
{
	assert_refused("", E_SYNTAX);
	assert_refused("hello", E_SYNTAX);
	assert_refused("<html><body/></html>", E_SYNTAX);
	assert_refused(HEAD "<record>", E_SYNTAX);
	/* Entities, whatever they are for. */
	assert_refused("<!DOCTYPE feedback [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>"
	               "<feedback><report_metadata><org_name>&b;</org_name></report_metadata>" RECORD "</feedback>",
	               E_SYNTAX);
	assert_refused("<!DOCTYPE feedback [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><feedback>" RECORD "</feedback>",
	               E_SYNTAX);
	assert_refused("<!DOCTYPE feedback [<!ENTITY % x \"y\">]><feedback>" RECORD "</feedback>", E_SYNTAX);
	assert_refused("<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>", E_LIMIT);
	assert_refused("<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a/>", E_LIMIT);
}

static void bombs(void **state UNUSED)
{
	static char blanks[1 << 20];
	BUF(xml, 20 << 20);
	BUF(packed, 1 << 20);
	struct dmarc_report r;

	memset(blanks, ' ', sizeof(blanks));
	for (size_t i = 0; i < 17; i++)
		buf_put(&xml, str_make(blanks, sizeof(blanks)));
	assert_int_equal(gzip_pack(buf_str(&xml), &packed), OK);
	assert_int_equal(parse(buf_str(&packed), &r), E_LIMIT);
	assert_int_equal(parse(buf_str(&xml), &r), E_LIMIT);
	buf_reset(&xml);
	buf_puts(&xml, "<feedback>");
	for (size_t i = 0; i <= DMARC_REPORT_RECORDS_MAX; i++)
		buf_puts(&xml, "<record></record>");
	assert_int_equal(parse(buf_str(&xml), &r), E_LIMIT);
}

/* Texts are cut, on one line, and have no end of their own. */
static void texts(void **state UNUSED)
{
	static char xs[4000];
	BUF(xml, 8192);
	struct dmarc_report r;

	memset(xs, 'x', sizeof(xs));
	buf_puts(&xml, "<feedback><report_metadata><org_name>");
	buf_put(&xml, str_make(xs, sizeof(xs)));
	buf_puts(&xml, "</org_name><report_id>a&#10;b&#x7f;&amp;</report_id></report_metadata>" RECORD "</feedback>");
	assert_int_equal(parse(buf_str(&xml), &r), OK);
	assert_int_equal(r.organization.n, 512);
	assert_str(r.id, "a b &");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(there_and_back, forget),
	                                   cmocka_unit_test_teardown(json, forget),
	                                   cmocka_unit_test(odd_characters),
	                                   cmocka_unit_test_teardown(mail, forget),
	                                   cmocka_unit_test_teardown(lenient, forget),
	                                   cmocka_unit_test_teardown(refused, forget),
	                                   cmocka_unit_test_teardown(bombs, forget),
	                                   cmocka_unit_test_teardown(texts, forget)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
