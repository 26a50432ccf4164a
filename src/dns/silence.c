/* SPDX-License-Identifier: ISC */
#include "dns/silence.h"

nsec silence_deadline(struct silence *s, nsec now, nsec deadline)
{
	if (!s->reigns || deadline <= now + SILENCE_PATIENCE)
		return deadline;
	if (now < s->patient_until)
		return now + SILENCE_PATIENCE;
	s->patient_until = deadline;
	return deadline;
}

bool silence_note(struct silence *s, bool answered, nsec asked, nsec now)
{
	bool before = s->reigns;

	if (answered) {
		*s = (struct silence){0};
		return before;
	}
	if (s->unanswered++ == 0 || asked < s->since)
		s->since = asked;
	s->reigns = s->unanswered >= SILENCE_QUESTIONS && now - s->since >= SILENCE_AFTER;
	return s->reigns != before;
}
