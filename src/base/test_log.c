/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"

static int out[2];
static char text[1 << 17];

/* Everything written since the last call. */
static str written(void)
{
	size_t n = 0;
	ssize_t got;

	while ((got = read(out[0], text + n, sizeof(text) - n)) > 0)
		n += (size_t)got;
	return str_make(text, n);
}

static int setup(void **state UNUSED)
{
	if (pipe2(out, O_NONBLOCK) != 0)
		return -1;
	log_setup("test", LOG_LEVEL_INFO, false);
	log_to(out[1]);
	return 0;
}

static int teardown(void **state UNUSED)
{
	log_to(-1);
	close(out[0]);
	close(out[1]);
	return 0;
}

static str behind_time(str line)
{
	return str_drop(line, str_find(line, ' '));
}

static void test_logfmt(void **state UNUSED)
{
	LOG(INFO, "smtp.accept", LOG_Z("from", "a@b.org"), LOG_NUM("size", -3), LOG_ID("mid", 1234567),
	    LOG_Z("none", NULL));
	assert_int_equal(written().n, 0);
	log_flush();
	str line = written();
	assert_true(str_starts(line, STR("t=20")));
	assert_int_equal(str_find(line, ' '), 26);
	assert_str(behind_time(line),
	           " level=info role=test ev=smtp.accept from=a@b.org size=-3 mid=15NM7 none=\"\"\n");
}

static void test_no_line_can_be_forged(void **state UNUSED)
{
	LOG(WARN, "x", LOG_STR("v", STR("a b\"\n\tt=1 ev=fake=\\\xff")));
	assert_str(behind_time(written()),
	           " level=warn role=test ev=x v=\"a b\\x22\\x0a\\x09t=1 ev=fake=\\x5c\\xff\"\n");
}

static void test_json(void **state UNUSED)
{
	log_setup("test", LOG_LEVEL_DEBUG, true);
	LOG(DEBUG, "x", LOG_STR("v", STR("a\"\n")), LOG_NUM("n", 5));
	log_flush();
	str line = written();
	assert_true(str_starts(line, STR("{\"t\":\"20")));
	assert_str(str_drop(line, str_find(line, ',')),
	           ",\"level\":\"debug\",\"role\":\"test\",\"ev\":\"x\",\"v\":\"a\\\"\\n\",\"n\":5}\n");
}

static void test_level(void **state UNUSED)
{
	LOG(DEBUG, "x");
	log_flush();
	assert_int_equal(written().n, 0);
	assert_false(log_wants(LOG_LEVEL_DEBUG));
	assert_true(log_wants(LOG_LEVEL_ERROR));
}

static void test_field_that_does_not_fit_is_left_out(void **state UNUSED)
{
	static char big[5000];

	memset(big, '\n', sizeof(big));
	str value = str_make(big, sizeof(big));
	log_setup("test", LOG_LEVEL_INFO, true);
	LOG(INFO, "x", LOG_STR("a", value), LOG_STR("b", value), LOG_STR("c", value), LOG_NUM("d", 1));
	log_flush();
	str line = written();
	assert_true(line.n < 4096);
	assert_true(str_contains(line, STR("\"b\":")));
	assert_false(str_contains(line, STR("\"c\":")));
	assert_true(str_ends(line, STR(",\"d\":1}\n")));
}

static void test_lines_that_find_no_room_are_counted(void **state UNUSED)
{
	for (int i = 0; i < 5000; i++)
		LOG(INFO, "fill", LOG_NUM("i", i), LOG_Z("text", "something that takes a little room in the line"));
	str all = written();
	assert_true(str_contains(all, STR("i=0 ")));
	assert_false(str_contains(all, STR("i=4999 ")));
	log_flush();
	(void)written();
	LOG(ERROR, "after");
	all = written();
	assert_true(str_contains(all, STR("ev=log.lost lines=")));
	assert_true(str_contains(all, STR("ev=after\n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_logfmt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_line_can_be_forged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_level, setup, teardown),
		cmocka_unit_test_setup_teardown(test_field_that_does_not_fit_is_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lines_that_find_no_room_are_counted, setup, teardown),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
