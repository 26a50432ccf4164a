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
	struct raced won; /* stream NULL: nobody yet */
	struct err_info why; /* of the last one that failed */
};

void raced_drop(const struct race_question *q, struct raced *r)
{
	stream_close(r->stream);
	place_give(&q->relay->places, r->place);
	*r = (struct raced){0};
}

/* A quarter of all, but what one destination may have. */
static size_t places_most(const struct relay *r)
{
	const struct config_queue *q = &r->config->queue;
	uint64_t quarter = q->connections / 4;

	return quarter > q->per_destination ? quarter : q->per_destination;
}

static err take_place(const struct race_question *q, const struct net_address *to, struct place **out)
{
	*out = NULL;
	if (q->busy == NULL)
		return OK;
	err e = place_take(&q->relay->places, to, places_most(q->relay), out);
	*q->busy |= e == E_BUSY;
	return e;
}

err race_single(const struct race_question *q, size_t which, struct raced *out)
{
	static const struct net_address any;
	const struct net_address *to = &q->addresses[which], *source = &any;

	*out = (struct raced){.which = which};
	err e = take_place(q, to, &out->place);
	if (e != OK)
		return e;
	if (q->route != NULL)
		source = to->sa.ss_family == AF_INET6 ? &q->route->source6 : &q->route->source4;
	e = q->relay->dial(q->relay->dial_ctx, to, source, &out->stream, rt_after(CONNECT_TIME));
	if (e == OK)
		return OK;
	place_give(&q->relay->places, out->place);
	*out = (struct raced){0};
	return e;
}

static void runner_run(void *arg)
{
	struct runner *r = arg;
	struct race *race = r->race;
	struct raced mine;
	err e = race_single(race->q, r->which, &mine);

	if (e == OK && race->won.stream == NULL) {
		race->won = mine;
	} else if (e == OK) {
		raced_drop(race->q, &mine);
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

	while (e == OK && last->running && race->won.stream == NULL)
		e = rt_park(until);
	return e == E_TIMEOUT ? OK : e;
}

/* Until somebody won, or all failed. */
static err watch_all(struct race *race)
{
	err e = OK;

	while (e == OK && race->running > 0 && race->won.stream == NULL)
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

static err result(struct race *race, err e, struct raced *out)
{
	if (e == OK && race->won.stream != NULL) {
		*out = race->won;
		return OK;
	}
	if (e != OK)
		raced_drop(race->q, &race->won);
	return e != OK ? E_CANCELLED : err_set(race->why.code, 0, NULL, "%s", race->why.text);
}

static err run(struct race *race, struct raced *out)
{
	const struct race_question *q = race->q;
	err e = OK;

	for (size_t i = next(q, 0); i < q->n && race->n < HOST_ADDRESSES_MAX && e == OK && race->won.stream == NULL;
	     i = next(q, i)) {
		q->tried[i] = true;
		start(race, i);
		e = watch(race, rt_after(HEAD_START));
	}
	if (e == OK)
		e = watch_all(race);
	end(race);
	return result(race, e, out);
}

err race_run(const struct race_question *q, struct raced *out)
{
	struct race race = {.q = q, .waiter = rt_self()};
	size_t first = next(q, 0);

	*out = (struct raced){0};
	if (first == q->n)
		return E_END;
	if (next(q, first + 1) < q->n)
		return run(&race, out);
	q->tried[first] = true;
	return race_single(q, first, out);
}
