/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "role/children.h"
#include "role/dial.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/pombo-dial-XXXXXX";

static void dial_run(void *arg UNUSED)
{
	struct config_faults faults = {.text = BUF_INIT(4096)};
	struct dial_reply r = {.socket = -1};
	struct net_address address;
	BUF(text, 4096);
	int fd;

	buf_printf(&text,
	           "version 1\nhostname a.b\ndomain a.b\nscanner clamd unix:%s/s\nscanner milter unix:%s/none\nscanner "
	           "rspamd 127.0.0.1:1\n",
	           folder, folder);
	struct config *c = config_parse(buf_str(&text), "test", &faults);
	assert_non_null(c);
	buf_reset(&text);
	buf_printf(&text, "unix:%s/s", folder);
	assert_int_equal(net_address_parse(buf_str(&text), &address), OK);
	assert_int_equal(net_listen(&address, &fd), OK);
	assert_int_equal(dial_serve(c, &(struct dial_request){buf_str(&text)}, &r), OK);
	assert_true(r.socket >= 0);
	close(r.socket);
	assert_int_equal(dial_serve(c, &(struct dial_request){STR("127.0.0.1:1")}, &r), E_DENIED);
	assert_int_equal(dial_serve(c, &(struct dial_request){STR("unix:/run/other")}, &r), E_DENIED);
	assert_int_equal(dial_serve(c, &(struct dial_request){c->scanners[1].text}, &r), E_NOT_FOUND);
	config_release(c);
	close(fd);
}

static void only_to_scanners(void **state UNUSED)
{
	char path[64];

	assert_non_null(mkdtemp(folder));
	assert_int_equal(rt_run(dial_run, NULL), OK);
	snprintf(path, sizeof(path), "%s/s", folder);
	unlink(path);
	rmdir(folder);
}

static void who_may_run(void *arg UNUSED)
{
	struct config_faults faults = {.text = BUF_INIT(4096)};
	struct config *c = config_parse(STR("version 1\nhostname a.b\ndomain a.b\n"), "test", &faults);
	struct children all;

	assert_non_null(c);
	assert_int_equal(children_init(&all, c, false, NULL, NULL), OK);
	assert_non_null(all.for_filter.handlers[CALL_dial]);
	assert_null(all.for_others.handlers[CALL_dial]);
	assert_null(all.for_store.handlers[CALL_dial]);
	children_free(&all);
	config_release(c);
}

static void only_for_the_filter(void **state UNUSED)
{
	assert_int_equal(rt_run(who_may_run, NULL), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_to_scanners),
		cmocka_unit_test(only_for_the_filter),
	};

	return cmocka_run_group_tests_name("dial", tests, NULL, NULL);
}
