/* SPDX-License-Identifier: ISC */
/* Any text as key record, and the key in it as key of both kinds. */
#include <stdlib.h>

#include "mailauth/dkim_record.h"
#include "rt/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(bool ed25519, str octets)
{
	struct signature_public *key;

	if (signature_public_read(ed25519, octets, &key) != OK)
		return;
	if (signature_public_bits(key) < 256 || signature_public_bits(key) > SIGNATURE_RSA_BITS_MAX)
		abort();
	(void)!signature_verify(key, STR("0123456789abcdef0123456789abcdef"), octets);
	signature_public_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA(a, 1 << 20);
	struct dkim_record r;
	str text = str_make((const char *)data, size);

	if (dkim_record_parse(text, &a, &r) == OK)
		use(r.ed25519, r.octets);
	use(false, text);
	use(true, text);
	return 0;
}
