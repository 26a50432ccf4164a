/* SPDX-License-Identifier: ISC */
#include "relay/signature.h"

#include "base/log.h"
#include "filter/keyring.h"
#include "mailauth/dmarc.h"
#include "relay/state.h"

enum { MEMORY = 1 << 20, FIELDS_MAX = 16 << 10 };

/* Relaxed alignment (RFC 9989 3.2.10.1): a parent's signature does. NULL: none of ours that signs. */
static const struct config_domain *signing_domain(const struct relay *r, str name)
{
	const struct config_domain *d = config_domain_find(r->config, name);
	str rest = name;

	while (d == NULL && str_cut(rest, '.', &name, &rest))
		d = config_domain_find(r->config, rest);
	return d != NULL && d->dkim != 0 ? d : NULL;
}

static err sign(const struct relay *r, const struct config_domain *d, const struct dkim_message *m, struct arena *a,
                struct buf *fields)
{
	struct dkim_key keys[KEYRING_KEYS_MAX];
	size_t n = keyring_pick(r->keyring, d->name, d->dkim, a, keys);

	if (n == 0)
		return OK;
	err e = dkim_sign(m, keys, n, rt_wall(), a, fields);
	return e == OK && fields->full ? err_note(E_LIMIT, "no memory for a signature") : e;
}

void signature_put(const struct relay *r, struct buf *mail)
{
	ARENA(a, MEMORY);
	BUF(fields, FIELDS_MAX);
	struct dkim_message m = dkim_message_of(buf_str(mail));
	struct dmarc_author author;

	if (r->keyring == NULL || dmarc_author_find(m.header, &a, &author) != OK)
		return;
	const struct config_domain *d = signing_domain(r, author.domain);
	err e = d == NULL ? OK : sign(r, d, &m, &a, &fields);
	if (e != OK) {
		LOG(WARN, "relay.unsigned", LOG_STR("domain", d->name), LOG_Z("error", err_info()->text));
		return;
	}
	struct buf all = BUF_INIT(mail->cap + FIELDS_MAX);
	buf_put(&all, buf_str(&fields));
	buf_put(&all, buf_str(mail));
	if (!all.full) {
		struct buf old = *mail;
		*mail = all;
		all = old;
	}
	buf_free(&all);
}
