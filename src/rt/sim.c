/* SPDX-License-Identifier: ISC */
/* Time and chance under simulation: the clock stands still while anybody can run, the same seed gives the same run. */
#include "rt/loop.h"

#define SIM_EPOCH 1767225600000000LL /* 2026-01-01 UTC, microseconds */

void sim_advance(struct rt_loop *l)
{
	nsec next = timers_next(&l->timers);

	if (next != RT_NEVER) {
		l->now = next > l->now ? next : l->now;
	} else if (!l->cancelled_all) {
		l->failure = E_BUSY;
		l->stopping = true;
	} else { /* they wait where they cannot be cancelled: nobody will ever wake them */
		l->failure = E_BUSY;
		l->count = 0;
	}
}

/* splitmix64 (Steele, Lea, Flood 2014) */
uint64_t sim_random(struct rt_loop *l)
{
	uint64_t z = l->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

int64_t sim_wall(const struct rt_loop *l)
{
	return SIM_EPOCH + l->now / 1000;
}
