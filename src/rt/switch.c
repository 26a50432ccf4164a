/* SPDX-License-Identifier: ISC */
/* Only what the ABI says a call preserves is saved. The last step is a pop and an indirect jump: a `ret` to another
 * stack than the one that called is always mispredicted. The x87 and SSE control words are the same in all coroutines.
 */
#include <stdint.h>

#include "rt/switch.h"

#if SWITCH_UCONTEXT

#include <stdlib.h>
#include <ucontext.h>

void switch_stack(void **save, void *to)
{
	ucontext_t here;

	*save = &here;
	if (swapcontext(&here, (ucontext_t *)to) < 0)
		abort();
}

void *switch_prepare(char *top, size_t size, void (*entry)(void))
{
	size_t room = (sizeof(ucontext_t) + 63) & ~(size_t)63;
	ucontext_t *first = (ucontext_t *)(void *)(top - room);

	if (getcontext(first) < 0)
		abort();
	first->uc_stack.ss_sp = top - size;
	first->uc_stack.ss_size = size - room;
	first->uc_link = NULL;
	makecontext(first, entry, 0);
	return first;
}

#elif defined(__x86_64__)

__asm__(".text\n"
        ".p2align 4\n"
        ".globl switch_stack\n"
        ".hidden switch_stack\n"
        ".type switch_stack, @function\n"
        "switch_stack:\n"
        "	pushq %rbp\n"
        "	pushq %rbx\n"
        "	pushq %r12\n"
        "	pushq %r13\n"
        "	pushq %r14\n"
        "	pushq %r15\n"
        "	movq %rsp, (%rdi)\n"
        "	movq %rsi, %rsp\n"
        "	popq %r15\n"
        "	popq %r14\n"
        "	popq %r13\n"
        "	popq %r12\n"
        "	popq %rbx\n"
        "	popq %rbp\n"
        "	popq %rcx\n"
        "	jmpq *%rcx\n"
        ".size switch_stack, . - switch_stack\n");

/* Six registers, the address to jump to, and a zero where entry() would find its return address: the end of a
 * backtrace. */
void *switch_prepare(char *top, size_t size, void (*entry)(void))
{
	uintptr_t *sp = (uintptr_t *)(void *)top - 8;

	(void)size;
	for (size_t i = 0; i < 8; i++)
		sp[i] = 0;
	sp[6] = (uintptr_t)entry;
	return sp;
}

#elif defined(__aarch64__)

__asm__(".text\n"
        ".p2align 4\n"
        ".globl switch_stack\n"
        ".hidden switch_stack\n"
        ".type switch_stack, %function\n"
        "switch_stack:\n"
        "	sub sp, sp, #160\n"
        "	stp x19, x20, [sp, #0]\n"
        "	stp x21, x22, [sp, #16]\n"
        "	stp x23, x24, [sp, #32]\n"
        "	stp x25, x26, [sp, #48]\n"
        "	stp x27, x28, [sp, #64]\n"
        "	stp x29, x30, [sp, #80]\n"
        "	stp d8, d9, [sp, #96]\n"
        "	stp d10, d11, [sp, #112]\n"
        "	stp d12, d13, [sp, #128]\n"
        "	stp d14, d15, [sp, #144]\n"
        "	mov x9, sp\n"
        "	str x9, [x0]\n"
        "	mov sp, x1\n"
        "	ldp x19, x20, [sp, #0]\n"
        "	ldp x21, x22, [sp, #16]\n"
        "	ldp x23, x24, [sp, #32]\n"
        "	ldp x25, x26, [sp, #48]\n"
        "	ldp x27, x28, [sp, #64]\n"
        "	ldp x29, x30, [sp, #80]\n"
        "	ldp d8, d9, [sp, #96]\n"
        "	ldp d10, d11, [sp, #112]\n"
        "	ldp d12, d13, [sp, #128]\n"
        "	ldp d14, d15, [sp, #144]\n"
        "	add sp, sp, #160\n"
        "	mov x16, x30\n"
        "	mov x30, xzr\n"
        "	br x16\n"
        ".size switch_stack, . - switch_stack\n");

void *switch_prepare(char *top, size_t size, void (*entry)(void))
{
	uintptr_t *sp = (uintptr_t *)(void *)top - 20;

	(void)size;
	for (size_t i = 0; i < 20; i++)
		sp[i] = 0;
	sp[11] = (uintptr_t)entry; /* x30 */
	return sp;
}

#endif
