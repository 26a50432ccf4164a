/* SPDX-License-Identifier: ISC */
/* err - errors are values. The text and the reply for the peer are set where the fault is known, once:
 *
 *	return err_set(E_TEMP, 451, "4.4.3", "DNS lookup failed for %s", name);
 *
 * and read where the peer is answered, by err_info(). Each coroutine has an err_info of its own (rt switches `err_slot`).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attr.h"

typedef enum {
	OK = 0,
	E_END,    /* nothing more: end of input, of a list, of a transaction */
	E_TEMP,   /* may work later (4xx) */
	E_PERM,   /* will not work (5xx) */
	E_SYNTAX, /* input is malformed */
	E_LIMIT,  /* a cap was reached */
	E_FULL,   /* no space, or over quota: nothing was kept */
	E_NOT_FOUND,
	E_EXISTS,
	E_DENIED,
	E_BUSY,      /* locked by somebody else */
	E_IO,        /* a system call failed on a file */
	E_CLOSED,    /* the peer closed or reset the connection */
	E_TIMEOUT,   /* the deadline passed */
	E_CANCELLED, /* this coroutine was cancelled: unwind */
	E_MEMORY,
	E_LAST = E_MEMORY
} err;

struct err_info {
	err code;
	int reply;       /* SMTP reply code, 0 when none was named */
	char status[12]; /* enhanced status code, "" when none */
	char text[180];  /* one sentence, no line end */
};

/* Notes the error and returns `code`. `status` may be NULL. Control characters in the text become '?'. */
err err_set(err code, int reply, const char *status, const char *fmt, ...) PRINTF(4, 5);
/* Shorthand for a fault that no peer is told: err_set(code, 0, NULL, ...). */
err err_note(err code, const char *fmt, ...) PRINTF(2, 3);

/* What was last set in this coroutine (or thread); valid until the next err_set. Never NULL. */
const struct err_info *err_info(void);
const char *err_name(err code); /* "temp", "limit" ... for logs */

/* Where err_set writes; rt points it at the running coroutine's own. NULL means the thread's own. */
extern _Thread_local struct err_info *err_slot;

#endif
