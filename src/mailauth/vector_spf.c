/* SPDX-License-Identifier: ISC */
/* Reads zones (vector_dns.h) and "spf CLIENT HELO SENDER" on standard input; writes a line for each of the latter: result, explanation, why. */
#include <stdio.h>
#include <stdlib.h>

#include "mailauth/spf.h"
#include "mailauth/vector_dns.h"

static struct vector_dns dns;

static void check(str line)
{
	ARENA(a, 1 << 20);
	BUF(out, 16 << 10);
	struct resolver resolver = vector_resolver(&dns);
	struct net_address client = {0};
	struct spf_result result = {0};
	str address = vector_word(&line, &a), helo = vector_word(&line, &a), sender = vector_word(&line, &a);
	struct spf_query q = {&resolver, &client, helo, sender, STR("receiver.example"), 0, RT_NEVER};

	err e = net_address_parse(address, &client);
	if (e == OK)
		e = spf_check(&q, &a, &result);
	buf_puts(&out, e == OK ? "" : "error-");
	buf_put(&out, auth_result_name(result.result));
	buf_putc(&out, ' ');
	vector_put(&out, result.explanation);
	buf_putc(&out, ' ');
	vector_put(&out, result.why);
	printf(STR_FMT "\n", STR_ARG(buf_str(&out)));
}

static void read_all(void *arg)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, stdin)) > 0) {
		str text = str_trim(str_make(line, (size_t)n));

		if (str_starts(text, STR("spf ")))
			check(str_drop(text, 4));
		else if (!vector_dns_line(&dns, text))
			*(int *)arg = 1;
	}
	free(line);
	vector_dns_clear(&dns);
}

int main(void)
{
	int failed = 0;

	/* on a coroutine's stack, as in the server */
	return rt_run_simulated(1, read_all, &failed) == OK ? failed : 1;
}
