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

/* One message that is verified. */
struct verifying {
	const struct dkim_options *options;
	struct dkim_header header;
	struct dkim_body body;
	struct dkim_keys *keys;
	struct arena *a;
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

static err verify_header(struct verifying *v, const struct dkim_signature *s, struct dkim_result *r)
{
	struct crypto_digest digest;
	err e = dkim_signature_hash(s, &v->header, &digest);

	if (e == OK)
		check_additions(v, r);
	return e == OK && r->result == AUTH_NONE ? dkim_keys_verify(v->keys, s, &digest, r) : e;
}

static err verify(struct verifying *v, const struct header_field *f, struct dkim_signature *s, struct dkim_result *r)
{
	bool partial = false;
	err e = dkim_signature_read(DKIM_FIELD, f, v->options->now, v->a, s, r);

	if (e == OK && r->result == AUTH_NONE && v->header.more)
		dkim_say(r, v->a, AUTH_PERMERROR, "the header has more than %d fields", DKIM_HEADER_FIELDS_MAX);
	if (e == OK && r->result == AUTH_NONE)
		e = dkim_body_check(&v->body, s, v->a, r, &partial);
	if (e == OK && r->result == AUTH_NONE)
		e = verify_header(v, s, r);
	if (e != OK || r->result != AUTH_PASS || !partial)
		return e;
	r->partial = true;
	dkim_say(r, v->a, AUTH_POLICY, "l= leaves a part of the body unsigned");
	return OK;
}

static bool is_signature(const struct header_field *f)
{
	return str_equal_nocase(f->name, STR("DKIM-Signature"));
}

static err verify_all(struct verifying *v, struct dkim_result *out, size_t *n)
{
	struct dkim_signature *s = arena_alloc(v->a, sizeof(*s));
	err e = s == NULL ? err_note(E_LIMIT, "no memory for a signature") : OK;

	for (size_t i = 0; e == OK && i < v->header.n && *n < DKIM_SIGNATURES_MAX; i++)
		if (is_signature(&v->header.fields[i])) {
			e = verify(v, &v->header.fields[i], s, &out[*n]);
			++*n;
		}
	return e;
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
	return e == OK ? verify_all(&v, *out, n) : e;
}
