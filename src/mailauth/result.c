/* SPDX-License-Identifier: ISC */
#include "mailauth/result.h"

str auth_result_name(enum auth_result r)
{
	static const char *const names[] = {
		[AUTH_NONE] = "none",           [AUTH_PASS] = "pass",           [AUTH_FAIL] = "fail",
		[AUTH_SOFTFAIL] = "softfail",   [AUTH_NEUTRAL] = "neutral",     [AUTH_POLICY] = "policy",
		[AUTH_TEMPERROR] = "temperror", [AUTH_PERMERROR] = "permerror",
	};

	return str_from(names[r]);
}

bool auth_result_find(str name, enum auth_result *out)
{
	for (int i = AUTH_NONE; i <= AUTH_PERMERROR; i++) {
		*out = (enum auth_result)i;
		if (str_equal(name, auth_result_name(*out)))
			return true;
	}
	return false;
}
