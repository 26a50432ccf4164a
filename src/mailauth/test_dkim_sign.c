/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim.h"

#include "base/test.h"
#include "mailauth/dkim_fake.h"
#include "mailauth/dkim_signature.h"

#define HEADER                                                                                                 \
	"Received: x\r\nFrom: a@example.org\r\nSubject: s\r\nTo: b@example.net\r\nResent-To: x\r\nResent-To: " \
	"y\r\nX-Other: z\r\n"
#define BODY "\r\nHello.\r\n"

static struct vector_dns dns;

static err sign(const char *message, const struct dkim_key *keys, size_t n, struct arena *a, struct buf *out)
{
	struct dkim_message m = dkim_message_of(str_from(message));

	return dkim_sign(&m, keys, n, FAKE_NOW, a, out);
}

static void verify(str message, enum auth_result want, size_t count)
{
	ARENA(a, 4 << 20);
	struct resolver resolver = vector_resolver(&dns);
	struct dkim_options o = {.resolver = &resolver, .now = FAKE_NOW, .deadline = RT_NEVER};
	struct dkim_message m = dkim_message_of(message);
	struct dkim_result *r;
	size_t n;

	assert_int_equal(dkim_verify(&m, &o, &a, &r, &n), OK);
	assert_int_equal(n, count);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(r[i].result, want);
}

/* RFC 8463 1: both signatures; the lines are short. */
static void test_two_keys(void **state UNUSED)
{
	ARENA(a, 4 << 20);
	BUF(out, 1 << 20);
	struct dkim_key keys[] = {fake_key(&dns, "example.org", "one", true, ""),
	                          fake_key(&dns, "example.org", "two", false, "")};

	assert_int_equal(sign(HEADER BODY, keys, 2, &a, &out), OK);
	for (str rest = buf_str(&out), line; rest.n > 0;) {
		(void)!str_cut(rest, '\n', &line, &rest);
		assert_true(line.n < 79 && str_ends(line, STR("\r")));
	}
	buf_puts(&out, HEADER BODY);
	verify(buf_str(&out), AUTH_PASS, 2);
	fake_key_free(&keys[0]);
	fake_key_free(&keys[1]);
}

static void test_fields(void **state UNUSED)
{
	ARENA(a, 4 << 20);
	BUF(out, 1 << 20);
	BUF(names, 4096);
	struct dkim_key key = fake_key(&dns, "example.org", "fields", true, "");
	struct header_field f;
	struct dkim_signature s;
	struct dkim_result r;
	size_t at = 0;

	assert_int_equal(sign(HEADER BODY, &key, 1, &a, &out), OK);
	assert_true(header_next(buf_str(&out), &at, &f));
	assert_int_equal(at, out.n);
	assert_int_equal(dkim_signature_read(DKIM_FIELD, &f, FAKE_NOW, &a, &s, &r), OK);
	dkim_tags_squeeze(&names, s.names);
	assert_str(buf_str(&names), "From:From:Reply-To:Subject:Subject:Date:To:To:Cc:Resent-To:Resent-To:In-Reply-To:"
	                            "References:Message-ID:"
	                            "MIME-Version:Content-Type:Content-Transfer-Encoding");
	assert_str(dkim_tags_get(&s.tags, "t"), "1782000000");
	fake_key_free(&key);
}

/* Nobody can add what readers see, nor change what is there; trace fields come and go. */
static void test_additions(void **state UNUSED)
{
	static const char *const added[] = {
		"From: x\r\n", "Subject: x\r\n", "Cc: x\r\n", "Reply-To: x\r\n", "Content-Type: text/html\r\n",
		"Date: x\r\n"};
	ARENA(a, 4 << 20);
	BUF(signature, 1 << 20);
	BUF(message, 1 << 20);
	struct dkim_key key = fake_key(&dns, "example.org", "additions", true, "");

	assert_int_equal(sign(HEADER BODY, &key, 1, &a, &signature), OK);
	for (size_t i = 0; i < ARRAY_LEN(added); i++) {
		buf_reset(&message);
		buf_puts(&message, added[i]);
		buf_put(&message, buf_str(&signature));
		buf_puts(&message, HEADER BODY);
		verify(buf_str(&message), AUTH_FAIL, 1);
	}
	buf_reset(&message);
	buf_puts(&message, "Received: y\r\nList-Id: z\r\n");
	buf_put(&message, buf_str(&signature));
	buf_puts(&message, HEADER BODY);
	verify(buf_str(&message), AUTH_PASS, 1);
	fake_key_free(&key);
}

static err refuse(void *ctx UNUSED, str digest UNUSED, struct buf *out UNUSED)
{
	return err_note(E_TEMP, "not now");
}

static void test_faults(void **state UNUSED)
{
	ARENA(a, 4 << 20);
	ARENA(small, 16);
	BUF(out, 1 << 20);
	BUF(tiny, 16);
	BUF(many, 1 << 20);
	struct dkim_key key = fake_key(&dns, "example.org", "faults", true, "");

	assert_int_equal(sign(HEADER BODY, &(struct dkim_key){STR("d"), STR("s"), true, refuse, NULL}, 1, &a, &out),
	                 E_TEMP);
	assert_int_equal(out.n, 0);
	assert_int_equal(sign(HEADER BODY, &key, 1, &small, &out), E_LIMIT);
	assert_int_equal(sign(HEADER BODY, &key, 1, &a, &tiny), E_LIMIT);
	for (int i = 0; i < 300; i++)
		buf_puts(&many, "Resent-To: x\r\n");
	buf_putc(&many, '\0');
	assert_int_equal(sign(many.p, &key, 1, &a, &out), E_LIMIT);
	fake_key_free(&key);
}

static int end(void **state UNUSED)
{
	vector_dns_clear(&dns);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_keys),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_additions),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
