/* SPDX-License-Identifier: ISC */
#include "relay/race.h"

#include "relay/hosts.h"

#define CONNECT_TIME (30 * NSEC_PER_SEC)
#define HEAD_START   (250 * NSEC_PER_MSEC) /* RFC 8305 5 */

struct runner {
	struct race *race;
	size_t which;
	struct co *co;
	bool running;
};

/* On the stack of race_run, which stays until no runner is left. */
struct race {
	const struct race_question *q;
	struct co *waiter;
	struct runner runners[HOST_ADDRESSES_MAX];
	size_t n, running;
	struct stream *won;
	size_t winner;
	struct err_info why; /* of the last one that failed */
};

err race_single(const struct race_question *q, size_t which, struct stream **out)
{
	static const struct net_address any;
	const struct net_address *to = &q->addresses[which], *source = &any;

	if (q->route != NULL)
		source = to->sa.ss_family == AF_INET6 ? &q->route->source6 : &q->route->source4;
	return q->relay->dial(q->relay->dial_ctx, to, source, out, rt_after(CONNECT_TIME));
}

static void runner_run(void *arg)
{
	struct runner *r = arg;
	struct race *race = r->race;
	struct stream *s = NULL;
	err e = race_single(race->q, r->which, &s);

	if (e == OK && race->won == NULL) {
		race->won = s;
		race->winner = r->which;
	} else if (e == OK) {
		stream_close(s);
	} else if (e != E_CANCELLED) {
		race->why = *err_info();
	}
	r->running = false;
	race->running--;
	rt_wake(race->waiter);
}

static void start(struct race *race, size_t which)
{
	struct runner *r = &race->runners[race->n];

	*r = (struct runner){.race = race, .which = which, .running = true};
	r->co = rt_spawn(runner_run, r, "connect");
	if (r->co == NULL) {
		race->why = (struct err_info){.code = E_MEMORY, .text = "no memory for a connection"};
		return;
	}
	race->n++;
	race->running++;
}

/* Until somebody won, the last one that was started failed, or it is time for the next one. */
static err watch(struct race *race, nsec until)
{
	const struct runner *last = &race->runners[race->n > 0 ? race->n - 1 : 0];
	err e = OK;

	while (e == OK && last->running && race->won == NULL)
		e = rt_park(until);
	return e == E_TIMEOUT ? OK : e;
}

/* Until somebody won, or all failed. */
static err watch_all(struct race *race)
{
	err e = OK;

	while (e == OK && race->running > 0 && race->won == NULL)
		e = rt_park(RT_NEVER);
	return e;
}

/* Those that are still on the way lose, but can be tried again. */
static void end(struct race *race)
{
	for (size_t i = 0; i < race->n; i++)
		if (race->runners[i].running) {
			race->q->tried[race->runners[i].which] = false;
			rt_cancel(race->runners[i].co);
		}
	while (race->running > 0)
		if (rt_park(RT_NEVER) == E_CANCELLED)
			rt_yield();
}

/* The next address that was not tried, from `at` on; n: none. */
static size_t next(const struct race_question *q, size_t at)
{
	while (at < q->n && q->tried[at])
		at++;
	return at;
}

static err result(const struct race *race, err e, struct stream **out, size_t *which)
{
	*out = race->won;
	*which = race->winner;
	if (race->won != NULL || e == E_CANCELLED)
		return race->won != NULL && e == OK ? OK : E_CANCELLED;
	return err_set(race->why.code, 0, NULL, "%s", race->why.text);
}

static err run(struct race *race, struct stream **out, size_t *which)
{
	const struct race_question *q = race->q;
	err e = OK;

	for (size_t i = next(q, 0); i < q->n && race->n < HOST_ADDRESSES_MAX && e == OK && race->won == NULL;
	     i = next(q, i)) {
		q->tried[i] = true;
		start(race, i);
		e = watch(race, rt_after(HEAD_START));
	}
	if (e == OK)
		e = watch_all(race);
	end(race);
	if (race->won != NULL && e != OK) {
		stream_close(race->won);
		race->won = NULL;
	}
	return result(race, e, out, which);
}

err race_run(const struct race_question *q, struct stream **out, size_t *which)
{
	struct race race = {.q = q, .waiter = rt_self()};
	size_t first = next(q, 0);

	*out = NULL;
	if (first == q->n)
		return E_END;
	if (next(q, first + 1) < q->n)
		return run(&race, out, which);
	q->tried[first] = true;
	*which = first;
	return race_single(q, first, out);
}
