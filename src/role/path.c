/* SPDX-License-Identifier: ISC */
#include "role/path.h"

#include "base/arena.h"
#include "rt/file.h"

#define PATH_OCTETS_MAX 8192

err path_read(str path, struct buf *out)
{
	ARENA(a, PATH_OCTETS_MAX);
	const char *name = arena_z(&a, path);

	if (name == NULL)
		return err_note(E_LIMIT, "the file's name is too long");
	err e = file_read_whole(name, out);
	if (e == OK)
		return OK;
	struct err_info why = *err_info();
	return err_note(e, STR_FMT ": %s", STR_ARG(path), why.text);
}

bool path_stat(str path, struct stat *out)
{
	ARENA(a, PATH_OCTETS_MAX);
	const char *name = arena_z(&a, path);

	if (name != NULL && stat(name, out) == 0)
		return true;
	*out = (struct stat){0};
	return false;
}

uint64_t path_stamp(uint64_t stamp, str path)
{
	struct stat st;

	(void)path_stat(path, &st);
	const uint64_t parts[] = {(uint64_t)st.st_ino, (uint64_t)st.st_size, (uint64_t)st.st_mtim.tv_sec,
	                          (uint64_t)st.st_mtim.tv_nsec};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		stamp = fnv_word(stamp, parts[i]);
	return stamp;
}

void path_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->size);
}
