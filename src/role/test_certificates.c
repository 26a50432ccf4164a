/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "role/certificates.h"
#include "rt/file.h"
#include "rt/private_key.h"

static char folder[64];

static str path_of(char *to, const char *name)
{
	snprintf(to, 128, "%s/%s", folder, name);
	return str_from(to);
}

static void write_file(const char *name, str content)
{
	char path[128];

	assert_int_equal(file_replace(path_of(path, name).p, content, 0600), OK);
}

static void remove_file(const char *name)
{
	char path[128];

	(void)remove(path_of(path, name).p);
}

static void own_is_made_once(void **state UNUSED)
{
	struct config config = {.hostname = STR("mail.example.org"), .data = str_from(folder)};
	struct certificates first, second;
	char path[128];
	struct stat st;

	assert_int_equal(certificates_load(&config, &first), OK);
	assert_int_equal(certificates_load(&config, &second), OK);
	assert_int_equal(first.n, 1);
	assert_true(str_equal(first.items[0].chain, second.items[0].chain));
	assert_true(str_equal(first.items[0].secret, second.items[0].secret));
	assert_int_equal(first.items[0].key, second.items[0].key);
	assert_int_equal(stat(path_of(path, "keys/mail.example.org.key").p, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	certificates_free(&first);
	certificates_free(&second);
}

/* Whoever owns the data folder cannot make us read or write elsewhere. */
static void links_are_not_followed(void **state UNUSED)
{
	struct config config = {.hostname = STR("link.example.org"), .data = str_from(folder)};
	struct certificates c;
	char path[128];

	assert_int_equal(symlink("/etc/passwd", path_of(path, "keys/link.example.org.pem").p), 0);
	assert_int_equal(certificates_load(&config, &c), E_IO);
	remove_file("keys/link.example.org.pem");
}

static void private_keys_stay_apart(void **state UNUSED)
{
	char certificate[128], key[128];
	BUF(pem, 1 << 16);
	BUF(chain, 1 << 16);
	struct config_certificate files = {path_of(certificate, "both.pem"), path_of(key, "key.pem")};
	struct config config = {.certificates = &files, .certificates_n = 1};
	struct certificates c;

	assert_int_equal(private_key_make(STR("mail.example.org"), &pem, &chain), OK);
	write_file("key.pem", buf_str(&pem));
	write_file("both.pem.ocsp", STR("response"));
	size_t n = chain.n;
	buf_put(&chain, buf_str(&pem));
	write_file("both.pem", buf_str(&chain));
	uint64_t before = certificates_stamp(&config);
	assert_int_equal(certificates_load(&config, &c), OK);
	assert_true(str_equal(c.items[0].chain, str_take(buf_str(&chain), n)));
	assert_true(str_equal(c.items[0].secret, buf_str(&pem)));
	assert_str(c.items[0].ocsp, "response");
	certificates_free(&c);
	remove_file("both.pem.ocsp");
	assert_true(certificates_stamp(&config) != before);
	remove_file("key.pem");
	assert_int_equal(certificates_load(&config, &c), E_NOT_FOUND);
	assert_int_equal(c.n, 0);
	remove_file("both.pem");
}

static int make_folder(void **state UNUSED)
{
	snprintf(folder, sizeof(folder), "/tmp/pombo-test-XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state UNUSED)
{
	remove_file("keys/mail.example.org.key");
	remove_file("keys/mail.example.org.pem");
	remove_file("keys");
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_is_made_once),
		cmocka_unit_test(links_are_not_followed),
		cmocka_unit_test(private_keys_stay_apart),
	};

	return cmocka_run_group_tests_name("certificates", tests, make_folder, remove_folder);
}
