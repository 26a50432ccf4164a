/* SPDX-License-Identifier: ISC */
/* switch - moving the processor from one stack to another, and nothing else. */
#ifndef RT_SWITCH_H
#define RT_SWITCH_H

#include <stddef.h>

/* Bytes below a saved stack pointer that may still be in use. */
#if defined(RT_UCONTEXT) || !(defined(__x86_64__) || defined(__aarch64__))
#define SWITCH_UCONTEXT 1
#define SWITCH_MARGIN   1024
#else
#define SWITCH_UCONTEXT 0
#define SWITCH_MARGIN   0
#endif

/* Keeps where we are in *save and goes on at `to`; returns when somebody switches back to *save. */
void switch_stack(void **save, void *to);
/* The first `to` of a stack that ends at `top` (16-byte aligned, `size` bytes): entry() runs there and must never
 * return. */
void *switch_prepare(char *top, size_t size, void (*entry)(void));

#endif
