/* SPDX-License-Identifier: ISC */
#include "rt/together.h"

/* On the stack of together_run, which stays until nobody runs. */
struct together {
	struct co *waiter;
	size_t running;
	struct err_info fault; /* the last one; code OK: none */
};

static void end(struct together *t, err e)
{
	if (e != OK)
		t->fault = *err_info();
	if (e != OK && t->fault.code != e)
		t->fault = (struct err_info){.code = e};
}

static void part_run(void *arg)
{
	struct together_part *p = arg;
	struct together *t = p->all;

	end(t, p->fn(p->ctx));
	p->co = NULL;
	t->running--;
	rt_wake(t->waiter);
}

static void start(struct together *t, struct together_part *p)
{
	p->all = t;
	p->co = rt_spawn(part_run, p, p->name);
	if (p->co != NULL)
		t->running++;
	else
		end(t, p->fn(p->ctx));
}

static void cancel(struct together *t, struct together_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].co != NULL)
			rt_cancel(parts[i].co);
	while (t->running > 0)
		if (rt_park(RT_NEVER) == E_CANCELLED)
			rt_yield();
}

err together_run(struct together_part *parts, size_t n)
{
	struct together t = {.waiter = rt_self()};
	err e = OK;

	for (size_t i = 0; i < n; i++)
		start(&t, &parts[i]);
	while (e == OK && t.running > 0)
		e = rt_park(RT_NEVER);
	if (e != OK)
		cancel(&t, parts, n);
	if (e == OK && t.fault.code != OK)
		return err_set(t.fault.code, t.fault.reply, t.fault.status, "%s", t.fault.text);
	return e;
}
