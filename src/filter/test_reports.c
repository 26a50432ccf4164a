/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/encode.h"
#include "filter/reports.h"
#include "mailauth/gzip.h"
#include "rt/rt.h"

static struct config *config;
static struct arena memory = ARENA_INIT(16 << 20);

static int begin(void **state UNUSED)
{
	struct config_faults faults = {.text = BUF_INIT(4096)};

	config = config_parse(STR("version 1\nhostname mx.example.org\ndomain example.org\n"), "test", &faults);
	buf_free(&faults.text);
	return config == NULL;
}

static int end(void **state UNUSED)
{
	config_release(config);
	arena_free(&memory);
	return 0;
}

#define REPORT                                                                                                        \
	"<feedback><report_metadata><org_name>Big Mail</org_name><email>noreply@mail.example</email>"                 \
	"<report_id>77</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range>"            \
	"</report_metadata><policy_published><domain>Example.ORG</domain><p>none</p></policy_published><record><row>" \
	"<source_ip>192.0.2.1</source_ip><count>2</count></row></record></feedback>"

#define TLS_REPORT                                                                                            \
	"{\"organization-name\":\"Big "                                                                       \
	"Mail\",\"report-id\":\"t1\",\"contact-info\":\"tls@mail.example\",\"policies\":["                    \
	"{\"policy\":{\"policy-domain\":\"other.example\"}},{\"policy\":{\"policy-domain\":\"example.org\"}," \
	"\"summary\":{\"total-failure-session-count\":2}}]}"

#define HEAD "From: noreply@mail.example\r\nMessage-ID: <m1@mail.example>\r\nMIME-Version: 1.0\r\n"

static err read_mail(str message, const char *author, struct report_read *out)
{
	const struct reports_input in = {config, message, str_from(author), author != NULL};

	*out = (struct report_read){0};
	return reports_read(&in, &memory, out);
}

/* A mail with one part: `octets` in base64. */
static err read_as(const char *fields, str octets, struct report_read *out)
{
	BUF(message, 1 << 20);

	buf_printf(&message, HEAD "Content-Transfer-Encoding: base64\r\n%s\r\n\r\n", fields);
	base64_encode(&message, octets);
	buf_puts(&message, "\r\n");
	return read_mail(arena_str(&memory, buf_str(&message)), "mail.example", out);
}

static str packed(const char *text)
{
	BUF(out, 1 << 20);

	assert_int_equal(gzip_pack(str_from(text), &out), OK);
	return arena_str(&memory, buf_str(&out));
}

static void assert_dmarc(const char *fields, str octets)
{
	struct report_read r;
	err e = read_as(fields, octets, &r);

	if (e != OK)
		fail_msg("%s: %d", fields, (int)e);
	assert_str(r.kind, "dmarc");
	assert_str(r.domain, "example.org");
	assert_str(r.organization, "Big Mail");
	assert_str(r.id, "77");
	assert_int_equal(r.from, 1700000000000000);
	assert_int_equal(r.until, 1700086399000000);
	assert_int_equal(r.verified, 1);
	assert_true(str_contains(r.text, STR("\"messages\":2,\"passed\":0,")));
}

/* What large senders call theirs. */
static void dmarc(void **state UNUSED)
{
	str gz = packed(REPORT);

	assert_dmarc("Content-Type: application/gzip; name=\"a!example.org!1!2.xml.gz\"", gz);
	assert_dmarc("Content-Type: application/x-gzip\r\nContent-Disposition: attachment; filename=\"a!b!1!2.gz\"",
	             gz);
	assert_dmarc("Content-Type: application/octet-stream; name=report.xml.gz", gz);
	assert_dmarc("Content-Type: application/zip; name=report.zip\r\nSubject: Report domain: example.org", gz);
	assert_dmarc("Content-Type: application/gzip\r\nSubject: Report Domain: example.org\r\n Submitter: x", gz);
	assert_dmarc("Content-Type: text/xml", STR(REPORT));
	assert_dmarc("Content-Type: application/xml; name=x", STR(REPORT));
}

static void assert_none(const char *fields)
{
	struct report_read r;

	assert_int_equal(read_as(fields, packed(REPORT), &r), E_NOT_FOUND);
}

static void others(void **state UNUSED)
{
	assert_none("Content-Type: application/zip; name=photos.zip");
	assert_none("Content-Type: application/gzip; name=src.tar.gz");
	assert_none("Content-Type: application/octet-stream");
	assert_none("Content-Type: application/octet-stream; name=a.exe");
	assert_none("Content-Type: text/plain; name=a.xml");
}

static void tls(void **state UNUSED)
{
	struct report_read r;

	assert_int_equal(read_as("Content-Type: application/tlsrpt+gzip", packed(TLS_REPORT), &r), OK);
	assert_str(r.kind, "tls");
	assert_str(r.domain, "example.org");
	assert_str(r.id, "t1");
	assert_int_equal(r.verified, 1);
	assert_true(str_contains(r.text, STR("\"sessions\":2,\"failed\":2,")));
	assert_int_equal(read_as("Content-Type: application/tlsrpt+json", STR(TLS_REPORT), &r), OK);
	assert_int_equal(read_as("Content-Type: application/gzip; name=\"a!b!1!2!3.json.gz\"", packed(TLS_REPORT), &r),
	                 OK);
	assert_str(r.kind, "tls");
}

static void arf(void **state UNUSED)
{
	struct report_read r;
	str complaint =
		STR(HEAD "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nText\r\n"
	                 "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n"
	                 "Original-Mail-From: <x@other.example>\r\n\r\n"
	                 "--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: alice@example.org\r\n\r\nx\r\n--b--\r\n");

	assert_int_equal(read_mail(complaint, "mail.example", &r), OK);
	assert_str(r.kind, "arf");
	assert_str(r.domain, "example.org");
	assert_str(r.organization, "mail.example");
	assert_str(r.id, "<m1@mail.example>");
	assert_int_equal(r.verified, 1);
	assert_true(str_starts(r.text, STR("{\"type\":\"abuse\",")));
}

static void whose(void **state UNUSED)
{
	struct report_read r;
	str mail = STR(HEAD "Content-Type: text/xml\r\n\r\n" REPORT);

	assert_int_equal(read_mail(mail, NULL, &r), OK);
	assert_int_equal(r.verified, 0);
	assert_int_equal(read_mail(mail, "bounces.mail.example", &r), OK);
	assert_int_equal(r.verified, 1);
	assert_int_equal(read_mail(mail, "evilmail.example", &r), OK);
	assert_int_equal(r.verified, 0);
	assert_int_equal(read_mail(mail, "example", &r), OK);
	assert_int_equal(r.verified, 0);
}

static void refused(void **state UNUSED)
{
	struct report_read r;

	assert_int_equal(
		read_as("Content-Type: text/xml",
	                STR("<feedback><policy_published><domain>other.example</domain></policy_published></feedback>"),
	                &r),
		E_DENIED);
	assert_int_equal(read_as("Content-Type: text/xml", STR("<feedback/>"), &r), E_DENIED);
	assert_int_equal(read_as("Content-Type: text/xml", STR("<html/>"), &r), E_SYNTAX);
	assert_int_equal(read_as("Content-Type: application/tlsrpt+gzip", packed("{\"policies\":[]}"), &r), E_DENIED);
	assert_int_equal(read_as("Content-Type: application/tlsrpt+gzip", STR("\x1f\x8b oh"), &r), E_SYNTAX);
	assert_int_equal(read_mail(STR(""), NULL, &r), E_NOT_FOUND);
}

/* A report without an id, an organization whose name has many lines. */
static void odd_names(void **state UNUSED)
{
	struct report_read r;

	assert_int_equal(read_as("Content-Type: text/xml",
	                         STR("<feedback><report_metadata><org_name>a&#10;b</org_name></report_metadata>"
	                             "<policy_published><domain>example.org</domain></policy_published></feedback>"),
	                         &r),
	                 OK);
	assert_str(r.organization, "a b");
	assert_str(r.id, "0-0");
}

static bool others_ran;

static void run_beside(void *arg UNUSED)
{
	others_ran = true;
}

static void read_beside(void *arg)
{
	rt_spawn(run_beside, NULL, "beside");
	assert_dmarc("Content-Type: text/xml", STR(REPORT));
	*(bool *)arg = others_ran;
	assert_none("Content-Type: text/plain");
}

/* Whoever sends a large report holds up no other message. */
static void others_go_on_meanwhile(void **state UNUSED)
{
	bool parked = false;

	assert_int_equal(rt_run(read_beside, &parked), OK);
	assert_true(parked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(dmarc),     cmocka_unit_test(others),
	                                   cmocka_unit_test(tls),       cmocka_unit_test(arf),
	                                   cmocka_unit_test(whose),     cmocka_unit_test(refused),
	                                   cmocka_unit_test(odd_names), cmocka_unit_test(others_go_on_meanwhile)};

	return cmocka_run_group_tests(tests, begin, end);
}
