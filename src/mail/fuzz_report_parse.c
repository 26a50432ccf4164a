/* SPDX-License-Identifier: ISC */
/* Any message read as a report; and a report that is written with its texts has well-formed lines, and is read again. */
#include <stdlib.h>

#include "base/buf.h"
#include "mail/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define check(holds)             \
	do {                     \
		if (!(holds))    \
			abort(); \
	} while (0)

static void check_lines(str text)
{
	while (text.n > 0) {
		size_t lf = str_find(text, '\n');
		check(lf > 0 && lf < text.n && text.p[lf - 1] == '\r' && lf <= 999 && str_find(text, '\r') == lf - 1);
		text = str_drop(text, lf + 1);
	}
}

static void check_found(const struct report_found *f)
{
	check(!str_has_control(f->envid) && !str_has_control(f->reporting_mta) && !str_has_control(f->message_id));
	for (size_t i = 0; i < f->rcpts_n; i++) {
		const struct report_rcpt *r = &f->rcpts[i];
		check(!str_has_control(r->address) && !str_has_control(r->reply) && !str_has_control(r->host));
		check(r->action <= REPORT_EXPANDED && !str_has_control(r->orcpt) && r->status.n <= 9);
	}
}

/* The whole input stands wherever others' words do. */
static void write_and_read(str in)
{
	ARENA(a, 1 << 22);
	BUF(out, 1 << 22);
	struct report_rcpt rcpt = {.address = STR("bob@example.com"),
	                           .orcpt = in,
	                           .status = in,
	                           .reply = in,
	                           .explanation = in,
	                           .host = in};
	struct report r = {.hostname = STR("mail.example.org"),
	                   .to = STR("alice@example.org"),
	                   .from = STR("postmaster@example.org"),
	                   .envid = in,
	                   .message = in,
	                   .quote_max = 10000,
	                   .rcpts = &rcpt,
	                   .rcpts_n = 1};
	struct report_found found;

	rcpt.action = (enum report_action)(in.n % 5);
	report_print(&out, &r, &a);
	check(!out.full);
	check_lines(buf_str(&out));
	check(report_parse(buf_str(&out), &a, &found) == OK && found.rcpts_n == 1);
	check(str_equal(found.rcpts[0].address, rcpt.address) && found.rcpts[0].action == rcpt.action);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA(a, 1 << 20);
	struct report_found found;
	str in = str_make((const char *)data, size);

	if (report_parse(in, &a, &found) == OK)
		check_found(&found);
	write_and_read(in);
	return 0;
}
