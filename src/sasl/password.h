/* SPDX-License-Identifier: ISC */
/* Passwords as libcrypt keeps them. Both functions take about 20 ms and block: call them through rt_work. Thread-safe. */
#ifndef SASL_PASSWORD_H
#define SASL_PASSWORD_H

#include "base/buf.h"
#include "base/err.h"

#define PASSWORD_MAX \
	511 /* octets, libcrypt's limit; longer ones, empty ones and those with a NUL are refused: E_SYNTAX */

/* Appends the hash: yescrypt with libcrypt's own cost and a new salt. E_SYNTAX; E_LIMIT: `hash` is full; E_MEMORY. */
MUST_USE err password_hash(str password, struct buf *hash);
/* False also for a hash of an unknown kind, and for a password that password_hash would refuse; takes as long for "" (no such
 * account) as for a real hash. */
MUST_USE bool password_verify(str password, str hash);

#endif
