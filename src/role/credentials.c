/* SPDX-License-Identifier: ISC */
#include "role/credentials.h"

#include "base/log.h"

static void take_stamps(struct credentials *c, const struct config *config)
{
	c->certificates_seen = certificates_stamp(config);
	c->trust_seen = trust_files_stamp(config);
}

err credentials_load(struct credentials *c, const struct config *config)
{
	take_stamps(c, config);
	err e = certificates_load(config, &c->certificates);
	if (e == OK)
		e = trust_files_load(config, &(struct trust_files){0}, &c->trust);
	return e == OK ? domain_keys_load(config, rt_wall(), &c->domain_keys) : e;
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
	       domain_keys_changed(&c->domain_keys, config, rt_wall());
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

/* Told with the rest, to whom it concerns. */
static void renew_domain_keys(struct credentials *c, const struct config *config)
{
	struct domain_keys fresh;
	err e = domain_keys_load(config, rt_wall(), &fresh);

	if (e != OK) {
		LOG(ERROR, "dkim.reload", LOG_Z("error", err_info()->text));
		return;
	}
	domain_keys_free(&c->domain_keys);
	c->domain_keys = fresh;
	LOG(INFO, "dkim.reload", LOG_NUM("keys", fresh.n));
}

void credentials_renew(struct credentials *c, const struct config *config, struct children *children)
{
	take_stamps(c, config);
	renew_domain_keys(c, config);
	renew_certificates(c, config, children);
	renew_trust(c, config, children);
}
