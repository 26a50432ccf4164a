/* SPDX-License-Identifier: ISC */
/* fake - for tests: a resolver that answers what it was given. */
#ifndef DNS_FAKE_H
#define DNS_FAKE_H

#include "dns/dns.h"

struct fake_dns {
	err error;                  /* of the call */
	struct resolve_reply reply; /* canonical "": the name that was asked for */
	char asked[300];
	uint64_t type;
};

static inline err fake_ask(void *ctx, const struct resolve_request *q, struct resolve_reply *r, struct arena *a UNUSED,
                           nsec deadline UNUSED)
{
	struct fake_dns *f = ctx;
	str name = str_take(q->name, sizeof(f->asked) - 1);

	memcpy(f->asked, name.n > 0 ? name.p : "", name.n);
	f->asked[name.n] = 0;
	f->type = q->type;
	*r = f->reply;
	if (r->canonical.n == 0)
		r->canonical = str_from(f->asked);
	return f->error == OK ? OK : err_note(f->error, "no answer");
}

static inline struct resolver fake_resolver(struct fake_dns *f)
{
	return (struct resolver){.ask = fake_ask, .ctx = f};
}

#endif
