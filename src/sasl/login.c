/* SPDX-License-Identifier: ISC */
#include "sasl/login.h"

static bool is_name(str s)
{
	return s.n > 0 && s.n <= sizeof(((struct login *)0)->user) && str_is_utf8(s) && str_find(s, '\0') == s.n;
}

err login_step(struct login *l, str response, bool has_response, str *challenge)
{
	if (!has_response) {
		*challenge = STR("Username:");
	} else if (l->user_n == 0) {
		if (!is_name(response))
			return err_note(E_SYNTAX, "LOGIN: no user name");
		memcpy(l->user, response.p, response.n);
		l->user_n = response.n;
		*challenge = STR("Password:");
	} else {
		*challenge = STR_NONE;
	}
	return OK;
}
