/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "role/domain_keys.h"
#include "rt/file.h"
#include "rt/signature_key.h"

#define DAY (INT64_C(86400) * USEC_PER_SEC)

static char folder[64];
static struct config_domain domains[] = {{.name = STR("example.org"), .dkim = DKIM_RSA | DKIM_ED25519},
                                         {.name = STR("example.net"), .dkim = 0}};
static struct config config = {.domains = domains, .domains_n = 2, .dkim_rotate = 180 * 86400 * NSEC_PER_SEC};
static int64_t start;

static void load(int64_t at, size_t n, struct domain_keys *k)
{
	assert_int_equal(domain_keys_load(&config, STR_NONE, k), OK);
	assert_int_equal(domain_keys_make_first(k, &config, STR_NONE, at, SIZE_MAX), OK);
	assert_int_equal(k->n, n);
}

static bool is_due(const struct domain_keys *k, int64_t at)
{
	struct key_due due;
	size_t from = 0;

	return domain_keys_due(k, &config, at, &from, &due);
}

static void are_made_once(void **state UNUSED)
{
	struct domain_keys first, second;

	load(start, 2, &first);
	load(start + DAY, 2, &second);
	assert_false(domain_keys_changed(&second, &config));
	assert_false(is_due(&second, start + DAY));
	for (size_t i = 0; i < 2; i++) {
		assert_true(str_equal(first.items[i].domain, STR("example.org")));
		assert_true(str_starts(first.items[i].selector, STR("20261122")));
		assert_int_equal(first.items[i].created, start);
		assert_true(str_starts(first.items[i].record, STR("v=DKIM1; k=")));
	}
	assert_true(first.items[0].key != first.items[1].key);
	assert_true(first.items[0].key == second.items[0].key || first.items[0].key == second.items[1].key);
	domain_keys_free(&first);
	domain_keys_free(&second);
}

/* The two before stay, and the oldest: it may be the only one that is published. */
static void are_replaced_with_time(void **state UNUSED)
{
	struct domain_keys k;

	load(start, 2, &k);
	assert_false(is_due(&k, start + 179 * DAY));
	assert_true(is_due(&k, start + 180 * DAY));
	domain_keys_free(&k);
	load(start + 180 * DAY, 4, &k);
	for (size_t i = 0; i < 4; i += 2) { /* of each kind, the newest first */
		assert_true(str_equal(k.items[i].algorithm, k.items[i + 1].algorithm));
		assert_true(k.items[i].created > k.items[i + 1].created);
	}
	domain_keys_free(&k);
	load(start + 360 * DAY, 6, &k);
	domain_keys_free(&k);
	load(start + 540 * DAY, 8, &k);
	domain_keys_free(&k);
	load(start + 720 * DAY, 8, &k);
	assert_int_equal(k.items[6].created, start + 360 * DAY);
	assert_int_equal(k.items[7].created, start);
	assert_int_equal(k.items[3].created, start);
	domain_keys_free(&k);
	config.dkim_rotate = 0;
	load(start + 3600 * DAY, 8, &k);
	assert_false(is_due(&k, start + 3600 * DAY));
	domain_keys_free(&k);
}

static void keys_of_others_count(void **state UNUSED)
{
	BUF(pem, 8192);
	char path[200];
	struct domain_keys k;

	config.dkim_rotate = 0;
	load(start, 8, &k);
	assert_int_equal(signature_key_make(true, &pem), OK);
	snprintf(path, sizeof(path), "%s/keys/dkim/mail._domainkey.example.net", folder);
	assert_int_equal(file_replace(path, buf_str(&pem), 0600), OK);
	assert_true(domain_keys_changed(&k, &config));
	domain_keys_free(&k);
	snprintf(path, sizeof(path), "%s/keys/dkim/no key", folder);
	assert_int_equal(file_replace(path, STR("nothing"), 0600), OK);
	load(start, 9, &k);
	bool found = false;
	for (size_t i = 0; i < k.n; i++)
		found |= str_equal(k.items[i].selector, STR("mail")) && str_equal(k.items[i].algorithm, STR("ed25519"));
	assert_true(found);
	domain_keys_free(&k);
}

static void write_file(const char *name, str content)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/keys/dkim/%s", folder, name);
	assert_int_equal(file_replace(path, content, 0600), OK);
}

/* A server makes one after the other, a command beside it all of one domain. */
static void are_made_one_by_one(void **state UNUSED)
{
	struct config_domain two[] = {{.name = STR("one.example"), .dkim = DKIM_ED25519},
	                              {.name = STR("two.example"), .dkim = DKIM_ED25519}};
	const struct config c = {.data = config.data, .domains = two, .domains_n = 2};
	struct domain_keys k, theirs;
	struct key_due first, second, none;
	size_t at = 0;

	assert_int_equal(domain_keys_load(&c, STR("one.example"), &k), OK);
	assert_int_equal(k.n, 0);
	assert_true(domain_keys_due(&k, &c, start, &at, &first));
	assert_true(domain_keys_due(&k, &c, start, &at, &second));
	assert_false(domain_keys_due(&k, &c, start, &at, &none));
	assert_int_equal(domain_keys_make(&c, start, &first), OK);
	assert_false(first.seen == first.seen_before);
	assert_int_equal(domain_keys_take(&k, &c, &first), OK);
	assert_false(domain_keys_changed(&k, &c)); /* by anybody else */
	assert_int_equal(k.items[0].key, first.key);

	assert_int_equal(domain_keys_load(&c, STR("TWO.example"), &theirs), OK);
	assert_int_equal(domain_keys_make_first(&theirs, &c, STR("TWO.example"), start, SIZE_MAX), OK);
	assert_int_equal(theirs.n, 1);
	assert_int_equal(domain_keys_make(&c, start, &second), OK);
	assert_int_equal(domain_keys_take(&k, &c, &second), OK);
	assert_int_equal(domain_keys_take(&k, &c, &second), OK); /* loaded since */
	assert_int_equal(k.n, 2);
	assert_true(str_equal(k.items[1].secret, theirs.items[0].secret));
	assert_true(domain_keys_changed(&k, &c));
	domain_keys_free(&theirs);
	domain_keys_free(&k);
}

/* Half a key, of a crash or a full disk: another one takes its place. */
static void what_is_no_key_is_replaced(void **state UNUSED)
{
	struct config_domain one[] = {{.name = STR("half.example"), .dkim = DKIM_ED25519}};
	const struct config c = {.data = config.data, .domains = one, .domains_n = 1};
	struct domain_keys k;

	write_file("20261122e._domainkey.half.example", STR("-----BEGIN PRIV"));
	write_file(".new", STR("-----BEGIN"));
	assert_int_equal(domain_keys_load(&c, STR("half.example"), &k), OK);
	assert_int_equal(k.n, 0);
	assert_int_equal(domain_keys_make_first(&k, &c, STR_NONE, start, SIZE_MAX), OK);
	assert_int_equal(k.n, 1);
	assert_false(domain_keys_changed(&k, &c));
	domain_keys_free(&k);
}

static int make_folder(void **state UNUSED)
{
	snprintf(folder, sizeof(folder), "/tmp/pombo-unit-XXXXXX");
	config.data = str_from(mkdtemp(folder));
	assert_true(date_parse_rfc3339(STR("2026-11-22"), &start));
	return 0;
}

static int remove_folder(void **state UNUSED)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(are_made_once),
		cmocka_unit_test(are_replaced_with_time),
		cmocka_unit_test(keys_of_others_count),
		cmocka_unit_test(are_made_one_by_one),
		cmocka_unit_test(what_is_no_key_is_replaced),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
