/* SPDX-License-Identifier: ISC */
/* qualify - addresses without a domain, as programs of a Unix machine write them ("To: root"), become addresses of a domain. Pure. */
#ifndef MAIL_QUALIFY_H
#define MAIL_QUALIFY_H

#include "base/buf.h"

/* Appends the value of an address field (RFC 5322 3.4) with @domain behind each address that has none; all else stays as it is. */
void qualify_addresses(struct buf *out, str value, str domain);

#endif
