/* SPDX-License-Identifier: ISC */
/* Two messages of a client, parted by a line feed. The first octet says how the server is. */
#include "sasl/scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct auth_binding binding = {STR("tls-exporter"), STR("0123")};
	static const struct scram_verifier nobody = {.hash = CRYPTO_SHA256, .stored_key.n = 32, .server_key.n = 32};
	str all = str_make((const char *)data, n), how = str_take(all, 1), first, second;
	unsigned bits = how.n > 0 ? (unsigned char)how.p[0] : 0;
	ARENA(a, 64 << 10);
	BUF(out, SCRAM_MESSAGE_MAX);
	struct scram s = {.memory = &a,
	                  .hash = (bits & 1) != 0 ? CRYPTO_SHA1 : CRYPTO_SHA256,
	                  .plus = (bits & 2) != 0,
	                  .plus_offered = (bits & 4) != 0,
	                  .bindings = &binding,
	                  .bindings_n = (bits & 4) != 0};
	struct scram_verifier v;

	str_cut(str_drop(all, 1), '\n', &first, &second);
	(void)!scram_verifier_parse(first, &v);
	if (scram_first(&s, first) != OK || scram_challenge(&s, STR("salt"), 4096, STR("nonce")) != OK)
		return 0;
	if (s.user.n == 0 || s.user.n > n || scram_final(&s, second) != OK)
		return 0;
	if (scram_proves(&s, &nobody, &out))
		__builtin_trap();
	return 0;
}
