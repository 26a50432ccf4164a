/* SPDX-License-Identifier: ISC */
#include "sasl/prepare.h"

#include <idn-free.h>
#include <stringprep.h>

enum { TEXT_MAX = 4096 };

static void wipe_text(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, strlen(*text));
	idn_free(*text);
}

static const char *fault_of(int rc)
{
	switch (rc) {
	case STRINGPREP_CONTAINS_PROHIBITED:
		return "a control character, or one that nobody sees or types, is in it";
	case STRINGPREP_BIDI_BOTH_L_AND_RAL:
	case STRINGPREP_BIDI_LEADTRAIL_NOT_RAL:
	case STRINGPREP_BIDI_CONTAINS_PROHIBITED:
		return "letters written from left to right and from right to left are mixed in it";
	default:
		return "it cannot be brought into its normal form";
	}
}

/* RFC 4013 2. Unassigned code points are let through, as in queries (RFC 3454 7): a password may well hold an emoji. */
static err normalize(str text, struct buf *out)
{
	char in[TEXT_MAX];
	CLEANUP(wipe_text) char *normal = NULL;

	if (text.n >= sizeof(in))
		return err_note(E_LIMIT, "SASLprep: too long");
	if (!str_is_utf8(text) || str_find(text, '\0') < text.n)
		return err_note(E_SYNTAX, "SASLprep: not UTF-8");
	memcpy(in, text.p, text.n);
	in[text.n] = '\0';
	int rc = stringprep_profile(in, &normal, "SASLprep", 0);
	explicit_bzero(in, text.n);
	if (rc != STRINGPREP_OK)
		return err_note(E_SYNTAX, "SASLprep: %s", fault_of(rc));
	buf_puts(out, normal);
	if (out->full)
		return err_note(E_LIMIT, "SASLprep: too long");
	return out->n > 0 ? OK : err_note(E_SYNTAX, "SASLprep: nothing is left of it");
}

err prepare_strictly(str text, struct buf *out)
{
	if (text.n > 0 && !str_is_ascii(text))
		return normalize(text, out);
	buf_put(out, text);
	return out->full ? err_note(E_LIMIT, "SASLprep: too long") : OK;
}

str prepare(str text, struct arena *a)
{
	BUF(normal, TEXT_MAX);

	if (str_is_ascii(text))
		return text;
	str out = normalize(text, &normal) == OK ? arena_str(a, buf_str(&normal)) : text;
	if (normal.p != NULL)
		explicit_bzero(normal.p, normal.size);
	return out.p == NULL ? text : out;
}
