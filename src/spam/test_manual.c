/* SPDX-License-Identifier: ISC */
/* The manual's list of rules is the program's table: `test_spam_manual --update` writes it into docs/man/pombo-spam.7. */
#include "conf/manual_page.h"
#include "spam/judge.h"

static const struct manual_page page = {.path = SOURCE_ROOT "/docs/man/pombo-spam.7",
                                        .begin = ".\\\" begin rules\n",
                                        .end = ".\\\" end rules\n",
                                        .print = judge_manual};

static void page_is_in_step(void **state UNUSED)
{
	manual_is_in_step(&page);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_is_in_step),
	};

	if (argc == 2 && strcmp(argv[1], "--update") == 0)
		return manual_update(&page);
	return cmocka_run_group_tests_name("manual", tests, NULL, NULL);
}
