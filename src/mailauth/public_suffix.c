/* SPDX-License-Identifier: ISC */
#include "mailauth/public_suffix.h"

#include <libpsl.h>
#include <stdio.h>

enum { NAME_MAX_OCTETS = 253, MEMO_NAME = 62, MEMO_SIZE = 16 };

static psl_ctx_t *given; /* NULL: the one that libpsl brings */

/* What was asked last: the links of a message lead to few hosts. */
static _Thread_local struct memo {
	uint8_t n, registered; /* octets of the name, 0 none; of its end that is registered */
	char name[MEMO_NAME];
} memo[MEMO_SIZE];

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
	memset(memo, 0, sizeof(memo));
	return OK;
}

/* Octets at the end of `name`; 0: it is a suffix itself. */
static size_t ask(str name)
{
	char z[NAME_MAX_OCTETS + 1];

	memcpy(z, name.p, name.n);
	z[name.n] = 0;
	const char *found = psl_registrable_domain(given != NULL ? given : psl_builtin(), z);
	return found == NULL ? 0 : name.n - (size_t)(found - z);
}

static size_t recall(str name)
{
	uint32_t h = 0;

	for (size_t i = 0; i < name.n; i++)
		h = h * 31 + (unsigned char)name.p[i];
	struct memo *m = &memo[h % MEMO_SIZE];
	if (m->n != name.n || memcmp(m->name, name.p, name.n) != 0) {
		*m = (struct memo){.n = (uint8_t)name.n, .registered = (uint8_t)ask(name)};
		memcpy(m->name, name.p, name.n);
	}
	return m->registered;
}

str public_suffix_registered(str name)
{
	if (name.n == 0 || name.n > NAME_MAX_OCTETS || name.p[0] == '.' || str_find(name, '\0') < name.n)
		return STR_NONE;
	size_t registered = name.n <= MEMO_NAME ? recall(name) : ask(name);
	return registered == 0 ? STR_NONE : str_drop(name, name.n - registered);
}
