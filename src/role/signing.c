/* SPDX-License-Identifier: ISC */
#include "role/signing.h"

#include <stdlib.h>

#include "rt/private_key.h"
#include "rt/signature_key.h"

enum { SIGNATURE_MAX = 1024 };

struct signing_key { /* of a certificate, or of a domain */
	uint64_t number;
	struct private_key *key;
	struct signature_key *domain;
};

struct signing_keys {
	size_t n;
	struct signing_key items[];
};

static void keys_free(struct signing_keys *k)
{
	for (size_t i = 0; k != NULL && i < k->n; i++) {
		private_key_free(k->items[i].key);
		signature_key_free(k->items[i].domain);
	}
	free(k);
}

static err keys_read(struct signing_keys *k, const struct certify_request *q)
{
	err e = OK;

	for (size_t i = 0; i < q->certificates_n && e == OK; i++) {
		const struct certificate *c = &q->certificates[i];

		k->items[k->n].number = c->key;
		e = private_key_read(c->secret, c->chain, &k->items[k->n].key);
		k->n++;
	}
	for (size_t i = 0; i < q->domain_keys_n && e == OK; i++) {
		k->items[k->n].number = q->domain_keys[i].key;
		e = signature_key_read(q->domain_keys[i].secret, &k->items[k->n].domain);
		k->n += e == OK;
	}
	return e;
}

err signing_replace(struct signing *s, const struct certify_request *q)
{
	size_t n = q->certificates_n + q->domain_keys_n;
	struct signing_keys *k = calloc(1, sizeof(*k) + n * sizeof(k->items[0]));
	err e = k == NULL ? err_note(E_MEMORY, "no memory for private keys") : keys_read(k, q);

	if (e != OK) {
		keys_free(k);
		return e;
	}
	keys_free(s->before);
	s->before = s->now;
	s->now = k;
	return OK;
}

static const struct signing_key *find_in(const struct signing_keys *k, uint64_t number, bool domain)
{
	for (size_t i = 0; k != NULL && i < k->n; i++)
		if (k->items[i].number == number && (k->items[i].domain != NULL) == domain)
			return &k->items[i];
	return NULL;
}

static err find(const struct signing *s, uint64_t number, bool domain, const struct signing_key **out)
{
	*out = find_in(s->now, number, domain);
	if (*out == NULL)
		*out = find_in(s->before, number, domain);
	return *out != NULL ? OK : err_note(E_NOT_FOUND, "there is no such key");
}

err signing_serve(const struct signing *s, const struct sign_request *q, struct sign_reply *r, struct arena *a)
{
	const struct signing_key *key;
	BUF(signature, SIGNATURE_MAX);
	err e = find(s, q->key, false, &key);

	if (e == OK)
		e = private_key_sign(key->key, (enum tls_sign)q->kind, q->input, &signature);
	if (e == OK)
		r->signature = arena_str(a, buf_str(&signature));
	return e;
}

err signing_serve_domain(const struct signing *s, const struct sign_request *q, struct sign_reply *r, struct arena *a)
{
	const struct signing_key *key;
	BUF(signature, SIGNATURE_MAX);
	err e = q->kind == SIGN_DIGEST ? find(s, q->key, true, &key) : err_note(E_DENIED, "no such kind of signature");

	if (e == OK)
		e = signature_key_sign(key->domain, q->input, &signature);
	if (e == OK)
		r->signature = arena_str(a, buf_str(&signature));
	return e;
}

void signing_free(struct signing *s)
{
	keys_free(s->now);
	keys_free(s->before);
	*s = (struct signing){0};
}
