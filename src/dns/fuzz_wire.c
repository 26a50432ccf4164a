/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "dns/dns.h"
#include "dns/wire.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const unsigned types[] = {DNS_A, DNS_CNAME, DNS_MX, DNS_SRV, DNS_TXT, DNS_PTR};
	struct resolve_reply reply;
	ARENA(a, 16 << 20);
	str message = str_make((const char *)data, size);

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (wire_answer(message, STR("example.com"), types[i], &reply, &a) != OK)
			continue;
		if (reply.canonical.n > 1020 || str_has_control(reply.canonical) || !str_is_ascii(reply.canonical))
			abort();
		for (size_t k = 0; k < reply.records_n; k++)
			if (reply.records[k].data.n > size + 261)
				abort();
	}
	return 0;
}
