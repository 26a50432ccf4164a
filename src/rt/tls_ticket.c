/* SPDX-License-Identifier: ISC */
/* The keys that session tickets are sealed with. */
#include <openssl/core_names.h>
#include <openssl/rand.h>

#include "rt/tls_context.h"

static bool key_make(struct tls_ticket_key *k)
{
	return RAND_bytes(k->name, sizeof(k->name)) == 1 && RAND_bytes(k->cipher, sizeof(k->cipher)) == 1 &&
	       RAND_bytes(k->mac, sizeof(k->mac)) == 1;
}

bool tls_tickets_begin(struct tls_tickets *t)
{
	t->next_key = rt_after(TLS_TICKET_LIFE * NSEC_PER_SEC);
	return key_make(&t->keys[0]) && key_make(&t->keys[1]);
}

void tls_tickets_forget(struct tls_tickets *t)
{
	OPENSSL_cleanse(t->keys, sizeof(t->keys));
}

/* Tickets expire as fast as keys change: with the key before, every ticket that is good can be read. */
static void rotate(struct tls_tickets *t)
{
	struct tls_ticket_key fresh;

	if (rt_now() < t->next_key || !key_make(&fresh))
		return;
	t->keys[1] = t->keys[0];
	t->keys[0] = fresh;
	t->next_key = rt_after(TLS_TICKET_LIFE * NSEC_PER_SEC);
	OPENSSL_cleanse(&fresh, sizeof(fresh));
}

static bool key_use(struct tls_ticket_key *k, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
	static char sha256[] = "SHA256";
	OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, k->mac, sizeof(k->mac)),
	                       OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
	                       OSSL_PARAM_construct_end()};

	return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->cipher, iv, encrypt) == 1 &&
	       EVP_MAC_CTX_set_params(mac, params) == 1;
}

int tls_tickets_choose(struct tls_tickets *t, unsigned char name[16], unsigned char iv[EVP_MAX_IV_LENGTH],
                       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
	size_t i = 0;

	rotate(t);
	if (encrypt) {
		memcpy(name, t->keys[0].name, sizeof(t->keys[0].name));
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
			return -1;
	} else {
		while (i < ARRAY_LEN(t->keys) && memcmp(name, t->keys[i].name, sizeof(t->keys[i].name)) != 0)
			i++;
		if (i == ARRAY_LEN(t->keys))
			return 0;
	}
	return key_use(&t->keys[i], iv, cipher, mac, encrypt) ? 1 + (int)i : -1;
}
