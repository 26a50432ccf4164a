/* SPDX-License-Identifier: ISC */
/* rt - the runtime: coroutines on one event loop a process. Code above reads from top to bottom and waits only in
 * calls of this room. Each wait takes a deadline and can return E_TIMEOUT or, once the coroutine is cancelled,
 * E_CANCELLED: the code unwinds by ordinary returns, CLEANUP variables run on the way.
 *
 * Not thread-safe, except where said. Clock, randomness and network come from here so that a simulation can own them.
 */
#ifndef RT_RT_H
#define RT_RT_H

#include "base/err.h"
#include "base/str.h"

typedef int64_t nsec; /* durations, and instants of the loop's monotonic clock, in nanoseconds */
#define NSEC_PER_MSEC 1000000LL
#define NSEC_PER_SEC  1000000000LL
#define RT_NEVER      INT64_MAX

struct co; /* a coroutine */

/* Runs a loop in this thread with fn(arg) as first coroutine; returns when no coroutine is left or after rt_stop. */
MUST_USE err rt_run(void (*fn)(void *arg), void *arg);
/* The same under simulation: virtual clock that jumps to the next deadline when all coroutines wait, seeded
 * randomness. A deadlock (all wait, no deadline) returns E_BUSY. File descriptors cannot be waited for; use the
 * pairs of stream.h. */
MUST_USE err rt_run_simulated(uint64_t seed, void (*fn)(void *arg), void *arg);
void rt_stop(
	void); /* the loop returns after this round; coroutines that still wait are cancelled and run to their end first */

/* Starts fn(arg) soon, on a guarded 64 KiB stack (256 KiB under sanitizers) that is trimmed when it idles. NULL: no
 * memory. `name` must live on. The handle is valid until fn returns. */
struct co *rt_spawn(void (*fn)(void *arg), void *arg, const char *name);
struct co *rt_self(void);
size_t rt_count(void);         /* coroutines alive */
void rt_cancel(struct co *co); /* its current and all further waits return E_CANCELLED at once */
bool rt_cancelled(void);       /* has this coroutine been cancelled? */

nsec rt_now(void);            /* monotonic; read once a round of the loop */
nsec rt_after(nsec duration); /* rt_now() + duration, saturating */
int64_t rt_wall(void);        /* microseconds since 1970 UTC */
void rt_random(void *p, size_t n);
uint64_t rt_random_u64(void);

MUST_USE err rt_sleep_until(nsec instant); /* OK at the instant, or E_CANCELLED */
void rt_yield(void);

/* The block that everything that waits is made of. Parks until rt_wake(co): OK, or E_TIMEOUT, E_CANCELLED. A wake
 * that comes before the park is remembered (once). */
MUST_USE err rt_park(nsec deadline);
void rt_wake(struct co *co);
/* From another thread: wakes a coroutine of `loop` that is or will be in rt_park_uncancelled, once for each such
 * call. The thread must be joined before the loop ends. */
struct rt_loop;
struct rt_loop *rt_loop(void);
void rt_wake_from_thread(struct rt_loop *loop, struct co *co);
void rt_park_uncancelled(void); /* until rt_wake_from_thread; for work that cannot be abandoned half-way */

/* fn(arg) once at the end of this round of the loop, before it sleeps (gathered writes). Queuing it twice a round is
 * once. */
struct rt_round {
	void (*fn)(void *arg);
	void *arg;
	struct rt_round *next;
	bool queued;
};
void rt_at_round_end(struct rt_round *r);

/* Readiness of a descriptor (edge-triggered, registered at the first wait). One waiter a direction. Waits are for
 * after EAGAIN.
 * readable, writable: an edge was seen that nobody waited for, the next wait returns at once; whoever clears them
 * before each attempt saves an EAGAIN. The struct must not move once registered. */
struct rt_fd {
	int fd;          /* -1: none */
	uint32_t events; /* registered with the loop; 0: not at all */
	bool readable, writable;
	bool hangup;    /* the peer closed, or an error waits: there is an end to be read */
	bool exclusive; /* set before the first wait: of several processes that wait, wake one (listeners) */
	uint8_t streak; /* successes since the last wait; net_accept counts here */
	struct co *reader, *writer;
};
void rt_fd_init(struct rt_fd *f, int fd); /* sets O_NONBLOCK; takes ownership */
MUST_USE err rt_fd_wait_readable(struct rt_fd *f, nsec deadline);
MUST_USE err rt_fd_wait_writable(struct rt_fd *f, nsec deadline);
void rt_fd_close(struct rt_fd *f);  /* waiters get E_CLOSED; twice does no harm */
int rt_fd_release(struct rt_fd *f); /* gives the descriptor back, open and no longer watched */

/* Runs fn(arg) in a thread of the worker pool (4 threads, started on first use) and parks until it is done; cannot
 * be cancelled. Under simulation it runs in place. */
void rt_work(void (*fn)(void *arg), void *arg);
void rt_work_begin(void); /* starts the threads now: for who is about to be denied to start any. Without them fn runs in place */

/* Runs fn(arg) at once, on the stack of the loop's thread, which is as large as any program's: for libraries that want more than a coroutine has. fn must
 * not wait. */
void rt_deep(void (*fn)(void *arg), void *arg);

/* Counting semaphore and condition, for coroutines of one loop; first come, first served. */
struct rt_waiter;
struct semaphore {
	size_t free;
	struct rt_waiter *head, **tail;
};
void semaphore_init(struct semaphore *s, size_t n);
MUST_USE err semaphore_take(struct semaphore *s, nsec deadline);
MUST_USE bool semaphore_try(struct semaphore *s);
void semaphore_give(struct semaphore *s);

/* Signals (SIGTERM, SIGHUP, SIGCHLD ...) as a wait: blocks them for good (a child that is to have them must unblock
 * them before it executes), returns the next one; what came between two calls is kept. */
MUST_USE err rt_signal_wait(const int *signals, size_t n, int *got, nsec deadline);

#endif
