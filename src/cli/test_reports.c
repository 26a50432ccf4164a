/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "cli/reports.h"

#include <stdlib.h>

static void tells(const char *kind, const char *json, const char *want, bool as_json)
{
	struct cell cells[] = {
		{.name = STR("kind"), .text = str_from(kind)},
		{.name = STR("domain"), .text = STR("example.org")},
		{.name = STR("organization"), .text = STR("Big Mail")},
		{.name = STR("id"), .text = STR("7")},
		{.name = STR("message"), .text = STR("16J")},
		{.name = STR("from"), .text = STR("2026-11-20T00:00:00.000Z")},
		{.name = STR("until"), .text = STR("2026-11-20T23:59:59.000Z")},
		{.name = STR("verified"), .text = STR("yes")},
		{.name = STR("text"), .text = str_from(json)},
	};
	struct row row = {.cells = cells, .cells_n = ARRAY_LEN(cells)};
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	(as_json ? reports_tell_json : reports_tell)(f, &row, 1);
	(void)fclose(f);
	assert_str(str_make(text, n), want);
	free(text);
}

#define DMARC                                                                                                         \
	"{\"messages\":5,\"passed\":2,\"sources\":[{\"source\":\"192.0.2.1\",\"count\":1,\"disposition\":\"reject\"," \
	"\"dkim\":\"fail\",\"spf\":\"fail\",\"from\":\"example.org\",\"envelope-from\":\"bad.example\","              \
	"\"signed\":[\"bad.example=pass\",\"x\\u001b=fail\"]}]}"
#define HEADING " report of Big Mail, 2026-11-20, authentic (message 16J)\n  "

static void dmarc(void **state UNUSED)
{
	tells("dmarc", DMARC,
	      "example.org: dmarc" HEADING "5 messages, 2 passed\n"
	      "  192.0.2.1: 1 message from example.org, SPF fail (bad.example), DKIM fail (signed bad.example=pass, x "
	      "=fail): reject\n",
	      false);
	tells("dmarc", DMARC,
	      "{\"kind\":\"dmarc\",\"domain\":\"example.org\",\"organization\":\"Big "
	      "Mail\",\"id\":\"7\",\"message\":\"16J\","
	      "\"from\":\"2026-11-20T00:00:00.000Z\",\"until\":\"2026-11-20T23:59:59.000Z\",\"verified\":\"yes\","
	      "\"report\":" DMARC "}\n",
	      true);
}

static void tls(void **state UNUSED)
{
	tells("tls",
	      "{\"sessions\":3,\"failed\":1,\"failures\":[{\"result\":\"certificate-expired\",\"host\":\"mx\","
	      "\"address\":\"192.0.2.2\",\"source\":\"192.0.2.3\",\"reason\":\"\",\"count\":1}]}",
	      "example.org: tls" HEADING "3 TLS sessions, 1 failed\n"
	      "  certificate-expired: 1 session with mx [192.0.2.2] from 192.0.2.3\n",
	      false);
}

static void arf(void **state UNUSED)
{
	tells("arf",
	      "{\"type\":\"abuse\",\"incidents\":1,\"from\":\"a@example.org\",\"subject\":\"Hi\",\"source\":\"192.0.2."
	      "1\"}",
	      "example.org: arf" HEADING "complaint: abuse, a message from a@example.org \"Hi\", sent by [192.0.2.1]\n",
	      false);
}

static void none(void **state UNUSED)
{
	tells("dmarc", "oh", "", false);
	tells("dmarc", "{}", "example.org: dmarc" HEADING "0 messages, 0 passed\n", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(dmarc), cmocka_unit_test(tls), cmocka_unit_test(arf),
	                                   cmocka_unit_test(none)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
