/* SPDX-License-Identifier: ISC */
/* The manual's list of rules is the program's table: `test_spam_manual --update` writes it into docs/man/pombo-spam.7. */
#include "base/test.h"
#include "conf/source_root.h"
#include "rt/file.h"
#include "spam/judge.h"

#include <stdio.h>

#define PAGE  SOURCE_ROOT "/docs/man/pombo-spam.7"
#define BEGIN ".\\\" begin rules\n"
#define END   ".\\\" end rules\n"

/* The text up to and with `mark`, and what is behind it. */
static bool cut_behind(str text, str mark, str *head, str *tail)
{
	for (size_t i = 0; i + mark.n <= text.n; i++)
		if (str_starts(str_drop(text, i), mark)) {
			*head = str_take(text, i + mark.n);
			*tail = str_drop(text, i + mark.n);
			return true;
		}
	return false;
}

/* The page as it should be. */
static bool page_renew(str page, struct buf *out)
{
	str head, old, rest, tail;

	if (!cut_behind(page, STR(BEGIN), &head, &rest) || !cut_behind(rest, STR(END), &old, &tail))
		return false;
	buf_put(out, head);
	judge_manual(out);
	buf_puts(out, END);
	buf_put(out, tail);
	return !out->full;
}

static bool page_read(struct buf *page, struct buf *renewed)
{
	return file_read_whole(PAGE, page) == OK && page_renew(buf_str(page), renewed);
}

static void page_is_in_step(void **state UNUSED)
{
	BUF(page, 1 << 20);
	BUF(renewed, 1 << 20);

	assert_true(page_read(&page, &renewed));
	if (!str_equal(buf_str(&page), buf_str(&renewed)))
		fail_msg("docs/man/pombo-spam.7 is behind the table of rules: run test_spam_manual --update");
}

static int update(void)
{
	BUF(page, 1 << 20);
	BUF(renewed, 1 << 20);

	return page_read(&page, &renewed) && file_replace(PAGE, buf_str(&renewed), 0644) == OK ? 0 : 1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_is_in_step),
	};

	if (argc == 2 && strcmp(argv[1], "--update") == 0)
		return update();
	return cmocka_run_group_tests_name("manual", tests, NULL, NULL);
}
