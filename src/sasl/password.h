/* SPDX-License-Identifier: ISC */
/* Passwords as libcrypt keeps them. Both functions take about 20 ms and block: call them through rt_work. Thread-safe. */
#ifndef SASL_PASSWORD_H
#define SASL_PASSWORD_H

#include "base/buf.h"
#include "base/err.h"

#define PASSWORD_MAX 1024 /* octets; longer ones, empty ones and those with a NUL are refused: E_SYNTAX */

MUST_USE err password_hash(str password, struct buf *hash);    /* yescrypt, new salt */
/* False also for a hash of an unknown kind; takes as long for "" (no such account) as for a real hash. */
MUST_USE bool password_verify(str password, str hash);

#endif
