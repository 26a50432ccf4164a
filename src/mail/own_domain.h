/* SPDX-License-Identifier: ISC */
/* own_domain - the domain of ours that an address is in. Pure. */
#ifndef MAIL_OWN_DOMAIN_H
#define MAIL_OWN_DOMAIN_H

#include "conf/config.h"

/* `address` as an envelope has it, without brackets; NULL: another's, or none at all. Belongs to `c`. */
const struct config_domain *own_domain(const struct config *c, str address);

#endif
