/* SPDX-License-Identifier: ISC */
#include "oauth/base64url.h"

#include "base/encode.h"

static char in_the_other_alphabet(char c)
{
	switch (c) {
	case '-':
		return '+';
	case '_':
		return '/';
	case '+':
	case '/':
	case '=':
		return '!'; /* none of either */
	default:
		return c;
	}
}

err base64url_decode(str in, struct arena *a, str *out)
{
	BUF(padded, in.n + 3);
	BUF(octets, in.n);

	for (size_t i = 0; i < in.n; i++)
		buf_putc(&padded, in_the_other_alphabet(in.p[i]));
	while (padded.n % 4 != 0 && !padded.full)
		buf_putc(&padded, '=');
	if (in.n == 0 || base64_decode(&octets, buf_str(&padded)) != OK)
		return err_note(E_SYNTAX, "not base64url");
	*out = arena_str(a, buf_str(&octets));
	return a->full ? err_note(E_LIMIT, "no memory for what was encoded") : OK;
}
