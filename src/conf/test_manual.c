/* SPDX-License-Identifier: ISC */
/* The manual's list of settings is the program's table: `test_conf_manual --update` writes it into docs/man/pombo.conf.5. */
#include "conf/config.h"
#include "conf/manual_page.h"

static const struct manual_page page = {.path = SOURCE_ROOT "/docs/man/pombo.conf.5",
                                        .begin = ".\\\" begin settings\n",
                                        .end = ".\\\" end settings\n",
                                        .print = config_manual};

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
