/* SPDX-License-Identifier: ISC */
/* certificate - what a certificate says of itself. Nothing is verified. */
#ifndef RT_CERTIFICATE_H
#define RT_CERTIFICATE_H

#include "base/err.h"
#include "base/str.h"

#define CERTIFICATE_FINGERPRINT 64 /* SHA-256 in hex */

struct certificate_facts {
	char fingerprint[CERTIFICATE_FINGERPRINT + 1]; /* lower case */
	char key[CERTIFICATE_FINGERPRINT + 1];         /* the same of its public key: a TLSA record's "3 1 1" (RFC 7671 5.1) */
	int64_t begins, ends;                          /* microseconds since 1970 */
	bool names;                                    /* the host (RFC 6125) */
};
/* Of the first certificate in `pem`. `host`: a name to look for, "" none. E_SYNTAX: there is no certificate in it.
 * E_MEMORY. */
MUST_USE err certificate_look(str pem, str host, struct certificate_facts *out);

/* "AB:CD:..." or "abcd..." as certificate_look writes it, in `out`. False: no such fingerprint. */
MUST_USE bool certificate_fingerprint_parse(str text, char out[CERTIFICATE_FINGERPRINT + 1]);

#endif
