/* SPDX-License-Identifier: ISC */
/* auth_results - the header field Authentication-Results (RFC 8601): ours written, those that say they are ours found. Pure. */
#ifndef MAILAUTH_AUTH_RESULTS_H
#define MAILAUTH_AUTH_RESULTS_H

#include "mailauth/arc.h"
#include "mailauth/dmarc.h"
#include "mailauth/iprev.h"

struct auth_results {
	str hostname; /* our authserv-id */
	str client;   /* its address */
	str sender, helo;
	const struct spf_result *spf;     /* NULL: not checked; so are all below */
	const struct iprev_result *iprev;
	const struct dkim_result *dkim;
	size_t dkim_n;
	const struct dmarc_result *dmarc;
	str author;  /* domain of From, for header.from */
	const struct arc_result *arc;
	str login;   /* auth=pass smtp.auth=...: "" none */
};
/* Appends the field with CRLF, folded; values that others gave are quoted, or left out where they cannot be. */
void auth_results_print(struct buf *out, const struct auth_results *r);
/* The value alone, in one line: for ARC-Authentication-Results. */
void auth_results_value(struct buf *out, const struct auth_results *r);
/* Is this field's value one that says it is ours? Whatever its comments, folds, quotes and case: when in doubt it is (RFC 8601 5). */
bool auth_results_is_ours(str value, str hostname);
/* For ARC: does a value (arc_set.results) say that `method` passed with a property of this domain ("dmarc" "header.from", ...)? */
bool auth_results_passed(str value, str method, str property, str domain);

#endif
