/* SPDX-License-Identifier: ISC */
/* Files that come with it: programs, in their own name, in another one, in an archive. */
#include "spam/judging.h"

enum {
	ZIP_OCTETS = 64 << 10,
	ZIP_HEADER = 30,
	ZIP_FILES = 100,
	FILES_MAX = 200,
	ARCHIVES_MAX = 10,
	NAME_MAX_OCTETS = 255
};

static bool ends_with_one_of(str name, const char *const *endings)
{
	for (; *endings != NULL; endings++)
		if (str_ends_nocase(name, str_from(*endings)))
			return true;
	return false;
}

static bool is_program(str name)
{
	static const char *const programs[] = {".exe", ".scr", ".com", ".pif", ".bat", ".cmd", ".js",  ".jse", ".vbs",
	                                       ".vbe", ".wsf", ".wsh", ".hta", ".msi", ".jar", ".ps1", ".lnk", ".cpl",
	                                       ".reg", ".msc", ".iso", ".img", ".vhd", ".chm", ".xll", ".dll", NULL};

	return ends_with_one_of(name, programs);
}

/* "bill.pdf.exe", "bill.pdf      .exe", and a right-to-left override that turns "exe.pdf" round. */
static bool is_disguised(str name)
{
	static const char *const documents[] = {".pdf",  ".doc", ".docx", ".xls", ".xlsx", ".txt", ".jpg",
	                                        ".jpeg", ".png", ".gif",  ".htm", ".html", ".zip", ".mp3",
	                                        ".mp4",  ".ppt", ".pptx", ".rtf", ".csv",  NULL};
	str before = str_trim(str_take(name, str_find_last(name, '.')));

	if (str_contains(name, STR("\xe2\x80\xae")))
		return true;
	return is_program(name) && ends_with_one_of(before, documents);
}

static bool is_page(str name)
{
	static const char *const pages[] = {".htm", ".html", ".shtml", ".xhtml", ".svg", NULL};

	return ends_with_one_of(name, pages);
}

/* The names of an archive's files, as far as their headers follow each other (APPNOTE.TXT 4.3.7): those of which the size is not known end it. */
static str program_in_zip(str zip)
{
	for (size_t i = 0; i < ZIP_FILES; i++) {
		struct cursor c = cursor_of(zip);
		if (!str_equal(cursor_bytes(&c, 4), STR("PK\x03\x04")))
			return STR_NONE;
		(void)cursor_bytes(&c, 14);
		size_t size = cursor_le32(&c);
		(void)cursor_le32(&c);
		uint32_t lengths = cursor_le32(&c);
		str name = cursor_bytes(&c, lengths & 0xffff);
		if (c.failed)
			return STR_NONE;
		if (is_program(name))
			return name;
		(void)cursor_bytes(&c, lengths >> 16);
		(void)cursor_bytes(&c, size);
		if (c.failed || size == 0)
			return STR_NONE;
		zip = cursor_rest(&c);
	}
	return STR_NONE;
}

static void look_into_archive(struct judging *j, const struct mime_part *p, str name)
{
	struct mime_part some = *p;
	BUF(zip, ZIP_OCTETS);

	some.body = str_take(p->body, 2 * ZIP_OCTETS);
	err e = mime_content(&some, &zip);
	if (e == E_SYNTAX)
		return;
	str program = program_in_zip(buf_str(&zip));
	if (program.n > 0)
		judging_hit(j, RULE_FILE_PACKED, STR_FMT " in " STR_FMT, STR_ARG(str_take(program, 80)), STR_ARG(name));
}

static void look_at_file(struct judging *j, const struct mime_part *p, str name, size_t *archives)
{
	if (is_disguised(name))
		judging_hit(j, RULE_FILE_DISGUISED, STR_FMT, STR_ARG(name));
	else if (is_program(name))
		judging_hit(j, RULE_FILE_PROGRAM, STR_FMT, STR_ARG(name));
	else if (is_page(name))
		judging_hit(j, RULE_FILE_PAGE, STR_FMT, STR_ARG(name));
	else if ((str_ends_nocase(name, STR(".zip")) || mime_is(p, STR("application"), STR("zip"))) &&
	         ++*archives <= ARCHIVES_MAX)
		look_into_archive(j, p, name);
}

void judge_files(struct judging *j)
{
	size_t before = j->hits_n, archives = 0, files = 0;

	for (size_t i = 0; i < j->content.mime.n && j->hits_n < before + 3 && files < FILES_MAX; i++) {
		const struct mime_part *p = &j->content.mime.parts[i];
		if (p->kind != MIME_LEAF || (p->disposition.n == 0 && p->params.n == 0))
			continue;
		files++;
		str name = str_trim(mime_file_name(p, &j->own));
		if (name.n > 0 && (!mime_is(p, STR("text"), STR("html")) || mime_is_attachment(p)))
			look_at_file(j, p, name, &archives);
	}
}
