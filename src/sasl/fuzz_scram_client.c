/* SPDX-License-Identifier: ISC */
/* What a server says to a login, parted by a line feed: its challenge and its proof. Nobody proves anything who does not know the password. */
#include "sasl/scram_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	str challenge, proof;
	ARENA(a, 64 << 10);
	BUF(out, 16 << 10);
	struct scram_client s = {.memory = &a, .hash = CRYPTO_SHA256, .user = STR("u"), .password = STR("p")};

	/* Rounds are what makes it slow: one digit more than the least is not tried often. */
	str_cut(str_make((const char *)data, n), '\n', &challenge, &proof);
	if (scram_client_first(&s, STR("abc"), &out) != OK)
		__builtin_trap();
	buf_reset(&out);
	if (str_contains(challenge, STR("i=")) && !str_contains(challenge, STR("i=4096")))
		return 0;
	if (scram_client_final(&s, challenge, &out) == OK && scram_client_verify(&s, proof) == OK)
		__builtin_trap();
	return 0;
}
