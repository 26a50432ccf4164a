/* SPDX-License-Identifier: ISC */
#include "conf/domain_name.h"

#include <idn2.h>

enum { LABEL_MAX = 63, NAME_MAX_OCTETS = 253 }; /* RFC 1035 2.3.4, without the length octets of the wire */

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_number(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

static err check_label(str label)
{
	if (label.n == 0)
		return err_note(E_SYNTAX, "an empty label (two dots, or a dot at an end)");
	if (label.n > LABEL_MAX)
		return err_note(E_SYNTAX, "a label longer than 63 octets");
	if (label.p[0] == '-' || label.p[label.n - 1] == '-')
		return err_note(E_SYNTAX, "a hyphen at an end of a label");
	for (size_t i = 0; i < label.n; i++)
		if (!is_alnum(label.p[i]) && label.p[i] != '-')
			return err_note(E_SYNTAX, "only letters, digits, hyphens and dots make a domain name");
	return OK;
}

/* RFC 5321 4.1.2: Domain = sub-domain *("." sub-domain). */
static err check_labels(str name)
{
	str rest = name, label = STR_NONE;
	bool more = true;

	if (name.n > NAME_MAX_OCTETS)
		return err_note(E_SYNTAX, "a name longer than 253 octets");
	while (more) {
		more = str_cut(rest, '.', &label, &rest);
		err e = check_label(label);
		if (e != OK)
			return e;
	}
	/* RFC 3696 2: a top-level name is never all digits, so this was meant as an address. */
	return is_number(label) ? err_note(E_SYNTAX, "a number at the end: is it an address?") : OK;
}

static void free_idn(char **p)
{
	idn2_free(*p);
}

/* RFC 5891 4, after the mapping of UTS 46 that every browser applies. */
static err to_ascii(str name, struct arena *a, str *out)
{
	CLEANUP(free_idn) char *ascii = NULL;
	char *z = arena_z(a, name);

	if (z == NULL)
		return err_note(E_SYNTAX, "a NUL, or out of memory");
	int rc = idn2_to_ascii_8z(z, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc != IDN2_OK)
		return err_note(E_SYNTAX, "%s", idn2_strerror(rc));
	*out = arena_lower(a, str_from(ascii));
	return OK;
}

err domain_name_fold(str name, struct arena *a, str *out)
{
	bool wire = str_is_ascii(name) && !str_starts_nocase(name, STR("xn--")) && !str_contains(name, STR(".xn--"));

	if (name.n > 4 * NAME_MAX_OCTETS)
		return err_note(E_SYNTAX, "a name longer than 253 octets");
	*out = arena_lower(a, name);
	if (!wire) { /* A-labels too: one that no U-label makes is an error */
		err e = to_ascii(*out, a, out);
		if (e != OK)
			return e;
	}
	return a->full ? err_note(E_MEMORY, "out of memory") : check_labels(*out);
}
