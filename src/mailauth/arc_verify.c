/* SPDX-License-Identifier: ISC */
#include "mailauth/arc.h"

#include "mailauth/arc_chain.h"
#include "mailauth/dkim_body.h"
#include "mailauth/dkim_keys.h"

/* One chain that is verified. */
struct verifying {
	const struct dkim_options *options;
	struct dkim_header header;
	struct dkim_body body;
	struct dkim_keys *keys;
	struct arena *a;
	struct arc_chain *chain;
	struct dkim_signature *signature; /* the one that is looked at */
	str *names;                       /* of the seals' keys */
	struct arc_result *out;
};

static void fail(struct verifying *v, const char *what, size_t i, str why)
{
	v->out->result = AUTH_FAIL;
	v->out->why = arena_printf(v->a, "%s %zu: " STR_FMT, what, i, STR_ARG(why));
}

/* --- message signatures --- */

static err check_message(struct verifying *v, size_t i, struct dkim_result *r)
{
	struct crypto_digest digest;
	bool partial = false;
	err e = dkim_signature_read(ARC_MESSAGE_FIELD, v->chain->sets[i - 1].message, v->options->now, v->a,
	                            v->signature, r);

	if (e == OK && r->result == AUTH_NONE)
		e = dkim_body_check(&v->body, v->signature, v->a, r, &partial);
	if (e == OK && r->result == AUTH_NONE)
		e = dkim_signature_hash(v->signature, &v->header, &digest);
	if (e == OK && r->result == AUTH_NONE)
		e = dkim_keys_verify(v->keys, v->signature, &digest, r);
	if (e == OK && r->result == AUTH_PASS && partial)
		dkim_say(r, v->a, AUTH_POLICY, "l= leaves a part of the body unsigned");
	return e;
}

static err check_newest(struct verifying *v)
{
	struct dkim_result r;
	err e = check_message(v, v->chain->n, &r);

	if (e == OK && r.result != AUTH_PASS)
		fail(v, "the message signature", v->chain->n, r.why);
	return e;
}

/* RFC 8617 5.2 step 5: how far back the message is what was signed. */
static err find_oldest(struct verifying *v)
{
	struct dkim_result r;

	for (size_t i = v->chain->n - 1; i > 0; i--) {
		err e = check_message(v, i, &r);
		if (e != OK)
			return e;
		if (r.result != AUTH_PASS) {
			v->out->oldest_pass = (unsigned)i + 1;
			return OK;
		}
	}
	return OK;
}

/* --- seals --- */

/* 5.2 step 3 C */
static void check_status(struct verifying *v, size_t i)
{
	str cv = dkim_tags_get(&v->signature->tags, "cv");

	if (!str_equal(cv, i == 1 ? STR("none") : STR("pass")))
		fail(v, "the seal", i,
		     str_equal(cv, STR("fail")) ? STR("it says that the chain is broken") : STR("cv= cannot be so"));
}

/* What they say, before any key is asked for. */
static err read_seals(struct verifying *v)
{
	struct dkim_result r;
	err e = OK;

	v->out->sets = arena_array(v->a, v->chain->n, sizeof(*v->out->sets));
	v->names = arena_array(v->a, v->chain->n, sizeof(*v->names));
	if (v->out->sets == NULL || v->names == NULL)
		return err_note(E_LIMIT, "no memory for a chain");
	for (size_t i = 1; e == OK && i <= v->chain->n && v->out->result == AUTH_NONE; i++) {
		e = dkim_signature_read(ARC_SEAL_FIELD, v->chain->sets[i - 1].seal, v->options->now, v->a, v->signature,
		                        &r);
		if (e == OK && r.result != AUTH_NONE)
			fail(v, "the seal", i, r.why);
		else if (e == OK)
			check_status(v, i);
		v->names[i - 1] = dkim_keys_name(v->keys, v->signature);
		v->out->sets[i - 1].sealer = r.domain;
	}
	return e;
}

static err check_seal(struct verifying *v, size_t i, struct dkim_canon_out *covered)
{
	const struct arc_fields *set = &v->chain->sets[i - 1];
	struct dkim_signature *s = v->signature;
	struct crypto_digest digest;
	struct dkim_result r;
	err e = dkim_signature_read(ARC_SEAL_FIELD, set->seal, v->options->now, v->a, s, &r);

	if (e == OK)
		e = arc_seal_hash(covered, set, dkim_tags_whole(&s->tags, "b"), &digest);
	if (e == OK)
		e = dkim_keys_verify(v->keys, s, &digest, &r);
	if (e == OK && r.result != AUTH_PASS)
		fail(v, "the seal", i, r.why);
	return e;
}

static err check_seals(struct verifying *v)
{
	CLEANUP(dkim_canon_free) struct dkim_canon_out covered = {0};
	err e = dkim_keys_ask(v->keys, v->names, v->chain->n);

	for (size_t i = 1; e == OK && i <= v->chain->n && v->out->result == AUTH_NONE; i++)
		e = check_seal(v, i, &covered);
	return e;
}

/* --- the chain --- */

static void finish(struct verifying *v)
{
	if (v->out->result == AUTH_FAIL) {
		v->out->sets = NULL;
		return;
	}
	v->out->result = AUTH_PASS;
	v->out->n = v->chain->n;
	for (size_t i = 0; i < v->chain->n; i++) {
		str rest;
		(void)arc_results_instance(v->chain->sets[i].results->value, &rest);
		v->out->sets[i].results = header_unfold(v->a, rest);
	}
}

static err verify(struct verifying *v)
{
	arc_chain_read(&v->header, v->chain);
	if (!v->chain->any)
		return OK;
	if (v->chain->broken != NULL) {
		v->out->result = AUTH_FAIL;
		v->out->why = str_from(v->chain->broken);
		return OK;
	}
	err e = read_seals(v);
	if (e == OK && v->out->result == AUTH_NONE)
		e = check_newest(v);
	if (e == OK && v->out->result == AUTH_NONE)
		e = check_seals(v);
	if (e == OK && v->out->result == AUTH_NONE)
		e = find_oldest(v);
	if (e == OK)
		finish(v);
	return e == OK && v->a->full ? err_note(E_LIMIT, "no memory for a chain") : e;
}

err arc_verify(const struct dkim_message *m, const struct dkim_options *o, struct arena *a, struct arc_result *out)
{
	DKIM_KEYS(keys, o, a);
	struct verifying v = {.options = o, .body.text = m->body, .keys = &keys, .a = a, .out = out};
	err e = dkim_header_read(m->header, a, &v.header);

	*out = (struct arc_result){0};
	v.chain = arena_alloc(a, sizeof(*v.chain));
	v.signature = arena_alloc(a, sizeof(*v.signature));
	if (e == OK && (v.chain == NULL || v.signature == NULL))
		e = err_note(E_LIMIT, "no memory for a chain");
	return e == OK ? verify(&v) : e;
}
