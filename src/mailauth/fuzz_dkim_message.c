/* SPDX-License-Identifier: ISC */
/* Any message: its signatures and its chain are looked at; then it is signed and sealed by us, and what we made has to hold, unless it is refused. The body's two
 * canonical forms do not depend on the line ends. */
#include <stdlib.h>

#include "mailauth/dkim_body.h"
#include "mailauth/dkim_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vector_dns dns;
static struct dkim_key key;

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool is_proved(str domain, const struct dkim_result *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (r[i].result == AUTH_PASS && str_equal(r[i].domain, domain))
			return true;
	return false;
}

/* When some are skipped the same domains are proved as when each is verified, in `all`; more of them might run into the limit on hashes of the body. */
static bool same_proved(const struct dkim_message *m, const struct dkim_options *o, const struct dkim_result *all,
                        size_t n)
{
	ARENA(a, 16 << 20);
	struct dkim_options once = *o;
	struct dkim_result *some;
	size_t some_n;

	once.once = true;
	if (n > DKIM_BODY_HASHES)
		return true;
	if (dkim_verify(m, &once, &a, &some, &some_n) != OK || some_n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (is_proved(all[i].domain, all, n) != is_proved(all[i].domain, some, n) ||
		    some[i].skipped != (some[i].result == AUTH_NONE))
			return false;
	return true;
}

/* Is the first signature of the message one that holds? *made_n: how many there are. */
static bool passes(str message, size_t *made_n)
{
	ARENA(a, 16 << 20);
	struct resolver resolver = vector_resolver(&dns);
	struct dkim_options o = {.resolver = &resolver, .now = FAKE_NOW, .deadline = RT_NEVER};
	struct dkim_message m = dkim_message_of(message);
	struct dkim_result *r;

	*made_n = 0;
	if (dkim_verify(&m, &o, &a, &r, made_n) != OK)
		return false;
	for (size_t i = 0; i < *made_n; i++)
		check((r[i].result == AUTH_PASS) == (r[i].why.n == 0) && r[i].result != AUTH_NONE);
	check(same_proved(&m, &o, r, *made_n));
	return *made_n > 0 && r[0].result == AUTH_PASS;
}

static enum auth_result chain(str message, struct arena *a, struct arc_result *r)
{
	struct resolver resolver = vector_resolver(&dns);
	struct dkim_message m = dkim_message_of(message);

	if (arc_verify(&m, &(struct dkim_options){.resolver = &resolver, .now = FAKE_NOW, .deadline = RT_NEVER}, a,
	               r) != OK)
		return AUTH_TEMPERROR;
	check((r->result == AUTH_FAIL) == (r->why.n > 0) && (r->result == AUTH_PASS) == (r->n > 0) &&
	      r->oldest_pass <= r->n);
	return r->result;
}

static void sign(str message)
{
	ARENA(a, 16 << 20);
	BUF(out, 16 << 20);
	size_t n;
	struct dkim_message m = dkim_message_of(message);

	if (m.header.n == 0 || dkim_sign(&m, &key, 1, FAKE_NOW, &a, &out) != OK)
		return;
	buf_put(&out, message);
	check(passes(buf_str(&out), &n) || str_starts(message, STR("From ")));
}

static void seal(str message)
{
	ARENA(a, 16 << 20);
	BUF(out, 16 << 20);
	struct arc_result r;
	struct dkim_message m = dkim_message_of(message);
	enum auth_result before = chain(message, &a, &r);

	if (before == AUTH_TEMPERROR || m.header.n == 0 || str_starts(message, STR("From ")) ||
	    arc_seal(&m, &r, &key, STR("x.example; none"), FAKE_NOW, &a, &out) != OK)
		return;
	buf_put(&out, message);
	check(chain(buf_str(&out), &a, &r) == (before == AUTH_FAIL ? AUTH_FAIL : AUTH_PASS));
}

static void hash(enum dkim_canon canon, str body, struct crypto_digest *out)
{
	CLEANUP(dkim_canon_free) struct dkim_canon_out o = {0};

	dkim_canon_begin(&o, UINT64_MAX);
	dkim_canon_body(&o, canon, body);
	check(dkim_canon_end(&o, out) == OK);
}

static void line_ends(str body)
{
	BUF(lf, 16 << 20);
	struct crypto_digest one, other;

	for (size_t i = 0; i < body.n; i++)
		if (!str_starts(str_drop(body, i), STR("\r\n")))
			buf_putc(&lf, body.p[i]);
	for (enum dkim_canon canon = DKIM_SIMPLE; canon <= DKIM_RELAXED; canon++) {
		hash(canon, body, &one);
		hash(canon, buf_str(&lf), &other);
		check(str_equal(crypto_digest_str(&one), crypto_digest_str(&other)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str message = str_make((const char *)data, size);
	size_t n;

	if (key.ctx == NULL)
		key = fake_key(&dns, "example.org", "sel", true, "");
	(void)passes(message, &n);
	sign(message);
	seal(message);
	if (!str_contains(message, STR("\r\r")))
		line_ends(message);
	return 0;
}
