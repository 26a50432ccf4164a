/* SPDX-License-Identifier: ISC */
#include "conf/fake.h"
#include "conf/source_root.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void defaults(void **state UNUSED)
{
	struct config *c = parse(HEAD);

	assert_true(str_equal(c->hostname, STR("mail.example.org")));
	assert_true(str_equal(c->data, STR("/var/lib/pombo")));
	assert_true(str_equal(c->user, STR("pombo")));
	assert_true(str_equal(c->plus, STR("+")));
	assert_int_equal(c->limits.message_size, 50 << 20);
	assert_int_equal(c->limits.recipients, 100);
	assert_int_equal(c->limits.connections, 1000);
	assert_int_equal(c->limits.connections_per_address, 50);
	assert_int_equal(c->limits.messages, 0);
	assert_int_equal(c->limits.messages_per_hour, 1000);
	assert_int_equal(c->limits.command_time, 300 * NSEC_PER_SEC);
	assert_int_equal(c->limits.session_time, 7200 * NSEC_PER_SEC);
	assert_int_equal(c->limits.hops, 50);
	assert_int_equal(c->bare_newlines, BARE_NEWLINES_REJECT);
	assert_int_equal(c->quota, 0);
	assert_int_equal(c->segment_size, 256 << 20);
	assert_int_equal(c->edges, 0);
	assert_int_equal(c->log_level, LOG_LEVEL_INFO);
	assert_false(c->log_json);
	assert_int_equal(c->trust_anchor.n + c->authorities.n + c->resolvers_n + c->relay_from_n, 0);
	config_release(c);
}

static void default_listens(void **state UNUSED)
{
	static const struct {
		enum service service;
		const char *address;
	} expected[] = {
		{SERVICE_SMTP, "0.0.0.0:25"},         {SERVICE_SMTP, "[::]:25"},
		{SERVICE_SUBMISSION, "0.0.0.0:587"},  {SERVICE_SUBMISSION, "[::]:587"},
		{SERVICE_SUBMISSIONS, "0.0.0.0:465"}, {SERVICE_SUBMISSIONS, "[::]:465"},
		{SERVICE_POP3, "127.0.0.1:110"},      {SERVICE_POP3, "[::1]:110"},
		{SERVICE_POP3S, "0.0.0.0:995"},       {SERVICE_POP3S, "[::]:995"},
	};
	struct config *c = parse(HEAD);
	bool root = geteuid() == 0;

	assert_int_equal(c->listens_n, ARRAY_LEN(expected) + root);
	if (root)
		assert_str(c->listens[ARRAY_LEN(expected)].text, "unix:/run/pombo/submit");
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		assert_true(str_equal(c->listens[i].text, str_from(expected[i].address)));
		assert_int_equal(c->listens[i].service, expected[i].service);
		assert_true(c->listens[i].address.n > 0);
	}
	config_release(c);
}

static void every_setting(void **state UNUSED)
{
	struct config *c = parse("version 1 # first\nhostname Mail.Example.ORG\ndata /srv/mail\nuser mail\n"
	                         "domain example.org { catchall Alice@EXAMPLE.org }\n"
	                         "listen lmtp unix:/run/l.sock 127.0.0.1:24\nlisten smtp 127.0.0.1:25\n"
	                         "limit message-size 1M recipients 7\nlimit connections 10 per-address 5\n"
	                         "limit {\n commands 20 errors 3\n messages 9\n command-time 30s\n session-time 1d }\n"
	                         "limit session-memory 1M body-memory 1G hops 30\n"
	                         "plus -+\nbare-newlines normalise\nquota 2G\nstore segment 8M\n"
	                         "processes edge 2 filter 3\nlog debug json\n");

	assert_true(str_equal(c->hostname, STR("mail.example.org")));
	assert_true(str_equal(c->domains[0].catchall, STR("Alice@example.org")));
	assert_int_equal(c->listens_n, 3);
	assert_int_equal(c->listens[1].service, SERVICE_LMTP);
	assert_int_equal(c->limits.recipients, 7);
	assert_int_equal(c->limits.connections_per_address, 5);
	assert_int_equal(c->limits.messages, 9);
	assert_int_equal(c->limits.session_time, 86400 * NSEC_PER_SEC);
	assert_int_equal(c->limits.hops, 30);
	assert_true(str_equal(c->plus, STR("-+")));
	assert_int_equal(c->bare_newlines, BARE_NEWLINES_NORMALISE);
	assert_int_equal(c->quota, UINT64_C(2) << 30);
	assert_int_equal(c->filters, 3);
	assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
	assert_true(c->log_json);
	config_release(c);
}

static void dump_of(const char *text, struct buf *out)
{
	struct config *c = parse(text);

	config_dump(c, out);
	config_release(c);
	buf_putc(out, '\0');
}

static void dump_is_complete(void **state UNUSED)
{
	BUF(first, 64 << 10);
	BUF(second, 64 << 10);

	dump_of(HEAD "tls client-certificates ask\n", &first);
	assert_true(str_contains(buf_str(&first), STR("\ntls client-certificates ask\n")));
	buf_reset(&first);
	dump_of(HEAD "domain m\xc3\xbcller.example { catchall \"a \\\" b@example.org\" }\nplus none\nlog warn json\n"
	             "listen pop3 127.0.0.1:2110\nlimit messages 5 command-time 90s\n",
	        &first);
	dump_of(first.p, &second);
	assert_string_equal(first.p, second.p);
	buf_reset(&second);
	dump_of(HEAD, &second);
	assert_true(str_contains(buf_str(&second),
	                         STR("\nlog info\ntls client-certificates off\ntls authorities system\n")));
	assert_string_equal(
		first.p, "version 1\nhostname mail.example.org\ndata /var/lib/pombo\nuser pombo\n"
			 "domain example.org\n"
			 "domain xn--mller-kva.example { catchall \"a \\\" b@example.org\" }\n"
			 "listen pop3 127.0.0.1:2110\n"
			 "limit message-size 50M\nlimit recipients 100\nlimit connections 1000\n"
			 "limit per-address 50\nlimit commands 1000\nlimit errors 20\nlimit messages 5\n"
			 "limit messages-per-hour 1000\n"
			 "limit command-time 90s\nlimit session-time 2h\nlimit session-memory 4M\n"
			 "limit body-memory 512M\nlimit hops 50\nplus none\nunix-users none\nbare-newlines "
			 "reject\nscram-sha-1 refuse\n"
			 "scram-plus allow\n"
			 "submission show-client no\nquota none\n"
			 "store segment 256M\nprocesses edge auto\nprocesses filter auto\nlog warn json\n"
			 "tls client-certificates off\ntls authorities system\ntrust-anchor built-in\nqueue retry 5m "
			 "15m 30m 1h 2h 4h\n"
			 "queue expire 5d\nqueue warn 4h\nqueue per-destination 50\nqueue connections 500\n"
			 "queue messages-per-connection 100\ntls-reports send every day\n"
			 "authenticate yes\ndkim-rotate 180d\narc trust none\narc seal no\npublic-suffix-list yes\n"
			 "dmarc-reports send every day\nspam judge yes\nspam junk 5\nspam quarantine never\n"
			 "spam reject 15\nspam greylist 4\nspam greylist-delay 5m\nspam junk-to mailbox\nspam "
			 "learn-moves yes\nspam history 60d\n");
}

static void domains_are_found(void **state UNUSED)
{
	struct config *c = parse(HEAD "domain b.example\ndomain a.example { catchall x@b.example }\n");

	assert_true(str_equal(c->domains[0].name, STR("example.org"))); /* the order of the file is kept */
	assert_ptr_equal(config_domain_find(c, STR("a.example")), &c->domains[2]);
	assert_ptr_equal(config_domain_find(c, STR("example.org")), &c->domains[0]);
	assert_null(config_domain_find(c, STR("c.example")));
	assert_null(config_domain_find(c, STR("")));
	config_release(c);
}

static void what_is_missing(void **state UNUSED)
{
	expect_faults("", "f:1:1: version is missing: version 1\nf:1:1: hostname is missing: hostname NAME\n"
	                  "f:1:1: domain is missing: domain NAME\n");
	expect_faults("version 1\n",
	              "f:1:1: hostname is missing: hostname NAME\nf:1:1: domain is missing: domain NAME\n");
	expect_faults("hostname a.b\nversion 1\ndomain c.d", "f:1:1: the first statement must be: version 1\n");
	expect_faults("version 2\nhostname a\ndomain c.d",
	              "f:1:9: version 2 of the configuration's format is not known, only version 1\n");
}

static void certificates_have_keys(void **state UNUSED)
{
	BUF(dump, 64 << 10);
	struct config *c = parse(HEAD "tls certificate /a.pem key /a.key\ntls certificate \"/b c.pem\" key /b.key\n");

	assert_int_equal(c->certificates_n, 2);
	assert_str(c->certificates[1].certificate, "/b c.pem");
	assert_str(c->certificates[1].key, "/b.key");
	config_dump(c, &dump);
	assert_true(str_contains(buf_str(&dump),
	                         STR("tls certificate /a.pem key /a.key\ntls certificate \"/b c.pem\" key /b.key\n")));
	config_release(c);
	expect_fault("tls certificate a.pem key /a.key", "17: \"a.pem\" is not an absolute path");
	expect_faults(HEAD "tls certificate /a.pem\n", "f:1:1: the certificate /a.pem has no key\n");
	expect_faults(HEAD "tls key /a.key\n", "f:4:9: a key follows its certificate: tls certificate FILE key FILE\n");
}

static void what_was_meant(void **state UNUSED)
{
	expect_fault("hostnam a.b", "1: unknown setting \"hostnam\" (did you mean \"hostname\"?)");
	expect_fault("limit recipient 3", "7: limit has no option \"recipient\" (did you mean \"recipients\"?)");
	expect_fault("log inof", "5: log cannot be \"inof\" (did you mean \"info\"?)");
	expect_fault("listen smpt [::]:25", "8: unknown service \"smpt\" (did you mean \"smtp\"?)");
	expect_fault("domain a.b { catchal x@a.b }",
	             "14: domain has no option \"catchal\" (did you mean \"catchall\"?)");
	expect_fault("flux capacitor { on }", "1: unknown setting \"flux\"");
}

static void values_out_of_bounds(void **state UNUSED)
{
	expect_fault("limit message-size 50MB", "20: \"50MB\" is not a size such as 64K, 50M or 2G");
	expect_fault("limit message-size 1", "20: \"1\" is too small for message-size, the least is 1K");
	expect_fault("limit message-size 99999999999999999999",
	             "20: \"99999999999999999999\" is not a size such as 64K, 50M or 2G");
	expect_fault("limit message-size 16777216T", "20: \"16777216T\" is not a size such as 64K, 50M or 2G");
	expect_fault("limit command-time 5", "20: \"5\" is not a time such as 30s, 5m, 2h or 1d");
	expect_fault("limit command-time 2d", "20: \"2d\" is too large for command-time, the most is 1d");
	expect_fault("limit hops 0", "12: \"0\" is too small for hops, the least is 1");
	expect_fault("limit hops -1", "12: \"-1\" is not a number");
	expect_fault("quota all", "7: \"all\" is not a size such as 64K, 50M or 2G, nor none");
	expect_fault("data var/pombo", "6: \"var/pombo\" is not an absolute path");
	expect_fault("user -x", "6: \"-x\" is not the name of a user");
	expect_fault("plus a", "6: \"a\" is not one or more of +-_=., nor none");
	expect_fault("listen smtp mail:25",
	             "13: \"mail:25\" is not an address such as 192.0.2.1:25, [2001:db8::1]:25 or "
	             "unix:/run/pombo/lmtp.sock");
	expect_fault("domain a_b",
	             "8: \"a_b\" is not the name of a domain: only letters, digits, hyphens and dots make a "
	             "domain name");
	expect_fault("domain a.b { catchall alice }", "23: \"alice\" is not an address such as alice@example.org");
}

static void settings_twice(void **state UNUSED)
{
	expect_fault("hostname a.b", "1: hostname is there twice, first at f:2:1");
	expect_fault("domain EXAMPLE.org", "8: domain example.org is there twice, first at f:3:8");
	expect_fault("limit hops 3 hops 4", "14: limit hops is there twice, first at f:4:7");
	expect_fault("listen smtp [::0]:25 [::]:25", "22: listen [::]:25 is there twice, first at f:4:13");
	expect_fault("domain a.b { catchall a@a.b catchall b@a.b }", "29: catchall is there twice for this domain");
}

static void wrong_shapes(void **state UNUSED)
{
	expect_fault("user", "5: user needs a value: NAME");
	expect_fault("limit", "6: limit needs an option, such as message-size");
	expect_fault("limit hops", "11: hops needs a value: N");
	expect_fault("user a b", "8: too much for user: \"b\"");
	expect_fault("user a { }", "8: user has no { } block");
	expect_fault("domain a.b { catchall a@a.b", "12: this { has no }");
	expect_fault("domain a.b { { } }", "14: a { cannot stand inside a block");
	expect_fault("domain a.b { } user x", "16: a line end is missing here");
	expect_fault("}", "1: a statement cannot begin with }");
	expect_fault("\"unfinished",
	             "1: a quoted word without its end on this line, or with something other than \\\" or \\\\ "
	             "behind a \\");
	expect_fault("user \"a",
	             "6: a quoted word without its end on this line, or with something other than \\\" or \\\\ "
	             "behind a \\");
	expect_fault("include other.conf", "9: include is not possible here");
}

static void what_does_not_go_together(void **state UNUSED)
{
	expect_fault("domain a.b { catchall a@c.d }", "23: a@c.d is in none of our domains");
	expect_fault("unix-users c.d", "12: c.d is none of our domains");
	expect_faults(HEAD "limit message-size 1G\n", "f:1:1: limit body-memory is less than limit message-size\n");
}

static void settings_of_later_versions(void **state UNUSED)
{
	expect_fault("listen imaps [::]:993", "8: this version of Pombo does not have the service imaps yet");
}

static void all_faults_are_told(void **state UNUSED)
{
	expect_faults("version 1\nhostnam a\nuser\ndomain a.b { foo bar catchall x }\nlog info\n",
	              "f:2:1: unknown setting \"hostnam\" (did you mean \"hostname\"?)\n"
	              "f:3:5: user needs a value: NAME\n"
	              "f:4:14: domain has no option \"foo\"\n"
	              "f:4:31: \"x\" is not an address such as alice@example.org\n"
	              "f:1:1: hostname is missing: hostname NAME\n");
}

static void faults_have_an_end(void **state UNUSED)
{
	struct config_faults faults = {.text = BUF_INIT(64 << 10)};
	BUF(text, 64 << 10);

	for (int i = 0; i < 1000; i++)
		buf_puts(&text, "nonsense\n");
	assert_null(config_parse(buf_str(&text), "f", &faults));
	assert_true(str_ends(buf_str(&faults.text), STR("too many faults, the rest is not shown\n")));
	assert_int_equal(faults.n, 101);
	buf_free(&faults.text);
}

/* --- files --- */

static char folder[] = "/tmp/pombo-conf-XXXXXX";

static int folder_make(void **state UNUSED)
{
	return mkdtemp(folder) == NULL;
}

static void file_write(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int folder_remove(void **state UNUSED)
{
	static const char *const names[] = {"main", "a", "b"};
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static struct config *load(const char *name, struct config_faults *faults)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return config_load(path, faults);
}

static void expect_load_fault(const char *name, const char *part)
{
	struct config_faults faults = {.text = BUF_INIT(64 << 10)};

	assert_null(load(name, &faults));
	if (!str_contains(buf_str(&faults.text), str_from(part)))
		fail_msg("\"%s\" is not in " STR_FMT, part, STR_ARG(buf_str(&faults.text)));
	buf_free(&faults.text);
}

static void files_are_included(void **state UNUSED)
{
	struct config_faults faults = {.text = BUF_INIT(64 << 10)};

	file_write("main", "version 1\ninclude a\nhostname a.b\n");
	file_write("a", "domain a.b\ninclude b");
	file_write("b", "log warn");
	struct config *c = load("main", &faults);
	assert_non_null(c);
	assert_int_equal(c->log_level, LOG_LEVEL_WARN);
	assert_int_equal(c->domains_n, 1);
	config_release(config_hold(c));
	config_release(c);
	buf_free(&faults.text);
}

static void faults_name_the_included_file(void **state UNUSED)
{
	file_write("main", "version 1\ninclude a\nhostname a.b\n");
	file_write("a", "\n  domian a.b");
	expect_load_fault("main", "/a:2:3: unknown setting \"domian\" (did you mean \"domain\"?)\n");
}

static void circles(void **state UNUSED)
{
	file_write("main", "version 1\ninclude a\n");
	file_write("a", "include b\n");
	file_write("b", "include ./a\n");
	expect_load_fault("main", "/b:1:9: ");
	expect_load_fault("main", "includes itself");
}

static void files_that_cannot_be_read(void **state UNUSED)
{
	file_write("main", "version 1\ninclude none\n");
	expect_load_fault("main", "/main:2:9: ");
	expect_load_fault("main", "/none cannot be read: No such file or directory\n");
	expect_load_fault("none", "/none:1:1: cannot be read: No such file or directory\n");
	expect_load_fault(".", "cannot be read: not a regular file");
}

/* The example sets nothing but what has to be set. */
static void example_is_right(void **state UNUSED)
{
	struct config_faults faults = {.text = BUF_INIT(64 << 10)};
	struct config *c = config_load(SOURCE_ROOT "/conf/pombo.conf", &faults);
	BUF(dump, 64 << 10);
	BUF(minimal, 64 << 10);

	assert_int_equal(faults.n, 0);
	config_dump(c, &dump);
	buf_putc(&dump, '\0');
	dump_of(HEAD, &minimal);
	assert_string_equal(dump.p, minimal.p);
	config_release(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(default_listens),
		cmocka_unit_test(every_setting),
		cmocka_unit_test(dump_is_complete),
		cmocka_unit_test(domains_are_found),
		cmocka_unit_test(what_is_missing),
		cmocka_unit_test(certificates_have_keys),
		cmocka_unit_test(what_was_meant),
		cmocka_unit_test(values_out_of_bounds),
		cmocka_unit_test(settings_twice),
		cmocka_unit_test(wrong_shapes),
		cmocka_unit_test(what_does_not_go_together),
		cmocka_unit_test(settings_of_later_versions),
		cmocka_unit_test(all_faults_are_told),
		cmocka_unit_test(faults_have_an_end),
		cmocka_unit_test(files_are_included),
		cmocka_unit_test(faults_name_the_included_file),
		cmocka_unit_test(circles),
		cmocka_unit_test(files_that_cannot_be_read),
		cmocka_unit_test(example_is_right),
	};

	return cmocka_run_group_tests_name("config", tests, folder_make, folder_remove);
}
