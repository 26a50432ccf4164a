/* SPDX-License-Identifier: ISC */
#include "store/delivery.h"

#include "mail/finding.h"
#include "store/contact.h"
#include "store/mailbox_name.h"

enum { BETWEEN_YIELDS = 32 };

static err trouble(void)
{
	return err_set(E_TEMP, 451, "4.3.0", "The mail store has a temporary problem; try again later");
}

/* --- the mailbox Junk --- */

/* *mailbox 0: the account was removed meanwhile. */
static err junk_of(struct store *s, uint64_t account, uint64_t *mailbox)
{
	err e = mailbox_ensure(s, account, MAILBOX_JUNK, mailbox);

	return e == E_NOT_FOUND ? OK : e;
}

/* --- what is known of the author --- */

static const struct author *author_of(const struct accept_request *q)
{
	const struct judgement *j = q->judgement_n > 0 ? q->judgement : NULL;

	return j != NULL && j->author_n == 1 && q->account == 0 && contact_is_sound(j->author) ? j->author : NULL;
}

static err find_trust(struct store *s, const struct author *author, uint64_t account, struct arena *a,
                      struct trust *out)
{
	struct contact known;
	err e = contact_find(s->db, account, author, a, &known);

	if (e == OK)
		*out = trust_of(author, &known, a);
	return e;
}

/* --- one --- */

static uint64_t disposition_of(const struct accept_request *q, const struct delivery *d)
{
	uint64_t wanted = q->rcpts[d->rcpt].disposition;

	if (d->target->nowhere)
		return DISPOSITION_DISCARD;
	if (wanted > DISPOSITION_DISCARD)
		return DISPOSITION_DELIVER;
	return wanted == DISPOSITION_JUNK && d->target->forwarded ? DISPOSITION_QUARANTINE : wanted;
}

static err decide(struct store *s, const struct accept_request *q, struct delivery *d, struct arena *a)
{
	const struct author *author = author_of(q);
	uint64_t junk = 0;
	err e = OK;

	d->disposition = disposition_of(q, d);
	d->into = d->target->mailbox;
	d->trust.sentence = STR("");
	if (d->target->mailbox == 0)
		return OK;
	if (author != NULL)
		e = find_trust(s, author, d->target->account, a, &d->trust);
	if (e == OK && d->disposition == DISPOSITION_JUNK && s->config->spam.junk_inbox != CONFIG_YES)
		e = junk_of(s, d->target->account, &junk);
	if (junk != 0)
		d->into = junk;
	return e;
}

err deliveries_decide(struct store *s, const struct accept_request *q, struct delivery *list, size_t n, struct arena *a)
{
	err e = OK;

	for (size_t i = 0; i < n && e == OK; i++) {
		e = decide(s, q, &list[i], a);
		if (i % BETWEEN_YIELDS == BETWEEN_YIELDS - 1)
			rt_yield();
	}
	return e == OK ? OK : trouble();
}

str delivery_rule(const struct accept_request *q, const struct delivery *d, struct arena *a)
{
	if (d->target->nowhere)
		return STR("alias to " ROUTE_NOWHERE);
	str text = q->judgement_n > 0 ? q->judgement->findings : STR("");
	struct finding f;

	while (finding_next(&text, &f))
		if (f.kind == FINDING_DECISION)
			return arena_printf(a, STR_FMT "%s" STR_FMT, STR_ARG(f.name), f.evidence.n > 0 ? ": " : "",
			                    STR_ARG(f.evidence));
	return STR("the filter");
}
