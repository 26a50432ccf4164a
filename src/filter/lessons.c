/* SPDX-License-Identifier: ISC */
#include "filter/lessons.h"

#include "base/log.h"
#include "spam/tokens.h"

#define WAIT_MS   60000
#define CALL_TIME (90 * NSEC_PER_SEC)
#define PAUSE     (5 * NSEC_PER_SEC) /* when the store is away */

enum { LESSON_MEMORY = 16 << 20 };

/* The hashes as the store wants them; "" of a message that cannot be read. */
static void put_tokens(str message, struct arena *a, struct buf *out)
{
	struct token *tokens;
	size_t n;

	if (tokens_of(message, a, &tokens, &n) != OK) {
		LOG(WARN, "filter.lesson", LOG_Z("error", err_info()->text));
		return;
	}
	for (size_t i = 0; i < n; i++)
		buf_le64(out, tokens[i].hash);
}

/* Gives back what the last one said, in `tokens`, and takes the next one. */
static err learn(struct link *store, uint64_t *lesson, struct buf *tokens)
{
	ARENA(a, LESSON_MEMORY);
	const struct lesson_request q = {.done = *lesson, .tokens = buf_str(tokens), .wait_ms = WAIT_MS};
	struct lesson_reply r = {.body = BODY_OF(STR_NONE)};
	err e = call_lesson(store, &q, &r, &a, rt_after(CALL_TIME));

	if (e != OK)
		return e;
	*lesson = r.lesson;
	buf_reset(tokens);
	if (r.lesson != 0)
		put_tokens(r.body.bytes, &a, tokens);
	body_release(&r.body);
	return OK;
}

void lessons_run(struct link *store)
{
	BUF(tokens, TOKENS_MAX * sizeof(uint64_t));
	uint64_t lesson = 0;

	while (!rt_cancelled()) {
		err e = learn(store, &lesson, &tokens);
		if (e == E_TIMEOUT || e == OK)
			continue;
		lesson = 0; /* it is handed out again */
		buf_reset(&tokens);
		(void)!rt_sleep_until(rt_after(PAUSE));
	}
}
