/* SPDX-License-Identifier: ISC */
/* Whole messages, each in a file of the arguments behind a domain that is ours: what would be kept of the report in it, as a line of JSON, or the error. */
#include <stdio.h>

#include "base/encode.h"
#include "base/log.h"
#include "filter/reports.h"
#include "rt/file.h"

static void put(struct buf *out, const char *name, str text)
{
	buf_printf(out, "\"%s\":", name);
	json_quote(out, text);
	buf_putc(out, ',');
}

static void print(const struct config *config, str message)
{
	ARENA(a, 1 << 20);
	BUF(out, 1 << 20);
	struct report_read r;
	const struct reports_input in = {.config = config, .message = message};
	err e = reports_read(&in, &a, &r);

	if (e != OK) {
		printf("{\"error\":%d}\n", (int)e);
		return;
	}
	put(&out, "kind", r.kind);
	put(&out, "domain", r.domain);
	put(&out, "organization", r.organization);
	put(&out, "id", r.id);
	buf_printf(&out, "\"from\":%llu,\"until\":%llu,\"report\":" STR_FMT, (unsigned long long)r.from,
	           (unsigned long long)r.until, STR_ARG(r.text));
	printf("{" STR_FMT "}\n", STR_ARG(buf_str(&out)));
}

static struct config *config_of(const char *domain)
{
	struct config_faults faults = {.text = BUF_INIT(4096)};
	BUF(text, 4096);

	buf_printf(&text, "version 1\nhostname mx.example.org\ndomain %s\n", domain);
	struct config *config = config_parse(buf_str(&text), "vector", &faults);
	buf_free(&faults.text);
	return config;
}

int main(int argc, char **argv)
{
	struct config *config = argc > 1 ? config_of(argv[1]) : NULL;

	for (int i = 2; i < argc && config != NULL; i++) {
		BUF(message, 64 << 20);
		if (file_read_whole(argv[i], &message) != OK)
			return 1;
		print(config, buf_str(&message));
	}
	if (config != NULL)
		config_release(config);
	return config != NULL ? 0 : 1;
}
