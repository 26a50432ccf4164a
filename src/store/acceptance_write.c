/* SPDX-License-Identifier: ISC */
/* What an acceptance writes, in the writer's thread. */
#include "store/acceptance.h"
#include "store/contact.h"
#include "store/delivery.h"
#include "store/judged.h"
#include "store/ledger.h"

static err insert_item(struct db *db, const struct acceptance *x, const struct item *item)
{
	const struct envelope_rcpt *rcpt = &x->envelope.rcpts[item->first];
	err e = item_insert(db, &x->envelope, rcpt, item->prefix, item->size);

	return e == OK ? change_add(db, rcpt->mailbox, rcpt->modseq, rcpt->uid, CHANGE_ADDED) : e;
}

static err discard(struct db *db, const struct acceptance *x, size_t i)
{
	const struct ledger_credit c = {.message = x->envelope.id,
	                                .rcpt = i,
	                                .at = x->envelope.received,
	                                .kind = LEDGER_DISCARDED,
	                                .reply = x->kept[i]->rule};

	return ledger_credit(db, &c);
}

static err insert_recipient(struct db *db, const struct acceptance *x, size_t i)
{
	const struct envelope_rcpt *rcpt = &x->envelope.rcpts[i];

	if (rcpt->mailbox != 0)
		return ledger_deliver(db, &x->envelope, i);
	err e = ledger_accept(db, &x->envelope, i);
	if (e != OK)
		return e;
	return rcpt->settled != 0 ? discard(db, x, i) : queue_insert(db, &x->envelope, i, &x->times);
}

/* Who is in a mailbox and no junk is a contact from now on. */
static err keep_contacts(struct db *db, const struct acceptance *x)
{
	const struct judgement *j = x->request->judgement;
	bool author = j->author_n == 1 && x->request->account == 0 && contact_is_sound(j->author);
	err e = OK;

	for (size_t i = 0; i < x->items_n && author && e == OK; i++)
		if (x->kept[x->items[i].first]->disposition == DISPOSITION_DELIVER)
			e = contact_received(db, x->items[i].mailbox->account->id, x->envelope.received, j->author);
	return e;
}

static err keep_recipients(struct db *db, const struct acceptance *x)
{
	err e = OK;

	for (size_t i = 0; i < x->sent_to_n && e == OK; i++)
		if (x->answers[x->sent_to[i].rcpt].code == OK)
			e = contact_sent(db, x->request->account, x->envelope.received, &x->sent_to[i]);
	return e;
}

static err keep_judgement(struct db *db, const struct acceptance *x)
{
	err e = x->request->judgement_n > 0
	                ? judged_keep(db, x->envelope.id, x->envelope.received, x->request->judgement)
	                : OK;

	return e == OK && x->request->judgement_n > 0 ? keep_contacts(db, x) : e;
}

err acceptance_apply(struct writer *w, struct acceptance *x)
{
	struct db *db = writer_db(w);

	if (x->kept_n == 0)
		return OK;
	err e = message_insert(db, &x->envelope, &x->at, x->octets, x->items_n + x->queued_n);
	for (size_t i = 0; i < x->items_n && e == OK; i++)
		e = insert_item(db, x, &x->items[i]);
	for (size_t i = 0; i < x->kept_n && e == OK; i++)
		e = insert_recipient(db, x, i);
	if (e == OK)
		e = keep_judgement(db, x);
	if (e == OK)
		e = keep_recipients(db, x);
	if (x->items_n + x->queued_n > 0)
		writer_live(w, x->at.length);
	return e;
}
