/* SPDX-License-Identifier: ISC */
#include "rt/tls_cache.h"

#include <openssl/evp.h>

#include "base/buf.h"

#define KEY_INPUT_MAX ((size_t)64 << 10)
#define PROOF_LIFE    (3600 * NSEC_PER_SEC)

static void put_field(struct buf *b, str field)
{
	buf_le64(b, field.n);
	buf_put(b, field);
}

bool tls_cache_key_make(const struct tls_peer *peer, struct tls_cache_key *out)
{
	BUF(all, KEY_INPUT_MAX);

	if (peer->server_name.n == 0)
		return false;
	put_field(&all, peer->server_name);
	put_field(&all, peer->alpn);
	buf_le32(&all, peer->check);
	buf_le64(&all, peer->names_n);
	for (size_t i = 0; i < peer->names_n; i++)
		put_field(&all, peer->names[i]);
	for (size_t i = 0; i < peer->tlsa_n; i++) {
		const struct tls_tlsa *r = &peer->tlsa[i];

		buf_le32(&all, (uint32_t)r->usage << 16 | (uint32_t)r->selector << 8 | r->matching);
		put_field(&all, r->data);
	}
	return !all.full && EVP_Digest(all.p, all.n, out->hash, NULL, EVP_sha256(), NULL) == 1;
}

static bool same(const struct tls_cache_key *a, const struct tls_cache_key *b)
{
	return memcmp(a->hash, b->hash, sizeof(a->hash)) == 0;
}

static SSL_SESSION *take_out(struct tls_cached *cached)
{
	SSL_SESSION *session = cached->session;

	cached->session = NULL;
	return session;
}

static SSL_SESSION *use(struct tls_cached *cached)
{
	if (SSL_SESSION_get_protocol_version(cached->session) < TLS1_3_VERSION &&
	    SSL_SESSION_up_ref(cached->session) == 1)
		return cached->session;
	return take_out(cached);
}

SSL_SESSION *tls_cache_take(struct tls_cache *c, const struct tls_cache_key *key, nsec *proved)
{
	for (size_t i = 0; i < TLS_CACHE_SIZE; i++) {
		struct tls_cached *cached = &c->all[i];

		if (cached->session == NULL || !same(&cached->key, key))
			continue;
		*proved = cached->proved;
		if (cached->proved + PROOF_LIFE > rt_now() && SSL_SESSION_is_resumable(cached->session))
			return use(cached);
		SSL_SESSION_free(take_out(cached));
	}
	return NULL;
}

/* One for the same server, else a free one, else the oldest. */
static struct tls_cached *place_for(struct tls_cache *c, const struct tls_cache_key *key)
{
	struct tls_cached *best = &c->all[0];

	for (size_t i = 0; i < TLS_CACHE_SIZE; i++) {
		struct tls_cached *cached = &c->all[i];

		if (cached->session != NULL && same(&cached->key, key))
			return cached;
		if (best->session != NULL && (cached->session == NULL || cached->proved < best->proved))
			best = cached;
	}
	return best;
}

void tls_cache_put(struct tls_cache *c, const struct tls_cache_key *key, SSL_SESSION *session, nsec proved)
{
	struct tls_cached *place = place_for(c, key);

	SSL_SESSION_free(place->session);
	*place = (struct tls_cached){*key, session, proved};
}

void tls_cache_clear(struct tls_cache *c)
{
	for (size_t i = 0; i < TLS_CACHE_SIZE; i++)
		SSL_SESSION_free(take_out(&c->all[i]));
}
