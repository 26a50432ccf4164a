/* SPDX-License-Identifier: ISC */
#include "relay/day.h"

#define DAY       (86400 * USEC_PER_SEC)
#define DELAY_MAX (4 * 3600 * USEC_PER_SEC) /* RFC 8460 4.1: "perhaps several hours" */

enum { USEC = 1000 /* nanoseconds */ };

int64_t day_length(nsec every)
{
	return every > 0 ? every / USEC : DAY;
}

int64_t day_begin(int64_t at, nsec every)
{
	return at - at % day_length(every);
}

err day_wait_until(int64_t wall)
{
	int64_t left;
	err e = OK;

	while (e == OK && (left = wall - rt_wall()) > 0)
		e = rt_sleep_until(rt_after((left < DAY / 24 ? left : DAY / 24) * USEC));
	return e;
}

err day_delay(nsec every)
{
	return every > 0 ? OK : day_wait_until(rt_wall() + (int64_t)(rt_random_u64() % DELAY_MAX));
}
