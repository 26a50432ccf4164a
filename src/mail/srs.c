/* SPDX-License-Identifier: ISC */
#include "mail/srs.h"

#include "base/buf.h"
#include "base/date.h"
#include "mail/address.h"
#include "rt/crypto.h"

enum { HASH_DIGITS = 6, DAYS_ALL = 1024, ADDRESS_MAX = 512 };

/* What stands behind "SRS0=" or "SRS1=". */
struct rewritten {
	str hash;
	str signed_text; /* all behind the hash */
	str day, domain,
		local; /* SRS1: no day, `domain` is that of the server that rewrote first, `local` begins with its separator */
};

static char base32_digit(unsigned v)
{
	return "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[v & 31];
}

/* 32 when it is none. */
static unsigned base32_value(char c)
{
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a');
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	return c >= '2' && c <= '7' ? (unsigned)(c - '2' + 26) : 32;
}

/* `kind`: "0" or "1"; the secret has other uses, too. */
static err hash_of(str secret, const char *kind, str signed_text, char out[HASH_DIGITS])
{
	ARENA(a, 4096);
	struct crypto_digest d;
	str message = arena_lower(&a, arena_printf(&a, "srs%s=" STR_FMT, kind, STR_ARG(signed_text)));

	if (a.full)
		return err_note(E_LIMIT, "an address too long to be rewritten");
	err e = crypto_hmac(CRYPTO_SHA256, secret, message, &d);
	for (size_t i = 0; e == OK && i < HASH_DIGITS; i++)
		out[i] = base32_digit(d.bytes[i]);
	return e;
}

static unsigned day_of(int64_t now)
{
	return (unsigned)(now / (86400 * USEC_PER_SEC) % DAYS_ALL);
}

/* --- forward --- */

/* STR_NONE when nobody would take it, or there is no memory. */
static str print_address(str local, str domain, struct arena *a)
{
	struct address unused;
	str text = arena_printf(a, STR_FMT "@" STR_FMT, STR_ARG(address_quote(a, local)), STR_ARG(domain));

	return !a->full && address_parse(text, true, &unused) == OK ? text : STR_NONE;
}

static str rewrite(str secret, const char *kind, str signed_text, str domain, struct arena *a)
{
	char hash[HASH_DIGITS];

	if (hash_of(secret, kind, signed_text, hash) != OK)
		return STR_NONE;
	str local = arena_printf(a, "SRS%s=" STR_FMT "=" STR_FMT, kind, STR_ARG(str_make(hash, sizeof(hash))),
	                         STR_ARG(signed_text));
	return print_address(local, domain, a);
}

static bool is_separator(str s, size_t at)
{
	return at < s.n && str_find(STR("=+-"), s.p[at]) < 3;
}

/* "SRS0" and a separator, or "SRS1" and one, in any case: others separate by "+" and "-", too. */
static bool is_rewritten(str local, str mark)
{
	return str_starts_nocase(local, mark) && is_separator(local, mark.n);
}

/* By somebody else, whose mark this is: the way back leads over him. */
static bool cut_guarded(str local, struct rewritten *out)
{
	str rest;

	if (!is_rewritten(local, STR("SRS1")) || !str_cut(str_drop(local, 5), '=', &out->hash, &rest))
		return false;
	out->signed_text = rest;
	return str_cut(rest, '=', &out->domain, &out->local) && out->hash.n > 0 && out->domain.n > 0 &&
	       is_separator(out->local, 0);
}

/* To the server that rewrote first. */
static str way_back(const struct rewritten *r, struct arena *a)
{
	return print_address(arena_printf(a, "SRS0" STR_FMT, STR_ARG(r->local)), r->domain, a);
}

str srs_forward(str secret, str sender, str domain, int64_t now, struct arena *a)
{
	struct address in;
	struct rewritten before = {0};
	unsigned day = day_of(now);

	if (address_parse(sender, true, &in) != OK)
		return STR_NONE;
	if (str_equal_nocase(in.domain, domain))
		return arena_str(a, sender);
	str local = address_unquote(a, in.local);
	if (cut_guarded(local, &before) && way_back(&before, a).n > 0)
		return rewrite(secret, "1", before.signed_text, domain, a);
	if (is_rewritten(local, STR("SRS0")))
		return rewrite(secret, "1",
		               arena_printf(a, STR_FMT "=" STR_FMT, STR_ARG(in.domain), STR_ARG(str_drop(local, 4))),
		               domain, a);
	return rewrite(secret, "0",
	               arena_printf(a, "%c%c=" STR_FMT "=" STR_FMT, base32_digit(day >> 5), base32_digit(day),
	                            STR_ARG(in.domain), STR_ARG(local)),
	               domain, a);
}

/* --- reverse --- */

static bool cut_first(str local, struct rewritten *out)
{
	str rest;

	if (!str_starts_nocase(local, STR("SRS0=")) || !str_cut(str_drop(local, 5), '=', &out->hash, &rest))
		return false;
	out->signed_text = rest;
	return str_cut(rest, '=', &out->day, &rest) && str_cut(rest, '=', &out->domain, &out->local) &&
	       out->hash.n > 0 && out->day.n == 2 && out->domain.n > 0;
}

static err check_hash(str secret, const char *kind, const struct rewritten *r)
{
	char want[HASH_DIGITS], got[HASH_DIGITS] = {0};
	err e = hash_of(secret, kind, r->signed_text, want);

	for (size_t i = 0; r->hash.n == HASH_DIGITS && i < HASH_DIGITS; i++) {
		unsigned v = base32_value(r->hash.p[i]);
		got[i] = v < 32 ? base32_digit(v) : '?';
	}
	if (e == OK && !crypto_equal(str_make(want, HASH_DIGITS), str_make(got, HASH_DIGITS)))
		return err_set(E_DENIED, 550, "5.7.1", "This way back was not opened here");
	return e;
}

/* A clock may be a day behind the one that wrote it. */
static err check_day(str day, int64_t now)
{
	unsigned high = base32_value(day.p[0]), low = base32_value(day.p[1]);
	unsigned age = (day_of(now) + DAYS_ALL + 1 - (high << 5 | low)) % DAYS_ALL;

	if (high > 31 || low > 31 || age > SRS_DAYS + 1)
		return err_set(E_DENIED, 550, "5.7.1",
		               "This way back is closed: the message was forwarded too long ago");
	return OK;
}

err srs_reverse(str secret, str local, int64_t now, str *sender, struct arena *a)
{
	struct rewritten r = {0};
	str text = address_unquote(a, local);
	bool first = cut_first(text, &r);

	if (!first && (!str_starts_nocase(text, STR("SRS1=")) || !cut_guarded(text, &r)))
		return err_note(E_NOT_FOUND, "not rewritten here");
	err e = check_hash(secret, first ? "0" : "1", &r);
	if (e == OK && first)
		e = check_day(r.day, now);
	if (e != OK)
		return e;
	*sender = first ? print_address(r.local, r.domain, a) : way_back(&r, a);
	if (a->full)
		return err_set(E_LIMIT, 452, "4.3.1", "Out of memory for this address");
	return sender->n > 0 ? OK : err_note(E_NOT_FOUND, "leads to no address");
}
