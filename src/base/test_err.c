/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <string.h>

#include "base/err.h"

static void test_set_is_read_back(void **state UNUSED)
{
	assert_int_equal(err_set(E_TEMP, 451, "4.4.3", "lookup of %s failed", "example.org"), E_TEMP);
	assert_int_equal(err_info()->code, E_TEMP);
	assert_int_equal(err_info()->reply, 451);
	assert_string_equal(err_info()->status, "4.4.3");
	assert_string_equal(err_info()->text, "lookup of example.org failed");
}

static void test_note_has_no_reply(void **state UNUSED)
{
	assert_int_equal(err_note(E_IO, "write"), E_IO);
	assert_int_equal(err_info()->reply, 0);
	assert_string_equal(err_info()->status, "");
}

static void test_wraps_its_own_text(void **state UNUSED)
{
	assert_int_equal(err_note(E_IO, "disk"), E_IO);
	assert_int_equal(err_note(E_TEMP, "store: %s", err_info()->text), E_TEMP);
	assert_string_equal(err_info()->text, "store: disk");
}

static void test_controls_are_masked_and_length_is_capped(void **state UNUSED)
{
	char text[500];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_note(E_PERM, "a\r\n250 ok\x7f%s", text);
	assert_memory_equal(err_info()->text, "a??250 ok?x", 11);
	assert_int_equal(strlen(err_info()->text), sizeof(err_info()->text) - 1);
}

static void test_slot_is_switched(void **state UNUSED)
{
	struct err_info mine = {.code = OK};

	err_note(E_IO, "thread");
	err_slot = &mine;
	err_note(E_BUSY, "coroutine");
	err_slot = NULL;
	assert_int_equal(mine.code, E_BUSY);
	assert_int_equal(err_info()->code, E_IO);
}

static void test_every_code_has_a_name(void **state UNUSED)
{
	for (int code = OK; code <= E_LAST; code++)
		assert_string_not_equal(err_name((err)code), "unknown");
	assert_string_equal(err_name((err)(E_LAST + 1)), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_is_read_back),
		cmocka_unit_test(test_note_has_no_reply),
		cmocka_unit_test(test_wraps_its_own_text),
		cmocka_unit_test(test_controls_are_masked_and_length_is_capped),
		cmocka_unit_test(test_slot_is_switched),
		cmocka_unit_test(test_every_code_has_a_name),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
