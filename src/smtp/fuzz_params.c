/* SPDX-License-Identifier: ISC */
/* Command lines and the parameters of MAIL and RCPT: what is accepted holds no line break and nothing beyond its
 * limits. */
#include <limits.h>
#include <stdlib.h>

#include "smtp/command.h"
#include "smtp/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_times(const struct mail_params *p)
{
	const int64_t now = 1790000000000000;
	uint64_t hold_until, deliver_by;

	if (mail_params_times(p, now, &hold_until, &deliver_by) != OK)
		return;
	check(hold_until == 0 ||
	      (hold_until >= (uint64_t)now && hold_until <= (uint64_t)now + HOLD_SECONDS_MAX * 1000000ull));
	check(deliver_by == 0 || deliver_by > hold_until);
}

static void check_args(str args)
{
	ARENA(a, 1 << 16);
	struct mail_params mail;
	struct rcpt_params rcpt;
	uint64_t chunk;
	bool last;

	if (mail_params_parse(args, UINT_MAX, &a, &mail) == OK) {
		check(mail.envid.n <= 100 && !str_has_control(mail.envid));
		check(mail.priority < 20 && mail.hold_for <= 999999999 &&
		      (mail.by_mode != BY_RETURN || mail.by_time > 0));
		check_times(&mail);
	}
	if (rcpt_params_parse(args, true, &a, &rcpt) == OK)
		check(rcpt.orcpt.n <= 500 && !str_has_control(rcpt.orcpt) &&
		      (rcpt.notify == DSN_NEVER || (rcpt.notify & DSN_NEVER) == 0));
	(void)!command_chunk(args, &chunk, &last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str in = str_make((const char *)data, size);
	struct command c;

	if (command_parse(in, &c) == OK)
		check(!str_has_control(c.args) && str_is_utf8(c.args));
	check_args(in);
	return 0;
}
