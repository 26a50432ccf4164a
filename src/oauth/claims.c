/* SPDX-License-Identifier: ISC */
#include "oauth/claims.h"

enum { USER_MAX = 320 };
#define TIME_MAX 1e12 /* seconds */

static str text_of(const json_t *string)
{
	return str_make(json_string_value(string), json_string_length(string));
}

/* RFC 7519 2 NumericDate, which may have a fraction. False: not there; or it is none, and *bad. */
static bool read_time(const json_t *claims, const char *key, int64_t *out, bool *bad)
{
	const json_t *v = json_object_get(claims, key);
	double seconds = json_number_value(v);

	if (v == NULL)
		return false;
	*bad |= !json_is_number(v) || !(seconds >= 0 && seconds <= TIME_MAX);
	*out = *bad ? 0 : (int64_t)seconds;
	return !*bad;
}

static err check_times(const json_t *claims, const struct claims_rules *rules, int64_t *expires)
{
	bool bad = false;
	int64_t from;
	bool ends = read_time(claims, "exp", expires, &bad), begins = read_time(claims, "nbf", &from, &bad);

	if (bad)
		return err_note(E_DENIED, "a time of the token is none");
	if (!ends && rules->ends)
		return err_note(E_DENIED, "the token never expires");
	if (ends && *expires + CLAIMS_LEEWAY <= rules->now)
		return err_note(E_DENIED, "the token has expired");
	if (begins && from - CLAIMS_LEEWAY > rules->now)
		return err_note(E_DENIED, "the token is not valid yet");
	if (!ends)
		*expires = INT64_MAX;
	return OK;
}

/* RFC 7519 4.1.3: one, or a list. */
static bool is_for(const json_t *aud, str audience)
{
	bool found = json_is_string(aud) && str_equal(text_of(aud), audience);

	for (size_t i = 0; i < json_array_size(aud) && !found; i++) {
		const json_t *one = json_array_get(aud, i);
		found = json_is_string(one) && str_equal(text_of(one), audience);
	}
	return found;
}

static err check_parties(const json_t *claims, const struct claims_rules *rules)
{
	const json_t *issuer = json_object_get(claims, "iss");

	if (rules->issuer.n > 0 && !(json_is_string(issuer) && str_equal(text_of(issuer), rules->issuer)))
		return err_note(E_DENIED, "the token is of another issuer");
	if (rules->audience.n > 0 && !is_for(json_object_get(claims, "aud"), rules->audience))
		return err_note(E_DENIED, "the token is for another audience");
	/* RFC 7800 3.1, RFC 9449 6: whoever shows it has to prove a key, which nobody can do in this mechanism. */
	if (json_object_get(claims, "cnf") != NULL)
		return err_note(E_DENIED, "the token is bound to a key");
	return OK;
}

/* Some issuers write it as a string. */
static bool is_true(const json_t *v)
{
	return json_is_true(v) || (json_is_string(v) && str_equal(text_of(v), STR("true")));
}

static err take_user(const json_t *claims, str field, struct arena *a, str *out)
{
	const char *key = arena_z(a, field);
	const json_t *v = key == NULL ? NULL : json_object_get(claims, key);
	const json_t *verified = json_object_get(claims, "email_verified");
	str user = json_is_string(v) ? text_of(v) : STR_NONE;

	if (user.n == 0 || user.n > USER_MAX || str_has_control(user))
		return err_note(E_DENIED, "the token does not say whose it is");
	if (str_equal(field, STR("email")) && verified != NULL && !is_true(verified))
		return err_note(E_DENIED, "the address in the token is not verified");
	*out = arena_str(a, user);
	return a->full ? err_note(E_LIMIT, "no memory for a token") : OK;
}

err claims_check(const json_t *claims, const struct claims_rules *rules, struct arena *a, struct claims *out)
{
	*out = (struct claims){0};
	err e = check_times(claims, rules, &out->expires);
	if (e == OK)
		e = check_parties(claims, rules);
	return e == OK ? take_user(claims, rules->user, a, &out->user) : e;
}
