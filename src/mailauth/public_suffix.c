/* SPDX-License-Identifier: ISC */
#include "mailauth/public_suffix.h"

#include <libpsl.h>
#include <stdio.h>

enum { NAME_MAX_OCTETS = 253 };

static psl_ctx_t *given; /* NULL: the one that libpsl brings */

static psl_ctx_t *load(str list)
{
	FILE *f = list.n == 0 ? NULL : fmemopen((void *)(uintptr_t)list.p, list.n, "r");
	psl_ctx_t *psl = f == NULL ? NULL : psl_load_fp(f);

	if (f != NULL)
		(void)fclose(f);
	return psl;
}

err public_suffix_use(str list)
{
	psl_ctx_t *psl = load(list);

	if (list.n > 0 && (psl == NULL || psl_suffix_count(psl) <= 0)) {
		psl_free(psl);
		return err_note(E_SYNTAX, "there is no rule in the list of public suffixes");
	}
	psl_free(given);
	given = psl;
	return OK;
}

str public_suffix_registered(str name)
{
	char z[NAME_MAX_OCTETS + 1];

	if (name.n == 0 || name.n > NAME_MAX_OCTETS || name.p[0] == '.' || str_find(name, '\0') < name.n)
		return STR_NONE;
	memcpy(z, name.p, name.n);
	z[name.n] = 0;
	const char *found = psl_registrable_domain(given != NULL ? given : psl_builtin(), z);
	return found == NULL ? STR_NONE : str_drop(name, (size_t)(found - z));
}
