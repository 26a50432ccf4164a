/* SPDX-License-Identifier: ISC */
#include "oauth/jwt.h"

#include "oauth/base64url.h"

static const struct json_limits limits = {JWT_MAX, 12, 2000};

enum { KID_MAX = 512 };

/* One of the three parts that is an object. */
static err read_object(str part, const char *what, struct arena *a, json_t **out)
{
	str text;
	err e = base64url_decode(part, a, &text);

	*out = NULL;
	if (e == OK)
		e = json_read(text, &limits, what, out);
	if (e != OK || json_is_object(*out))
		return e;
	json_decref(*out);
	*out = NULL;
	return err_note(E_SYNTAX, "%s is no object", what);
}

/* As it stands there: a cut or cleaned text would be another one. */
static str exact_text(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return str_make(json_string_value(v), json_string_length(v));
}

/* RFC 9068 2.1; and what issuers write who do not follow that. Others are tokens for other things (RFC 8725 3.11). */
static bool is_access_token(const json_t *header)
{
	static const str types[] = {STR("at+jwt"), STR("application/at+jwt"), STR("JWT")};
	const json_t *v = json_object_get(header, "typ");
	bool good = v == NULL;

	for (size_t i = 0; i < ARRAY_LEN(types) && json_is_string(v); i++)
		good |= str_equal_nocase(exact_text(header, "typ"), types[i]);
	return good;
}

/* RFC 7515 4.1. What keys the token itself brings or points to (jwk, jku, x5c, x5u) is not looked at. */
static err take_header(const json_t *header, struct arena *a, struct jwt *out)
{
	const json_t *kid = json_object_get(header, "kid");

	if (json_object_get(header, "crit") != NULL)
		return err_note(E_SYNTAX, "the token wants something to be understood that is not");
	if (!is_access_token(header))
		return err_note(E_SYNTAX, "the token is not one for access");
	if (kid != NULL && (!json_is_string(kid) || json_string_length(kid) > KID_MAX))
		return err_note(E_SYNTAX, "the token's kid is none");
	out->kid = arena_str(a, exact_text(header, "kid"));
	out->algorithm = jose_algorithm_find(exact_text(header, "alg"));
	return out->algorithm != NULL ? OK : err_note(E_SYNTAX, "the token's algorithm is not allowed");
}

static err read_header(str part, struct arena *a, struct jwt *out)
{
	json_t *header;
	err e = read_object(part, "the header of the token", a, &header);

	if (e == OK)
		e = take_header(header, a, out);
	json_decref(header);
	return e;
}

err jwt_read(str token, struct arena *a, struct jwt *out)
{
	str header, rest, claims, signature;

	*out = (struct jwt){0};
	if (token.n > JWT_MAX)
		return err_note(E_LIMIT, "the token is too long");
	if (!str_cut(token, '.', &header, &rest) || !str_cut(rest, '.', &claims, &signature))
		return err_note(E_SYNTAX, "the token is no JWT");
	out->signed_part = str_take(token, header.n + 1 + claims.n);
	err e = read_header(header, a, out);
	if (e == OK)
		e = base64url_decode(signature, a, &out->signature);
	return e == OK ? read_object(claims, "the content of the token", a, &out->claims) : e;
}

void jwt_free(struct jwt *t)
{
	json_decref(t->claims);
	t->claims = NULL;
}
