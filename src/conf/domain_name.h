/* SPDX-License-Identifier: ISC */
/* domain_name - names of domains as people write them, folded to the form in which they are compared and published. */
#ifndef CONF_DOMAIN_NAME_H
#define CONF_DOMAIN_NAME_H

#include "base/arena.h"
#include "base/err.h"

/* `out` in `a`: lower case, U-labels as A-labels (RFC 5891), without a dot at the end. E_SYNTAX with the reason in err_info when `name` is no
 * name of a mail domain (RFC 5321 4.1.2 Domain: letters, digits, hyphens), E_MEMORY. */
MUST_USE err domain_name_fold(str name, struct arena *a, str *out);

#endif
