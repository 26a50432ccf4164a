/* SPDX-License-Identifier: ISC */
#include "role/dial.h"

#define DIAL_TIME (5 * NSEC_PER_SEC)

err dial_serve(const struct config *c, const struct dial_request *q, struct dial_reply *r)
{
	for (size_t i = 0; i < c->scanners_n; i++) {
		const struct config_scanner *s = &c->scanners[i];
		if (s->address.sa.ss_family == AF_UNIX && str_equal(s->text, q->address))
			return net_connect(&s->address, NULL, &r->socket, rt_after(DIAL_TIME));
	}
	return err_note(E_DENIED, "no scanner is at " STR_FMT, STR_ARG(q->address));
}
