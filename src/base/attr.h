/* SPDX-License-Identifier: ISC */
/* Attributes that both compilers know, and the few macros every file wants. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define MUST_USE     __attribute__((warn_unused_result))
#define UNUSED       __attribute__((unused))
#define NORETURN     __attribute__((noreturn))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define CLEANUP(fn)  __attribute__((cleanup(fn))) /* fn gets a pointer to the variable when it leaves scope */
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
