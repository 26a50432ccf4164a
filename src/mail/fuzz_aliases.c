/* SPDX-License-Identifier: ISC */
#include "mail/aliases.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What is read is text of one line, and no value is empty. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	str text = str_make((const char *)data, n);
	struct aliases_entry *e;
	struct aliases_value *v;
	size_t entries, values;
	ARENA(a, 8 << 20);

	if (aliases_parse(text, &a, &e, &entries) == OK)
		for (size_t i = 0; i < entries; i++)
			if (e[i].n == 0 || e[i].name.n == 0 || str_has_control(e[i].name))
				abort();
	if (aliases_values(text, &a, &v, &values) == OK)
		for (size_t i = 0; i < values; i++)
			if (str_has_control(v[i].text))
				abort();
	return 0;
}
