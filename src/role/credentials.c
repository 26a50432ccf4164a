/* SPDX-License-Identifier: ISC */
#include "role/credentials.h"

#include "base/log.h"

enum { MADE_AT_ONCE = 4 };

static void take_stamps(struct credentials *c, const struct config *config)
{
	c->certificates_seen = certificates_stamp(config);
	c->trust_seen = trust_files_stamp(config);
}

/* A few are made at once, so that a small server signs from its first message on; key_maker makes the others. */
static err load_domain_keys(const struct config *config, struct domain_keys *out)
{
	err e = domain_keys_load(config, STR_NONE, out);

	if (e == OK && domain_keys_make_first(out, config, STR_NONE, rt_wall(), MADE_AT_ONCE) != OK)
		LOG(ERROR, "dkim.key-unmade", LOG_Z("error", err_info()->text));
	return e;
}

err credentials_load(struct credentials *c, const struct config *config)
{
	take_stamps(c, config);
	err e = certificates_load(config, &c->certificates);
	if (e == OK)
		e = trust_files_load(config, &(struct trust_files){0}, &c->trust);
	return e == OK ? load_domain_keys(config, &c->domain_keys) : e;
}

void credentials_free(struct credentials *c)
{
	certificates_free(&c->certificates);
	trust_files_free(&c->trust);
	domain_keys_free(&c->domain_keys);
}

bool credentials_changed(const struct credentials *c, const struct config *config)
{
	return c->certificates_seen != certificates_stamp(config) || c->trust_seen != trust_files_stamp(config) ||
	       domain_keys_changed(&c->domain_keys, config);
}

static err tell_certificates(struct credentials *c, struct certificates *fresh, struct children *children)
{
	struct certificates before = c->certificates;

	c->certificates = *fresh;
	err e = children_certify(children);
	if (e == E_SYNTAX) {
		c->certificates = before;
		before = *fresh;
	}
	certificates_free(&before);
	return e;
}

static void renew_certificates(struct credentials *c, const struct config *config, struct children *children)
{
	struct certificates fresh;
	err e = certificates_load(config, &fresh);

	if (e == OK)
		e = tell_certificates(c, &fresh, children);
	if (e != OK)
		LOG(ERROR, "tls.reload", LOG_Z("error", err_info()->text));
	else
		LOG(INFO, "tls.reload", LOG_NUM("certificates", c->certificates.n));
}

static err tell_trust(struct credentials *c, struct trust_files *fresh, struct children *children)
{
	struct trust_files before = c->trust;

	c->trust = *fresh;
	err e = children_trust(children);
	if (e == E_SYNTAX) {
		struct err_info why = *err_info();
		c->trust = before;
		before = *fresh;
		(void)!children_trust(children); /* whoever was told already */
		(void)err_note(e, "%s", why.text);
	}
	trust_files_free(&before);
	return e;
}

static void renew_trust(struct credentials *c, const struct config *config, struct children *children)
{
	struct trust_files fresh;
	err e = trust_files_load(config, &c->trust, &fresh);

	if (e == OK)
		e = tell_trust(c, &fresh, children);
	if (e != OK)
		LOG(ERROR, "trust.reload", LOG_Z("error", err_info()->text));
	else
		LOG(INFO, "trust.reload", LOG_NUM("files", c->trust.n));
}

struct keys_loading {
	struct config *config;
	struct domain_keys fresh;
	err result;
};

static void load_work(void *arg)
{
	struct keys_loading *l = arg;

	l->result = load_domain_keys(l->config, &l->fresh);
}

/* Told with the rest, to whom it concerns. Nobody is being told of the old ones when they go. */
static void renew_domain_keys(struct credentials *c, struct config *config, struct children *children)
{
	struct keys_loading l = {.config = config};

	rt_work(load_work, &l); /* seconds, when there are very many */
	if (l.result == OK && semaphore_take(&children->changes, RT_NEVER) != OK) {
		domain_keys_free(&l.fresh);
		return;
	}
	if (l.result != OK) {
		LOG(ERROR, "dkim.reload", LOG_Z("error", err_info()->text));
		return;
	}
	domain_keys_free(&c->domain_keys);
	c->domain_keys = l.fresh;
	semaphore_give(&children->changes);
	LOG(INFO, "dkim.reload", LOG_NUM("keys", l.fresh.n));
}

void credentials_renew(struct credentials *c, struct config *config, struct children *children)
{
	take_stamps(c, config);
	renew_domain_keys(c, config, children);
	renew_certificates(c, config, children);
	renew_trust(c, config, children);
}
