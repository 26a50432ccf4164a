/* SPDX-License-Identifier: ISC */
/* date_field - the value of Date (RFC 5322 3.3) with the obsolete syntax of 4.3. Pure. */
#ifndef MAIL_DATE_FIELD_H
#define MAIL_DATE_FIELD_H

#include "base/date.h"
#include "base/str.h"

/* False: it is none. Zones that are not known count as UTC (RFC 5322 4.3). */
MUST_USE bool date_field_parse(str value, int64_t *usec);

#endif
