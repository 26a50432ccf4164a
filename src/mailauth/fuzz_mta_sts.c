/* SPDX-License-Identifier: ISC */
/* Any record and any policy: what is read from them is within its bounds, and a policy in force lets somebody through. */
#include <stdlib.h>

#include "mailauth/mta_sts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA(a, 1 << 20);
	struct mta_sts_policy p;
	str text = str_make((const char *)data, size), id;

	if (mta_sts_record(&text, 1, &id) == OK)
		check(id.n >= 1 && id.n <= 32 && !str_has_control(id) && str_is_ascii(id));
	if (mta_sts_policy_parse(text, &a, &p) == OK) {
		check(p.max_age <= MTA_STS_AGE_MAX && p.mx_n <= MTA_STS_MX_MAX);
		check(p.mode == MTA_STS_NONE || p.mx_n > 0);
		for (size_t i = 0; i < p.mx_n; i++)
			check(str_starts(p.mx[i], STR("*.")) || mta_sts_allows(&p, p.mx[i]));
	}
	(void)mta_sts_allows(&p, text);
	return 0;
}
