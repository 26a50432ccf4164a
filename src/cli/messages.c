/* SPDX-License-Identifier: ISC */
#include "cli/messages.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "rt/file.h"

#define FILE_MAX ((size_t)4 << 30)

enum { PATH_OCTETS_MAX = 4096 };

/* --- mbox (RFC 4155) --- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "From alice@example.org Sat Nov 21 21:38:00 2026": the year at its end, perhaps a zone behind it, a time in front. Text that begins a line with "From " seldom has these. */
static bool is_separator(str line)
{
	str rest = str_trim(line);
	bool year = false, time = false;

	if (!str_starts(line, STR("From ")))
		return false;
	for (str word = str_word(&rest); word.n > 0; word = str_word(&rest)) {
		year |= word.n == 4 && is_digit(word.p[0]) && is_digit(word.p[1]) && is_digit(word.p[2]) &&
		        is_digit(word.p[3]);
		time |= word.n >= 5 && is_digit(word.p[1]) && word.p[2] == ':' && is_digit(word.p[3]);
	}
	return year && time;
}

static str line_of(str s)
{
	return str_take(s, str_find(s, '\n') + 1);
}

str mbox_next(str *rest)
{
	str all = *rest, line = line_of(all);
	bool empty = false;
	size_t at = line.n;

	for (; at < all.n; at += line.n) {
		line = line_of(str_drop(all, at));
		if (empty && is_separator(line))
			break;
		empty = str_trim(line).n == 0;
	}
	*rest = str_drop(all, at);
	return str_take(all, at);
}

/* --- the spool: name and message, each behind its length --- */

static err put_text(FILE *f, str text)
{
	uint64_t n = text.n;

	if (fwrite(&n, sizeof n, 1, f) != 1 || fwrite(text.p, 1, text.n, f) != text.n)
		return err_note(E_IO, "cannot write to a temporary file: %s", strerror(errno));
	return OK;
}

static err get_text(FILE *f, struct buf *out)
{
	uint64_t n;

	buf_reset(out);
	if (fread(&n, sizeof n, 1, f) != 1)
		return E_END;
	char *p = buf_reserve(out, n);
	if (p == NULL)
		return err_note(E_MEMORY, "out of memory for a message");
	if (fread(p, 1, n, f) != n)
		return err_note(E_IO, "cannot read from a temporary file");
	buf_commit(out, n);
	return OK;
}

err messages_open(struct messages *m)
{
	*m = (struct messages){.spool = tmpfile()};
	return m->spool == NULL ? err_note(E_IO, "cannot make a temporary file: %s", strerror(errno)) : OK;
}

void messages_close(struct messages *m)
{
	if (m->spool != NULL)
		(void)fclose(m->spool);
	m->spool = NULL;
}

err messages_rewind(struct messages *m)
{
	return fflush(m->spool) == 0 && fseek(m->spool, 0, SEEK_SET) == 0
	               ? OK
	               : err_note(E_IO, "cannot write to a temporary file: %s", strerror(errno));
}

err messages_next(struct messages *m, struct buf *name, struct buf *message)
{
	err e = get_text(m->spool, name);

	return e == OK ? get_text(m->spool, message) : e;
}

static err add_message(struct messages *m, const char *path, size_t number, str message)
{
	BUF(name, PATH_OCTETS_MAX);

	buf_puts(&name, path);
	if (number > 0)
		buf_printf(&name, ":%zu", number);
	err e = put_text(m->spool, buf_str(&name));
	m->n++;
	return e == OK ? put_text(m->spool, str_take(message, MESSAGES_OCTETS_MAX)) : e;
}

static err add_text(struct messages *m, const char *path, str text)
{
	str rest = text, first = is_separator(line_of(text)) ? mbox_next(&rest) : text;
	bool many = first.n < text.n;
	err e = text.n == 0 ? OK : add_message(m, path, many, first);

	for (size_t number = 2; e == OK && many && rest.n > 0; number++)
		e = add_message(m, path, number, mbox_next(&rest));
	return e;
}

/* --- files --- */

static err read_stream(FILE *f, struct buf *out)
{
	char piece[64 << 10];
	size_t n;

	while ((n = fread(piece, 1, sizeof piece, f)) > 0)
		buf_put(out, str_make(piece, n));
	return ferror(f) || out->full ? err_note(E_IO, "cannot read standard input") : OK;
}

static err add_file(struct messages *m, const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	BUF(text, FILE_MAX);
	err e = standard ? read_stream(stdin, &text) : file_read_whole(path, &text);

	return e == OK ? add_text(m, path, buf_str(&text)) : e;
}

static int is_visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool path_of(struct buf *out, const char *folder, const char *name)
{
	buf_printf(out, "%s/%s", folder, name);
	buf_put(out, str_make("", 1));
	return !out->full;
}

static err add_folder(struct messages *m, const char *folder)
{
	struct dirent **list;
	int n = scandir(folder, &list, is_visible, alphasort);
	err e = n < 0 ? err_note(E_IO, "cannot read the folder %s: %s", folder, strerror(errno)) : OK;

	for (int i = 0; i < n; i++) {
		BUF(path, PATH_OCTETS_MAX);
		if (e == OK && path_of(&path, folder, list[i]->d_name) && !is_folder(path.p))
			e = add_file(m, path.p);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return e;
}

/* A Maildir is read where its messages are. */
static err add_part(struct messages *m, const char *folder, const char *part, bool *found)
{
	BUF(path, PATH_OCTETS_MAX);

	if (!path_of(&path, folder, part) || !is_folder(path.p))
		return OK;
	*found = true;
	return add_folder(m, path.p);
}

err messages_add(struct messages *m, const char *path)
{
	bool maildir = false;

	if (!is_folder(path))
		return add_file(m, path);
	err e = add_part(m, path, "cur", &maildir);
	if (e == OK)
		e = add_part(m, path, "new", &maildir);
	return e == OK && !maildir ? add_folder(m, path) : e;
}
