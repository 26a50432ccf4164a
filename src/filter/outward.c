/* SPDX-License-Identifier: ISC */
/* Mail of ours: scanners, and signatures (RFC 6376) of the message as it will be. And a seal (RFC 8617) on mail from others, for those that it may be handed on to: nobody knows
 * here whose mail is forwarded, so all of it has one when seals are wanted. */
#include "base/log.h"
#include "filter/checks.h"
#include "filter/fields.h"
#include "filter/removal.h"
#include "filter/state.h"
#include "mail/address.h"

enum { ADDED_MAX = 256 << 10, FIELDS_MAX = 64 << 10, KEY_MEMORY = 8 << 10 };

/* --- the message as it will be --- */

static err final_message(const struct pass *p, struct buf *header, struct dkim_message *out)
{
	str message = pass_message(p);

	*header = BUF_INIT(message.n + ADDED_MAX);
	buf_put(header, p->reply->headers);
	removal_apply(message, p->reply->drop, p->reply->drop_n, header);
	*out = (struct dkim_message){buf_str(header), dkim_message_of(message).body};
	return header->full ? err_set(E_MEMORY, 451, "4.3.1", "Out of memory for this message") : OK;
}

/* --- who signs --- */

static const struct config_domain *ours(const struct config *c, str domain)
{
	const struct config_domain *d = config_domain_find(c, domain);

	return d != NULL && d->dkim != 0 ? d : NULL;
}

static const struct config_domain *sender_domain(const struct config *c, str sender)
{
	ARENA(a, KEY_MEMORY);
	struct address address;
	str local, domain;

	if (address_parse(sender, true, &address) != OK || address_key(&a, &address, &local, &domain) != OK)
		return NULL;
	return ours(c, domain);
}

/* The author's, so that DMARC passes; else that of the reverse-path. NULL: nobody. */
static const struct config_domain *signing_domain(const struct pass *p, const struct dkim_message *m)
{
	struct dmarc_author author;
	const struct config_domain *d =
		dmarc_author_find(m->header, p->arena, &author) == OK ? ours(p->config, author.domain) : NULL;

	return d != NULL ? d : sender_domain(p->config, p->request->sender);
}

static void note(struct pass *p, const char *name, const char *result, str domain, const struct dkim_key *keys,
                 size_t n)
{
	BUF(text, 1024);

	buf_printf(&text, STR_FMT, STR_ARG(domain));
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "%s" STR_FMT " (%s)", i == 0 ? ", selector " : ", ", STR_ARG(keys[i].selector),
		           keys[i].ed25519 ? "ed25519" : "rsa");
	finding_print(&p->findings, &(struct finding){.kind = FINDING_CHECK,
	                                              .name = str_from(name),
	                                              .result = str_from(result),
	                                              .evidence = buf_str(&text)});
}

/* A message without a signature is better than none: that it has none is in the log. */
static err go_without(struct pass *p, err e, str domain)
{
	if (e == E_CANCELLED || p->arena->full)
		return e;
	LOG(WARN, "dkim.unsigned", LOG_ID("mid", p->request->id), LOG_STR("domain", domain),
	    LOG_Z("error", err_info()->text));
	return OK;
}

/* `m`: complete, the signature's own field aside. */
static err sign_as(struct pass *p, const struct dkim_message *m, const struct config_domain *d)
{
	struct dkim_key keys[KEYRING_KEYS_MAX];
	size_t n = keyring_pick(p->filter->keyring, d->name, d->dkim, p->arena, keys);
	BUF(fields, FIELDS_MAX);

	if (n == 0)
		return OK;
	err e = dkim_sign(m, keys, n, p->now, p->arena, &fields);
	if (e != OK || fields.full)
		return go_without(p, e, d->name);
	note(p, "dkim-sign", "signed", d->name, keys, n);
	return pass_put_headers(p, buf_str(&fields));
}

static err sign(struct pass *p)
{
	BUF(header, 0);
	struct dkim_message m;
	err e = final_message(p, &header, &m);
	const struct config_domain *d = e == OK ? signing_domain(p, &m) : NULL;

	return d != NULL ? sign_as(p, &m, d) : e;
}

/* --- seals --- */

static const struct config_domain *sealing_domain(const struct pass *p)
{
	for (size_t i = 0; i < p->request->rcpts_n; i++) {
		const struct config_domain *d = sender_domain(p->config, p->request->rcpts[i].address);
		if (d != NULL && (d->dkim & DKIM_RSA) != 0)
			return d;
	}
	return NULL;
}

static err seal_as(struct pass *p, const struct checks *checks, const struct dkim_key *key)
{
	BUF(header, 0);
	BUF(results, FIELDS_MAX);
	BUF(fields, FIELDS_MAX);
	struct dkim_message m;
	err e = final_message(p, &header, &m);

	if (e != OK)
		return e;
	auth_results_value(&results, &checks->results);
	e = arc_seal(&m, &checks->arc, key, buf_str(&results), p->now, p->arena, &fields);
	if (e == E_LIMIT && !p->arena->full) /* as many as there may be */
		return OK;
	if (e != OK || fields.full || results.full)
		return go_without(p, e, key->domain);
	note(p, "arc-seal", "sealed", key->domain, key, 1);
	return pass_put_headers(p, buf_str(&fields));
}

err outward_seal(struct pass *p, const struct checks *checks)
{
	struct dkim_key keys[KEYRING_KEYS_MAX];
	const struct config_domain *d = sealing_domain(p);

	if (d == NULL || keyring_pick(p->filter->keyring, d->name, DKIM_RSA, p->arena, keys) == 0)
		return OK;
	return seal_as(p, checks, &keys[0]);
}

/* --- the order of things --- */

static err put_verdicts(struct pass *p, enum disposition disposition)
{
	struct inspect_reply *r = p->reply;
	size_t n;

	(void)pass_rcpts(p, &n);
	r->verdicts = arena_array(p->arena, n, sizeof(*r->verdicts));
	if (r->verdicts == NULL)
		return err_set(E_MEMORY, 451, "4.3.1", "Out of memory for this message");
	for (; r->verdicts_n < n; r->verdicts_n++)
		r->verdicts[r->verdicts_n].disposition = disposition;
	return OK;
}

/* Junk that is ours goes where it was meant to. */
static err obey_scanners(struct pass *p)
{
	switch (p->scan.action) {
	case SCAN_REJECT:
	case SCAN_LATER:
		pass_refuse(p, p->scan.action == SCAN_REJECT ? E_PERM : E_TEMP, (uint64_t)p->scan.reply, p->scan.status,
		            p->scan.text);
		return OK;
	case SCAN_QUARANTINE:
		return put_verdicts(p, DISPOSITION_QUARANTINE);
	case SCAN_DISCARD:
		return put_verdicts(p, DISPOSITION_DISCARD);
	default:
		return OK;
	}
}

static err remove_forged(struct pass *p)
{
	const struct removal how = {p->config->hostname, false, pass_before(p)};

	return removal_add(&how, pass_message(p), p->reply, p->arena);
}

static err finish(struct pass *p)
{
	err e = remove_forged(p);

	return e == OK ? sign(p) : e;
}

err outward(struct pass *p)
{
	err e = pass_scan(p);

	if (e == OK && p->reply->code == OK)
		e = obey_scanners(p);
	if (e == OK && p->reply->code == OK)
		e = finish(p);
	if (e == OK && p->findings.n > 0 && pass_judgement(p) == NULL)
		e = err_set(E_MEMORY, 451, "4.3.1", "Out of memory for this message");
	return e;
}
