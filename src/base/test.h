/* SPDX-License-Identifier: ISC */
/* What every unit test includes: cmocka with the headers it wants, and assertions about views. */
#ifndef BASE_TEST_H
#define BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

#define assert_str(got, want)                                                                      \
	do {                                                                                       \
		str assert_got = (got), assert_want = str_from(want);                              \
		if (!str_equal(assert_got, assert_want))                                           \
			fail_msg("got \"" STR_FMT "\", want \"" STR_FMT "\"", STR_ARG(assert_got), \
			         STR_ARG(assert_want));                                            \
	} while (0)

#endif
