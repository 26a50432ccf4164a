/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim_body.h"

#include "mailauth/dkim_signature.h"
#include "rt/rt.h"

enum { LARGE = 256 << 10 }; /* octets: about a millisecond, which others need not wait */

struct job {
	str text;
	struct dkim_body_hash *hash;
	err result;
};

static void compute(void *arg)
{
	CLEANUP(dkim_canon_free) struct dkim_canon_out o = {0};
	struct job *job = arg;

	dkim_canon_begin(&o, job->hash->length);
	dkim_canon_body(&o, job->hash->canon, job->text);
	job->result = dkim_canon_end(&o, &job->hash->digest);
	job->hash->total = o.total;
}

err dkim_body_hash(struct dkim_body *b, enum dkim_canon canon, uint64_t length, const struct dkim_body_hash **out)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->hashes[i].canon == canon && b->hashes[i].length == length) {
			*out = &b->hashes[i];
			return OK;
		}
	if (b->n == DKIM_BODY_HASHES)
		return err_note(E_LIMIT, "more than %d hashes of one body", DKIM_BODY_HASHES);
	struct dkim_body_hash *h = &b->hashes[b->n];
	*h = (struct dkim_body_hash){.canon = canon, .length = length};
	*out = h;
	struct job job = {.text = b->text, .hash = h};
	if (b->text.n > LARGE)
		rt_work(compute, &job);
	else
		compute(&job);
	if (job.result == OK)
		b->n++;
	return job.result;
}

err dkim_body_check(struct dkim_body *b, const struct dkim_signature *s, struct arena *a, struct dkim_result *r,
                    bool *partial)
{
	const struct dkim_body_hash *h;
	err e = dkim_body_hash(b, s->body, s->length, &h);

	if (e == E_LIMIT)
		dkim_say(r, a, AUTH_POLICY, "too many signatures want different parts of the body hashed");
	if (e != OK)
		return e == E_LIMIT ? OK : e;
	*partial = s->length < h->total;
	if (s->length != UINT64_MAX && s->length > h->total)
		dkim_say(r, a, AUTH_FAIL, "l= is more than there is of the body");
	else if (!str_equal(crypto_digest_str(&h->digest), s->bh))
		dkim_say(r, a, AUTH_FAIL, "the body was changed");
	return OK;
}
