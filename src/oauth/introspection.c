/* SPDX-License-Identifier: ISC */
#include "oauth/introspection.h"

static const struct json_limits limits = {INTROSPECTION_MAX, 12, 5000};

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~", c) != NULL);
}

void introspection_encode(str in, struct buf *out)
{
	for (size_t i = 0; i < in.n; i++)
		if (is_plain(in.p[i]))
			buf_putc(out, in.p[i]);
		else
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)in.p[i]);
}

void introspection_ask(str token, struct buf *out)
{
	buf_puts(out, "token_type_hint=access_token&token=");
	introspection_encode(token, out);
}

/* RFC 7662 2.2: "active" is a boolean and nothing that looks like one. */
static err check(const json_t *answer, const struct claims_rules *rules, struct arena *a, struct claims *out)
{
	const json_t *active = json_object_get(answer, "active");

	if (!json_is_boolean(active))
		return err_note(E_SYNTAX, "the answer does not say whether the token is active");
	if (!json_is_true(active))
		return err_note(E_DENIED, "the token is not active");
	return claims_check(answer, rules, a, out);
}

err introspection_read(str json, const struct claims_rules *rules, struct arena *a, struct claims *out)
{
	json_t *answer;
	err e = json_read(json, &limits, "the answer about a token", &answer);

	if (e == OK)
		e = check(answer, rules, a, out);
	json_decref(answer);
	return e;
}
