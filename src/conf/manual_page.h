/* SPDX-License-Identifier: ISC */
/* manual_page - for tests: a part of a page of the manual that a table of the program is written into. */
#ifndef CONF_MANUAL_PAGE_H
#define CONF_MANUAL_PAGE_H

#include "base/test.h"

#include "conf/source_root.h"
#include "rt/file.h"

enum { MANUAL_PAGE_MAX = 1 << 20 };

struct manual_page {
	const char *path, *begin, *end; /* the lines before and behind the part */
	void (*print)(struct buf *out); /* the part as it should be */
};

/* The text up to and with `mark`, and what is behind it. */
static inline bool manual_cut_behind(str text, str mark, str *head, str *tail)
{
	for (size_t i = 0; i + mark.n <= text.n; i++)
		if (str_starts(str_drop(text, i), mark)) {
			*head = str_take(text, i + mark.n);
			*tail = str_drop(text, i + mark.n);
			return true;
		}
	return false;
}

/* The page as it is, and as it should be. */
static inline bool manual_read(const struct manual_page *m, struct buf *page, struct buf *renewed)
{
	str head, old, rest, tail;

	if (file_read_whole(m->path, page) != OK ||
	    !manual_cut_behind(buf_str(page), str_from(m->begin), &head, &rest) ||
	    !manual_cut_behind(rest, str_from(m->end), &old, &tail))
		return false;
	buf_put(renewed, head);
	m->print(renewed);
	buf_puts(renewed, m->end);
	buf_put(renewed, tail);
	return !renewed->full;
}

static inline void manual_is_in_step(const struct manual_page *m)
{
	BUF(page, MANUAL_PAGE_MAX);
	BUF(renewed, MANUAL_PAGE_MAX);

	assert_true(manual_read(m, &page, &renewed));
	if (!str_equal(buf_str(&page), buf_str(&renewed)))
		fail_msg("%s is behind the program's table: run this test with --update", m->path);
}

/* The exit status. */
static inline int manual_update(const struct manual_page *m)
{
	BUF(page, MANUAL_PAGE_MAX);
	BUF(renewed, MANUAL_PAGE_MAX);

	return manual_read(m, &page, &renewed) && file_replace(m->path, buf_str(&renewed), 0644) == OK ? 0 : 1;
}

#endif
