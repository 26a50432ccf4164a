/* SPDX-License-Identifier: ISC */
/* event_base - what libunbound waits with (unbound-event.h), on our loop: its descriptors are gathered in an epoll of their own, which one coroutine
 * waits for; another keeps its timers. Its functions are called back from these two, so never while another call into it is under way, and they
 * must not wait.
 */
#ifndef DNS_EVENT_BASE_H
#define DNS_EVENT_BASE_H

#include "base/err.h"

struct ub_event_base;

/* Needs a running loop. */
MUST_USE err event_base_new(struct ub_event_base **out);
/* After the last event was freed. Ends both coroutines; waits for them. */
void event_base_free(struct ub_event_base *b);

#endif
