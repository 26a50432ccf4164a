/* SPDX-License-Identifier: ISC */
/* skeleton - what two texts have in common that look the same to a reader: "paypa1.example", "pаypal.example" with a Cyrillic letter, and "paypal.example"
 * have the same (after Unicode TS 39, with a small table of our own). Pure. */
#ifndef MAIL_SKELETON_H
#define MAIL_SKELETON_H

#include "base/arena.h"
#include "base/str.h"

/* Of an address, its A-labels shown as readers see them. STR_NONE: no memory. */
str skeleton_address(struct arena *a, str address);
/* Of a display name: letters and digits, in lower case, words in alphabetical order ("Smith, John" and "john smith" are one). "" when nothing is left. */
str skeleton_name(struct arena *a, str name);

#endif
