/* SPDX-License-Identifier: ISC */
#include "cli/messages.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"

static void mboxes(void **state UNUSED)
{
	str rest = STR("From a@example Sat Nov 21 21:38:00 2026\nSubject: 1\n\nFrom here on it is text.\n\nFrom b  Sat "
	               "Nov 21 21:38 2026 +0100\nSubject: 2\n\nFrom c Sat Nov 21 21:38:00 2026\n");

	assert_true(str_ends(mbox_next(&rest), STR("it is text.\n\n")));
	assert_str(mbox_next(&rest), "From b  Sat Nov 21 21:38 2026 +0100\nSubject: 2\n\n");
	assert_str(mbox_next(&rest), "From c Sat Nov 21 21:38:00 2026\n");
	assert_int_equal(rest.n, 0);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void folders(void **state UNUSED)
{
	char folder[] = "/tmp/test_messages.XXXXXX";
	struct messages m;
	BUF(name, 4096);
	BUF(text, 4096);

	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(mkdir("box", 0700), 0);
	assert_int_equal(mkdir("box/cur", 0700), 0);
	assert_int_equal(mkdir("box/new", 0700), 0);
	write_file("box/cur/1", "one");
	write_file("box/new/2", "two");
	write_file("box/ignored", "x");
	write_file("mbox", "From a Sat Nov 21 21:38:00 2026\n1\n\nFrom a Sat Nov 21 21:38:00 2026\n2\n");
	assert_int_equal(messages_open(&m), OK);
	assert_int_equal(messages_add(&m, "box"), OK);
	assert_int_equal(messages_add(&m, "mbox"), OK);
	assert_int_equal(messages_add(&m, "none"), E_NOT_FOUND);
	assert_int_equal(m.n, 4);
	assert_int_equal(messages_rewind(&m), OK);
	assert_int_equal(messages_next(&m, &name, &text), OK);
	assert_str(buf_str(&name), "box/cur/1");
	assert_str(buf_str(&text), "one");
	assert_int_equal(messages_next(&m, &name, &text), OK);
	assert_str(buf_str(&text), "two");
	assert_int_equal(messages_next(&m, &name, &text), OK);
	assert_str(buf_str(&name), "mbox:1");
	assert_int_equal(messages_next(&m, &name, &text), OK);
	assert_str(buf_str(&name), "mbox:2");
	assert_int_equal(messages_next(&m, &name, &text), E_END);
	messages_close(&m);
	assert_int_equal(system("rm -r box mbox"), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mboxes),
		cmocka_unit_test(folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
