/* SPDX-License-Identifier: ISC */
/* greylist - the suspicious come back later: who sends mail does, most of those who spread spam do not. */
#include "base/date.h"
#include "mail/own_domain.h"
#include "spam/judging.h"

#define REMEMBERED (36 * 86400 * USEC_PER_SEC)

/* Where it is junk for some recipient, who has it at once. */
static int64_t junk_from(const struct judging *j)
{
	const struct config *c = j->in->config;
	int64_t lowest = j->in->message->rcpts_n > 0 ? CONFIG_POINTS_NEVER : c->spam.thresholds.junk;

	for (size_t i = 0; i < j->in->message->rcpts_n; i++) {
		const struct config_domain *d = own_domain(c, j->in->message->rcpts[i].address);
		int64_t junk = d != NULL ? d->spam.junk : c->spam.thresholds.junk;

		lowest = junk < lowest ? junk : lowest;
	}
	return lowest;
}

static bool is_suspicious(const struct judging *j)
{
	int64_t from = j->in->config->spam.greylist;

	return from != CONFIG_POINTS_NEVER && j->out->points >= from && j->out->points < junk_from(j);
}

static void say(struct judging *j, const char *result, const char *evidence)
{
	finding_print(j->out->findings, &(struct finding){.kind = FINDING_CHECK,
	                                                  .name = STR("greylist"),
	                                                  .result = str_from(result),
	                                                  .evidence = str_from(evidence)});
}

err judge_greylist(struct judging *j)
{
	const struct reputation *known = judging_known(j, j->keys.grey);
	int64_t delay = j->in->config->spam.greylist_delay / 1000, now = j->in->now;

	if (known == NULL || !is_suspicious(j)) /* without the store's answer nobody is held up */
		return OK;
	if (known->first != 0 && (int64_t)known->last > now - REMEMBERED && (int64_t)known->first <= now - delay) {
		say(j, "pass", "it has come back");
		return OK;
	}
	j->out->greylisted = true;
	say(j, "wait", known->first == 0 ? "the first attempt" : "it came back too early");
	return OK;
}

/* One that is told to come back leaves nothing but that it was there: what it is, the next attempt shows. */
err judge_notes(struct judging *j)
{
	const str counted[] = {j->keys.domain, j->keys.net};
	struct judge_result *r = j->out;

	r->notes = arena_array(j->arena, ARRAY_LEN(counted) + 1, sizeof *r->notes);
	if (r->notes == NULL)
		return err_note(E_LIMIT, "no memory to judge a message");
	if (j->keys.grey.n > 0 && is_suspicious(j))
		r->notes[r->notes_n++].key = arena_str(j->arena, j->keys.grey);
	for (size_t i = 0; i < ARRAY_LEN(counted) && !r->greylisted; i++)
		if (counted[i].n > 0)
			r->notes[r->notes_n++].key = arena_str(j->arena, counted[i]);
	return OK;
}

void judge_conclude(struct judge_result *r, bool bad)
{
	for (size_t i = 0; i < r->notes_n; i++) {
		if (str_starts(r->notes[i].key, STR("grey ")))
			continue;
		r->notes[i].good = !bad;
		r->notes[i].bad = bad;
	}
}
