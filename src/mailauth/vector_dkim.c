/* SPDX-License-Identifier: ISC */
/* Reads zones (vector_dns.h) and, on standard input, with TIME in seconds since 1970:
 *
 *	verify TIME MESSAGE     writes a line: for each signature result, domain, selector, bits, flags behind "-" (p partial, t testing, s strict), why
 *	speed TIME MESSAGE N    does it N times and writes microseconds of CPU for one
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/date.h"
#include "mailauth/dkim.h"
#include "mailauth/vector_dns.h"

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
	struct dkim_options o = {&resolver, take_time(&line, a), RT_NEVER};
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
	struct dkim_options o = {&resolver, take_time(&line, a), RT_NEVER};
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

static void answer(str line)
{
	ARENA(a, 256 << 20);
	BUF(out, 64 << 20);
	str verb = vector_word(&line, &a);

	if (str_equal(verb, STR("verify")))
		verify(line, &a, &out);
	else if (str_equal(verb, STR("speed")))
		measure(line, &a, &out);
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
