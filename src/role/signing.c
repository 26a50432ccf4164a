/* SPDX-License-Identifier: ISC */
#include "role/signing.h"

#include <stdlib.h>

#include "rt/private_key.h"
#include "rt/signature_key.h"

enum { SIGNATURE_MAX = 1024 };

struct signing_key { /* of a certificate, or of a domain */
	uint64_t number;
	bool of_domain;
	struct private_key *key;
	char *pem; /* of a domain, until it is first asked to sign: there may be very many; NULL afterwards */
	size_t pem_n;
	struct signature_key *domain;
};

struct signing_keys {
	struct signing_key *items; /* by of_domain and number */
	size_t n, cap;
};

static void key_free(struct signing_key *k)
{
	private_key_free(k->key);
	signature_key_free(k->domain);
	if (k->pem != NULL)
		explicit_bzero(k->pem, k->pem_n);
	free(k->pem);
}

static void keys_free(struct signing_keys *k)
{
	for (size_t i = 0; k != NULL && i < k->n; i++)
		key_free(&k->items[i]);
	if (k != NULL)
		free(k->items);
	free(k);
}

static int by_number(const void *x, const void *y)
{
	const struct signing_key *a = x, *b = y;

	if (a->of_domain != b->of_domain)
		return a->of_domain ? 1 : -1;
	return a->number < b->number ? -1 : a->number > b->number;
}

static struct signing_key *find_in(const struct signing_keys *k, uint64_t number, bool of_domain)
{
	const struct signing_key wanted = {.number = number, .of_domain = of_domain};

	return k == NULL || k->n == 0 ? NULL : bsearch(&wanted, k->items, k->n, sizeof(wanted), by_number);
}

/* --- what there is --- */

static err out_of_memory(void)
{
	return err_note(E_MEMORY, "no memory for private keys");
}

static err grow(struct signing_keys *k, size_t n)
{
	size_t cap = k->n + n > 2 * k->cap ? k->n + n : 2 * k->cap;

	if (k->n + n <= k->cap)
		return OK;
	struct signing_key *items = reallocarray(k->items, cap, sizeof(*items));
	if (items == NULL)
		return out_of_memory();
	k->items = items;
	k->cap = cap;
	return OK;
}

static err read_certificate(struct signing_keys *k, const struct certificate *c)
{
	struct signing_key *item = &k->items[k->n++];

	*item = (struct signing_key){.number = c->key};
	return private_key_read(c->secret, c->chain, &item->key);
}

static err keep_domain_key(struct signing_keys *k, const struct domain_key *d)
{
	char *pem = malloc(d->secret.n + 1);

	if (pem == NULL)
		return out_of_memory();
	memcpy(pem, d->secret.p, d->secret.n);
	k->items[k->n++] = (struct signing_key){.number = d->key, .of_domain = true, .pem = pem, .pem_n = d->secret.n};
	return OK;
}

static err keys_read(struct signing_keys *k, const struct certify_request *q)
{
	err e = grow(k, q->certificates_n + q->domain_keys_n);

	for (size_t i = 0; i < q->certificates_n && e == OK; i++)
		e = read_certificate(k, &q->certificates[i]);
	for (size_t i = 0; i < q->domain_keys_n && e == OK; i++)
		e = keep_domain_key(k, &q->domain_keys[i]);
	return e;
}

static void keys_sort(struct signing_keys *k)
{
	if (k->n > 0)
		qsort(k->items, k->n, sizeof(*k->items), by_number);
}

static void forget_coming(struct signing *s)
{
	keys_free(s->coming);
	s->coming = NULL;
}

/* One with the number of one that is there replaces it. */
static err add_more(struct signing *s)
{
	size_t before = s->now == NULL ? 0 : s->now->n;

	if (s->now == NULL || grow(s->now, s->coming->n) != OK)
		return out_of_memory();
	for (size_t i = 0; i < s->coming->n; i++) {
		struct signing_key *fresh = &s->coming->items[i];
		const struct signing_keys sorted = {s->now->items, before, before};
		struct signing_key *same = find_in(&sorted, fresh->number, fresh->of_domain);

		if (same != NULL)
			key_free(same);
		*(same != NULL ? same : &s->now->items[s->now->n++]) = *fresh;
	}
	s->coming->n = 0;
	keys_sort(s->now);
	forget_coming(s);
	return OK;
}

static void use_coming(struct signing *s)
{
	keys_sort(s->coming);
	keys_free(s->before);
	s->before = s->now;
	s->now = s->coming;
	s->coming = NULL;
}

static err begin(struct signing *s, const struct certify_request *q)
{
	if (q->from == 0)
		forget_coming(s); /* of a call that did not come to its end */
	if (q->from != (s->coming == NULL ? 0 : s->coming->n))
		return err_note(E_SYNTAX, "a part of the keys of domains is missing");
	if (s->coming == NULL)
		s->coming = calloc(1, sizeof(*s->coming));
	return s->coming != NULL ? OK : out_of_memory();
}

err signing_replace(struct signing *s, const struct certify_request *q)
{
	err e = begin(s, q);

	if (e == OK)
		e = keys_read(s->coming, q);
	if (e == OK && q->part == CERTIFY_MORE)
		e = add_more(s);
	if (e != OK)
		forget_coming(s);
	else if (q->part == CERTIFY_ALL)
		use_coming(s);
	return e;
}

/* --- signatures --- */

static err find(const struct signing *s, uint64_t number, bool of_domain, struct signing_key **out)
{
	*out = find_in(s->now, number, of_domain);
	if (*out == NULL)
		*out = find_in(s->before, number, of_domain);
	return *out != NULL ? OK : err_note(E_NOT_FOUND, "there is no such key");
}

static err read_domain_key(struct signing_key *k)
{
	if (k->domain != NULL)
		return OK;
	err e = signature_key_read(str_make(k->pem, k->pem_n), &k->domain);
	if (e != OK)
		return e;
	explicit_bzero(k->pem, k->pem_n);
	free(k->pem);
	k->pem = NULL;
	return OK;
}

err signing_serve(const struct signing *s, const struct sign_request *q, struct sign_reply *r, struct arena *a)
{
	struct signing_key *key;
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
	struct signing_key *key;
	BUF(signature, SIGNATURE_MAX);
	err e = q->kind == SIGN_DIGEST ? find(s, q->key, true, &key) : err_note(E_DENIED, "no such kind of signature");

	if (e == OK)
		e = read_domain_key(key);
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
	keys_free(s->coming);
	*s = (struct signing){0};
}
