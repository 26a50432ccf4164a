/* SPDX-License-Identifier: ISC */
#include "role/tasks.h"

#include <stdlib.h>

struct task {
	struct task *next, **prev;
	struct tasks *tasks;
	struct co *co;
	void (*fn)(void *arg);
	void *arg;
};

static void task_run(void *arg)
{
	struct task *task = arg;
	struct tasks *t = task->tasks;

	task->fn(task->arg);
	*task->prev = task->next;
	if (task->next != NULL)
		task->next->prev = task->prev;
	free(task);
	if (--t->n == 0 && t->awaited_by != NULL)
		rt_wake(t->awaited_by);
}

err tasks_start(struct tasks *t, void (*fn)(void *arg), void *arg, const char *name)
{
	struct task *task = calloc(1, sizeof(*task));

	if (task != NULL)
		task->co = rt_spawn(task_run, task, name);
	if (task == NULL || task->co == NULL) {
		free(task);
		return err_note(E_MEMORY, "no memory for a coroutine");
	}
	task->tasks = t;
	task->fn = fn;
	task->arg = arg;
	task->next = t->first;
	task->prev = &t->first;
	if (task->next != NULL)
		task->next->prev = &task->next;
	t->first = task;
	t->n++;
	return OK;
}

err tasks_wait(struct tasks *t, nsec deadline)
{
	err e = OK;

	t->awaited_by = rt_self();
	while (e == OK && t->n > 0)
		e = rt_park(deadline);
	t->awaited_by = NULL;
	return e;
}

void tasks_cancel(struct tasks *t, bool (*pick)(const void *arg))
{
	for (struct task *task = t->first; task != NULL; task = task->next)
		if (pick(task->arg))
			rt_cancel(task->co);
}

void tasks_stop(struct tasks *t)
{
	for (struct task *task = t->first; task != NULL; task = task->next)
		rt_cancel(task->co);
	while (tasks_wait(t, RT_NEVER) != OK)
		rt_yield(); /* cancelled ourselves */
}
