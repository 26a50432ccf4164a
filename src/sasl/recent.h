/* SPDX-License-Identifier: ISC */
/* recent - a bounded memory of keys, each with the instant until which it counts and perhaps a value. The one that was put longest ago is forgotten
 * first. Nothing may depend on a key being there: memory may be short, or the table full of others.
 */
#ifndef SASL_RECENT_H
#define SASL_RECENT_H

#include "base/map.h"
#include "rt/rt.h"

struct recent_entry;

struct recent {
	struct map map;
	struct recent_entry *oldest, *newest;
	size_t max; /* entries */
};

void recent_init(struct recent *r, size_t max);
void recent_free(struct recent *r);
/* The instant given at the last put; 0 when the key is not known. */
nsec recent_until(const struct recent *r, str key);
void recent_put(struct recent *r, str key, nsec until);
/* The same, with a copy of `value`; its view lasts until the next put. "": there is none. */
void recent_put_value(struct recent *r, str key, nsec until, str value);
str recent_value(const struct recent *r, str key);
void recent_forget(struct recent *r); /* all */

#endif
