/* SPDX-License-Identifier: ISC */
/* The header of any message: fields follow each other without a gap, and the whole look at a message does not fall
 * over it. */
#include <stdlib.h>

#include "mail/header.h"
#include "mail/inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void walk(str message)
{
	ARENA(arena, 1 << 20);
	struct header_field f;
	size_t at = 0, from;

	for (from = at; header_next(message, &at, &f); from = at) {
		check(at > from && at <= message.n);
		check(f.name.n > 0 && f.whole.p + f.whole.n == message.p + at);
		check(str_find(header_unfold(&arena, f.value), '\n') == header_unfold(&arena, f.value).n);
	}
	check(header_size(message) >= at && header_size(message) <= at + 2);
}

static void inspect(str message, uint64_t flags)
{
	ARENA(arena, 1 << 20);
	struct rcpt rcpt = {.address = STR("bob@example.org")};
	struct origin origin = {.login = STR("alice@example.org")};
	struct inspect_request q = {.origin = &origin, .origin_n = 1, .rcpts = &rcpt, .rcpts_n = 1, .flags = flags,
	                            .body = BODY_OF(message)};
	struct inspect_options options = {.hops = 50, .hostname = STR("mail.example.org")};
	struct inspect_reply r = {0};

	if (inspect_message(&q, &options, &r, &arena) == OK)
		check(r.code == OK || (r.reply / 100 == 5 && r.status.n > 0 && r.text.n > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str message = str_make((const char *)data, size);

	walk(message);
	inspect(message, 0);
	inspect(message, MESSAGE_SUBMISSION);
	return 0;
}
