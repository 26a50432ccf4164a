/* SPDX-License-Identifier: ISC */
/* Names on standard input, a word in each line (vector_dns.h); writes the registered domain of each in A-labels, "%" for none. The argument: a list. */
#include <stdio.h>
#include <stdlib.h>

#include "conf/domain_name.h"
#include "mailauth/public_suffix.h"
#include "mailauth/vector_dns.h"

static void print(str line)
{
	ARENA(a, 64 << 10);
	BUF(out, 4 << 10);
	str name = vector_word(&line, &a), folded;
	bool is_name = domain_name_fold(name, &a, &folded) == OK;

	vector_put(&out, is_name ? public_suffix_registered(folded) : public_suffix_registered(arena_lower(&a, name)));
	printf(STR_FMT "\n", STR_ARG(buf_str(&out)));
}

static bool use(const char *path)
{
	BUF(list, 4 << 20);
	char block[4096];
	size_t n;
	FILE *f = fopen(path, "r");

	while (f != NULL && (n = fread(block, 1, sizeof(block), f)) > 0)
		buf_put(&list, str_make(block, n));
	if (f != NULL)
		(void)fclose(f);
	return list.n > 0 && public_suffix_use(buf_str(&list)) == OK;
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (argc > 1 && !use(argv[1]))
		return 1;
	while ((n = getline(&line, &size, stdin)) > 0)
		print(str_trim(str_make(line, (size_t)n)));
	free(line);
	return public_suffix_use(STR_NONE) == OK ? 0 : 1;
}
