/* SPDX-License-Identifier: ISC */
#include "oauth/jwks.h"

#include <stdlib.h>

#include "oauth/base64url.h"

enum { TRIED_MAX = 8, MEMORY_MAX = 1 << 20 };

static const struct json_limits limits = {JWKS_OCTETS_MAX, 12, 20000};

struct jwks_key {
	str kid;                                /* "" not said */
	const struct jose_algorithm *algorithm; /* the only one that it is for; NULL: all that fit */
	struct jose_key *key;
};
struct jwks {
	struct jwks_key *items;
	size_t n;
	struct arena memory;
};

void jwks_free(struct jwks *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		jose_key_free(s->items[i].key);
	arena_free(&s->memory);
	free(s);
}

size_t jwks_count(const struct jwks *s)
{
	return s->n;
}

/* --- reading --- */

static str member(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return str_make(json_string_value(v), json_string_length(v));
}

/* RFC 7517 4.2, 4.3: what it may be used for, when it says so. */
static bool is_for_signatures(const json_t *jwk)
{
	const json_t *operations = json_object_get(jwk, "key_ops");
	bool verifies = operations == NULL;

	for (size_t i = 0; i < json_array_size(operations) && !verifies; i++) {
		const char *z = json_string_value(json_array_get(operations, i));
		verifies = z != NULL && strcmp(z, "verify") == 0;
	}
	return verifies && (json_object_get(jwk, "use") == NULL || str_equal(member(jwk, "use"), STR("sig")));
}

/* RFC 7518 6, RFC 8037 2: of which kind, and which members have its numbers. */
static const struct {
	str type, curve;
	enum jose_kind kind;
	const char *first, *second;
} kinds[] = {
	{STR("RSA"), STR(""), JOSE_RSA, "n", "e"},
	{STR("EC"), STR("P-256"), JOSE_P256, "x", "y"},
	{STR("EC"), STR("P-384"), JOSE_P384, "x", "y"},
	{STR("OKP"), STR("Ed25519"), JOSE_ED25519, "x", NULL},
};

static err read_numbers(const json_t *jwk, size_t kind, struct arena *a, struct jose_key **out)
{
	str first, second = STR("");
	err e = base64url_decode(member(jwk, kinds[kind].first), a, &first);

	if (e == OK && kinds[kind].second != NULL)
		e = base64url_decode(member(jwk, kinds[kind].second), a, &second);
	return e == OK ? jose_key_read(kinds[kind].kind, first, second, out) : e;
}

static err read_key(const json_t *jwk, struct arena *a, struct jose_key **out)
{
	str type = member(jwk, "kty"), curve = member(jwk, "crv");

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_equal(type, kinds[i].type) && (kinds[i].kind == JOSE_RSA || str_equal(curve, kinds[i].curve)))
			return read_numbers(jwk, i, a, out);
	return err_note(E_SYNTAX, "a key of another kind");
}

/* One that cannot be used is left out, and what it would be used for fails. */
static void add(struct jwks *s, const json_t *jwk)
{
	struct jwks_key *k = &s->items[s->n];
	bool named = json_object_get(jwk, "alg") != NULL;
	ARENA(numbers, 64 << 10);

	*k = (struct jwks_key){arena_str(&s->memory, member(jwk, "kid")), jose_algorithm_find(member(jwk, "alg")),
	                       NULL};
	if (!json_is_object(jwk) || !is_for_signatures(jwk) || (named && k->algorithm == NULL) ||
	    read_key(jwk, &numbers, &k->key) != OK)
		return;
	if (k->algorithm != NULL && jose_algorithm_kind(k->algorithm) != jose_key_kind(k->key))
		jose_key_free(k->key);
	else
		s->n++;
}

static err take_keys(struct jwks *s, const json_t *keys)
{
	size_t n = json_array_size(keys);

	if (n > JWKS_KEYS_MAX)
		return err_note(E_LIMIT, "the set has more than %d keys", JWKS_KEYS_MAX);
	s->items = arena_array(&s->memory, n, sizeof(*s->items));
	for (size_t i = 0; i < n && s->items != NULL; i++)
		add(s, json_array_get(keys, i));
	if (s->memory.full)
		return err_note(E_LIMIT, "the set of keys is too large");
	return s->n > 0 ? OK : err_note(E_SYNTAX, "the set has no key that can be used");
}

err jwks_read(str json, struct jwks **out)
{
	json_t *root;
	err e = json_read(json, &limits, "the set of keys", &root);

	*out = NULL;
	if (e != OK)
		return e;
	struct jwks *s = calloc(1, sizeof(*s));
	if (s != NULL)
		s->memory = ARENA_INIT(MEMORY_MAX);
	e = s == NULL ? err_note(E_MEMORY, "no memory for keys") : take_keys(s, json_object_get(root, "keys"));
	json_decref(root);
	if (e == OK)
		*out = s;
	else
		jwks_free(s);
	return e;
}

/* --- verifying --- */

static bool fits(const struct jwks_key *k, const struct jwt *t)
{
	return jose_key_kind(k->key) == jose_algorithm_kind(t->algorithm) &&
	       (k->algorithm == NULL || k->algorithm == t->algorithm) && (t->kid.n == 0 || str_equal(t->kid, k->kid));
}

/* A token that does not name its key may be of any, and several may have one name. */
err jwks_verify(const struct jwks *s, const struct jwt *t)
{
	size_t tried = 0;

	for (size_t i = 0; i < s->n && tried < TRIED_MAX; i++) {
		if (!fits(&s->items[i], t))
			continue;
		tried++;
		if (jose_verify(s->items[i].key, t->algorithm, t->signed_part, t->signature))
			return OK;
	}
	return tried == 0 ? err_note(E_NOT_FOUND, "no key is known that the token may be signed with")
	                  : err_note(E_DENIED, "the token's signature is wrong");
}
