/* SPDX-License-Identifier: ISC */
#include "role/signing.h"

#include <stdlib.h>

#include "rt/private_key.h"

enum { SIGNATURE_MAX = 1024 };

struct signing_key {
	uint64_t number;
	struct private_key *key;
};

struct signing_keys {
	size_t n;
	struct signing_key items[];
};

static void keys_free(struct signing_keys *k)
{
	for (size_t i = 0; k != NULL && i < k->n; i++)
		private_key_free(k->items[i].key);
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
	return e;
}

err signing_replace(struct signing *s, const struct certify_request *q)
{
	struct signing_keys *k = calloc(1, sizeof(*k) + q->certificates_n * sizeof(k->items[0]));
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

static struct private_key *find(const struct signing_keys *k, uint64_t number)
{
	for (size_t i = 0; k != NULL && i < k->n; i++)
		if (k->items[i].number == number)
			return k->items[i].key;
	return NULL;
}

err signing_serve(const struct signing *s, const struct sign_request *q, struct sign_reply *r, struct arena *a)
{
	struct private_key *key = find(s->now, q->key);
	BUF(signature, SIGNATURE_MAX);

	if (key == NULL)
		key = find(s->before, q->key);
	if (key == NULL)
		return err_note(E_NOT_FOUND, "there is no such key");
	err e = private_key_sign(key, (enum tls_sign)q->kind, q->input, &signature);
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
