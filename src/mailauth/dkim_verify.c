/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim.h"

#include "mailauth/dkim_body.h"
#include "mailauth/dkim_keys.h"

struct dkim_message dkim_message_of(str message)
{
	struct header_field f;
	size_t at = 0;

	while (header_next(message, &at, &f))
		;
	str body = str_drop(message, at);
	if (str_starts(body, STR("\r\n")))
		body = str_drop(body, 2);
	else if (str_starts(body, STR("\n")))
		body = str_drop(body, 1);
	return (struct dkim_message){str_take(message, at), body};
}

/* A signature, and what the message says to it before its key is known. */
struct candidate {
	struct dkim_signature signature;
	struct crypto_digest digest;
	bool partial;
	bool waits;                 /* it was not looked at: another one may be enough */
	struct dkim_result *result; /* AUTH_NONE: it depends on the key */
};
/* One message that is verified. */
struct verifying {
	const struct dkim_options *options;
	struct dkim_header header;
	struct dkim_body body;
	struct dkim_keys *keys;
	struct arena *a;
	struct candidate *candidates; /* in the order of the header */
	struct candidate **order;     /* in which they are verified */
	size_t n;
};

/* Of what readers see one field is all there may be (RFC 5322 3.6): another one than the signature covers is a forgery. RFC 6376 8.15. */
static void check_additions(struct verifying *v, struct dkim_result *r)
{
	static const char *const shown[] = {"From", "Sender",       "Reply-To",
	                                    "To",   "Cc",           "Subject",
	                                    "Date", "Content-Type", "Content-Transfer-Encoding"};

	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		str name = str_from(shown[i]);
		size_t taken = dkim_header_taken(&v->header, name);
		if (taken > 0 && taken < dkim_header_count(&v->header, name)) {
			dkim_say(r, v->a, AUTH_FAIL, "the message has more %s fields than the signature covers",
			         shown[i]);
			return;
		}
	}
}

/* Does the message fit it? */
static err look(struct verifying *v, struct candidate *c)
{
	struct dkim_result *r = c->result;
	err e = OK;

	c->waits = false;
	if (r->result == AUTH_NONE && v->header.too_large)
		dkim_say(r, v->a, AUTH_PERMERROR, "the header is too large to be looked at");
	if (r->result == AUTH_NONE)
		e = dkim_body_check(&v->body, &c->signature, v->a, r, &c->partial);
	if (e == OK && r->result == AUTH_NONE)
		e = dkim_signature_hash(&c->signature, &v->header, &c->digest);
	if (e == OK && r->result == AUTH_NONE)
		check_additions(v, r);
	return e;
}

/* --- which are enough --- */

/* Would all that `c` could prove be proved by `first`? RFC 6376 6.1: a verifier may stop at one that is good. */
static bool is_enough(const struct verifying *v, const struct candidate *first, const struct candidate *c)
{
	return v->options->once && c->result->result == AUTH_NONE && first->signature.length == UINT64_MAX &&
	       str_equal(first->signature.domain, c->signature.domain) &&
	       str_equal(first->result->identity, c->result->identity);
}

/* The one with `result` that is verified before the one at `at` and makes it needless; NULL: there is none. */
static const struct candidate *find_enough(const struct verifying *v, size_t at, enum auth_result result)
{
	for (size_t i = 0; i < at; i++) {
		const struct candidate *first = v->order[i];
		if (!first->waits && first->result->result == result && !first->result->testing &&
		    is_enough(v, first, v->order[at]))
			return first;
	}
	return NULL;
}

static void put_in_order(struct verifying *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		if (!v->candidates[i].signature.ed25519)
			v->order[n++] = &v->candidates[i];
	for (size_t i = 0; i < v->n; i++)
		if (v->candidates[i].signature.ed25519)
			v->order[n++] = &v->candidates[i];
}

/* --- all of them --- */

static bool is_signature(const struct header_field *f)
{
	return str_equal_nocase(f->name, STR("DKIM-Signature"));
}

static size_t count(const struct dkim_header *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n && n < DKIM_SIGNATURES_MAX; i++)
		n += is_signature(&h->fields[i]);
	return n;
}

static err read_all(struct verifying *v, struct dkim_result *results)
{
	size_t n = count(&v->header);
	err e = OK;

	v->candidates = arena_array(v->a, n, sizeof(*v->candidates));
	v->order = arena_array(v->a, n, sizeof(struct candidate *));
	if (v->candidates == NULL || v->order == NULL)
		return err_note(E_LIMIT, "no memory for signatures");
	for (size_t i = 0; e == OK && v->n < n; i++)
		if (is_signature(&v->header.fields[i])) {
			struct candidate *c = &v->candidates[v->n];
			c->result = &results[v->n++];
			e = dkim_signature_read(DKIM_FIELD, &v->header.fields[i], v->options->now, v->a, &c->signature,
			                        c->result);
		}
	put_in_order(v);
	return e;
}

/* At those that will be verified, as far as can be known now. */
static err look_at_all(struct verifying *v)
{
	err e = OK;

	for (size_t i = 0; e == OK && i < v->n; i++)
		if (find_enough(v, i, AUTH_NONE) != NULL)
			v->order[i]->waits = true;
		else
			e = look(v, v->order[i]);
	return e;
}

static err ask_for_keys(struct verifying *v)
{
	str names[DKIM_SIGNATURES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		if (v->candidates[i].result->result == AUTH_NONE)
			names[n++] = dkim_keys_name(v->keys, &v->candidates[i].signature);
	return dkim_keys_ask(v->keys, names, n);
}

static void skip(struct verifying *v, struct candidate *c, const struct candidate *enough)
{
	c->result->skipped = true;
	dkim_say(c->result, v->a, AUTH_NONE, "not verified: that of selector " STR_FMT " proves the same",
	         STR_ARG(enough->signature.selector));
}

static err verify(struct verifying *v, size_t at)
{
	struct candidate *c = v->order[at];
	const struct candidate *enough = c->waits ? find_enough(v, at, AUTH_PASS) : NULL;
	err e = OK;

	if (enough != NULL)
		skip(v, c, enough);
	else if (c->waits)
		e = look(v, c);
	if (e != OK || c->result->skipped || c->result->result != AUTH_NONE)
		return e;
	e = dkim_keys_verify(v->keys, &c->signature, &c->digest, c->result);
	if (e != OK || c->result->result != AUTH_PASS || !c->partial)
		return e;
	c->result->partial = true;
	dkim_say(c->result, v->a, AUTH_POLICY, "l= leaves a part of the body unsigned");
	return OK;
}

err dkim_verify(const struct dkim_message *m, const struct dkim_options *o, struct arena *a, struct dkim_result **out,
                size_t *n)
{
	DKIM_KEYS(keys, o, a);
	struct verifying v = {.options = o, .body.text = m->body, .keys = &keys, .a = a};
	err e = dkim_header_read(m->header, a, &v.header);

	*n = 0;
	*out = arena_array(a, DKIM_SIGNATURES_MAX, sizeof(**out));
	if (e == OK && *out == NULL)
		e = err_note(E_LIMIT, "no memory for signatures");
	if (e == OK)
		e = read_all(&v, *out);
	if (e == OK)
		e = look_at_all(&v);
	if (e == OK)
		e = ask_for_keys(&v);
	for (size_t i = 0; e == OK && i < v.n; i++)
		e = verify(&v, i);
	*n = e == OK ? v.n : 0;
	return e;
}
