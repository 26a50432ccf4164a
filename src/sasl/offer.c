/* SPDX-License-Identifier: ISC */
#include "sasl/offer.h"

#include "rt/tls.h"

enum need { NEED_BINDING = 1, NEED_SHA1 = 2, NEED_CERTIFICATE = 4, NEED_OAUTH = 8 };

static const struct {
	str name;
	unsigned needs;
} mechanisms[] = {
	{STR("SCRAM-SHA-256-PLUS"), NEED_BINDING},
	{STR("SCRAM-SHA-256"), 0},
	{STR("SCRAM-SHA-1"), NEED_SHA1},
	{STR("OAUTHBEARER"), NEED_OAUTH},
	{STR("XOAUTH2"), NEED_OAUTH},
	{STR("PLAIN"), 0},
	{STR("LOGIN"), 0},
	{STR("EXTERNAL"), NEED_CERTIFICATE},
};

struct sasl_offer sasl_offer_of(const struct stream *s, bool loopback, const struct config *config)
{
	struct sasl_offer o = {.tls = stream_is_tls(s),
	                       .loopback = loopback,
	                       .sha1 = config->scram_sha1 == PERMISSION_ALLOW,
	                       .oauth = config->oauth.kind != OAUTH_NONE};

	o.certificate = stream_tls_info(s).client_fingerprint.n > 0;
	o.binding = config->scram_plus == PERMISSION_ALLOW && stream_tls_can_bind(s);
	return o;
}

static bool has(const struct sasl_offer *o, unsigned needs)
{
	return (o->tls || o->loopback) && ((needs & NEED_BINDING) == 0 || (o->tls && o->binding)) &&
	       ((needs & NEED_SHA1) == 0 || o->sha1) &&
	       ((needs & NEED_CERTIFICATE) == 0 || (o->tls && o->certificate)) &&
	       ((needs & NEED_OAUTH) == 0 || (o->tls && o->oauth));
}

void sasl_offered(const struct sasl_offer *o, struct buf *out)
{
	bool first = true;

	for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
		if (!has(o, mechanisms[i].needs))
			continue;
		buf_puts(out, first ? "" : " ");
		buf_put(out, mechanisms[i].name);
		first = false;
	}
}

bool sasl_is_offered(const struct sasl_offer *o, str mechanism)
{
	for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
		if (str_equal_nocase(mechanism, mechanisms[i].name))
			return has(o, mechanisms[i].needs);
	return false;
}
