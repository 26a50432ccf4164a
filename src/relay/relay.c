/* SPDX-License-Identifier: ISC */
#include "relay/relay.h"

#include <stdlib.h>

#include "rt/net.h"
#include "relay/deliverer.h"

enum { READ_MAX = 64 << 10 };

static err dial(void *ctx, const struct net_address *to, const struct net_address *source, struct stream **out,
                nsec deadline)
{
	int fd = -1;
	err e = net_connect(to, source, &fd, deadline);

	(void)ctx;
	if (e != OK)
		return e;
	*out = stream_open_fd(fd, READ_MAX);
	return *out != NULL ? OK : err_note(E_MEMORY, "no memory for a connection");
}

err relay_new(const struct relay_options *o, struct relay **out)
{
	struct relay *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_note(E_MEMORY, "no memory for the relay");
	r->config = config_hold(o->config);
	r->store = o->store;
	r->resolver = o->resolver;
	r->dial = dial;
	r->source = net_source;
	r->is_local = net_is_local;
	r->fetch = http_fetch;
	r->next_session = rt_random_u64() >> 4; /* two lives do not meet */
	sts_cache_init(&r->sts);
	callouts_init(&r->callouts);
	places_init(&r->places);
	err e = trust_new(&(struct certify_request){0}, &r->trust);
	if (e == OK)
		e = tls_reporting_new(r, &r->reporting);
	if (e == OK)
		e = dmarc_reporting_new(r, &r->dmarc_reporting);
	if (e == OK && o->keys != NULL)
		e = keyring_new(&r->resolver, o->keys, &r->keyring);
	if (e == OK)
		*out = r;
	else
		relay_free(r);
	return e;
}

/* What is in the air goes on with what it began with. */
void relay_configure(struct relay *r, struct config *config)
{
	config_release(r->config);
	r->config = config_hold(config);
}

err relay_certify(struct relay *r, const struct certify_request *q)
{
	struct trust *fresh;

	if (q->part != CERTIFY_ALL)
		return r->keyring != NULL ? keyring_replace(r->keyring, q) : OK;
	err e = trust_new(q, &fresh);

	if (e != OK)
		return e;
	if (r->keyring != NULL && (e = keyring_replace(r->keyring, q)) != OK) {
		trust_release(fresh);
		return e;
	}
	trust_release(r->trust);
	r->trust = fresh;
	return OK;
}

err relay_start(struct relay *r)
{
	err e = r->keyring != NULL ? keyring_start(r->keyring) : OK;

	if (e == OK)
		e = tls_reporting_start(r->reporting);
	if (e == OK)
		e = dmarc_reporting_start(r->dmarc_reporting);
	return e == OK ? deliverer_start(r) : e;
}

void relay_drain(struct relay *r, nsec deadline)
{
	r->draining = true;
	tls_reporting_cancel(r->reporting);
	dmarc_reporting_cancel(r->dmarc_reporting);
	deliverers_cancel(r, true);
	(void)!deliverers_wait(r, deadline);
}

/* Also when the caller itself was cancelled. */
void relay_stop(struct relay *r)
{
	r->draining = true;
	tls_reporting_stop(r->reporting);
	dmarc_reporting_stop(r->dmarc_reporting);
	deliverers_cancel(r, false);
	while (r->deliverers > 0)
		if (deliverers_wait(r, RT_NEVER) != OK)
			rt_yield();
	callouts_stop(&r->callouts);
	if (r->keyring != NULL)
		keyring_stop(r->keyring);
}

void relay_free(struct relay *r)
{
	if (r == NULL)
		return;
	tls_reporting_free(r->reporting);
	dmarc_reporting_free(r->dmarc_reporting);
	keyring_free(r->keyring);
	trust_release(r->trust);
	sts_cache_free(&r->sts);
	callouts_free(&r->callouts);
	places_free(&r->places);
	config_release(r->config);
	free(r);
}
