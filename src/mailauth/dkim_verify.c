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
	struct dkim_result *result; /* AUTH_NONE: it depends on the key */
};
/* One message that is verified. */
struct verifying {
	const struct dkim_options *options;
	struct dkim_header header;
	struct dkim_body body;
	struct dkim_keys *keys;
	struct arena *a;
	struct candidate *candidates;
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

static err look(struct verifying *v, const struct header_field *f, struct candidate *c)
{
	struct dkim_result *r = c->result;
	err e = dkim_signature_read(DKIM_FIELD, f, v->options->now, v->a, &c->signature, r);

	if (e == OK && r->result == AUTH_NONE && v->header.too_large)
		dkim_say(r, v->a, AUTH_PERMERROR, "the header is too large to be looked at");
	if (e == OK && r->result == AUTH_NONE)
		e = dkim_body_check(&v->body, &c->signature, v->a, r, &c->partial);
	if (e == OK && r->result == AUTH_NONE)
		e = dkim_signature_hash(&c->signature, &v->header, &c->digest);
	if (e == OK && r->result == AUTH_NONE)
		check_additions(v, r);
	return e;
}

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

static err look_at_all(struct verifying *v, struct dkim_result *results)
{
	size_t n = count(&v->header);
	err e = OK;

	v->candidates = arena_array(v->a, n, sizeof(*v->candidates));
	if (v->candidates == NULL)
		return err_note(E_LIMIT, "no memory for signatures");
	for (size_t i = 0; e == OK && v->n < n; i++)
		if (is_signature(&v->header.fields[i])) {
			v->candidates[v->n].result = &results[v->n];
			e = look(v, &v->header.fields[i], &v->candidates[v->n]);
			v->n++;
		}
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

static err verify(struct verifying *v, struct candidate *c)
{
	if (c->result->result != AUTH_NONE)
		return OK;
	err e = dkim_keys_verify(v->keys, &c->signature, &c->digest, c->result);
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
		e = look_at_all(&v, *out);
	if (e == OK)
		e = ask_for_keys(&v);
	for (size_t i = 0; e == OK && i < v.n; i++)
		e = verify(&v, &v.candidates[i]);
	*n = e == OK ? v.n : 0;
	return e;
}
