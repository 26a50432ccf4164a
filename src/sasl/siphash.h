/* SPDX-License-Identifier: ISC */
/* SipHash-2-4 with 128 bits (Aumasson, Bernstein: "SipHash: a fast short-input PRF"): whoever does not know the key can neither tell
 * what was hashed nor find something else with the same hash. */
#ifndef SASL_SIPHASH_H
#define SASL_SIPHASH_H

#include "base/str.h"

#define SIPHASH_SIZE 16

void siphash(const unsigned char key[16], str message, unsigned char out[SIPHASH_SIZE]);

#endif
