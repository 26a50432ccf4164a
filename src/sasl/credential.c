/* SPDX-License-Identifier: ISC */
#include "sasl/credential.h"

#include "rt/rt.h"
#include "sasl/password.h"
#include "sasl/prepare.h"
#include "sasl/scram.h"

enum { INVENTED = 20, GROUP = 5, PREPARED_MAX = 4096 };

static err add_password(str password, struct buf *out)
{
	buf_puts(out, CREDENTIAL_PASSWORD " ");
	err e = password_hash(password, out);
	buf_putc(out, '\n');
	return e;
}

static err add_verifier(enum crypto_hash hash, str password, str salt, struct buf *out)
{
	struct scram_verifier v;
	err e = scram_verifier_make(hash, password, salt, SCRAM_ROUNDS, &v);

	if (e != OK)
		return e;
	buf_puts(out, hash == CRYPTO_SHA1 ? CREDENTIAL_SHA1 " " : CREDENTIAL_SHA256 " ");
	scram_verifier_print(&v, out);
	buf_putc(out, '\n');
	return OK;
}

static err compute(str password, str salt, bool chosen, bool sha1, struct buf *out)
{
	err e = chosen ? add_password(password, out) : OK;

	if (e == OK)
		e = add_verifier(CRYPTO_SHA256, password, salt, out);
	if (e == OK && sha1)
		e = add_verifier(CRYPTO_SHA1, password, salt, out);
	return e == OK && out->full ? err_note(E_LIMIT, "no room for a credential") : e;
}

err credential_compute(str password, str salt, bool chosen, bool sha1, struct buf *out)
{
	BUF(prepared, PREPARED_MAX);
	err e = prepare_strictly(password, &prepared);

	if (e == OK)
		e = compute(buf_str(&prepared), salt, chosen, sha1, out);
	if (prepared.p != NULL)
		explicit_bzero(prepared.p, prepared.size);
	return e;
}

bool credential_next(str *lines, str *kind, str *text)
{
	str line;

	if (lines->n == 0)
		return false;
	str_cut(*lines, '\n', &line, lines);
	str_cut(line, ' ', kind, text);
	return true;
}

bool credential_is_kind(str kind)
{
	return str_equal(kind, STR(CREDENTIAL_PASSWORD)) || str_equal(kind, STR(CREDENTIAL_SHA256)) ||
	       str_equal(kind, STR(CREDENTIAL_SHA1));
}

/* 32 characters, none that looks like another. */
void credential_invent(struct buf *out)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
	unsigned char random[INVENTED];

	rt_random(random, sizeof(random));
	for (size_t i = 0; i < INVENTED; i++) {
		buf_puts(out, i > 0 && i % GROUP == 0 ? "-" : "");
		buf_putc(out, letters[random[i] % (sizeof(letters) - 1)]);
	}
	explicit_bzero(random, sizeof(random));
}
