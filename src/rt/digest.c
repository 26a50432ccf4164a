/* SPDX-License-Identifier: ISC */
#include "rt/digest.h"

#include <openssl/evp.h>
#include <pthread.h>

/* Looking an algorithm up takes longer than hashing a header: it is done once. */
static EVP_MD *sha256;

static void find(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

void digest_begin(struct digest *d)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find);
	if (d->ctx == NULL)
		d->ctx = EVP_MD_CTX_new();
	d->failed = d->ctx == NULL || sha256 == NULL || EVP_DigestInit_ex2(d->ctx, sha256, NULL) != 1;
}

void digest_add(struct digest *d, str octets)
{
	if (!d->failed && octets.n > 0)
		d->failed = EVP_DigestUpdate(d->ctx, octets.p, octets.n) != 1;
}

void digest_copy(struct digest *to, const struct digest *from)
{
	if (to->ctx == NULL)
		to->ctx = EVP_MD_CTX_new();
	to->failed = from->failed || to->ctx == NULL || EVP_MD_CTX_copy_ex(to->ctx, from->ctx) != 1;
}

err digest_end(struct digest *d, struct crypto_digest *out)
{
	unsigned n = 0;

	if (d->failed || EVP_DigestFinal_ex(d->ctx, out->bytes, &n) != 1)
		return err_note(E_MEMORY, "a hash could not be computed");
	out->n = n;
	return OK;
}

void digest_free(struct digest *d)
{
	EVP_MD_CTX_free(d->ctx);
	*d = (struct digest){0};
}
