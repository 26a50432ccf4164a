/* SPDX-License-Identifier: ISC */
/* Any report: what is read is bounded and one line each, and once it is written it reads the same. */
#include <stdlib.h>

#include "mailauth/tls_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA(a, 8 << 20);
	BUF(json, 8 << 20);
	BUF(again, 8 << 20);
	struct tls_report r, second;

	if (tls_report_parse(str_make((const char *)data, size), &a, &r) != OK)
		return 0;
	check(!str_has_control(r.organization) && !str_has_control(r.id) && r.policies_n <= 1000);
	for (size_t i = 0; i < r.policies_n; i++)
		for (size_t k = 0; k < r.policies[i].details_n; k++)
			check(!str_has_control(r.policies[i].details[k].reason));
	tls_report_print(&json, &r);
	check(tls_report_parse(buf_str(&json), &a, &second) != E_SYNTAX);
	if (a.full)
		return 0;
	tls_report_print(&again, &second);
	check(json.full || again.full || str_equal(buf_str(&json), buf_str(&again)));
	return 0;
}
