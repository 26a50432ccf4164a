/* SPDX-License-Identifier: ISC */
/* From the sets of confine_calls.h to a program of the kernel's. */
#include <errno.h>
#include <unistd.h>

#include "role/confine_calls.h"

/* One that is built. */
struct filter {
	scmp_filter_ctx context;
	int last; /* number of the call allowed last */
	size_t allowed;
};

static uint32_t action_of(const struct call_set *s)
{
	switch (s->verdict) {
	case CALLS_ALLOWED:
		return SCMP_ACT_ALLOW;
	case CALLS_REFUSED:
		return SCMP_ACT_ERRNO((uint32_t)s->error);
	default:
		return SCMP_ACT_KILL_PROCESS;
	}
}

static void count(struct filter *f, const struct call_set *s, int number)
{
	if (s->verdict == CALLS_ALLOWED && number != f->last)
		f->allowed++;
	f->last = number;
}

/* E_PERM: the kernel, or the library, has no such rule. */
static err add_rule(struct filter *f, const struct call_set *s, const struct call_rule *r)
{
	struct scmp_arg_cmp when[CALL_CONDITIONS_MAX];
	int number = seccomp_syscall_resolve_name(r->name);

	if (number < 0) /* not of this architecture, or newer than the library */
		return OK;
	for (unsigned i = 0; i < r->conditions; i++) {
		when[i] = r->when[i];
		if (when[i].datum_a == CALL_OWN_PROCESS)
			when[i].datum_a = (scmp_datum_t)getpid();
	}
	int status = seccomp_rule_add_array(f->context, action_of(s), number, r->conditions, when);
	if (status != 0)
		return err_note(E_PERM, "cannot filter %s: %s", r->name, strerrordesc_np(-status));
	count(f, s, number);
	return OK;
}

static bool concerns(const struct call_set *s, unsigned needs)
{
	return (s->of & needs) != 0 && (s->but_of & needs) == 0;
}

static err add_sets(struct filter *f, unsigned needs)
{
	err e = OK;

	for (size_t i = 0; i < call_sets_n; i++)
		for (size_t k = 0; k < call_sets[i].n && e == OK && concerns(&call_sets[i], needs); k++)
			e = add_rule(f, &call_sets[i], &call_sets[i].rules[k]);
	return e;
}

/* No second architecture (i386, x32), all threads, refusals in the kernel's log where it has one, and no mitigation against code that we do not run:
 * it would cost a part of the speed of everything. */
static err set_attributes(scmp_filter_ctx c)
{
	const struct {
		enum scmp_filter_attr name;
		uint32_t value;
	} all[] = {
		{SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS},
		{SCMP_FLTATR_CTL_TSYNC, 1},
		{SCMP_FLTATR_CTL_NNP, 1},
		{SCMP_FLTATR_CTL_LOG, 1},
		{SCMP_FLTATR_CTL_SSB, 1},
		{SCMP_FLTATR_CTL_OPTIMIZE, 2},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (seccomp_attr_set(c, all[i].name, all[i].value) != 0 && i == 0)
			return err_note(E_PERM, "the filter of system calls cannot be set up");
	return OK;
}

static err build(struct filter *f, unsigned needs)
{
	f->context = seccomp_init((needs & NEED_BASICS) ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_ALLOW);
	if (f->context == NULL)
		return err_note(E_MEMORY, "no memory for the filter of system calls");
	err e = set_attributes(f->context);
	return e == OK ? add_sets(f, needs) : e;
}

err confine_calls(unsigned needs, struct buf *missing)
{
	struct filter f = {.last = -1};
	err e = build(&f, needs);

	if (e == E_PERM || (e == OK && seccomp_load(f.context) != 0))
		confine_missing(missing, "filter of system calls");
	else if (e == OK)
		confined.calls = f.allowed;
	seccomp_release(f.context);
	return e == E_PERM ? OK : e;
}
