/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim.h"

#include "mailauth/dkim_body.h"
#include "mailauth/dkim_draft.h"

static err sign(struct dkim_header *header, str names, str body_hash, const struct dkim_key *key, int64_t now,
                struct buf *out)
{
	BUF(text, DKIM_DRAFT_MAX);
	struct crypto_digest digest;

	dkim_draft_begin(&text, STR("DKIM-Signature"), STR("v=1"), key, now);
	dkim_draft_message(&text, names, body_hash);
	struct header_field field = dkim_draft_end(&text);
	struct dkim_signature s = {.field = &field, .header = DKIM_RELAXED, .names = names};
	err e = dkim_signature_hash(&s, header, &digest);
	if (e == OK)
		e = dkim_draft_sign(&text, key, &digest);
	if (e == OK)
		buf_put(out, buf_str(&text));
	return e == OK && out->full ? err_note(E_LIMIT, "no room for a signature") : e;
}

err dkim_sign(const struct dkim_message *m, const struct dkim_key *keys, size_t n, int64_t now, struct arena *a,
              struct buf *out)
{
	struct dkim_body body = {.text = m->body};
	struct dkim_header header;
	const struct dkim_body_hash *hash = NULL;
	BUF(names, DKIM_DRAFT_MAX);
	err e = dkim_header_read(m->header, a, &header);

	if (e == OK)
		e = dkim_draft_names(&header, false, &names);
	if (e == OK)
		e = dkim_body_hash(&body, DKIM_RELAXED, UINT64_MAX, &hash);
	for (size_t i = 0; e == OK && i < n; i++)
		e = sign(&header, buf_str(&names), crypto_digest_str(&hash->digest), &keys[i], now, out);
	return e;
}
