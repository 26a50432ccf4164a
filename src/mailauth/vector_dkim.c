/* SPDX-License-Identifier: ISC */
/* Reads zones (vector_dns.h) and, on standard input, with TIME in seconds since 1970:
 *
 *	verify TIME MESSAGE     writes a line: for each signature result, domain, selector, bits, flags behind "-" (p partial, t testing, s strict), why
 *	speed TIME MESSAGE N    does it N times and writes microseconds of CPU for one
 *	key KIND                makes a key ("rsa", "ed25519"); writes it in PEM, and its record
 *	sign TIME MESSAGE [DOMAIN SELECTOR PEM]...    writes the signatures
 *	arc TIME MESSAGE        writes the result, number of sets, oldest-pass, why, and of each set sealer and results
 *	seal TIME RECEIVED MESSAGE RESULTS DOMAIN SELECTOR PEM    writes a set for what was received as RECEIVED
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/date.h"
#include "base/encode.h"
#include "mailauth/arc.h"
#include "mailauth/vector_dns.h"
#include "rt/signature_key.h"

static struct vector_dns dns;

static int64_t take_time(str *line, struct arena *a)
{
	uint64_t seconds = 0;

	(void)!str_to_u64(vector_word(line, a), UINT32_MAX, &seconds);
	return (int64_t)seconds * USEC_PER_SEC;
}

static void put_result(struct buf *out, const struct dkim_result *r)
{
	buf_put(out, auth_result_name(r->result));
	buf_putc(out, ' ');
	vector_put(out, r->domain);
	buf_putc(out, ' ');
	vector_put(out, r->selector);
	buf_printf(out, " %u -%s%s%s ", r->bits, r->partial ? "p" : "", r->testing ? "t" : "", r->strict ? "s" : "");
	vector_put(out, r->why);
	buf_putc(out, ' ');
}

static void verify(str line, struct arena *a, struct buf *out)
{
	struct resolver resolver = vector_resolver(&dns);
	struct dkim_options o = {.resolver = &resolver, .now = take_time(&line, a), .deadline = RT_NEVER};
	struct dkim_message m = dkim_message_of(vector_word(&line, a));
	struct dkim_result *results;
	size_t n;

	if (dkim_verify(&m, &o, a, &results, &n) != OK)
		buf_puts(out, "error");
	for (size_t i = 0; i < n; i++)
		put_result(out, &results[i]);
}

static void measure(str line, struct arena *a, struct buf *out)
{
	struct resolver resolver = vector_resolver(&dns);
	struct dkim_options o = {.resolver = &resolver, .now = take_time(&line, a), .deadline = RT_NEVER};
	struct dkim_message m = dkim_message_of(vector_word(&line, a));
	struct dkim_result *results;
	size_t n;
	uint64_t times = 0;

	(void)!str_to_u64(vector_word(&line, a), 1000000, &times);
	clock_t begin = clock();
	for (uint64_t i = 0; i < times; i++) {
		ARENA(each, 1 << 20);
		if (dkim_verify(&m, &o, &each, &results, &n) != OK)
			buf_puts(out, "error ");
	}
	buf_printf(out, "%ld", (long)((clock() - begin) / (clock_t)(times > 0 ? times : 1)));
}

static void make_key(str line, struct arena *a, struct buf *out)
{
	BUF(pem, 8192);
	BUF(octets, 4096);
	BUF(record, 8192);
	bool ed25519 = str_equal(vector_word(&line, a), STR("ed25519"));

	if (signature_key_make(ed25519, &pem) != OK || signature_key_public(buf_str(&pem), &ed25519, &octets) != OK)
		return;
	buf_printf(&record, "v=DKIM1; k=%s; p=", ed25519 ? "ed25519" : "rsa");
	base64_encode(&record, buf_str(&octets));
	vector_put(out, buf_str(&pem));
	buf_putc(out, ' ');
	vector_put(out, buf_str(&record));
}

static err sign_digest(void *ctx, str digest, struct buf *out)
{
	return signature_key_sign(ctx, digest, out);
}

static struct dkim_key take_key(str *line, struct arena *a)
{
	BUF(octets, 4096);
	struct dkim_key key = {.domain = vector_word(line, a), .selector = vector_word(line, a), .sign = sign_digest};
	str pem = vector_word(line, a);
	struct signature_key *private = NULL;

	if (signature_key_public(pem, &key.ed25519, &octets) == OK && signature_key_read(pem, &private) == OK)
		key.ctx = private;
	return key;
}

static void sign(str line, struct arena *a, struct buf *out)
{
	struct dkim_key keys[4];
	BUF(fields, 1 << 20);
	size_t n = 0;
	int64_t now = take_time(&line, a);
	struct dkim_message m = dkim_message_of(vector_word(&line, a));

	while (line.n > 0 && n < ARRAY_LEN(keys))
		keys[n++] = take_key(&line, a);
	if (dkim_sign(&m, keys, n, now, a, &fields) == OK)
		vector_put(out, buf_str(&fields));
	while (n > 0)
		signature_key_free(keys[--n].ctx);
}

static err verify_chain(str *line, struct arena *a, struct arc_result *r, int64_t *now)
{
	struct resolver resolver = vector_resolver(&dns);

	*now = take_time(line, a);
	struct dkim_message m = dkim_message_of(vector_word(line, a));
	return arc_verify(&m, &(struct dkim_options){.resolver = &resolver, .now = *now, .deadline = RT_NEVER}, a, r);
}

static void chain(str line, struct arena *a, struct buf *out)
{
	struct arc_result r;
	int64_t now;

	if (verify_chain(&line, a, &r, &now) != OK)
		buf_puts(out, "error-");
	buf_put(out, auth_result_name(r.result));
	buf_printf(out, " %zu %u ", r.n, r.oldest_pass);
	vector_put(out, r.why);
	for (size_t i = 0; i < r.n; i++) {
		buf_putc(out, ' ');
		vector_put(out, r.sets[i].sealer);
		buf_putc(out, ' ');
		vector_put(out, r.sets[i].results);
	}
}

static void seal(str line, struct arena *a, struct buf *out)
{
	struct arc_result before;
	int64_t now;
	BUF(fields, 1 << 20);

	err e = verify_chain(&line, a, &before, &now);
	struct dkim_message m = dkim_message_of(vector_word(&line, a));
	str results = vector_word(&line, a);
	struct dkim_key key = take_key(&line, a);
	if (e == OK)
		e = arc_seal(&m, &before, &key, results, now, a, &fields);
	vector_put(out, e == OK ? buf_str(&fields) : str_from(err_name(e)));
	signature_key_free(key.ctx);
}

static void answer(str line)
{
	ARENA(a, 256 << 20);
	BUF(out, 64 << 20);
	str verb = vector_word(&line, &a);

	if (str_equal(verb, STR("verify")))
		verify(line, &a, &out);
	else if (str_equal(verb, STR("speed")))
		measure(line, &a, &out);
	else if (str_equal(verb, STR("key")))
		make_key(line, &a, &out);
	else if (str_equal(verb, STR("sign")))
		sign(line, &a, &out);
	else if (str_equal(verb, STR("arc")))
		chain(line, &a, &out);
	else if (str_equal(verb, STR("seal")))
		seal(line, &a, &out);
	printf(STR_FMT "\n", STR_ARG(str_trim(buf_str(&out))));
}

static void read_all(void *arg UNUSED)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, stdin)) > 0) {
		str text = str_trim(str_make(line, (size_t)n));

		if (!vector_dns_line(&dns, text))
			answer(text);
	}
	free(line);
	vector_dns_clear(&dns);
}

int main(void)
{
	/* on a coroutine's stack, as in the server */
	return rt_run_simulated(1, read_all, NULL) == OK ? 0 : 1;
}
