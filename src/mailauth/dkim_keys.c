/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim_keys.h"

#include "mailauth/dkim_key_cache.h"
#include "rt/together.h"

enum { RECORDS_MAX = 4 }; /* RFC 6376 3.6.2.2: there should be one; all of few are tried */

struct dkim_known {
	struct dkim_known *next;
	str name;
	enum auth_result result; /* NONE: there are keys; else there are none, and `why` */
	str why;
	const struct dkim_public *keys[RECORDS_MAX];
	size_t n;
};

void dkim_keys_free(struct dkim_keys *k)
{
	for (struct dkim_known *known = k->known; known != NULL; known = known->next)
		for (size_t i = 0; i < known->n; i++)
			dkim_public_release(known->keys[i]);
	k->known = NULL;
}

/* --- asking --- */

static err read_keys(struct dkim_keys *k, struct dkim_known *known, const str *txt, size_t n)
{
	err e = OK;

	for (size_t i = 0; e == OK && i < n && i < RECORDS_MAX; i++) {
		e = dkim_public_take(k->options->keys, txt[i], &known->keys[i]);
		known->n += e == OK;
	}
	return e;
}

static enum auth_result result_of(err e)
{
	return e == E_NOT_FOUND || e == E_SYNTAX ? AUTH_PERMERROR : AUTH_TEMPERROR;
}

struct question {
	struct dkim_keys *keys;
	struct dkim_known *known;
};

static err ask(void *ctx)
{
	const struct question *q = ctx;
	struct dkim_keys *k = q->keys;
	struct dns_answer answer;
	str *txt;
	size_t n;
	err e = dns_txt(k->options->resolver, q->known->name, k->a, k->options->deadline, &answer, &txt, &n);

	if (e == OK)
		return read_keys(k, q->known, txt, n);
	if (e == E_CANCELLED || e == E_MEMORY)
		return e;
	if (k->a->full)
		return err_note(E_LIMIT, "no memory for keys");
	q->known->result = result_of(e);
	q->known->why = arena_str(k->a, str_from(err_info()->text));
	return OK;
}

static struct dkim_known *find(const struct dkim_keys *k, str name)
{
	struct dkim_known *known = k->known;

	while (known != NULL && !str_equal(known->name, name))
		known = known->next;
	return known;
}

str dkim_keys_name(const struct dkim_keys *k, const struct dkim_signature *s)
{
	return arena_printf(k->a, STR_FMT "._domainkey." STR_FMT, STR_ARG(s->selector), STR_ARG(s->domain));
}

err dkim_keys_ask(struct dkim_keys *k, const str *names, size_t n)
{
	struct question *questions = arena_array(k->a, n, sizeof(*questions));
	struct together_part *parts = arena_array(k->a, n, sizeof(*parts));
	size_t asked = 0;

	for (size_t i = 0; i < n && !k->a->full; i++) {
		if (find(k, names[i]) != NULL)
			continue;
		struct dkim_known *known = arena_alloc(k->a, sizeof(*known));
		if (known == NULL)
			break;
		*known = (struct dkim_known){.next = k->known, .name = names[i]};
		k->known = known;
		questions[asked] = (struct question){k, known};
		parts[asked] = (struct together_part){.name = "key", .fn = ask, .ctx = &questions[asked]};
		asked++;
	}
	if (k->a->full)
		return err_note(E_LIMIT, "no memory for keys");
	return asked == 1 ? ask(&questions[0]) : asked == 0 ? OK : together_run(parts, asked);
}

/* --- verifying --- */

/* RFC 8301 3.2, and what takes too long. */
static bool refuse_size(const struct dkim_keys *k, struct dkim_result *r)
{
	if (r->bits >= DKIM_RSA_BITS_MIN && r->bits <= DKIM_RSA_BITS_MAX)
		return false;
	dkim_say(r, k->a, AUTH_POLICY, "the key has %u bits, %d to %d are accepted", r->bits, DKIM_RSA_BITS_MIN,
	         DKIM_RSA_BITS_MAX);
	return true;
}

static void try_key(struct dkim_keys *k, const struct dkim_signature *s, const struct dkim_public *key, str digest,
                    struct dkim_result *r)
{
	r->testing = key->record.testing;
	r->strict = key->record.strict;
	r->bits = 0;
	if (key->key == NULL) {
		dkim_say(r, k->a, AUTH_PERMERROR, STR_FMT, STR_ARG(key->why));
		return;
	}
	if (key->record.ed25519 != s->ed25519) {
		dkim_say(r, k->a, AUTH_PERMERROR, "the key is not of the signature's kind");
		return;
	}
	if (key->record.strict && !str_equal(s->identity_domain, s->domain)) {
		dkim_say(r, k->a, AUTH_PERMERROR, "the key is for i= in its own domain alone");
		return;
	}
	r->bits = s->ed25519 ? 0 : signature_public_bits(key->key);
	if (!s->ed25519 && refuse_size(k, r))
		return;
	if (signature_verify(key->key, digest, s->b))
		r->result = AUTH_PASS;
	else
		dkim_say(r, k->a, AUTH_FAIL,
		         "the signature does not fit: the header was changed, or the key is another");
}

err dkim_keys_verify(struct dkim_keys *k, const struct dkim_signature *s, const struct crypto_digest *digest,
                     struct dkim_result *r)
{
	str name = dkim_keys_name(k, s);
	err e = dkim_keys_ask(k, &name, 1);

	if (e != OK)
		return e;
	const struct dkim_known *known = find(k, name);
	if (known->result != AUTH_NONE) {
		r->result = known->result;
		r->why = known->why;
	}
	for (size_t i = 0; i < known->n && r->result != AUTH_PASS; i++)
		try_key(k, s, known->keys[i], crypto_digest_str(digest), r);
	return k->a->full ? err_note(E_LIMIT, "no memory for a signature") : OK;
}
