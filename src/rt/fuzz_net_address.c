/* SPDX-License-Identifier: ISC */
/* What is read is printed so that it is read as the same again. */
#include <stdlib.h>
#include <string.h>

#include "rt/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_address a, again;
	BUF(text, 256);

	if (net_address_parse(str_make((const char *)data, size), &a) != OK)
		return 0;
	net_address_print(&text, &a);
	net_address_host(&text, &a);
	buf_reset(&text);
	net_address_print(&text, &a);
	/* A mapped address prints as the IPv4 address it is. */
	if (net_address_parse(buf_str(&text), &again) != OK || !net_address_equal_host(&a, &again) ||
	    net_address_is_loopback(&a) != net_address_is_loopback(&again))
		abort();
	return 0;
}
