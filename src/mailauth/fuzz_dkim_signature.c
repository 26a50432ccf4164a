/* SPDX-License-Identifier: ISC */
/* Any field as signature, of each kind: what is read from it is within its bounds, and all that is wrong has a reason. */
#include <stdlib.h>

#include "base/date.h"
#include "mailauth/dkim_signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool is_within(str part, str whole)
{
	return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void read_as(enum dkim_field_kind kind, str value)
{
	ARENA(a, 1 << 20);
	static struct dkim_signature s;
	struct dkim_result r;
	struct header_field f = {STR("DKIM-Signature"), value, value};

	if (dkim_signature_read(kind, &f, 1700000000 * USEC_PER_SEC, &a, &s, &r) != OK)
		return;
	check(str_is_ascii(r.domain) && str_is_ascii(r.selector) && r.domain.n <= 253 && r.selector.n <= 253);
	check(!str_has_control(r.domain) && !str_has_control(r.selector) && !str_has_control(r.identity) &&
	      !str_has_control(r.b));
	check((r.result == AUTH_NONE) == (r.why.n == 0));
	for (size_t i = 0; i < s.tags.n; i++)
		check(is_within(s.tags.items[i].whole, value) &&
		      is_within(s.tags.items[i].value, s.tags.items[i].whole));
	if (r.result == AUTH_NONE)
		check(r.domain.n > 0 && r.selector.n > 0 && s.b.n > 0 && (kind == ARC_SEAL_FIELD || s.bh.n == 32));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str value = str_make((const char *)data, size);

	read_as(DKIM_FIELD, value);
	read_as(ARC_MESSAGE_FIELD, value);
	read_as(ARC_SEAL_FIELD, value);
	return 0;
}
