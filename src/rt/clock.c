/* SPDX-License-Identifier: ISC */
/* The loop's clock and randomness; outside a loop, the system's. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "rt/loop.h"

static nsec clock_read(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

nsec clock_monotonic(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

nsec rt_now(void)
{
	return loop_current ? loop_current->now : clock_monotonic();
}

nsec rt_after(nsec duration)
{
	nsec at;

	return __builtin_add_overflow(rt_now(), duration, &at) ? RT_NEVER : at;
}

int64_t rt_wall(void)
{
	if (loop_current && loop_current->simulated)
		return sim_wall(loop_current);
	return clock_read(CLOCK_REALTIME) / 1000;
}

static void random_simulated(char *p, size_t n)
{
	while (n > 0) {
		uint64_t word = sim_random(loop_current);
		size_t part = n < sizeof(word) ? n : sizeof(word);

		memcpy(p, &word, part);
		p += part;
		n -= part;
	}
}

static void random_system(char *p, size_t n)
{
	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0)
			abort(); /* no kernel without it; nothing predictable instead */
		p += got;
		n -= (size_t)got;
	}
}

void rt_random(void *p, size_t n)
{
	if (loop_current && loop_current->simulated)
		random_simulated(p, n);
	else
		random_system(p, n);
}

uint64_t rt_random_u64(void)
{
	uint64_t v;

	rt_random(&v, sizeof(v));
	return v;
}
