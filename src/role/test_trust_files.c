/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "role/trust_files.h"
#include "rt/file.h"

static char folder[64], anchor[128], authorities[128], password[128];
static struct config_route routes[3];
static struct config config;
static const struct trust_files none;

static void write_file(const char *path, const char *content, mode_t mode)
{
	assert_int_equal(file_replace(path, str_from(content), mode), OK);
}

static str text_of(const struct trust_files *t, str name)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_equal(t->items[i].name, name))
			return t->items[i].text;
	return STR("(none)");
}

static void each_is_read(void **state UNUSED)
{
	struct trust_files t;

	assert_int_equal(trust_files_load(&config, &none, &t), OK);
	assert_int_equal(t.n,
	                 4); /* two routes share a password; who asks about tokens has his own, here of the same file */
	assert_str(text_of(&t, TRUST_ANCHOR), ". DS ...\n");
	assert_str(text_of(&t, TRUST_AUTHORITIES), "PEM");
	assert_str(text_of(&t, str_from(password)), "secret\n");
	assert_str(text_of(&t, TRUST_CLIENT_SECRET), "secret\n");
	trust_files_free(&t);
	assert_int_equal(t.n, 0);
}

static void what_was_read_stays(void **state UNUSED)
{
	struct trust_files before, t;

	assert_int_equal(trust_files_load(&config, &none, &before), OK);
	unlink(anchor);
	unlink(password);
	unlink(authorities);
	assert_int_equal(trust_files_load(&config, &before, &t), OK);
	trust_files_free(&before);
	assert_int_equal(t.n, 4);
	assert_str(text_of(&t, TRUST_ANCHOR), ". DS ...\n");
	assert_str(text_of(&t, str_from(password)), "secret\n");
	trust_files_free(&t);
}

static void a_missing_password_stops_nothing(void **state UNUSED)
{
	struct trust_files t;

	unlink(password);
	unlink(authorities);
	assert_int_equal(trust_files_load(&config, &none, &t), OK);
	assert_int_equal(t.n, 1);
	trust_files_free(&t);
}

/* Another anchor than the one that is wanted would be worse than none. */
static void a_missing_anchor_is_an_error(void **state UNUSED)
{
	struct trust_files t;

	unlink(anchor);
	assert_int_equal(trust_files_load(&config, &none, &t), E_NOT_FOUND);
	assert_int_equal(t.n, 0);
}

static void too_large_is_as_missing(void **state UNUSED)
{
	struct trust_files t;
	char *large = calloc(1, 2000);

	assert_non_null(large);
	memset(large, 'x', 1999);
	write_file(password, large, 0600);
	free(large);
	assert_int_equal(trust_files_load(&config, &none, &t), OK);
	assert_str(text_of(&t, str_from(password)), "(none)");
	trust_files_free(&t);
}

static void the_stamp_follows_each(void **state UNUSED)
{
	const char *const paths[] = {anchor, authorities, password};
	uint64_t before = trust_files_stamp(&config);

	assert_true(before == trust_files_stamp(&config));
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		write_file(paths[i], "another", 0600);
		uint64_t now = trust_files_stamp(&config);
		assert_true(now != before);
		before = now;
	}
}

/* What is said of a file that anybody may read. */
static void an_exposed_password_is_told(void **state UNUSED)
{
	struct trust_files t;
	char log[128], line[1000];

	snprintf(log, sizeof(log), "%s/log", folder);
	int fd = open(log, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	write_file(password, "secret\n", 0644);
	log_to(fd);
	assert_int_equal(trust_files_load(&config, &none, &t), OK);
	log_flush();
	log_to(-1);
	ssize_t n = pread(fd, line, sizeof(line), 0);
	assert_true(n > 0 && str_contains(str_make(line, (size_t)n), STR("trust.exposed")));
	assert_false(str_contains(str_make(line, (size_t)n), STR("secret")));
	trust_files_free(&t);
	close(fd);
	unlink(log);
}

static int write_all(void **state UNUSED)
{
	write_file(anchor, ". DS ...\n", 0644);
	write_file(authorities, "PEM", 0644);
	write_file(password, "secret\n", 0600);
	return 0;
}

static int make_folder(void **state UNUSED)
{
	snprintf(folder, sizeof(folder), "/tmp/pombo-test-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(anchor, sizeof(anchor), "%s/root.key", folder);
	snprintf(authorities, sizeof(authorities), "%s/ca.pem", folder);
	snprintf(password, sizeof(password), "%s/password", folder);
	routes[0].password_file = routes[1].password_file = str_from(password);
	config = (struct config){.trust_anchor = str_from(anchor),
	                         .authorities = str_from(authorities),
	                         .routes = routes,
	                         .routes_n = ARRAY_LEN(routes),
	                         .oauth.secret_file = str_from(password)};
	log_to(-1);
	return 0;
}

static int remove_folder(void **state UNUSED)
{
	unlink(anchor);
	unlink(authorities);
	unlink(password);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_is_read, write_all),
		cmocka_unit_test_setup(what_was_read_stays, write_all),
		cmocka_unit_test_setup(a_missing_password_stops_nothing, write_all),
		cmocka_unit_test_setup(a_missing_anchor_is_an_error, write_all),
		cmocka_unit_test_setup(too_large_is_as_missing, write_all),
		cmocka_unit_test_setup(the_stamp_follows_each, write_all),
		cmocka_unit_test_setup(an_exposed_password_is_told, write_all),
	};

	return cmocka_run_group_tests_name("trust_files", tests, make_folder, remove_folder);
}
