/* SPDX-License-Identifier: ISC */
#include "mailauth/arc.h"

#include <stdio.h>

#include "mailauth/arc_chain.h"
#include "mailauth/dkim_body.h"
#include "mailauth/dkim_draft.h"

enum { FIRST_MAX = 16 };

struct sealing {
	const struct dkim_message *message;
	struct dkim_header header;
	const struct dkim_key *key;
	int64_t now;
	char first[FIRST_MAX]; /* "i=3" */
	const char *status;    /* cv= */
	struct buf results, signature, seal;
};

static struct header_field whole_field(const struct buf *b)
{
	str whole = buf_str(b), value = str_drop(whole, str_find(whole, ':') + 1);

	return (struct header_field){str_take(whole, str_find(whole, ':')), str_take(value, value.n - 2), whole};
}

/* A line for each result: folded where there is a blank behind a semicolon. */
static void print_results(struct sealing *s, str results)
{
	buf_printf(&s->results, "ARC-Authentication-Results: %s;\r\n ", s->first);
	for (size_t i = 0; i < results.n; i++) {
		if (i > 0 && results.p[i] == ' ' && results.p[i - 1] == ';')
			buf_puts(&s->results, "\r\n");
		buf_putc(&s->results, results.p[i]);
	}
	buf_puts(&s->results, "\r\n");
}

static err sign_message(struct sealing *s)
{
	struct dkim_body body = {.text = s->message->body};
	const struct dkim_body_hash *hash;
	struct crypto_digest digest;
	BUF(names, DKIM_DRAFT_MAX);
	err e = dkim_draft_names(&s->header, true, &names);

	if (e == OK)
		e = dkim_body_hash(&body, DKIM_RELAXED, UINT64_MAX, &hash);
	if (e != OK)
		return e;
	dkim_draft_begin(&s->signature, STR("ARC-Message-Signature"), str_from(s->first), s->key, s->now);
	dkim_draft_message(&s->signature, buf_str(&names), crypto_digest_str(&hash->digest));
	struct header_field field = dkim_draft_end(&s->signature);
	struct dkim_signature signature = {.field = &field, .header = DKIM_RELAXED, .names = buf_str(&names)};
	e = dkim_signature_hash(&signature, &s->header, &digest);
	return e == OK ? dkim_draft_sign(&s->signature, s->key, &digest) : e;
}

/* What is sealed of the sets before, and of ours; of a broken chain ours alone (RFC 8617 5.1.2). */
static err hash_seal(const struct sealing *s, const struct arc_chain *chain, const struct header_field *seal,
                     struct crypto_digest *digest)
{
	CLEANUP(dkim_canon_free) struct dkim_canon_out covered = {0};
	struct header_field results = whole_field(&s->results), signature = whole_field(&s->signature);
	struct arc_fields own = {&results, &signature, seal};
	bool broken = strcmp(s->status, "fail") == 0;
	err e = OK;

	for (size_t i = 0; e == OK && !broken && i < chain->n; i++)
		e = arc_seal_hash(&covered, &chain->sets[i], STR_NONE, digest);
	return e == OK ? arc_seal_hash(&covered, &own, STR_NONE, digest) : e;
}

static err sign_seal(struct sealing *s, const struct arc_chain *chain)
{
	struct crypto_digest digest;

	dkim_draft_begin(&s->seal, STR("ARC-Seal"), str_from(s->first), s->key, s->now);
	buf_printf(&s->seal, " cv=%s;", s->status);
	struct header_field field = dkim_draft_end(&s->seal);
	err e = hash_seal(s, chain, &field, &digest);
	return e == OK ? dkim_draft_sign(&s->seal, s->key, &digest) : e;
}

static err make_set(struct sealing *s, const struct arc_chain *chain, str results, struct buf *out)
{
	print_results(s, results);
	err e = sign_message(s);
	if (e == OK)
		e = sign_seal(s, chain);
	if (e != OK)
		return e;
	buf_put(out, buf_str(&s->seal));
	buf_put(out, buf_str(&s->signature));
	buf_put(out, buf_str(&s->results));
	return out->full || s->results.full ? err_note(E_LIMIT, "no room for a seal") : OK;
}

/* 5.1 step 2: a chain that was sealed as broken is not sealed again. */
static bool is_over(const struct arc_chain *chain)
{
	const struct header_field *seal = chain->n == 0 ? NULL : chain->sets[chain->n - 1].seal;
	struct dkim_tags tags;

	return seal != NULL && dkim_tags_parse(seal->value, &tags) == OK &&
	       str_equal(dkim_tags_get(&tags, "cv"), STR("fail"));
}

err arc_seal(const struct dkim_message *m, const struct arc_result *before, const struct dkim_key *key, str results,
             int64_t now, struct arena *a, struct buf *out)
{
	struct sealing s = {.message = m, .key = key, .now = now};
	struct arc_chain *chain = arena_alloc(a, sizeof(*chain));
	err e = dkim_header_read(m->header, a, &s.header);

	if (e != OK || chain == NULL)
		return e != OK ? e : err_note(E_LIMIT, "no memory for a chain");
	arc_chain_read(&s.header, chain);
	if (is_over(chain))
		return OK;
	if (chain->n >= ARC_SETS_MAX)
		return err_note(E_LIMIT, "the chain is full");
	snprintf(s.first, sizeof(s.first), "i=%zu", chain->n + 1);
	s.status = before->result == AUTH_NONE ? "none" : before->result == AUTH_PASS ? "pass" : "fail";
	s.results = s.signature = s.seal = BUF_INIT(DKIM_DRAFT_MAX);
	e = make_set(&s, chain, results, out);
	buf_free(&s.results);
	buf_free(&s.signature);
	buf_free(&s.seal);
	return e;
}
