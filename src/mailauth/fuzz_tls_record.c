/* SPDX-License-Identifier: ISC */
/* Any record: where it leads is an address or a URL that can stand in a header and in a request. */
#include <stdlib.h>

#include "mailauth/tls_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA(a, 1 << 20);
	struct tls_report_record r;
	str text = str_make((const char *)data, size);

	if (tls_report_record(&text, 1, &a, &r) != OK)
		return 0;
	if (r.n == 0 || r.n > TLS_REPORT_URIS_MAX)
		abort();
	for (size_t i = 0; i < r.n; i++)
		if (r.uris[i].to.n == 0 || str_has_control(r.uris[i].to) || !str_is_ascii(r.uris[i].to))
			abort();
	return 0;
}
