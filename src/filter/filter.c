/* SPDX-License-Identifier: ISC */
#include "filter/filter.h"

#include <stdlib.h>

#include "filter/lessons.h"
#include "filter/state.h"

/* --- a message --- */

/* What no check has to be asked about: loops, broken headers. */
static err refused_at_sight(struct pass *p)
{
	finding_print(&p->findings, &(struct finding){.kind = FINDING_DECISION,
	                                              .name = STR("structure"),
	                                              .result = STR("reject"),
	                                              .evidence = p->reply->text});
	return pass_judgement(p) != NULL ? OK : err_set(E_MEMORY, 451, "4.3.1", "Out of memory for this message");
}

static err pass_run(struct pass *p)
{
	struct net_address client;
	err e = pass_look(p);

	if (e != OK)
		return e;
	p->source = pass_source(p->config, p->request, &client);
	if (p->reply->code != OK)
		return refused_at_sight(p);
	return p->source == SOURCE_OURS ? outward(p) : inward(p, &client);
}

err filter_inspect(struct filter *f, const struct inspect_request *q, struct inspect_reply *r, struct arena *a)
{
	struct pass p = {.filter = f,
	                 .request = q,
	                 .reply = r,
	                 .arena = a,
	                 .findings = BUF_INIT(FINDINGS_MAX),
	                 .now = rt_wall()};

	if (q->origin_n != 1)
		return err_note(E_SYNTAX, "a message without an origin");
	p.config = config_hold(f->config);
	err e = pass_run(&p);
	config_release(p.config);
	buf_free(&p.findings);
	return e;
}

/* --- the filter --- */

err filter_new(const struct filter_options *o, struct filter **out)
{
	struct filter *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return err_note(E_MEMORY, "no memory for the filter");
	*f = (struct filter){.config = config_hold(o->config), .behind = o->resolver, .store = o->store, .monitor = o->monitor};
	err e = dns_cache_new(&f->behind, &f->dns);
	if (e == OK)
		e = dkim_key_cache_new(&f->keys);
	if (e == OK)
		e = keyring_new(&f->behind, o->keys, &f->keyring);
	if (e == OK)
		e = models_new(o->store, &f->models);
	if (e != OK) {
		filter_free(f);
		return e;
	}
	f->resolver = dns_cache_resolver(f->dns);
	*out = f;
	return OK;
}

static void learn_run(void *arg)
{
	struct filter *f = arg;

	lessons_run(f->store);
	f->learner = NULL;
	if (f->stopper != NULL)
		rt_wake(f->stopper);
}

err filter_start(struct filter *f)
{
	f->learner = rt_spawn(learn_run, f, "lessons");
	return f->learner != NULL ? keyring_start(f->keyring) : err_note(E_MEMORY, "no memory for a coroutine");
}

void filter_configure(struct filter *f, struct config *config)
{
	config_release(f->config);
	f->config = config_hold(config);
	dns_cache_clear(f->dns); /* others may be asked now */
}

err filter_certify(struct filter *f, const struct certify_request *q)
{
	return keyring_replace(f->keyring, q);
}

void filter_stop(struct filter *f)
{
	keyring_stop(f->keyring);
	f->stopper = rt_self();
	if (f->learner != NULL)
		rt_cancel(f->learner);
	while (f->learner != NULL)
		if (rt_park(RT_NEVER) == E_CANCELLED)
			rt_yield();
	f->stopper = NULL;
}

void filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	keyring_free(f->keyring);
	models_free(f->models);
	dkim_key_cache_free(f->keys);
	dns_cache_free(f->dns);
	config_release(f->config);
	free(f);
}
