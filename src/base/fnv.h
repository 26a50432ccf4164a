/* SPDX-License-Identifier: ISC */
/* fnv - FNV-1a, 64 bits: the same in every process and after each restart. Whoever chooses what is hashed can choose collisions, too: tables of
 * what peers send are base/map.h.
 */
#ifndef BASE_FNV_H
#define BASE_FNV_H

#include "base/str.h"

#define FNV_START UINT64_C(0xcbf29ce484222325) /* to begin with */

uint64_t fnv_octets(uint64_t hash, str s);
uint64_t fnv_word(uint64_t hash, uint64_t word); /* the word at once, not octet by octet */

#endif
