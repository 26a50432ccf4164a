/* SPDX-License-Identifier: ISC */
/* resolve - asks the DNS for all others, validates and remembers. */
#include "role/process.h"

const struct role_type role_resolve = {
	.name = "resolve",
};
