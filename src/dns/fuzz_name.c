/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "dns/dns.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct cursor c = cursor_of(str_make((const char *)data, size));
	BUF(out, 600);

	dns_name(&c, &out);
	if (c.failed)
		return 0;
	if (out.n > DNS_NAME_MAX || str_has_control(buf_str(&out)) || !str_is_ascii(buf_str(&out)))
		abort();
	return 0;
}
