/* SPDX-License-Identifier: ISC */
/* Whatever a message is, it can be judged. */
#include <stdlib.h>

#include "spam/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct config *config_once(void)
{
	static struct config *config;
	struct config_faults faults = {.text = BUF_INIT(4096)};

	if (config == NULL)
		config = config_parse(STR("version 1\nhostname mx.example.org\ndomain example.org\nspam greylist 1\n"),
		                      "fuzz", &faults);
	buf_free(&faults.text);
	return config;
}

/* The first line is how the client introduces itself. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	ARENA(a, 8 << 20);
	BUF(findings, FINDINGS_MAX);
	struct net_address client;
	struct dmarc_author author;
	str helo, message;

	(void)str_cut(str_make((const char *)data, n), '\n', &helo, &message);
	if (net_address_parse(STR("192.0.2.7:25"), &client) != OK)
		abort();
	err e = dmarc_author_find(dkim_message_of(message).header, &a, &author);
	struct origin origin = {.client = STR("192.0.2.7"), .helo = helo};
	const struct inspect_request q = {.origin = &origin, .origin_n = 1, .body = BODY_OF(message)};
	const struct judge_input in = {.config = config_once(),
	                               .message = &q,
	                               .client = &client,
	                               .author = e == OK ? &author : NULL,
	                               .now = 1795000000000000,
	                               .deadline = RT_NEVER};
	struct judge_result r = {.findings = &findings};
	if (judge_message(&in, &a, &r) != OK)
		abort();
	judge_conclude(&r, true);
	return 0;
}
