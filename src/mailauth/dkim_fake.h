/* SPDX-License-Identifier: ISC */
/* dkim_fake - for tests: domains with keys, and their zone. */
#ifndef MAILAUTH_DKIM_FAKE_H
#define MAILAUTH_DKIM_FAKE_H

#include "base/date.h"
#include "base/encode.h"
#include "mailauth/arc.h"
#include "mailauth/vector_dns.h"
#include "rt/signature_key.h"

#define FAKE_NOW (1782000000 * USEC_PER_SEC)

/* A TXT record, in strings of at most 255 octets. */
static inline void fake_txt(struct vector_dns *dns, str name, str text)
{
	BUF(data, 8192);

	do {
		str part = str_take(text, 255);
		buf_putc(&data, (char)part.n);
		buf_put(&data, part);
		text = str_drop(text, part.n);
	} while (text.n > 0);
	vector_dns_add(dns, name, DNS_TXT, buf_str(&data));
}

static inline err fake_sign(void *ctx, str digest, struct buf *out)
{
	return signature_key_sign(ctx, digest, out);
}

/* A new key at SELECTOR._domainkey.DOMAIN; `more` of its record ("t=s; "). To be given back by fake_key_free. */
static inline struct dkim_key fake_key(struct vector_dns *dns, const char *domain, const char *selector, bool ed25519,
                                       const char *more)
{
	struct signature_key *key = NULL;
	BUF(pem, 8192);
	BUF(octets, 4096);
	BUF(name, 512);
	BUF(text, 8192);

	if (signature_key_make(ed25519, &pem) != OK || signature_key_read(buf_str(&pem), &key) != OK ||
	    signature_key_public(buf_str(&pem), &ed25519, &octets) != OK)
		return (struct dkim_key){0};
	buf_printf(&name, "%s._domainkey.%s", selector, domain);
	buf_printf(&text, "v=DKIM1; k=%s; %sp=", ed25519 ? "ed25519" : "rsa", more);
	base64_encode(&text, buf_str(&octets));
	fake_txt(dns, buf_str(&name), buf_str(&text));
	return (struct dkim_key){str_from(domain), str_from(selector), ed25519, fake_sign, key};
}

static inline void fake_key_free(struct dkim_key *key)
{
	signature_key_free(key->ctx);
}

#endif
