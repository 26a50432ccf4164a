/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim_signature.h"

#include "base/buf.h"
#include "base/date.h"
#include "base/test.h"

#define NOW                        1700000000LL
#define BH                         "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
#define GOOD                       "v=1; a=rsa-sha256; d=example.org; s=sel; h=from; bh=" BH "; b=QUJD"
#define PARTS(v, a, d, s, h, more) v a d s h "bh=" BH "; b=QUJD; " more

static struct dkim_signature signature;
static struct dkim_result result;

static enum auth_result read_as(enum dkim_field_kind kind, const char *value, struct arena *a)
{
	struct header_field f = {STR("DKIM-Signature"), str_from(value), str_from(value)};

	assert_int_equal(dkim_signature_read(kind, &f, NOW * USEC_PER_SEC, a, &signature, &result), OK);
	assert_true(result.result == AUTH_NONE || result.why.n > 0);
	return result.result;
}

static enum auth_result read(const char *value)
{
	ARENA(a, 1 << 20);

	return read_as(DKIM_FIELD, value, &a);
}

static void test_whole(void **state UNUSED)
{
	ARENA(a, 1 << 20);

	assert_int_equal(
		read_as(DKIM_FIELD,
	                " v=1; a=ed25519-sha256; c=relaxed; d=Example.ORG; s=Sel.a_b; i=\"a b\"@x.example.org;\r\n"
	                "\tq=dns/txt; h=From : To;l=12; t=1700000000; x=1700000001; z=From:x;\r\n bh=" BH
	                ";b=QUJD\r\n REVG QUJD",
	                &a),
		AUTH_NONE);
	assert_true(signature.ed25519);
	assert_int_equal(signature.header, DKIM_RELAXED);
	assert_int_equal(signature.body, DKIM_SIMPLE);
	assert_str(result.domain, "example.org");
	assert_str(result.selector, "sel.a_b");
	assert_str(result.algorithm, "ed25519-sha256");
	assert_str(result.b, "QUJDREVG");
	assert_str(signature.b, "ABCDEFABC");
	assert_str(signature.identity_domain, "x.example.org");
	assert_str(result.identity, "\"ab\"@x.example.org");
	assert_int_equal(signature.length, 12);
	assert_str(signature.names, "From : To");
}

static void test_defaults(void **state UNUSED)
{
	ARENA(a, 1 << 20);

	assert_int_equal(read_as(DKIM_FIELD, GOOD, &a), AUTH_NONE);
	assert_int_equal(signature.header, DKIM_SIMPLE);
	assert_int_equal(signature.body, DKIM_SIMPLE);
	assert_true(signature.length == UINT64_MAX);
	assert_str(result.identity, "@example.org");
}

/* RFC 8616: U-labels are asked for as A-labels. */
static void test_international(void **state UNUSED)
{
	ARENA(a, 1 << 20);

	assert_int_equal(read_as(DKIM_FIELD,
	                         PARTS("v=1; ", "a=rsa-sha256; ",
	                               "d=b\xc3\xbc"
	                               "cher.example; ",
	                               "s=s; ", "h=From; ",
	                               "i=x@b\xc3\xbc"
	                               "cher.example"),
	                         &a),
	                 AUTH_NONE);
	assert_str(result.domain, "xn--bcher-kva.example");
}

static void test_refused(void **state UNUSED)
{
	static const char *const bad[] = {
		"",
		"v=1",
		PARTS("", "a=rsa-sha256; ", "d=a.b; ", "s=s; ", "h=From; ", ""),
		PARTS("v=2; ", "a=rsa-sha256; ", "d=a.b; ", "s=s; ", "h=From; ", ""),
		PARTS("v=1; ", "", "d=a.b; ", "s=s; ", "h=From; ", ""),
		PARTS("v=1; ", "a=rsa-sha512; ", "d=a.b; ", "s=s; ", "h=From; ", ""),
		PARTS("v=1; ", "a=RSA-SHA256; ", "d=a.b; ", "s=s; ", "h=From; ", ""),
		PARTS("v=1; ", "a=rsa-sha256; ", "", "s=s; ", "h=From; ", ""),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=; ", "s=s; ", "h=From; ", ""),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a..b; ", "s=s; ", "h=From; ", ""),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a .b; ", "s=s; ", "h=From; ", ""),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.\r\n b; ", "s=s; ", "h=From; ", ""),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b.; ", "s=s; ", "h=From; ", ""),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=\"a.b\"; ", "s=s; ", "h=From; ", ""),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b(.c.d; ", "s=s; ", "h=From; ", ""),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b; ", "s=s\\.x; ", "h=From; ", ""),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b; ", "s=; ", "h=From; ", ""),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b; ", "s=s; ", "h=; ", ""),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b; ", "s=s; ", "h=To:Subject; ", ""),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b; ", "s=s; ", "", ""),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b; ", "s=s; ", "h=From; ", "l=-1"),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b; ", "s=s; ", "h=From; ", "l=18446744073709551615"),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b; ", "s=s; ", "h=From; ", "c=nowsp"),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b; ", "s=s; ", "h=From; ", "c=simple/"),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b; ", "s=s; ", "h=From; ", "q=http"),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b; ", "s=s; ", "h=From; ", "i=x@b"),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b; ", "s=s; ", "h=From; ", "i=x@ya.b"),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b; ", "s=s; ", "h=From; ", "i=a.b"),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b; ", "s=s; ", "h=From; ", "t=x"),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b; ", "s=s; ", "h=From; ", "t=1700000000; x=1699999999"),
		PARTS("v=1; ", "a=rsa-sha256; ", "d=a.b; ", "s=s; ", "h=From; ", "x="),
		"v=1; a=rsa-sha256; d=a.b; s=s; h=from; bh=" BH "; b=",
		"v=1; a=rsa-sha256; d=a.b; s=s; h=from; bh=" BH "; b=?",
		"v=1; a=rsa-sha256; d=a.b; s=s; h=from; bh=QUJD; b=QUJD",
		"v=1; a=rsa-sha256; d=a.b; s=s; h=from; b=QUJD",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (read(bad[i]) != AUTH_PERMERROR)
			fail_msg("%s", bad[i]);
}

static void test_nul(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	str value = str_make("v=1; d=a\0.b; s=s", 16);
	struct header_field f = {STR("DKIM-Signature"), value, value};

	assert_int_equal(dkim_signature_read(DKIM_FIELD, &f, 0, &a, &signature, &result), OK);
	assert_int_equal(result.result, AUTH_PERMERROR);
}

static void test_sha1(void **state UNUSED)
{
	assert_int_equal(read(PARTS("v=1; ", "a=rsa-sha1; ", "d=a.b; ", "s=s; ", "h=From; ", "")), AUTH_POLICY);
}

static void test_times(void **state UNUSED)
{
	assert_int_equal(read(GOOD "; x=1700000000"), AUTH_NONE);
	assert_int_equal(read(GOOD "; x=1699999999"), AUTH_FAIL);
	assert_int_equal(read(GOOD "; t=1700003600"), AUTH_NONE); /* an hour that clocks may differ by */
	assert_int_equal(read(GOOD "; t=1700003601"), AUTH_FAIL);
}

static void test_many_names(void **state UNUSED)
{
	BUF(b, 1 << 20);

	buf_puts(&b, "v=1; a=rsa-sha256; d=a.b; s=s; bh=" BH "; b=QUJD; h=From");
	for (int i = 1; i < DKIM_FIELDS_MAX; i++)
		buf_puts(&b, ":To");
	size_t n = b.n;
	buf_putc(&b, '\0');
	assert_int_equal(read(b.p), AUTH_NONE);
	b.n = n;
	buf_puts(&b, ":To");
	buf_putc(&b, '\0');
	assert_int_equal(read(b.p), AUTH_PERMERROR);
}

/* RFC 8617 4.1.2, 4.1.3 */
static void test_arc(void **state UNUSED)
{
	ARENA(a, 1 << 20);

	assert_int_equal(read_as(ARC_MESSAGE_FIELD, "i=1; a=rsa-sha256; d=a.b; s=s; h=To; bh=" BH "; b=QUJD", &a),
	                 AUTH_NONE);
	assert_int_equal(signature.header, DKIM_RELAXED);
	assert_int_equal(read_as(ARC_MESSAGE_FIELD, "i=1; a=rsa-sha256; d=a.b; s=s; h=arc-seal; bh=" BH "; b=QUJD", &a),
	                 AUTH_PERMERROR);
	assert_int_equal(read_as(ARC_SEAL_FIELD, "i=1; a=rsa-sha256; d=a.b; s=s; cv=none; b=QUJD", &a), AUTH_NONE);
	assert_int_equal(read_as(ARC_SEAL_FIELD, "i=1; a=rsa-sha256; d=a.b; s=s; cv=none; b=QUJD; h=from", &a),
	                 AUTH_PERMERROR);
}

static void test_memory(void **state UNUSED)
{
	ARENA(small, 16);
	struct header_field f = {STR("DKIM-Signature"), STR(GOOD), STR(GOOD)};

	assert_int_equal(dkim_signature_read(DKIM_FIELD, &f, 0, &small, &signature, &result), E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),   cmocka_unit_test(test_defaults),   cmocka_unit_test(test_international),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_nul),        cmocka_unit_test(test_sha1),
		cmocka_unit_test(test_times),   cmocka_unit_test(test_many_names), cmocka_unit_test(test_arc),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
