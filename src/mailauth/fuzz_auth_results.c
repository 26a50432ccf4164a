/* SPDX-License-Identifier: ISC */
/* Any value, and any texts in a field of ours: that stays one field, and is found to be ours, as is whatever stands behind our name. */
#include <stdlib.h>

#include "mailauth/auth_results.h"

#define HOST STR("mx.example.org")

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_printed(str text)
{
	BUF(out, 1 << 20);
	const struct spf_result spf = {.result = AUTH_FAIL, .why = text};
	const struct iprev_result iprev = {AUTH_PASS, text};
	const struct dkim_result dkim = {.result = AUTH_PASS,
	                                 .domain = text,
	                                 .selector = text,
	                                 .identity = text,
	                                 .algorithm = text,
	                                 .b = text,
	                                 .why = text,
	                                 .bits = 1024};
	const struct dmarc_result dmarc = {.result = AUTH_FAIL, .record = {.domain = text}, .why = text};
	const struct auth_results r = {HOST, text, text, text, &spf, &iprev, &dkim, 1, &dmarc, text, NULL, text};

	auth_results_value(&out, &r);
	str value = buf_str(&out);
	check(!str_has_control(value) && str_is_ascii(value) && auth_results_is_ours(value, HOST));
	check(!auth_results_passed(value, STR("dmarc"), STR("header.from"), text));
	buf_reset(&out);
	auth_results_print(&out, &r);
	for (size_t i = 0; i < out.n; i++)
		check(out.p[i] != '\n' || i + 1 == out.n || out.p[i + 1] == '\t');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BUF(ours, 1 << 20);
	str text = str_make((const char *)data, size);

	(void)auth_results_is_ours(text, HOST);
	(void)auth_results_passed(text, STR("dmarc"), STR("header.from"), STR("example.com"));
	buf_put(&ours, HOST);
	buf_putc(&ours, ';');
	buf_put(&ours, text);
	check(auth_results_is_ours(buf_str(&ours), HOST));
	check_printed(text);
	return 0;
}
