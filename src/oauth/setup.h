/* SPDX-License-Identifier: ISC */
/* setup - what is configured and handed over at one time: whom to ask and as whom. A request holds the one that it began with. */
#ifndef OAUTH_SETUP_H
#define OAUTH_SETUP_H

#include "conf/config.h"
#include "conf/url.h"
#include "dns/dns.h"
#include "rt/http.h"

struct setup_files {
	str authorities; /* PEM, "" none */
	str secret;      /* of the client; p NULL: it could not be read */
};
struct setup {
	unsigned references;
	struct config *config;
	struct url url;
	struct setup_files files;
	struct arena memory;
};
MUST_USE err setup_new(struct config *config, const struct setup_files *files, struct setup **out); /* one reference */
struct setup *setup_hold(struct setup *s);
void setup_release(struct setup *s); /* NULL allowed; wipes the secret with the last one */
bool setup_same_oauth(const struct setup *a,
                      const struct setup *b); /* what was learned with the one is true with the other */

/* How the outside is reached. */
struct outside {
	struct resolver resolver;
	err (*fetch)(const struct http_request *q, str *body, struct arena *a,
	             nsec deadline); /* tests put in another */
};
/* GET, or with `form` a POST with the client's name and secret. Parks. `body` in `a`. E_CANCELLED; else E_TEMP, err_info says why. */
MUST_USE err setup_fetch(const struct setup *s, const struct outside *o, str form, size_t max, str *body,
                         struct arena *a, nsec deadline);

#endif
