/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim.h"

#include "base/test.h"
#include "mailauth/dkim_fake.h"
#include "mailauth/dkim_key_cache.h"

/* RFC 6376 A.2 and appendix C. */
static const char rfc6376_key[] =
	"v=DKIM1; "
	"p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/"
	"zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq"
	"631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";
#define RFC6376_SIGNATURE                                                   \
	"DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;\r\n" \
	"      c=simple/simple; q=dns/txt; i=joe@football.example.com;\r\n" \
	"      h=Received : From : To : Subject : Date : Message-ID;\r\n"   \
	"      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"        \
	"      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB\r\n"  \
	"        4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut\r\n"  \
	"        KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV\r\n"  \
	"        4bmp/YzhwvcubU4=;\r\n"
#define RFC6376_HEADER                                                 \
	"Received: from client1.football.example.com  [192.0.2.1]\r\n" \
	"      by submitserver.example.com with SUBMISSION;\r\n"       \
	"      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)\r\n"
#define RFC_FIELDS                                         \
	"From: Joe SixPack <joe@football.example.com>\r\n" \
	"To: Suzie Q <suzie@shopping.example.net>\r\n"     \
	"Subject: Is dinner ready?\r\n"                    \
	"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"  \
	"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
#define RFC6376_BODY "\r\nHi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n"

/* RFC 8463 A.3 */
#define RFC8463_SIGNATURES                                                \
	"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"   \
	" d=football.example.com; i=@football.example.com;\r\n"           \
	" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"         \
	" subject : date : message-id : from : subject : date;\r\n"       \
	" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"           \
	" b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n" \
	" Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"                           \
	"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"       \
	" d=football.example.com; i=@football.example.com;\r\n"           \
	" q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"   \
	" date : message-id : from : subject : date;\r\n"                 \
	" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"           \
	" b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n" \
	" DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n" \
	" dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
#define RFC8463_BODY "\r\nHi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
static const char rfc8463_rsa[] =
	"v=DKIM1; k=rsa; "
	"p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzC"
	"Nb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/"
	"K4w3QIDAQAB";
static const char rfc8463_ed25519[] = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

static struct vector_dns dns;
static struct arena memory = ARENA_INIT(64 << 20);
static struct dkim_key_cache *keys;
static struct dkim_result *r;
static size_t n;

static int begin(void **state UNUSED)
{
	fake_txt(&dns, STR("brisbane._domainkey.example.com"), str_from(rfc6376_key));
	fake_txt(&dns, STR("brisbane._domainkey.football.example.com"), str_from(rfc8463_ed25519));
	fake_txt(&dns, STR("test._domainkey.football.example.com"), str_from(rfc8463_rsa));
	return dkim_key_cache_new(&keys) == OK ? 0 : -1;
}

static int end(void **state UNUSED)
{
	dkim_key_cache_free(keys);
	vector_dns_clear(&dns);
	arena_free(&memory);
	return 0;
}

static bool once; /* for verify */

static void verify_str(str message)
{
	struct resolver resolver = vector_resolver(&dns);
	struct dkim_options o = {
		.resolver = &resolver, .now = FAKE_NOW, .deadline = RT_NEVER, .keys = keys, .once = once};
	struct dkim_message m = dkim_message_of(message);

	assert_int_equal(dkim_verify(&m, &o, &memory, &r, &n), OK);
	for (size_t i = 0; i < n; i++)
		assert_true(r[i].result == AUTH_PASS || r[i].why.n > 0);
}

static void verify(const char *message)
{
	verify_str(str_from(message));
}

static void test_rfc6376(void **state UNUSED)
{
	verify(RFC6376_SIGNATURE RFC6376_HEADER RFC_FIELDS RFC6376_BODY);
	assert_int_equal(n, 1);
	assert_int_equal(r[0].result, AUTH_PASS);
	assert_str(r[0].domain, "example.com");
	assert_str(r[0].selector, "brisbane");
	assert_str(r[0].identity, "joe@football.example.com");
	assert_str(r[0].algorithm, "rsa-sha256");
	assert_str(r[0].b, "AuUoFEfD");
	assert_int_equal(r[0].bits, 1024);
	assert_false(r[0].testing || r[0].strict || r[0].partial);
}

static void test_rfc8463(void **state UNUSED)
{
	verify(RFC8463_SIGNATURES RFC_FIELDS RFC8463_BODY);
	assert_int_equal(n, 2);
	assert_int_equal(r[0].result, AUTH_PASS);
	assert_str(r[0].algorithm, "ed25519-sha256");
	assert_int_equal(r[1].result, AUTH_PASS);
	assert_str(r[1].selector, "test");
}

static void test_changed(void **state UNUSED)
{
	verify(RFC6376_SIGNATURE RFC6376_HEADER RFC_FIELDS RFC6376_BODY "more\r\n");
	assert_int_equal(r[0].result, AUTH_FAIL);
	assert_str(r[0].why, "the body was changed");
	verify(RFC6376_SIGNATURE "X-Not-Signed: x\r\n" RFC6376_HEADER RFC_FIELDS RFC6376_BODY "\r\n\r\n");
	assert_int_equal(r[0].result, AUTH_PASS);
	verify(RFC6376_SIGNATURE RFC6376_HEADER RFC_FIELDS "Received: x\r\n" RFC6376_BODY);
	assert_int_equal(r[0].result, AUTH_FAIL);
	verify(RFC6376_SIGNATURE RFC_FIELDS RFC6376_BODY);
	assert_int_equal(r[0].result, AUTH_FAIL);
}

/* A second field of what readers see, above or below. */
static void test_additions(void **state UNUSED)
{
	verify("From: bad@example.net\r\n" RFC6376_SIGNATURE RFC6376_HEADER RFC_FIELDS RFC6376_BODY);
	assert_int_equal(r[0].result, AUTH_FAIL);
	assert_str(r[0].why, "the message has more From fields than the signature covers");
	verify("subject : x\r\n" RFC6376_SIGNATURE RFC6376_HEADER RFC_FIELDS RFC6376_BODY);
	assert_int_equal(r[0].result, AUTH_FAIL);
	verify("subject: x\r\n" RFC8463_SIGNATURES RFC_FIELDS RFC8463_BODY); /* oversigned */
	assert_int_equal(r[0].result, AUTH_FAIL);
	assert_int_equal(r[1].result, AUTH_FAIL);
}

/* Text between header and body: the header ends there, and the body is another one. */
static void test_inserted(void **state UNUSED)
{
	verify(RFC6376_SIGNATURE RFC6376_HEADER RFC_FIELDS "no field\r\n" RFC6376_BODY);
	assert_int_equal(r[0].result, AUTH_FAIL);
	verify("\r\n" RFC6376_SIGNATURE RFC6376_HEADER RFC_FIELDS RFC6376_BODY);
	assert_int_equal(n, 0);
	verify("");
	assert_int_equal(n, 0);
}

/* --- one that is enough --- */

/* RFC 6376 6.1: that of RSA first, wherever it stands. */
static void test_once(void **state UNUSED)
{
	once = true;
	verify(RFC8463_SIGNATURES RFC_FIELDS RFC8463_BODY);
	assert_int_equal(n, 2);
	assert_true(r[0].skipped);
	assert_int_equal(r[0].result, AUTH_NONE);
	assert_str(r[0].domain, "football.example.com");
	assert_str(r[0].why, "not verified: that of selector test proves the same");
	assert_int_equal(r[1].result, AUTH_PASS);
	once = false;
}

/* Another identity is another thing that is proved; one that covers less of the body proves nothing. */
static void test_once_identity(void **state UNUSED)
{
	once = true;
	verify(RFC6376_SIGNATURE RFC6376_SIGNATURE
	       "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=x; h=from;\r\n"
	       " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=QUJD\r\n"
	       "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=x; i=joe@football.example.com; h=from; l=1\r\n"
	       " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=QUJD\r\n" RFC6376_HEADER RFC_FIELDS RFC6376_BODY);
	once = false;
	assert_int_equal(n, 4);
	assert_int_equal(r[0].result, AUTH_PASS);
	assert_true(r[1].skipped);
	assert_int_equal(r[2].result, AUTH_PERMERROR); /* there is no key */
	assert_false(r[3].result == AUTH_PASS);
}

/* --- keys --- */

/* Signs with a new key whose record has `more`, and verifies with what `change` makes of the zone. */
static enum auth_result with_key(bool ed25519, const char *more, void (*change)(void))
{
	struct vector_dns before = dns;
	dns = (struct vector_dns){0};
	struct dkim_key key = fake_key(&dns, "example.org", "sel", ed25519, more);
	BUF(message, 1 << 20);
	struct dkim_message m = dkim_message_of(STR(RFC_FIELDS RFC6376_BODY));

	assert_int_equal(dkim_sign(&m, &key, 1, FAKE_NOW, &memory, &message), OK);
	buf_puts(&message, RFC_FIELDS RFC6376_BODY);
	if (change != NULL)
		change();
	verify_str(arena_str(&memory, buf_str(&message)));
	assert_int_equal(n, 1);
	fake_key_free(&key);
	vector_dns_clear(&dns);
	dns = before;
	return r[0].result;
}

static void forget(void)
{
	vector_dns_clear(&dns);
}

static void lose(void)
{
	vector_dns_clear(&dns);
	vector_dns_add(&dns, STR("sel._domainkey.example.org"), 0, STR_NONE);
}

static void replace(const char *text)
{
	vector_dns_clear(&dns);
	fake_txt(&dns, STR("sel._domainkey.example.org"), str_from(text));
}

static void revoke(void)
{
	replace("v=DKIM1; k=ed25519; p=");
}

static void other_kind(void)
{
	replace(rfc6376_key);
}

static void short_key(void)
{
	replace("v=DKIM1; k=ed25519; p=QUJD");
}

static void other_key(void)
{
	replace(rfc8463_ed25519);
}

static void several(void)
{
	fake_txt(&dns, STR("sel._domainkey.example.org"), STR("v=spf1 -all"));
	fake_txt(&dns, STR("sel._domainkey.example.org"), str_from(rfc6376_key));
}

static void test_keys(void **state UNUSED)
{
	assert_int_equal(with_key(true, "", NULL), AUTH_PASS);
	assert_int_equal(with_key(true, "t=y:s; ", NULL), AUTH_PASS);
	assert_true(r[0].testing && r[0].strict);
	assert_int_equal(with_key(true, "", several), AUTH_PASS);
	assert_int_equal(with_key(true, "", forget), AUTH_PERMERROR);
	assert_int_equal(with_key(true, "", lose), AUTH_TEMPERROR);
	assert_int_equal(with_key(true, "", revoke), AUTH_PERMERROR);
	assert_int_equal(with_key(true, "", other_kind), AUTH_PERMERROR);
	assert_int_equal(with_key(true, "", short_key), AUTH_PERMERROR);
	assert_int_equal(with_key(true, "", other_key), AUTH_FAIL);
	assert_int_equal(with_key(true, "h=sha1; ", NULL), AUTH_PERMERROR);
}

/* RFC 8301 3.2; the signature is not even looked at. */
static void test_short_rsa(void **state UNUSED)
{
	struct vector_dns before = dns;

	dns = (struct vector_dns){0};
	fake_txt(&dns, STR("brisbane._domainkey.example.com"),
	         STR("p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMxU4n39yrFeLB/MC5ygb84DMOXbIrkf0YQqV6e0/"
	             "ktqDSI0+t9RHYoiwA02mYRJjnGAw0b8gsHdCIygxzoz3Y0CAwEAAQ=="));
	verify(RFC6376_SIGNATURE RFC6376_HEADER RFC_FIELDS RFC6376_BODY);
	assert_int_equal(r[0].result, AUTH_POLICY);
	assert_int_equal(r[0].bits, 512);
	vector_dns_clear(&dns);
	dns = before;
}

/* --- questions --- */

static err slow(void *ctx UNUSED, const struct resolve_request *q, struct resolve_reply *reply, struct arena *a,
                nsec deadline)
{
	err e = rt_sleep_until(rt_after(NSEC_PER_SEC));

	return e == OK ? vector_ask(&dns, q, reply, a, deadline) : e;
}

static void at_once(void *arg)
{
	struct resolver resolver = {.ask = slow};
	struct dkim_message m = dkim_message_of(STR(RFC8463_SIGNATURES RFC6376_SIGNATURE RFC_FIELDS RFC8463_BODY));
	nsec begin_at = rt_now();

	assert_int_equal(
		dkim_verify(&m, &(struct dkim_options){.resolver = &resolver, .now = FAKE_NOW, .deadline = RT_NEVER},
	                    &memory, &r, &n),
		OK);
	*(nsec *)arg = rt_now() - begin_at;
}

/* All keys are asked for at the same time. */
static void test_at_once(void **state UNUSED)
{
	nsec took = 0;

	assert_int_equal(rt_run_simulated(1, at_once, &took), OK);
	assert_int_equal(n, 3);
	assert_int_equal(r[0].result, AUTH_PASS);
	assert_int_equal(r[1].result, AUTH_PASS);
	assert_true(took == NSEC_PER_SEC);
}

static void cancelled(void *arg)
{
	struct resolver resolver = {.ask = slow};
	struct dkim_message m = dkim_message_of(STR(RFC8463_SIGNATURES RFC_FIELDS RFC8463_BODY));

	rt_cancel(rt_self());
	*(err *)arg =
		dkim_verify(&m, &(struct dkim_options){.resolver = &resolver, .now = FAKE_NOW, .deadline = RT_NEVER},
	                    &memory, &r, &n);
}

static void test_cancelled(void **state UNUSED)
{
	err e = OK;

	assert_int_equal(rt_run_simulated(1, cancelled, &e), OK);
	assert_int_equal(e, E_CANCELLED);
	assert_int_equal(n, 0);
}

/* --- l= --- */

static void test_length(void **state UNUSED)
{
	/* of chasquid's tests: a signature of 17 octets */
	static const char signed_part[] =
		"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n    d=example.com; s=selector; "
		"t=1709368031;\r\n"
		"    h=from:subject:date:to:message-id:from:subject:date:to:cc:in-reply-to:message-id;\r\n"
		"    l=17; bh=2Lb+x7ZAi8ljletRVg9Cn+VSkE36HadUTTOwsYyzZJg=;\r\n"
		"    "
		"b=2wsAeUZad5CdbyqNEuUswkD/PJb+trZ8ICldEFX/"
		"FpmfdVOtAsCR0flp0EhT7GUTY9b6Q2JvkBICSyvYyojnBQ==;\r\n" RFC_FIELDS "\r\nHi.\r\n\r\nWe lost t";
	BUF(message, 4096);

	fake_txt(&dns, STR("selector._domainkey.example.com"),
	         STR("v=DKIM1; k=ed25519; p=SvoPT692bVrQBT8UNxt6SF538O3snA4fE3/i/glCxwQ="));
	buf_puts(&message, signed_part);
	buf_puts(&message, "he game.  Are you hungry yet?\r\n\r\nJoe.\r\n");
	verify_str(buf_str(&message));
	assert_int_equal(r[0].result, AUTH_POLICY);
	assert_true(r[0].partial);
	verify("DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=x; h=from; l=100;\r\n"
	       " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=QUJD\r\n" RFC_FIELDS RFC6376_BODY);
	assert_int_equal(r[0].result, AUTH_FAIL);
	assert_str(r[0].why, "l= is more than there is of the body");
}

/* --- bounds --- */

static void test_many_signatures(void **state UNUSED)
{
	BUF(message, 1 << 20);

	for (int i = 0; i < DKIM_SIGNATURES_MAX + 5; i++)
		buf_puts(&message, RFC6376_SIGNATURE);
	buf_puts(&message, RFC6376_HEADER RFC_FIELDS RFC6376_BODY);
	size_t asked = dns.asked;
	verify_str(buf_str(&message));
	assert_int_equal(n, DKIM_SIGNATURES_MAX);
	assert_int_equal(r[DKIM_SIGNATURES_MAX - 1].result, AUTH_PASS);
	assert_int_equal(dns.asked, asked + 1); /* each key once */
}

/* Each l= is another hash of what may be many megabytes. */
static void test_many_lengths(void **state UNUSED)
{
	BUF(message, 1 << 20);

	for (int i = 0; i < DKIM_SIGNATURES_MAX; i++)
		buf_printf(&message,
		           "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=x; h=from; l=%d;\r\n"
		           " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=QUJD\r\n",
		           i);
	buf_puts(&message, RFC_FIELDS RFC6376_BODY);
	verify_str(buf_str(&message));
	assert_int_equal(n, DKIM_SIGNATURES_MAX);
	assert_int_equal(r[3].result, AUTH_FAIL);
	assert_int_equal(r[4].result, AUTH_POLICY);
}

static void test_many_fields(void **state UNUSED)
{
	BUF(message, 1 << 20);

	buf_puts(&message, RFC6376_SIGNATURE);
	for (int i = 0; i < 5000; i++)
		buf_puts(&message, "X: y\r\n");
	buf_puts(&message, RFC6376_HEADER RFC_FIELDS RFC6376_BODY);
	verify_str(buf_str(&message));
	assert_int_equal(n, 1);
	assert_int_equal(r[0].result, AUTH_PERMERROR);
}

static void test_memory(void **state UNUSED)
{
	struct resolver resolver = vector_resolver(&dns);
	struct dkim_options o = {.resolver = &resolver, .now = FAKE_NOW, .deadline = RT_NEVER};
	struct dkim_message m = dkim_message_of(STR(RFC6376_SIGNATURE RFC6376_HEADER RFC_FIELDS RFC6376_BODY));
	bool passed = false;

	for (size_t size = 0; size < 64 << 10; size += 512) {
		ARENA(small, size);
		err e = dkim_verify(&m, &o, &small, &r, &n);
		assert_true(e == OK || e == E_LIMIT || e == E_MEMORY);
		passed = e == OK && r[0].result == AUTH_PASS;
	}
	assert_true(passed);
}

static void test_message_of(void **state UNUSED)
{
	struct dkim_message m = dkim_message_of(STR("a: b\r\n c\r\n\r\nbody"));

	assert_str(m.header, "a: b\r\n c\r\n");
	assert_str(m.body, "body");
	m = dkim_message_of(STR("a: b\n\nbody"));
	assert_str(m.header, "a: b\n");
	assert_str(m.body, "body");
	m = dkim_message_of(STR("a: b\r\n"));
	assert_str(m.header, "a: b\r\n");
	assert_str(m.body, "");
	m = dkim_message_of(STR("\r\nbody"));
	assert_str(m.header, "");
	assert_str(m.body, "body");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc6376),         cmocka_unit_test(test_rfc8463),
		cmocka_unit_test(test_changed),         cmocka_unit_test(test_additions),
		cmocka_unit_test(test_inserted),        cmocka_unit_test(test_once),

		cmocka_unit_test(test_once_identity),   cmocka_unit_test(test_keys),
		cmocka_unit_test(test_at_once),         cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_short_rsa),       cmocka_unit_test(test_length),
		cmocka_unit_test(test_many_signatures), cmocka_unit_test(test_many_lengths),
		cmocka_unit_test(test_many_fields),     cmocka_unit_test(test_memory),
		cmocka_unit_test(test_message_of),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
